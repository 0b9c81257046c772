"""Its venue is at an address where nobody listens, or where a test does."""

import os
from collections.abc import Iterator, Mapping, Sequence

from exwire.config import Sign
from exwire.contracts import ON_CHANGE, ChannelSpec, ConnectionContext, ConnectionMixin, Delivery, NoAuthMixin, SubscriptionMixin
from exwire.errors import VenueError
from exwire.handlers import PublicMessageHandler
from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl
from exwire.model import BookSnapshot, Candle, Instrument, Ticker, Trade
from exwire.rest import BaseRestClient, RetryPolicy
from exwire.subscription import Channel, Request, Subscription


class UnreachableHandler(ConnectionMixin, NoAuthMixin, SubscriptionMixin, PublicMessageHandler):
    __slots__ = ()
    venue = "unreachable"
    market = "spot"
    channels = {Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.BY_ID)}

    def connection_context(self) -> ConnectionContext:
        return ConnectionContext(urls=(os.environ.get("UNREACHABLE_URL", "ws://127.0.0.1:9/nobody"),))

    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return [Request(next(ids), b"subscribe", tuple(subs), tuple(self.topic(sub) for sub in subs))]

    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return [Request(next(ids), b"unsubscribe", tuple(subs), tuple(self.topic(sub) for sub in subs), subscribe=False)]

    def ping(self, now_ns: int) -> Request:
        return Request(0, b"ping")

    def topic(self, sub: Subscription) -> str:
        return sub.symbol

    def subscription(self, topic: str) -> Subscription:
        return Subscription(Channel.TRADES, topic)

    def venue_symbol(self, symbol: str) -> str:
        return symbol

    def symbol(self, venue_symbol: str) -> str:
        return venue_symbol

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        raise NotImplementedError


class UnreachableRest(BaseRestClient):
    venue = "unreachable"
    default_url = "http://127.0.0.1:9"
    retry = RetryPolicy(attempts=1)

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        return VenueError(self.venue, "", "", status=status)

    async def server_time(self) -> int:
        return await self.get("/time", int)

    async def instruments(self) -> list[Instrument]:
        return await self.get("/instruments", list[Instrument])

    async def book_snapshot(self, symbol: str, depth: int) -> BookSnapshot:
        raise NotImplementedError

    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        raise NotImplementedError

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        raise NotImplementedError

    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        raise NotImplementedError


@hookimpl
def exwire_venue() -> VenueSpec:
    spot = MarketSpec(
        public="hostile_unreachable:UnreachableHandler", rest="hostile_unreachable:UnreachableRest", channels=(Channel.TRADES,)
    )
    return VenueSpec(name="unreachable", api=1, markets={"spot": spot})
