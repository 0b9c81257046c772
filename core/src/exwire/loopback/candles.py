"""Bars: what was traded in each second and minute, added up to any window. Integer ticks and lots, so that sums are exact."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final, final

from msgspec import Struct

__all__ = ["HISTORY_MINUTES", "Bar", "Bars"]

HISTORY_MINUTES: Final = 2 * 24 * 60
"""How far back the past before the start of the market reaches."""

_KEPT_SECONDS: Final = 3 * 3600
_KEPT_MINUTES: Final = 14 * 24 * 60
_SECOND: Final = 1
_MINUTE: Final = 60


class Bar(Struct, gc=False):
    """A window's trades. open: the close before it; high, low, close: ticks; lots: base; notional: ticks x lots, summed over trades."""

    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    notional: int = 0

    def include(self, other: Bar) -> None:
        """Continue with the bar of the next window."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.lots += other.lots
        self.notional += other.notional


@final
class _Series:
    """Bars of one length, without holes. first: the number of the oldest window since the epoch."""

    __slots__ = ("bars", "first", "kept", "length_s")

    def __init__(self, length_s: int, kept: int, first: int, bars: list[Bar]) -> None:
        self.length_s = length_s
        self.kept = kept
        self.first = first
        self.bars = bars

    def reach(self, second: int) -> Bar:
        """Return the bar of a second, adding flat ones up to it; a second before the last bar counts as the last."""
        missing = second // self.length_s - (self.first + len(self.bars) - 1)
        if missing > 0:
            close = self.bars[-1].close
            self.bars.extend(Bar(close, close, close, close) for _ in range(min(missing, 2 * self.kept)))
            if missing > 2 * self.kept:
                self.first += missing - 2 * self.kept
            if len(self.bars) > 2 * self.kept:
                self.first += len(self.bars) - self.kept
                del self.bars[: -self.kept]
        return self.bars[-1]

    def between(self, start_s: int, end_s: int) -> list[Bar]:
        """Return the bars of ``start_s <= second < end_s``, as far as they are known."""
        return self.bars[max(0, start_s // self.length_s - self.first) : max(0, -(-end_s // self.length_s) - self.first)]


@final
class Bars:
    """All bars of one instrument. Minutes reach back two days before the start, invented then; seconds begin with the market."""

    __slots__ = ("_day", "_day_minute", "_minutes", "_seconds")

    def __init__(self, price: int, now_ns: int) -> None:
        """price: ticks, at the start."""
        second = now_ns // 1_000_000_000
        self._seconds = _Series(_SECOND, _KEPT_SECONDS, second, [Bar(price, price, price, price)])
        self._minutes = _Series(_MINUTE, _KEPT_MINUTES, second // _MINUTE, [Bar(price, price, price, price)])
        self._day: Bar | None = None
        self._day_minute = -1

    def invent_past(self, rng: random.Random, lots_a_minute: float) -> None:
        """Put two days of minutes before the start. lots_a_minute: their mean volume."""
        past = _past(self._minutes.bars[0].open, rng, lots_a_minute)
        self._minutes.bars[:0] = past
        self._minutes.first -= len(past)

    def record(self, price: int, lots: int, ts_ns: int) -> None:
        """Count a trade. ts_ns: not before the trade counted last."""
        second = ts_ns // 1_000_000_000
        for series in (self._seconds, self._minutes):
            series.reach(second).include(Bar(price, price, price, price, lots, price * lots))

    def between(self, start_s: int, end_s: int, now_ns: int) -> Bar | None:
        """Return one bar for ``start_s <= second < end_s`` up to now; None when nothing is known of that time.

        Windows whose edges are not on full minutes are added up from seconds and reach back to the market's start, three hours at most.
        """
        series = self._minutes if not start_s % _MINUTE and not end_s % _MINUTE else self._seconds
        series.reach(now_ns // 1_000_000_000)
        return _sum(series.between(start_s, end_s))

    def day(self, now_ns: int) -> Bar:
        """Return the last 24 hours, to the minute."""
        second = now_ns // 1_000_000_000
        last, minute = self._minutes.reach(second), second // _MINUTE
        if self._day is None or self._day_minute != minute:
            self._day_minute = minute
            self._day = _sum(self._minutes.between((minute - 1439) * _MINUTE, minute * _MINUTE))
        return _sum([last] if self._day is None else [self._day, last]) or last


def _sum(bars: Iterable[Bar]) -> Bar | None:
    total: Bar | None = None
    for bar in bars:
        if total is None:
            total = Bar(bar.open, bar.high, bar.low, bar.close, bar.lots, bar.notional)
        else:
            total.include(bar)
    return total


def _past(price: int, rng: random.Random, lots_a_minute: float) -> list[Bar]:
    """Return two days of minutes that end at ``price``: a random walk, written from its end."""
    step = price * 0.0004
    bars: list[Bar] = []
    close, level = price, float(price)
    for _ in range(HISTORY_MINUTES):
        level += (rng.random() - 0.5) * 2 * step + (price - level) * 0.002
        opened = max(1, round(level))
        high = max(opened, close) + int(rng.random() * step)
        low = max(1, min(opened, close) - int(rng.random() * step))
        lots = int(lots_a_minute * 2 * rng.random()) + 1
        bars.append(Bar(opened, high, low, close, lots, lots * (high + low) // 2))
        close = opened
    bars.reverse()
    return bars
