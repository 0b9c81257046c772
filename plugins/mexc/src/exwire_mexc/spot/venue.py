"""MEXC spot's handlers: mixins composed with a message handler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, final

from exwire.config import Sign
from exwire.contracts import ON_CHANGE, Cadence, ChannelSpec, Delivery, NoAuthMixin, Param, SubscriptionMixin
from exwire.handlers import PublicMessageHandler
from exwire.model import BookDelta, BookSnapshot, BookTicker, Event, Ticker, Trade
from exwire.subscription import Channel, Request, Subscription
from exwire_mexc import names
from exwire_mexc.connection import MexcConnectionMixin
from exwire_mexc.names import VENUE
from exwire_mexc.spot import encode
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.encode import INTERVALS, INTERVALS_MS, SNAPSHOT_DEPTHS, TOP_INTERVALS_MS, ZONES
from exwire_mexc.spot.text import read_text
from exwire_mexc.spot.wire import MiniTickers, Push

__all__ = ["MexcSpotPublicHandler", "MexcSubscriptionMixin"]

_PERIODIC: Final = Cadence(60.0)
"""MEXC states 3 s for tickers and about 1 s for candles, and was seen to repeat an unchanged best bid and ask every window. Nobody has
measured a quiet pair."""

_WINDOW: Final = Param("interval_ms", INTERVALS_MS, "over which MEXC collects before it sends")


class MexcSubscriptionMixin(SubscriptionMixin):
    """Public spot channels and how they are asked for. A ticker of ``*`` is ``miniTickers``, one topic for all pairs."""

    __slots__ = ()

    channels: ClassVar[Mapping[Channel, ChannelSpec]] = {
        # Trade ids are new and may be empty, so that nothing can be told from its repetition.
        Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.AT_LEAST_ONCE, (_WINDOW,)),
        Channel.BOOK_TICKER: ChannelSpec(
            _PERIODIC, Delivery.NEWEST, (Param("interval_ms", TOP_INTERVALS_MS, f"{_WINDOW.about}; 0: bookTicker.batch, which has none"),)
        ),
        Channel.BOOK: ChannelSpec(ON_CHANGE, Delivery.BY_RANGE, (_WINDOW,)),
        Channel.BOOK_SNAPSHOT: ChannelSpec(ON_CHANGE, Delivery.NEWEST, (Param("depth", SNAPSHOT_DEPTHS, "levels a side"),)),
        Channel.TICKER: ChannelSpec(
            _PERIODIC, Delivery.NEWEST, (Param("timezone", ZONES, "where the day of the change begins"),), all_symbols=True
        ),
        Channel.CANDLES: ChannelSpec(_PERIODIC, Delivery.NEWEST, (Param("interval", tuple(INTERVALS), "length of a candle"),)),
    }

    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests: up to 12 topics of one channel a frame, and 1024 bytes."""
        return encode.requests("SUBSCRIPTION", subs, ids)

    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests that take subscriptions back."""
        return encode.requests("UNSUBSCRIPTION", subs, ids)

    def topic(self, sub: Subscription) -> str:
        """Return ``spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT``."""
        return encode.topic(sub)

    def subscription(self, topic: str) -> Subscription:
        """Return what a topic stands for. Raises ConfigError when it stands for nothing."""
        return encode.subscription(topic)

    def venue_symbol(self, symbol: str) -> str:
        """Return ``BTCUSDT`` for ``BTC/USDT``. Raises ConfigError for what cannot be a symbol."""
        return names.spot_pair(symbol)

    def symbol(self, venue_symbol: str) -> str:
        """Return ``BTC/USDT`` for ``BTCUSDT``, split before a known quote currency. Raises ConfigError where none ends it."""
        return names.spot_symbol(venue_symbol)


@final
class MexcSpotPublicHandler(MexcConnectionMixin, NoAuthMixin, MexcSubscriptionMixin, PublicMessageHandler):
    """MEXC spot market data.

    unknown: fields that the schema does not have, bodies among them, in pushes and their bodies (not in the rows of a body); bad_rows:
    tickers that could not be read in a push of all pairs; empty: pushes without an event: MEXC sends one for a window in which nothing
    happened, and a body that is unknown leaves one behind.
    """

    __slots__ = ("bad_rows", "empty", "unknown")

    venue: ClassVar[str] = VENUE
    market: ClassVar[str] = "spot"
    urls: ClassVar[tuple[str, ...]] = ("wss://wbs-api.mexc.com/ws",)
    ping_frame: ClassVar[bytes] = encode.PING

    def __init__(self) -> None:
        super().__init__()
        self.unknown = 0
        self.empty = 0
        self.bad_rows = 0

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        message = read_text(frame) if is_text else read_binary(frame)
        if type(message) is not Push:
            for control in message:
                self.hear(control)
            return
        self.unknown += message.unknown
        try:
            events = to_events(message, frame, self.symbols, ts_recv)
        except KeyError:
            self.outside += 1
            return
        if type(message.body) is MiniTickers:
            self.outside += len(message.body.items) - len(events)
            self.bad_rows += message.body.bad
        if len(events) == 1:
            self._callback(events[0])(events[0])
        elif events:
            self._call_back_each(events)
        else:
            self.empty += 1

    def _callback(self, event: Event) -> Callable[[Any], object]:
        # Not isinstance: for a struct that it is not, isinstance costs 0.2 µs, this 0.02.
        kind = type(event)
        if kind is BookDelta:
            return self.on_book_delta
        if kind is BookTicker:
            return self.on_book_ticker
        if kind is Trade:
            return self.on_trade
        if kind is BookSnapshot:
            return self.on_book_snapshot
        return self.on_ticker if kind is Ticker else self.on_candle

    def _call_back_each(self, events: Sequence[Event]) -> None:
        """Each event of a frame arrives, even if the callback raises on another."""
        callback = self._callback(events[0])
        for event in events:
            try:
                callback(event)
            except Exception:  # noqa: BLE001 - the border to the user's callback
                self._callback_failed()
