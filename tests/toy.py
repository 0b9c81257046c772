"""A venue that exists only here: the smallest dialect that a connection can speak, and a server that speaks it back.

Requests are ``{"id":1,"op":"sub","topics":["trades BTC-USDT"]}``; answers ``{"id":1,"ok":true}``; data
``{"topic":"trades BTC-USDT","price":1.0}``.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import ClassVar

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Request_
from websockets.http11 import Response

from exwire.config import Endpoints, Sign
from exwire.contracts import (
    ON_CHANGE,
    ChannelSpec,
    ConnectionContext,
    ConnectionMixin,
    Delivery,
    Keepalive,
    Limits,
    NoAuthMixin,
    SubscriptionMixin,
)
from exwire.errors import ConfigError, DecodeError, VenueError
from exwire.handlers import PublicMessageHandler
from exwire.interface import BaseWebSocketInterface
from exwire.lifecycle import Notice
from exwire.model import BookSnapshot, Candle, Instrument, InstrumentStatus, Side, Ticker, Trade
from exwire.reconnect import ReconnectionPolicy
from exwire.rest import BaseRestClient
from exwire.subscription import Ack, Channel, Request, Subscription
from exwire.transport import create_transport

BATCH = 10


class Message(msgspec.Struct):
    """Everything the toy venue says."""

    id: int | None = None
    ok: bool = True
    bad: tuple[str, ...] = ()
    code: str = ""
    topic: str = ""
    price: float = 1.0
    pong: bool = False
    notice: str = ""


_decode = msgspec.json.Decoder(Message).decode


class ToyConnectionMixin(ConnectionMixin):
    """Its settings are the class's own, so that a test can make them small."""

    __slots__ = ()

    keepalive: ClassVar[Keepalive] = Keepalive(interval_s=60.0)
    limits: ClassVar[Limits] = Limits()

    def connection_context(self) -> ConnectionContext:
        return ConnectionContext(urls=("ws://127.0.0.1:1/",), keepalive=self.keepalive, limits=self.limits)

    def reconnection_policy(self) -> ReconnectionPolicy:
        return ReconnectionPolicy(base_s=0.01, cap_s=0.02)

    def ping(self, now_ns: int) -> Request | None:
        return Request(id=0, frame=b'{"op":"ping"}')


class ToySubscriptionMixin(SubscriptionMixin):
    """Batches of ten."""

    __slots__ = ()

    channels: ClassVar = {
        Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.BY_ID),
        Channel.TICKER: ChannelSpec(ON_CHANGE, Delivery.NEWEST),
    }

    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return self._encode("sub", subs, ids)

    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return self._encode("unsub", subs, ids)

    def _encode(self, op: str, subs: Sequence[Subscription], ids: Iterator[int]) -> list[Request]:
        requests = []
        for start in range(0, len(subs), BATCH):
            batch, number = tuple(subs[start : start + BATCH]), next(ids)
            topics = tuple(self.topic(sub) for sub in batch)
            frame = msgspec.json.encode({"id": number, "op": op, "topics": topics})
            requests.append(Request(number, frame, batch, topics, subscribe=op == "sub"))
        return requests

    def topic(self, sub: Subscription) -> str:
        return f"{sub.channel} {self.venue_symbol(sub.symbol)}"

    def subscription(self, topic: str) -> Subscription:
        channel, _, symbol = topic.partition(" ")
        return Subscription(Channel(channel), self.symbol(symbol))

    def venue_symbol(self, symbol: str) -> str:
        if symbol.count("/") != 1:
            raise ConfigError(f"toy: {symbol!r} is no symbol")
        return symbol.replace("/", "-")

    def symbol(self, venue_symbol: str) -> str:
        return venue_symbol.replace("-", "/")


class ToyHandler(ToyConnectionMixin, NoAuthMixin, ToySubscriptionMixin, PublicMessageHandler):
    """The toy venue's public connection."""

    __slots__ = ()

    venue: ClassVar[str] = "toy"
    market: ClassVar[str] = "spot"

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        try:
            message = _decode(frame)
        except msgspec.MsgspecError as exc:
            raise DecodeError(self.venue, f"expected a toy message: {exc}", frame) from exc
        if message.topic:
            self._data(message, ts_recv)
        elif message.pong:
            self.on_pong(0)
        elif message.notice:
            self.on_notice(Notice(self.venue, message.notice, ""))
        else:
            self.on_ack(Ack(message.id, message.ok, message.bad, message.code, "the toy venue says no" if not message.ok else ""))

    def _data(self, message: Message, ts_recv: int) -> None:
        channel, _, venue_symbol = message.topic.partition(" ")
        try:
            symbol = self.symbols[venue_symbol]
        except KeyError:
            self.outside += 1
            return
        if channel == Channel.TRADES:
            self.on_trade(Trade(self.venue, symbol, 1, ts_recv, "1", Side.BUY, message.price, 1.0))
        else:
            self.on_ticker(Ticker(self.venue, symbol, 1, ts_recv, message.price, 0.0, 1.0, 1.0, 1.0, 1.0))


class ToyServer:
    """Answers on a real socket. What it does wrong is set by the test."""

    def __init__(self) -> None:
        self.port = 0
        self.connections: list[ServerConnection] = []
        self.requests: list[dict[str, object]] = []
        self.opens = 0
        self.mute_acks = False
        self.refuses = False
        self.mute_pongs = False
        self.names_bad_topics = True
        self.bad_topics: set[str] = set()
        self.topics: dict[ServerConnection, set[str]] = defaultdict(set)
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    async def handle(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self.opens += 1
        await self._notify()
        try:
            async for text in connection:
                request = msgspec.json.decode(text)
                self.requests.append(request)
                await self._answer(connection, request)
                await self._notify()
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)
            self.topics.pop(connection, None)
            await self._notify()

    async def _answer(self, connection: ServerConnection, request: dict[str, object]) -> None:
        if request["op"] == "ping":
            if not self.mute_pongs:
                await connection.send('{"pong":true}')
            return
        topics = request["topics"]
        assert isinstance(topics, list)
        bad = [topic for topic in topics if topic in self.bad_topics]
        if bad and request["op"] == "sub":
            named = bad if self.names_bad_topics else []
            await connection.send(msgspec.json.encode({"id": request["id"], "ok": False, "bad": named, "code": "404"}).decode())
            if not self.names_bad_topics or len(bad) == len(topics):
                return
        held = self.topics[connection]
        held.update(set(topics) - set(bad)) if request["op"] == "sub" else held.difference_update(topics)
        if not self.mute_acks:
            await connection.send(msgspec.json.encode({"id": request["id"], "ok": True}).decode())

    async def push(self, topic: str, price: float = 1.0) -> None:
        for connection in list(self.connections):
            await connection.send(msgspec.json.encode({"topic": topic, "price": price}).decode())

    async def say(self, text: str) -> None:
        for connection in list(self.connections):
            await connection.send(text)

    async def drop(self) -> None:
        """Cut every connection without a close frame."""
        for connection in list(self.connections):
            connection.transport.abort()

    async def until(self, condition: object) -> None:
        """Wait until the callable is true of the server; every request and connection wakes it."""
        assert callable(condition)
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def toy_server() -> AsyncIterator[ToyServer]:
    """A toy venue on a free port of 127.0.0.1."""
    toy = ToyServer()

    def admit(connection: ServerConnection, _: Request_) -> Response | None:
        return connection.respond(503, "not now") if toy.refuses else None

    async with serve(toy.handle, "127.0.0.1", 0, compression=None, process_request=admit) as server:
        toy.port = next(iter(server.sockets)).getsockname()[1]
        yield toy


class ToyRest(BaseRestClient):
    """Knows its instruments by heart; ``listed`` is the class's, so that a test can change it."""

    venue: ClassVar[str] = "toy"
    default_url: ClassVar[str] = "https://api.toy.invalid"
    listed: ClassVar[tuple[str, ...]] = ("BTC/USDT", "ETH/USDT", *(f"C{number}/USDT" for number in range(25)))
    asked: ClassVar[int] = 0

    async def instruments(self) -> list[Instrument]:
        type(self).asked += 1
        return [
            Instrument("toy", each, each, each.removesuffix("/USDT"), "USDT", InstrumentStatus.TRADING, Decimal("0.01"), Decimal("0.01"))
            for each in self.listed
        ]

    async def server_time(self) -> int:
        return 1

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        return VenueError("toy", str(status), "")

    async def book_snapshot(self, symbol: str, depth: int) -> BookSnapshot:
        raise VenueError("toy", "404", "no books here")

    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        return []

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        return []

    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        return []


class ToyVenue:
    """The toy venue as a connector sees it."""

    name = "toy"
    market = "spot"
    has_rest = True

    def __init__(self, transport: str = "websockets", handler: type[ToyHandler] = ToyHandler, rest: type[ToyRest] = ToyRest) -> None:
        self.transport = transport
        self.handler = handler
        self.rest_type = rest

    def socket(self, endpoints: Endpoints) -> BaseWebSocketInterface:
        return BaseWebSocketInterface(self.handler(), transport=create_transport(self.transport), urls=(endpoints.ws["spot"],))

    def rest(self, endpoints: Endpoints) -> BaseRestClient:
        return self.rest_type()
