"""A transport without a socket, for tests: it does what its script says, and keeps what it was told to send."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import final

from exwire.contracts import ConnectionContext
from exwire.errors import UsageError
from exwire.transport.base import BaseTransport
from exwire.transport.line import Line

__all__ = ["Reply", "ScriptedTransport"]

Reply = Callable[[bytes], Iterable[bytes | tuple[bytes, bool]]]
"""Answers a sent frame with frames: text, or ``(data, is_text)``."""


@final
class ScriptedTransport(BaseTransport):
    """Every rule of ``Transport`` holds; what differs is that the peer is your test.

    opens: the outcome of each ``open`` in order, None to succeed or an exception to raise; when it is used up, every further one succeeds.
    reply: called with every sent frame; what it returns is delivered at the loop's next step. contexts: of every ``open`` so far.
    sent: every frame sent so far, on all connections, with its ``is_text``. What the receiver raises comes out of ``deliver``.
    """

    def __init__(self, opens: Iterable[Exception | None] = (), *, reply: Reply | None = None) -> None:
        super().__init__()
        self.reply = reply
        self.contexts: list[ConnectionContext] = []
        self.sent: list[tuple[bytes, bool]] = []
        self._opens = deque(opens)
        self._waiters: list[asyncio.Event] = []

    @property
    def is_open(self) -> bool:
        """Whether a connection is open now."""
        return self._line is not None and self._line.link is not None and not self._line.closing

    def deliver(self, data: bytes, is_text: bool = True) -> None:
        """Hand a message to the receiver. After the connection ended it goes nowhere, as a late frame does."""
        self._opened().on_frame(data, is_text)

    def drop(self, code: int = 1006, reason: str = "") -> None:
        """End the connection as a peer does."""
        line = self._opened()
        line.ending(code, reason)
        line.lost()

    async def wait_sent(self, what: int | Callable[[bytes], bool] = 1, *, timeout_s: float = 5.0) -> list[bytes]:
        """Wait for frames to be sent, those before this call included.

        what: how many frames in all, which are then returned; or a test of one frame: those that pass are returned, at least one. Raises
        TimeoutError, listing what was sent instead.
        """
        more = asyncio.Event()
        self._waiters.append(more)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    frames = [data for data, _ in self.sent]
                    found = frames if isinstance(what, int) else [data for data in frames if what(data)]
                    if len(found) >= (what if isinstance(what, int) else 1):
                        return found
                    more.clear()
                    await more.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {timeout_s:g} s; sent so far: {[data for data, _ in self.sent]}") from None
        finally:
            self._waiters.remove(more)

    async def _connect(self, context: ConnectionContext, line: Line) -> None:
        self.contexts.append(context)
        outcome = self._opens.popleft() if self._opens else None
        if outcome is not None:
            raise outcome
        line.link = _Script(self, line)

    def _opened(self) -> Line:
        if self._line is None:
            raise UsageError("the scripted transport was never opened, so it has no receiver")
        return self._line

    def note(self, line: Line, data: bytes, is_text: bool) -> None:
        """Keep a sent frame, wake those who wait for it, and let ``reply`` answer."""
        self.sent.append((data, is_text))
        for waiter in self._waiters:
            waiter.set()
        for answer in self.reply(data) if self.reply is not None else ():
            frame, text = answer if isinstance(answer, tuple) else (answer, True)
            asyncio.get_running_loop().call_soon(_late, line, frame, text)


def _late(line: Line, frame: bytes, is_text: bool) -> None:
    line.on_frame(frame, is_text)


@final
class _Script:
    """The link of one scripted connection."""

    def __init__(self, owner: ScriptedTransport, line: Line) -> None:
        self._owner = owner
        self._line = line

    def transmit(self, data: bytes, is_text: bool) -> None:
        self._owner.note(self._line, data, is_text)

    def finish(self, code: int, reason: str) -> None:
        self._line.lost()

    def abort(self) -> None:
        self._line.lost()
