"""Gate.io's public spot pushes in Gate's own words: one struct for each channel, and the checks that the decoder makes in C.

Source: Gate.io WebSocket v4, "Spot", read 2026-11. Fields that no event needs are left out, the decoder skips them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from exwire.model import Side
from exwire.wire import Empty, Id, Milliseconds, Number, Price, Rows, Seconds, Signed

__all__ = [
    "BookTickerPush",
    "CandlestickPush",
    "ObuPush",
    "OrderBookPush",
    "OrderBookUpdatePush",
    "Push",
    "TickerPush",
    "TickerResult",
    "TradePush",
    "TradeV2Push",
]

DecimalMs = Annotated[str, Meta(max_length=32)]
"""Milliseconds with a fraction, as text: ``1606292218213.4578``."""


class _Push(Struct, tag_field="channel", gc=False, kw_only=True):
    """What every push has around its result. An ack has another event, so it is never taken for a push."""

    event: Literal["update"]


class _TimedPush(_Push, kw_only=True):
    """A push whose event may need the time it was sent at. Reading the two costs 0.09 µs, so the others do not."""

    time: Seconds = 0
    time_ms: Milliseconds = 0


class TradeResult(Struct, gc=False):
    """One print; side is the taker's. create_time_ms has the fraction, create_time is there on old frames too."""

    id: Id
    side: Side
    currency_pair: str
    amount: Number
    price: Price
    create_time: Seconds = 0
    create_time_ms: DecimalMs = ""


class TradePush(_TimedPush, tag="spot.trades"):
    """A trade.

    {"time":1606292218,"time_ms":1606292218231,"channel":"spot.trades","event":"update","result":{"id":309143071,"id_market":5736713,
     "create_time":1606292218,"create_time_ms":"1606292218213.4578","side":"sell","currency_pair":"GT_USDT","amount":"16.4700000000",
     "price":"0.4705000000","range":"2390902-2390902"}}
    """

    result: TradeResult


class TradeV2Push(TradePush, tag="spot.trades_v2"):
    """The deprecated twin of ``spot.trades``."""


class BookTickerResult(Struct, gc=False):
    """Best bid ``b`` with its amount ``B``, best ask ``a`` with ``A``; ``u`` counts with the order book."""

    t: Milliseconds
    u: Id
    s: str
    b: Price | Empty
    B: Number | Empty
    a: Price | Empty
    A: Number | Empty


class BookTickerPush(_Push, tag="spot.book_ticker"):
    """The best bid and ask.

    {"time":1790134391,"time_ms":1790134391757,"channel":"spot.book_ticker","event":"update","result":{"t":1790134391753,"u":48123156,
     "s":"SOL_USD","b":"118.91","B":"13.548","a":"118.99","A":"65.556"}}
    """

    result: BookTickerResult


class OrderBookResult(Struct, gc=False):
    """The top of the book, bids from the highest, asks from the lowest."""

    t: Milliseconds
    lastUpdateId: Id  # noqa: N815  # Gate's spelling
    s: str
    bids: Rows
    asks: Rows


class OrderBookPush(_Push, tag="spot.order_book"):
    """A snapshot, pushed when it changed.

    {"time":1790134390,"time_ms":1790134390759,"channel":"spot.order_book","event":"update","result":{"t":1790134390437,
     "lastUpdateId":48123154,"s":"SOL_USD","l":"20","bids":[["118.91","13.548"]],"asks":[["118.99","43.704"]]}}
    """

    result: OrderBookResult


class OrderBookUpdateResult(Struct, gc=False):
    """Absolute amounts, in any order, ``"0"`` deletes. full: the frame replaces the book."""

    t: Milliseconds
    s: str
    U: Id
    u: Id
    b: Rows = ()
    a: Rows = ()
    full: bool = False


class OrderBookUpdatePush(_Push, tag="spot.order_book_update"):
    """A delta.

    {"time":1790134390,"time_ms":1790134390859,"channel":"spot.order_book_update","event":"update","result":{"t":1790134390805,
     "e":"depthUpdate","E":1790134390,"s":"ETH_USDT","l":"100","U":474334686,"u":474334687,"b":[["2765.2","1.4816"]],"a":[]}}
    """

    result: OrderBookUpdateResult


class ObuResult(Struct, gc=False):
    """A delta, or with ``full`` the whole book, which has no ``U``. ``s`` is the stream, not the pair; a side may be absent."""

    t: Milliseconds
    s: str
    u: Id
    U: Id | None = None
    b: Rows = ()
    a: Rows = ()
    full: bool = False


class ObuPush(_Push, tag="spot.obu", kw_only=True):
    """Order book V2. The documented frame has neither ``event`` nor ``time``, so both have defaults here; an ack has the event.

    {"channel":"spot.obu","time":1757377580,"time_ms":1757377580049,"event":"update","result":{"t":1757377580046,"full":true,
     "s":"ob.BTC_USDT.50","u":27053258981,"b":[["111666","0.146841"]],"a":[["111666.1","0.791633"]]}}
    {"channel":"spot.obu","time":1757377580,"time_ms":1757377580080,"event":"update","result":{"t":1757377580073,
     "s":"ob.BTC_USDT.50","U":27053258982,"u":27053258987,"b":[["111665.9","0"]]}}
    """

    result: ObuResult
    event: Literal["update"] = "update"


class TickerResult(Struct, gc=False):
    """Rolling 24 hours. change_percentage is in percent."""

    currency_pair: str
    last: Number
    lowest_ask: Number | Empty
    highest_bid: Number | Empty
    change_percentage: Signed
    base_volume: Number
    quote_volume: Number
    high_24h: Number
    low_24h: Number


class TickerPush(_TimedPush, tag="spot.tickers"):
    """A ticker; it has no time of its own.

    {"time":1790134390,"time_ms":1790134390863,"channel":"spot.tickers","event":"update","result":{"currency_pair":"BTC_USDT",
     "last":"86695.3","lowest_ask":"86691.6","highest_bid":"86690","change_percentage":"1.3401","base_volume":"0.211442",
     "quote_volume":"18239.3197469","high_24h":"86835.7","low_24h":"85121.6"}}
    """

    result: TickerResult


class CandlestickResult(Struct, gc=False):
    """One candle. ``n``: interval and pair; ``v``, ``a``: quote and base volume, or the other way round; ``w``: the window closed."""

    t: Seconds
    o: Price
    h: Price
    l: Price  # noqa: E741  # Gate's letter for the lowest price
    c: Price
    v: Number
    n: str
    a: Number | None = None
    w: bool = False


class CandlestickPush(_TimedPush, tag="spot.candlesticks"):
    """A candle.

    {"time":1606292600,"time_ms":1606292600376,"channel":"spot.candlesticks","event":"update","result":{"t":"1606292580",
     "v":"2362.32035","c":"19128.1","h":"19128.1","l":"19128.1","o":"19128.1","n":"1m_BTC_USDT","a":"3.8283","w":true}}
    """

    result: CandlestickResult


Push: TypeAlias = OrderBookUpdatePush | ObuPush | BookTickerPush | TradePush | TradeV2Push | OrderBookPush | TickerPush | CandlestickPush
"""Every public spot push; the decoder tells them apart by ``channel``."""
