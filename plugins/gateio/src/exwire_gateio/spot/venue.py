"""Gate.io spot's handlers: mixins composed with a message handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, final

from exwire.config import Sign
from exwire.contracts import ON_CHANGE, Cadence, ChannelSpec, Delivery, NoAuthMixin, Param, SubscriptionMixin
from exwire.errors import DecodeError
from exwire.handlers import PublicMessageHandler
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Ticker, Trade
from exwire.subscription import Channel, Request, Subscription
from exwire.wire import UNREADABLE
from exwire_gateio import names
from exwire_gateio.connection import GateioConnectionMixin
from exwire_gateio.envelope import read_control
from exwire_gateio.names import VENUE
from exwire_gateio.spot import encode
from exwire_gateio.spot.decode import TO_EVENT, decode_push
from exwire_gateio.spot.encode import BOOK_DEPTHS, INTERVALS, SNAPSHOT_DEPTHS, SNAPSHOT_INTERVALS_MS

__all__ = ["GateioSpotPublicHandler", "GateioSubscriptionMixin"]

_PERIODIC = Cadence(60.0)
"""Gate states 1 s for tickers and 2 s for candles. Nobody has measured a quiet pair, and tickers of quiet futures were silent for 30 s."""


class GateioSubscriptionMixin(SubscriptionMixin):
    """Public spot channels and how they are asked for."""

    __slots__ = ()

    channels: ClassVar[Mapping[Channel, ChannelSpec]] = {
        Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.BY_ID),
        Channel.BOOK_TICKER: ChannelSpec(ON_CHANGE, Delivery.NEWEST),
        Channel.BOOK: ChannelSpec(
            ON_CHANGE, Delivery.BY_RANGE, (Param("depth", BOOK_DEPTHS, "levels a side; 50 and 20 every 20 ms, 400 and 100 every 100 ms"),)
        ),
        Channel.BOOK_SNAPSHOT: ChannelSpec(
            ON_CHANGE,
            Delivery.NEWEST,
            (
                Param("depth", SNAPSHOT_DEPTHS, "levels a side"),
                Param("interval_ms", SNAPSHOT_INTERVALS_MS, "least time between two snapshots"),
            ),
        ),
        Channel.TICKER: ChannelSpec(_PERIODIC, Delivery.NEWEST),
        Channel.CANDLES: ChannelSpec(_PERIODIC, Delivery.NEWEST, (Param("interval", INTERVALS, "length of a candle"),)),
    }

    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests: up to 100 topics a frame, candles and windowed books one."""
        return encode.requests("subscribe", subs, ids, now_ns)

    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests that take subscriptions back."""
        return encode.requests("unsubscribe", subs, ids, now_ns)

    def topic(self, sub: Subscription) -> str:
        """Return channel and payload: ``spot.trades BTC_USDT``."""
        return encode.topic(sub)

    def subscription(self, topic: str) -> Subscription:
        """Return what a topic stands for. Raises ConfigError when it stands for nothing."""
        return encode.subscription(topic)

    def venue_symbol(self, symbol: str) -> str:
        """Return ``BTC_USDT`` for ``BTC/USDT``. Raises ConfigError for what cannot be a symbol."""
        return names.symbol_pair(symbol)

    def symbol(self, venue_symbol: str) -> str:
        """Return ``BTC/USDT`` for ``BTC_USDT``. Raises ConfigError for what has not the form."""
        return names.pair_symbol(venue_symbol)


@final
class GateioSpotPublicHandler(GateioConnectionMixin, NoAuthMixin, GateioSubscriptionMixin, PublicMessageHandler):
    """Gate.io spot market data."""

    __slots__ = ()

    venue: ClassVar[str] = VENUE
    market: ClassVar[str] = "spot"
    urls: ClassVar[tuple[str, ...]] = ("wss://api.gateio.ws/ws/v4/",)
    ping_channel: ClassVar[str] = "spot.ping"

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        if not is_text:
            raise DecodeError(VENUE, "expected JSON text, got a binary frame", frame)
        try:
            # decode() in its own words, which saves the call: 0.05 µs
            push = decode_push(frame)
            event = TO_EVENT[type(push)](push, self.symbols, ts_recv)
        except KeyError:
            self.outside += 1
            return
        except UNREADABLE as cause:  # an ack, a pong or a notice; or what really cannot be understood, which this raises again
            self.hear(read_control(frame, DecodeError(VENUE, str(cause), frame)))
            return
        # Not isinstance: for a struct that it is not, isinstance costs 0.2 µs, this 0.02.
        if type(event) is BookDelta:
            self.on_book_delta(event)
        elif type(event) is BookTicker:
            self.on_book_ticker(event)
        elif type(event) is Trade:
            self.on_trade(event)
        elif type(event) is BookSnapshot:
            self.on_book_snapshot(event)
        elif type(event) is Ticker:
            self.on_ticker(event)
        elif type(event) is Candle:
            self.on_candle(event)
