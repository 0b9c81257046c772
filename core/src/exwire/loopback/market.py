"""The simulated market: instruments whose books move by a seeded crowd. Pure: the clock is handed in.

Two markets with the same seed and start, stepped to the same time, are equal, however many steps each took.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import count
from typing import Final, final

from msgspec import Struct

from exwire.loopback.book import Book
from exwire.loopback.candles import Bar, Bars
from exwire.loopback.flow import OrderFlow
from exwire.loopback.listings import LISTINGS, Listing
from exwire.model import Side

__all__ = ["LISTINGS", "CandleBar", "DayStats", "Listing", "Market", "SimInstrument", "SimTrade", "decimal_text"]

KEPT_TRADES: Final = 2_000
"""Recent trades that an instrument remembers."""

CATCH_UP_NS: Final = 1_000_000_000
"""A step over more time than this happens as if the market had been closed in between."""

_WARM_UP_NS: Final = 3_000_000_000


class SimTrade(Struct, frozen=True, gc=False):
    """A print. id: over all instruments; market_id: 1, 2, 3 … within its own from where that began; side: the taker's; ticks, lots."""

    id: int
    market_id: int
    ts_ns: int
    side: Side
    price: int
    lots: int


class DayStats(Struct, frozen=True):
    """The last 24 hours, prices in ticks. change: of the price, a ratio; lots: base volume; notional: ticks x lots."""

    last: int
    open: int
    high: int
    low: int
    change: float
    lots: int
    notional: int


class CandleBar(Struct, frozen=True):
    """One candle. start_s, end_s: its window, the end exclusive; closed: whether the window is over."""

    start_s: int
    end_s: int
    closed: bool
    bar: Bar


@final
class SimInstrument:
    """One instrument of the market: its book, its trades, its candles.

    listing: what it is; book: the true book; trades: the latest 2,000, oldest first; trade_count: how many there were.
    """

    __slots__ = ("_bars", "_flow", "_has_past", "_ids", "_rng", "book", "first_trade_id", "listing", "trade_count", "trades")

    def __init__(self, listing: Listing, seed: int, now_ns: int, ids: Iterable[int]) -> None:
        self.listing = listing
        self._rng = random.Random(f"{seed}:{listing.symbol}")  # noqa: S311  # a simulation has to be repeatable
        anchor = int(Decimal(listing.price).scaleb(listing.price_decimals))
        typical = listing.typical_notional / float(listing.price) * 10**listing.qty_decimals
        self.book = Book(self._rng.randrange(10**8, 10**10))
        self.trades: deque[SimTrade] = deque(maxlen=KEPT_TRADES)
        self.trade_count = 0
        self.first_trade_id = self._rng.randrange(10**6, 10**7)
        self._ids = iter(ids)
        self._flow = OrderFlow(self._rng, anchor, listing.levels, typical)
        self._flow.open(self.book, now_ns)
        self._bars = Bars(anchor, now_ns)
        self._has_past = False

    def event(self, now_ns: int) -> float:
        """Let one order arrive; return how many seconds later the next one does, for a rate of 1 a second."""
        side, fills = self._flow.act(self.book, now_ns)
        for fill in fills:
            self.trades.append(
                SimTrade(next(self._ids), self.first_trade_id + self.trade_count, now_ns, side, fill.price, fill.lots),
            )
            self.trade_count += 1
            self._bars.record(fill.price, fill.lots, now_ns)
        return self._rng.expovariate(1.0)

    def trades_since(self, trade_count: int) -> list[SimTrade]:
        """Return the trades after the first ``trade_count``, oldest first, as far as they are remembered."""
        missing = min(self.trade_count - trade_count, len(self.trades))
        return [self.trades[n] for n in range(-missing, 0)]

    def candle(self, start_s: int, end_s: int, now_ns: int) -> CandleBar | None:
        """Return the candle of ``start_s <= second < end_s``; None when nothing is known of that time."""
        bar = self._history().between(start_s, end_s, now_ns)
        return None if bar is None else CandleBar(start_s, end_s, now_ns >= end_s * 1_000_000_000, bar)

    def day(self, now_ns: int) -> DayStats:
        """Return the rolling 24-hour statistics."""
        bar = self._history().day(now_ns)
        return DayStats(bar.close, bar.open, bar.high, bar.low, bar.close / bar.open - 1, bar.lots, bar.notional)

    def price_text(self, ticks: int) -> str:
        """Return a price as venues print it: no exponent, no trailing zeros."""
        return decimal_text(ticks, self.listing.price_decimals)

    def qty_text(self, lots: int) -> str:
        """Return a quantity in base units."""
        return decimal_text(lots, self.listing.qty_decimals)

    def notional_text(self, notional: int) -> str:
        """Return an amount in quote units. notional: ticks x lots."""
        return decimal_text(notional, self.listing.price_decimals + self.listing.qty_decimals)

    def rows_text(self, rows: Iterable[tuple[int, int]]) -> list[tuple[str, str]]:
        """Return levels as (price, quantity) texts; 0 lots become ``"0"``."""
        prices, lots = self.listing.price_decimals, self.listing.qty_decimals
        return [(decimal_text(price, prices), decimal_text(qty, lots)) for price, qty in rows]

    def _history(self) -> Bars:
        """The past is invented when it is first asked for: that takes some milliseconds, and most instruments are never asked."""
        if not self._has_past:
            self._has_past = True
            lots_a_minute = 0.15 * self.listing.events_per_s * 60 * self._flow.typical_lots
            rng = random.Random(f"{self.first_trade_id}:{self.listing.symbol}")  # noqa: S311  # not the crowd's, which goes on undisturbed
            self._bars.invent_past(rng, lots_a_minute)
        return self._bars


@final
class Market:
    """All instruments, and the order in which things happen to them.

    instruments: by unified symbol; now_ns: the time it was last stepped to.
    """

    def __init__(self, seed: int = 1, now_ns: int = 0, listings: Iterable[Listing] = LISTINGS, activity: float = 1.0) -> None:
        """seed: two markets differ by it; now_ns: the start; activity: multiplies every instrument's rate of events, 0 for a still market.

        A few seconds before the start have already happened, so that there are trades to see.
        """
        start_ns = now_ns - _WARM_UP_NS
        trade_ids = count(random.Random(seed).randrange(10**8, 10**9))  # noqa: S311
        self.instruments: Mapping[str, SimInstrument] = {each.symbol: SimInstrument(each, seed, start_ns, trade_ids) for each in listings}
        self.now_ns = start_ns
        self._closed_ns = 0
        self._mean_gap_ns = [1e9 / each.listing.events_per_s for each in self.instruments.values()]
        self._order = list(self.instruments.values())
        self._due = [(start_ns + int(gap), n) for n, gap in enumerate(self._mean_gap_ns)]
        heapq.heapify(self._due)
        while self.now_ns < now_ns:
            self.step(self.now_ns + CATCH_UP_NS)
        self._mean_gap_ns = [gap / activity if activity else float("inf") for gap in self._mean_gap_ns]
        if not activity:
            self._due.clear()

    def step(self, now_ns: int) -> None:
        """Let everything happen that is due up to ``now_ns``, in the order of time."""
        elapsed = now_ns - self.now_ns
        if elapsed <= 0:
            return
        if elapsed > CATCH_UP_NS:
            self._closed_ns += elapsed - CATCH_UP_NS
        self.now_ns = now_ns
        due, until, closed = self._due, now_ns - self._closed_ns, self._closed_ns
        while due and due[0][0] <= until:
            at, n = due[0]
            gap = self._order[n].event(at + closed) * self._mean_gap_ns[n]
            heapq.heapreplace(due, (at + 1 + int(gap), n))


def decimal_text(value: int, decimals: int) -> str:
    """Return ``value / 10 ** decimals`` in plain digits, exactly and without trailing zeros."""
    if not decimals:
        return str(value)
    text = str(value).rjust(decimals + 1, "0")
    return f"{text[:-decimals]}.{text[-decimals:]}".rstrip("0").rstrip(".")
