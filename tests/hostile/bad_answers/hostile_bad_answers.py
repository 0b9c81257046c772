"""Its handler has every contract and gives answers that nobody can use."""

from collections.abc import Iterator, Sequence

from exwire.config import Sign
from exwire.contracts import ON_CHANGE, ChannelSpec, ConnectionContext, ConnectionMixin, Delivery, NoAuthMixin, SubscriptionMixin
from exwire.handlers import PublicMessageHandler
from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl
from exwire.subscription import Channel, Request, Subscription


class BadAnswersHandler(ConnectionMixin, NoAuthMixin, SubscriptionMixin, PublicMessageHandler):
    __slots__ = ()
    venue = "bad_answers"
    market = "spot"
    channels = {Channel.TICKER: ChannelSpec(ON_CHANGE, Delivery.NEWEST)}

    def connection_context(self) -> ConnectionContext:
        return ConnectionContext(urls=("ws://bad-answers.example/unencrypted",))

    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return []

    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        return []

    def topic(self, sub: Subscription) -> str:
        return sub.symbol

    def subscription(self, topic: str) -> Subscription:
        return Subscription(Channel.TICKER, topic)

    def venue_symbol(self, symbol: str) -> str:
        return symbol

    def symbol(self, venue_symbol: str) -> str:
        return venue_symbol

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        raise NotImplementedError


class Announcing(BadAnswersHandler):
    __slots__ = ()
    market = "futures"


@hookimpl
def exwire_venue() -> VenueSpec:
    spot = MarketSpec(public="hostile_bad_answers:BadAnswersHandler", channels=(Channel.TICKER,))
    futures = MarketSpec(public="hostile_bad_answers:Announcing", channels=(Channel.TICKER, Channel.TRADES, Channel.ORDERS))
    return VenueSpec(name="bad_answers", api=1, markets={"spot": spot, "futures": futures})
