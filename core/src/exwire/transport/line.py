"""One socket's way to its receiver: frames while it is open, its end once, nothing after."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol, final

from exwire.transport.seam import Receiver

__all__ = ["CLOSE_GRACE_S", "Line", "Link", "is_wire_code"]

_log = logging.getLogger("exwire.transport")

CLOSE_GRACE_S: Final = 2.0
"""How long a closing handshake may take before the socket is aborted."""


class Link(Protocol):
    """A library's connection, as far as a line needs it."""

    def transmit(self, data: bytes, is_text: bool) -> None:
        """Write one message."""

    def finish(self, code: int, reason: str) -> None:
        """Write a close frame; the peer's answer, or the end of the stream, ends the socket."""

    def abort(self) -> None:
        """Drop the socket. ``Line.lost`` is called soon after."""


@final
class Line:
    """Stands between a library's connection and a receiver.

    on_frame: the receiver's, or a function that does nothing once the line is closing; code, reason: of the first close frame.
    """

    __slots__ = ("_established", "_gone", "_guard", "_receiver", "closing", "code", "link", "on_frame", "reason")

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._gone = asyncio.Event()
        self._guard: asyncio.TimerHandle | None = None
        self._established = False
        self.on_frame = receiver.on_frame
        self.link: Link | None = None
        self.closing = False
        self.code = 1006
        self.reason = ""

    @property
    def gone(self) -> bool:
        """Whether the socket is gone."""
        return self._gone.is_set()

    def established(self) -> bool:
        """Note that ``open`` is about to return; False when the connection has ended meanwhile, and ``open`` has to raise."""
        self._established = not self.closing
        return self._established

    def deliver(self, data: bytes, is_text: bool) -> None:
        """Hand over a message; when the receiver raises, close with 1011."""
        try:
            self.on_frame(data, is_text)
        except Exception:  # noqa: BLE001 - a receiver is a user's callback to a library
            self.failed()

    def failed(self) -> None:
        """Report the exception being handled, which the receiver raised, and close with 1011."""
        _log.exception("a receiver raised in on_frame; closing with 1011")
        self.close(1011, "internal error")

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake, unless it has started."""
        if not self.closing and self.link is not None:
            self.ending(code, reason)
            self.link.finish(code, reason)

    def ending(self, code: int, reason: str) -> None:
        """Note the first close frame, the peer's or ours: no more frames, and the socket has to end in ``CLOSE_GRACE_S``."""
        if self.closing:
            return
        self.code = code
        self.reason = reason
        self.hush()
        if self.link is not None:
            self._guard = asyncio.get_running_loop().call_later(CLOSE_GRACE_S, self.link.abort)

    def hush(self) -> None:
        """Deliver no more frames."""
        self.closing = True
        self.on_frame = _nowhere

    def lost(self) -> None:
        """Note that the socket is gone, and tell the receiver if it was ever told that it is open."""
        if self.gone:
            return
        self.hush()
        if self._guard is not None:
            self._guard.cancel()
        self.link = self._guard = None
        self._gone.set()
        if self._established:
            try:
                self._receiver.on_close(self.code, self.reason)
            except Exception:  # noqa: BLE001 - a receiver is a user's callback to a library
                _log.exception("a receiver raised in on_close")

    def abandon(self) -> None:
        """Give up before ``open`` returned: the receiver hears nothing more."""
        if self.link is not None:
            self.link.abort()
        self.lost()

    async def wait_gone(self) -> None:
        """Return when the socket is gone."""
        await self._gone.wait()


def is_wire_code(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455, 7.4, and the codes 1012 to 1014 registered since)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def _nowhere(data: bytes, is_text: bool) -> None:
    """Where frames go that nobody wants any more."""
