"""The least that a program can do with a library and msgspec: what exwire's socket path is held against.

A floor decodes the same fields into a struct and calls back. It checks nothing, converts nothing, knows no symbols, survives no error, and
does not reconnect.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Final, final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websockets_connect

from benchmarks.gateio_tape import handler
from benchmarks.tape_peer import GO
from exwire.interface import BaseWebSocketInterface
from exwire.router import Router
from exwire.subscription import Channel, Subscription
from exwire.transport import create_transport

__all__ = ["DECODERS", "BarePicows", "BareWebsockets", "Contender", "Exwire"]

_DEADLINE_S: Final = 20.0

Decoder = Callable[[bytes | memoryview], object]


class _BookTicker(msgspec.Struct, gc=False):
    t: int
    u: int
    s: str
    b: float
    B: float
    a: float
    A: float


class _BookUpdate(msgspec.Struct, gc=False):
    t: int
    s: str
    U: int
    u: int
    b: tuple[tuple[float, float], ...]
    a: tuple[tuple[float, float], ...]


class _BookTickerPush(msgspec.Struct, gc=False):
    channel: str
    event: str
    time_ms: int
    result: _BookTicker


class _BookUpdatePush(msgspec.Struct, gc=False):
    channel: str
    event: str
    time_ms: int
    result: _BookUpdate


DECODERS: Final[dict[Channel, Decoder]] = {
    Channel.BOOK_TICKER: msgspec.json.Decoder(_BookTickerPush, strict=False).decode,
    Channel.BOOK: msgspec.json.Decoder(_BookUpdatePush, strict=False).decode,
}
"""What a floor decodes with."""


class Contender(ABC):
    """Somebody who can be asked to hear the tape once. expected: how many events that is."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._heard = 0
        self._all_heard: asyncio.Future[None]

    @abstractmethod
    async def open(self, url: str) -> Callable[[], Awaitable[object]]:
        """Connect; return what disconnects."""

    @abstractmethod
    def ask(self) -> None:
        """Ask for the tape."""

    def callback(self, _event: object) -> None:
        """The user's: counts."""
        self._heard += 1
        if self._heard == self._expected:
            self._all_heard.set_result(None)

    async def hear(self) -> None:
        """Return when the callback has had every event of the tape. Raises TimeoutError where one does not come through."""
        self._heard = 0
        self._all_heard = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(_DEADLINE_S):
            self.ask()
            await self._all_heard


@final
class Exwire(Contender):
    """Transport, interface, handler, router, callback, as in a Connector."""

    def __init__(self, expected: int, channel: Channel, transport: str) -> None:
        super().__init__(expected)
        self._transport = create_transport(transport)
        venue = handler()
        self._router = Router(venue)
        self._router.add(Subscription(channel, "BTC/USDT"), self.callback, lambda _: None)
        self._handler = venue

    async def open(self, url: str) -> Callable[[], Awaitable[object]]:
        """Connect through the interface; nothing is subscribed, the peer plays anyway."""
        socket = BaseWebSocketInterface(self._handler, transport=self._transport, urls=(url,))
        await socket.connect()
        return socket.close

    def ask(self) -> None:
        """Ask for the tape."""
        self._transport.send(GO)


@final
class BareWebsockets(Contender):
    """A ``recv()`` loop."""

    def __init__(self, expected: int, channel: Channel) -> None:
        super().__init__(expected)
        self._decode = DECODERS[channel]
        self._connection: ClientConnection
        self._reader: asyncio.Task[None]

    async def open(self, url: str) -> Callable[[], Awaitable[object]]:
        """Connect and start the loop."""
        self._connection = await websockets_connect(url, compression=None, ping_interval=None, proxy=None)
        self._reader = asyncio.create_task(self._read())
        return self._leave

    def ask(self) -> None:
        """Ask for the tape."""
        self._connection.protocol.send_text(GO)
        self._connection.send_data()

    async def _read(self) -> None:
        recv, decode, callback = self._connection.recv, self._decode, self.callback
        while True:
            callback(decode(await recv(decode=False)))

    async def _leave(self) -> None:
        self._reader.cancel()
        await self._connection.close()


@final
class BarePicows(Contender):
    """A listener that decodes in its callback."""

    def __init__(self, expected: int, channel: Channel) -> None:
        super().__init__(expected)
        self._decode = DECODERS[channel]
        self._transport: Any

    async def open(self, url: str) -> Callable[[], Awaitable[object]]:
        """Connect."""
        import picows  # noqa: PLC0415 - optional

        decode, callback, text = self._decode, self.callback, picows.WSMsgType.TEXT

        class Listener(picows.WSListener):
            def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
                if frame.msg_type is text:
                    callback(decode(frame.get_payload_as_memoryview()))

        self._transport, _ = await picows.ws_connect(Listener, url, enable_auto_ping=False)
        return self._leave

    def ask(self) -> None:
        """Ask for the tape."""
        import picows  # noqa: PLC0415 - optional

        self._transport.send(picows.WSMsgType.TEXT, GO)

    async def _leave(self) -> None:
        self._transport.disconnect()
        await self._transport.wait_disconnected()
