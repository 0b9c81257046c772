"""How MEXC is connected to, the same for every market; a market adds its URL and its ping."""

from __future__ import annotations

from typing import ClassVar, Final

from exwire.contracts import ConnectionContext, ConnectionMixin, ErrorKind, Keepalive, Limits
from exwire.errors import ConnectionLostError
from exwire.subscription import Request

__all__ = ["MexcConnectionMixin"]

_KEEPALIVE: Final = Keepalive(interval_s=15.0, timeout_s=10.0)
"""MEXC closes a socket on which nothing flows after 60 s; a ping counts as flow."""

_NO_STATUS: Final = 1005
"""MEXC often closes quiet sockets with an empty close frame."""


class MexcConnectionMixin(ConnectionMixin):
    """No compression, no headers of our own, MEXC's own ping.

    urls: in order of preference; ping_frame: ``{"method":"PING"}`` on spot; topics: a connection, of the 30 that MEXC allows, so that
    there is room for a topic that moves in before another has moved out. A socket without any topic is closed by MEXC after 30 s.
    """

    __slots__ = ()

    urls: ClassVar[tuple[str, ...]]
    ping_frame: ClassVar[bytes]
    topics: ClassVar[int] = 20

    def connection_context(self) -> ConnectionContext:
        """Return where and how to connect. MEXC disconnects clients that send more than 100 messages a second."""
        limits = Limits(topics=self.topics, frames_per_s=20.0, burst=20, frame_bytes=1024, lifetime_s=24 * 3600.0)
        return ConnectionContext(urls=self.urls, keepalive=_KEEPALIVE, limits=limits)

    def classify_error(self, exc: Exception) -> ErrorKind:
        """Return what a lost connection means: 1005 is how MEXC ends many of them, and coming back at once is welcome."""
        if isinstance(exc, ConnectionLostError) and exc.code == _NO_STATUS:
            return ErrorKind.QUICK
        return super().classify_error(exc)

    def ping(self, now_ns: int) -> Request | None:
        """Return MEXC's ping; it carries no id, and its pong no clock."""
        return Request(0, self.ping_frame)
