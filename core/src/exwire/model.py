"""What exwire delivers: market events and instruments, the same for every venue.

Numbers: market data is ``float`` (the decoder converts, NaN and infinity never enter); instrument rules are exact ``Decimal``.
Time: integer nanoseconds since the epoch; ``ts_event`` is the venue's clock, ``ts_recv`` ours when the frame arrived.
Names: ``venue`` is the plugin's name, ``symbol`` the unified one (``BTC/USDT``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from typing import Final, TypeAlias

from msgspec import Struct

__all__ = [
    "BookDelta",
    "BookSnapshot",
    "BookTicker",
    "Candle",
    "Event",
    "Instrument",
    "InstrumentStatus",
    "Level",
    "Side",
    "Ticker",
    "Trade",
    "sorted_asks",
    "sorted_bids",
]

Level: TypeAlias = tuple[float, float]
"""One price level: (price in quote units, quantity in base units)."""

_qty: Final[Callable[[Level], float]] = itemgetter(1)


class Side(StrEnum):
    """Which way: ``buy`` or ``sell``."""

    BUY = "buy"
    SELL = "sell"


class Trade(Struct, frozen=True, gc=False, tag_field="type", tag="trade"):
    """Anyone's public print.

    side: the taker's; price: quote units a base unit; qty: base units; trade_id: the venue's, ``""`` when it gives none.
    """

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    trade_id: str
    side: Side
    price: float
    qty: float


class BookTicker(Struct, frozen=True, gc=False, tag_field="type", tag="book_ticker"):
    """Best bid and best ask. update_id: the venue's book counter, 0 when it gives none; a price of None: that side is empty."""

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    update_id: int
    bid_price: float | None
    bid_qty: float
    ask_price: float | None
    ask_qty: float


class BookSnapshot(Struct, frozen=True, gc=False, tag_field="type", tag="book_snapshot"):
    """An L2 book whole, within its stream's window.

    last_id: the venue's update id that it stands at; bids: highest price first; asks: lowest first; quantities above 0.
    """

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def sorted_bids(rows: Iterable[Level]) -> tuple[Level, ...]:
    """Return a snapshot's bids, highest first. A row without quantity is no level and is left out."""
    return tuple(sorted(filter(_qty, rows), reverse=True))


def sorted_asks(rows: Iterable[Level]) -> tuple[Level, ...]:
    """Return a snapshot's asks, lowest first. A row without quantity is no level and is left out."""
    return tuple(sorted(filter(_qty, rows)))


class BookDelta(Struct, frozen=True, gc=False, tag_field="type", tag="book_delta"):
    """Changes to one L2 book.

    first_id, last_id: the venue's update ids that it covers, both inclusive; bids, asks: (price, qty) in any order, qty the new
    absolute quantity, 0 removes the level; either may be empty, and the ids still advance.
    """

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    first_id: int
    last_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Ticker(Struct, frozen=True, gc=False, tag_field="type", tag="ticker"):
    """Rolling 24-hour statistics.

    change: of the price over the window, a ratio (0.0134 = 1.34 %); base_volume, quote_volume: traded in the window; bid_price,
    ask_price: as of the ticker (a book ticker is fresher). None when the venue gives none.
    """

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    last: float
    change: float
    high: float
    low: float
    base_volume: float
    quote_volume: float | None
    bid_price: float | None = None
    ask_price: float | None = None


class Candle(Struct, frozen=True, gc=False, tag_field="type", tag="candle"):
    """One candlestick, again at every change until it closes.

    interval: ``1m``, ``4h``, ``1d`` …; ts_open: start of its window, ns; closed: True on the last one of a window, which a venue may
    leave out; base_volume, quote_volume: None when the frame does not say.
    """

    venue: str
    symbol: str
    ts_event: int
    ts_recv: int
    interval: str
    ts_open: int
    open: float
    high: float
    low: float
    close: float
    base_volume: float | None
    quote_volume: float | None
    closed: bool


Event: TypeAlias = Trade | BookTicker | BookSnapshot | BookDelta | Ticker | Candle


class InstrumentStatus(StrEnum):
    """What may be done now. ``unknown``: the venue used a word we do not know."""

    TRADING = "trading"
    BUY_ONLY = "buy_only"
    SELL_ONLY = "sell_only"
    HALTED = "halted"
    UNKNOWN = "unknown"


class Instrument(Struct, frozen=True):
    """What is traded, and the rules for orders in it.

    tick_size, lot_size: price and quantity are whole multiples of these; min_qty, max_qty: base
    units; min_notional, max_notional: quote units; None: no such rule. contract_multiplier: base units a contract, 1 on spot.
    """

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    quote: str
    status: InstrumentStatus
    tick_size: Decimal
    lot_size: Decimal
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    contract_multiplier: Decimal = Decimal(1)
