"""What a user may set: endpoints, credentials, environment variables. Read once, never while data flows."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar, final
from urllib.parse import urlsplit

from msgspec import Struct

from exwire.errors import ConfigError, UnknownNameError

__all__ = ["LOCAL_HOSTS", "Credentials", "Endpoints", "Secret", "Sign", "TransportChoice", "cache_dir", "check_url", "flag"]

Sign = Callable[[bytes], str]
"""Signs a text: bytes in, lower-case hex out."""

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_PLAIN = {"http", "ws"}
_SECURE = {"https", "wss"}


@final
class Secret:
    """A value that signs and is never shown: printing, formatting, copying and pickling do not reveal it."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value.encode()

    def signer(self, digest: str) -> Sign:
        """Return a function that signs with HMAC and this digest (``"sha256"``, ``"sha512"``)."""
        if digest not in hashlib.algorithms_available:
            raise UnknownNameError("digest", digest, hashlib.algorithms_guaranteed)
        value = self.__value
        return lambda text: hmac.new(value, text, digest).hexdigest()

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be copied or pickled")


class Credentials(Struct, frozen=True):
    """An API key and the secret that signs for it."""

    key: str
    secret: Secret


class Endpoints(Struct, frozen=True):
    """Where a venue is reached instead of its own hosts. rest: base URL; ws: WebSocket URL by market (``{"spot": "ws://127.0.0.1:…"}``)."""

    rest: str = ""
    ws: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        for url in (self.rest, *self.ws.values()):
            if url:
                check_url(url)


class TransportChoice(StrEnum):
    """Values of ``EXWIRE_TRANSPORT``. ``auto``: picows where it is installed, else websockets."""

    AUTO = "auto"
    WEBSOCKETS = "websockets"
    PICOWS = "picows"


F = TypeVar("F", bound=StrEnum)


def flag(name: str, choices: type[F], default: F, environ: Mapping[str, str] = os.environ) -> F:
    """Return the choice that an environment variable makes. Raises UnknownNameError, listing the valid ones."""
    value = environ.get(name, "")
    if not value:
        return default
    try:
        return choices(value.strip().lower())
    except ValueError:
        raise UnknownNameError(f"value of {name}", value, [each.value for each in choices]) from None


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where static data (instruments) is kept: ``EXWIRE_CACHE_DIR``, else exwire's folder in the user's cache."""
    if environ.get("EXWIRE_CACHE_DIR"):
        return Path(environ["EXWIRE_CACHE_DIR"])
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "exwire"


def check_url(url: str) -> str:
    """Return the URL if its scheme is secure, or plain and on this machine; raise ConfigError otherwise: TLS has no off switch."""
    parts = urlsplit(url)
    if parts.scheme not in _PLAIN | _SECURE or not parts.hostname:
        raise ConfigError(
            f"{url!r} is not a URL that exwire can use; expected wss://host/…, https://host/…, or ws:// and http:// on 127.0.0.1"
        )
    if parts.scheme in _PLAIN and parts.hostname not in LOCAL_HOSTS:
        raise ConfigError(f"{parts.scheme}://{parts.hostname} would be unencrypted; only 127.0.0.1 may be, use {parts.scheme}s://")
    try:
        _ = parts.port
    except ValueError as exc:
        raise ConfigError(f"{url!r} is not a URL that exwire can use: {exc}") from None
    return url
