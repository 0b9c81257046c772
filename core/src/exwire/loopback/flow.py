"""The crowd: seeded random orders for one book, which keep it deep, uncrossed and near its anchor price."""

from __future__ import annotations

import math
import random
from typing import Final, final

from exwire.loopback.book import Book, Fill, Placed
from exwire.model import Side

__all__ = ["OrderFlow"]

_MARKET: Final = 0.10
_LIMIT: Final = 0.56
"""Cumulated shares of the kinds of event: market orders, limit orders, and cancels for the rest."""

_MARKETABLE: Final = 0.03
"""Share of limit orders that cross the spread: they match first, then rest."""

_PLACED_AT_TOUCH: Final = 0.85
_CANCELLED_AT_TOUCH: Final = 0.5
_TOUCH_LEVELS: Final = 8.0
"""So many of the orders are placed, and cancelled, within about so many levels from the best, the others anywhere."""

_CROWDED: Final = 3.5
"""From so many orders a level on, more are cancelled than placed, near the touch too."""

_SWEEP: Final = 0.05
_SWEEP_SCALE: Final = 10.0
"""Share and size of the market orders that go through several levels."""

_WIDE: Final = 1e-4
"""A spread above this ratio of the price attracts orders into it."""

_PULL: Final = 1e-4
_STEP: Final = 2.4e-4
"""The anchor wanders by steps of up to half of this ratio and is pulled back: about 0.5 % around where it began."""


@final
class OrderFlow:
    """Orders that come in at random, their mean price anchored.

    anchor: ticks; levels: how many each side is kept at, within a sixth; typical_lots: mean quantity of an order near the touch.
    """

    __slots__ = ("_anchor", "_drift", "_levels", "_random", "_rng", "typical_lots")

    def __init__(self, rng: random.Random, anchor: int, levels: int, typical_lots: float) -> None:
        self._rng = rng
        self._random = rng.random
        self._anchor = anchor
        self._levels = levels
        self.typical_lots = typical_lots
        self._drift = 0.0

    def open(self, book: Book, now_ns: int) -> None:
        """Fill an empty book: gaps between levels grow with their distance, as far as the price has room for them."""
        widest = max(1, int(self._anchor * 0.3 / self._levels))
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            price = self._anchor + (sign > 0)
            rows = []
            for rank in range(self._levels):
                price += sign * (1 + int(self._random() * min(widest, 1 + rank // 20)))
                rows.append((price, self._lots(1 + rank / 40)))
            book.fill(side, [row for row in rows if row[0] > 0], now_ns)

    def act(self, book: Book, now_ns: int) -> tuple[Side, list[Fill]]:
        """Let one event happen; return the taker's side and what was matched."""
        draw = self._random()
        self._drift += (self._random() - 0.5) * _STEP - _PULL * self._drift
        if draw < _MARKET:
            side = Side.BUY if self._random() < self._appetite(book) else Side.SELL
            scale = 0.6 * _SWEEP_SCALE if self._random() < _SWEEP else 0.6
            return side, book.market(side, self._lots(scale), now_ns)
        side = Side.BUY if self._random() < 0.5 else Side.SELL
        listed = len(book.ladder(side))
        crowded = book.order_count > self._levels * _CROWDED
        placing = draw < _LIMIT and not (crowded and self._random() < 0.5)
        if (placing or listed < self._levels * 5 // 6) and listed < self._levels * 7 // 6:
            return side, self._place(book, side, now_ns).fills
        self._cancel(book, side, now_ns, crowded=crowded)
        return side, []

    def _place(self, book: Book, side: Side, now_ns: int) -> Placed:
        own, other = book.ladder(side), book.ladder(Side.SELL if side is Side.BUY else Side.BUY)
        sign = 1 if side is Side.BUY else -1
        best, facing = own.best, other.best
        if best is None or facing is None:  # swept clean by an order from outside the crowd
            price = (facing - sign) if facing is not None else self._anchor - (sign > 0)
            return book.limit(side, max(1, price), self._lots(1.0), now_ns)
        if self._random() < _MARKETABLE:
            return book.limit(side, facing, self._lots(0.8), now_ns)
        spread = sign * (facing - best)
        wide = spread > 2 and spread > self._anchor * _WIDE and self._random() < 0.5
        rank = 0 if wide else self._rank(len(own), _PLACED_AT_TOUCH)
        if rank == 0 and spread > 1:
            price = best + sign * (1 + int(self._random() * (spread - 1)))
        elif rank + 1 < len(own):
            price = own.price_at(rank)
            price += int(self._random() * (own.price_at(rank + 1) - price))
        else:
            price = max(1, own.price_at(len(own) - 1) - sign * (1 + int(self._random() * 3)))
        return book.limit(side, price, self._lots(1 + rank / 40), now_ns)

    def _cancel(self, book: Book, side: Side, now_ns: int, *, crowded: bool) -> None:
        ladder = book.ladder(side)
        if len(ladder) < 2:
            return
        rank = (
            len(ladder) - 1
            if len(ladder) >= self._levels * 7 // 6
            else self._rank(len(ladder), _PLACED_AT_TOUCH if crowded else _CANCELLED_AT_TOUCH)
        )
        queue = book.queue(side, ladder.price_at(rank))
        book.cancel(queue[int(self._random() * len(queue))].id, now_ns)

    def _rank(self, listed: int, at_touch: float) -> int:
        if self._random() < at_touch:
            return min(listed - 1, int(-math.log(1.0 - self._random()) * _TOUCH_LEVELS))
        return int(self._random() * listed)

    def _appetite(self, book: Book) -> float:
        """Return how likely a market order buys: more so the further the price is below the wandering anchor."""
        bid, ask = book.bids.best, book.asks.best
        if bid is None or ask is None:
            return 0.5
        distance = self._anchor * (1.0 + self._drift) * 2 / (bid + ask) - 1.0
        return 0.5 + max(-0.3, min(0.3, distance * 100))

    def _lots(self, scale: float) -> int:
        return 1 + int(-math.log(1.0 - self._random()) * self.typical_lots * scale)
