"""What opening a socket takes beside a library: the proxy, the TLS context, and failures told without a URL's query."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from exwire.config import LOCAL_HOSTS
from exwire.contracts import ConnectionContext
from exwire.errors import ConnectError

__all__ = ["LibraryLog", "failure", "proxy_for", "refusal", "tls_context"]


class LibraryLog(logging.LoggerAdapter[logging.Logger]):
    """A library's log, made safe and quiet.

    At DEBUG and below, the libraries print request lines and headers (tokens, keys) and the frames themselves; those lines are dropped.
    What they print above is told by ConnectError and ``on_close`` as well, so it goes to DEBUG.
    """

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        """Whether the library should prepare such a line at all."""
        return level > logging.DEBUG and self.logger.isEnabledFor(logging.DEBUG)

    def log(self, level: int, msg: object, *args: object, **kwargs: object) -> None:
        """Log one line of the library."""
        if self.isEnabledFor(level):
            self.logger.debug(msg, *args, exc_info=bool(kwargs.get("exc_info")))


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a WebSocket URL, None for a direct connection. This machine needs none.

    ``WSS_PROXY`` comes first, then a SOCKS proxy, then ``HTTPS_PROXY``, less the hosts of ``NO_PROXY`` (RFC 6455, 4.1; only ``wss`` leaves
    this machine).
    """
    parts = urlsplit(url)
    if parts.hostname in LOCAL_HOSTS or proxy_bypass(f"{parts.hostname}:{parts.port or 443}"):
        return None
    proxies = getproxies()
    for kind in ("wss", "socks", "https"):
        proxy = proxies.get(kind)
        if proxy:
            # The settings of an operating system give a SOCKS proxy as http://host:port.
            return "socks5h" + proxy[4:] if kind == "socks" and proxy.startswith("http://") else proxy
    return None


def tls_context() -> ssl.SSLContext:
    """Return a context that verifies certificate and host name against the trusted authorities of this machine (or ``SSL_CERT_FILE``)."""
    paths = ssl.get_default_verify_paths()
    changed_ns = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    return _tls_context(paths.cafile, paths.capath, changed_ns)


@lru_cache(maxsize=1)
def _tls_context(_cafile: str | None, _capath: str | None, _changed_ns: int) -> ssl.SSLContext:
    # Kept because reading the authorities takes 30 ms, during which the event loop stands still.
    return ssl.create_default_context()


def refusal(context: ConnectionContext, status: int, retry_after: str | None) -> ConnectError:
    """Return the error for an HTTP answer that is not 101. retry_after: the header, in seconds or as an HTTP date."""
    reason = f"the upgrade was refused with HTTP {status}"
    if 300 <= status <= 399:
        reason = f"redirected with HTTP {status}, and redirects are not followed"
    return ConnectError(context.safe_url, reason, status=status, retry_after_s=_seconds(retry_after, time.time()))


def failure(exc: Exception, context: ConnectionContext) -> ConnectError:
    """Return the error for what a library raised while it connected."""
    return ConnectError(context.safe_url, _scrub(_reason(exc), context))


def _reason(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, socket.gaierror):
        return f"the host name could not be resolved: {exc.strerror}"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc) or type(exc).__name__


def _scrub(text: str, context: ConnectionContext) -> str:
    """Remove what a library may quote: the URL with its query, and proxies with their passwords."""
    url = context.urls[0]
    parts = urlsplit(url)
    secrets = [
        (url, context.safe_url),
        (parts.query, "…"),
        (parts.password, "…"),
        *((proxy, "the proxy") for proxy in getproxies().values()),
    ]
    for secret, shown in secrets:
        if secret:
            text = text.replace(secret, shown)
    return text


def _seconds(retry_after: str | None, now_s: float) -> float | None:
    """Return what a Retry-After header asks for, None when it is absent or means nothing (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None
