"""One side of an L2 book: levels by price, the best at hand, and how far they are known. Pure."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from typing import Final, final

from msgspec import Struct

from exwire.model import Level

__all__ = ["BookSide", "Fault"]

_LEAST: Final = 5e-324
"""The least price there can be."""

_SPARE: Final = 32
"""So many empty prices are kept in any case, and half as many as there are levels."""


class Fault(Struct, frozen=True):
    """Why levels cannot be taken in. lasting: the next attempt would meet it again."""

    reason: str
    lasting: bool = False


@final
class BookSide:
    """Levels of one side.

    A price whose level is gone stays for a while, with quantity 0.0: most come back, and setting a quantity costs a quarter of moving
    prices in and out of order. Who reads levels passes those by, or calls ``tidy``.

    sign: 1.0 for bids, -1.0 for asks; highest: the highest price that is taken. top: the best level, None where there is none; count:
    levels; held: price → quantity; keys: the prices in ``held`` times sign, ascending, the last of them the best level's; is_walled:
    whether a full snapshot, and not the end of the book or of a window, ends what is known.
    """

    __slots__ = ("_highest", "_most", "_wall", "count", "held", "is_walled", "keys", "sign", "top")

    def __init__(self, sign: float, highest: float) -> None:
        self.sign = sign
        self.top: Level | None = None
        self.count = 0
        self.held: dict[float, float] = {}
        self.keys: list[float] = []
        self.is_walled = False
        self._highest = highest
        self._most = highest if sign > 0 else -_LEAST
        self._wall = self._nowhere

    @property
    def _nowhere(self) -> float:
        """The least key there can be: where no wall is, everything is above it."""
        return _LEAST if self.sign > 0 else -self._highest

    def load(self, rows: Sequence[Level], full: int = 0) -> Fault | None:
        """Fill an empty side. Rows in any order; those without quantity are no levels.

        full: with so many levels, 0: never, there may be more, unseen: they end at a wall.
        """
        if not rows:
            return None
        held = dict(rows)
        if len(held) < len(rows):
            return Fault("the snapshot has two rows at one price")
        least = min(held.values())
        # In C; a sum shows what min and max may overlook: NaN
        if not (least >= 0.0 and sum(held.values()) < inf and min(held) > 0.0 and sum(held) < inf):
            return Fault("the snapshot has a price or quantity that is negative, infinite or not a number")
        if max(held) > self._highest:
            return Fault(_too_high(max(held)), lasting=True)
        if not least:
            held = {price: qty for price, qty in held.items() if qty}
        self.count = len(held)
        self.held = held
        self.keys = sorted(held) if self.sign > 0 else sorted([-price for price in held])
        self.top = self._next_best()
        if full and self.count >= full:
            self.trim(full)
            self.fence(full)
        return None

    def apply(self, rows: Sequence[Level], window: int = 0) -> Fault | None:  # noqa: C901 - one loop: a call for each row costs as much as the row
        """Set levels, 0.0 removes one; then settle for the window, 0: none. After a Fault it is half done.

        Rows behind the wall are left out: what lies between is not known.
        """
        held = self.held
        get, count, infinite = held.get, self.count, inf
        for price, qty in rows:
            if qty > 0.0:
                if qty == infinite:
                    return self._bad(price, qty)
                if not get(price):
                    count += 1
                held[price] = qty
            elif qty == 0.0 and get(price):
                held[price] = 0.0
                count -= 1
            elif qty != 0.0 or not 0.0 < price <= self._highest:
                return self._bad(price, qty)
        self.count = count
        keys = self.keys
        if len(held) != len(keys):
            fault = self._insert()
            if fault is not None:
                return fault
            count = self.count
        if not keys:
            return None
        price = keys[-1] * self.sign
        qty = held[price]
        self.top = (price, qty) if qty else self._next_best()
        if window and (count > window or self.is_walled):
            self.settle(window)
        return None

    def _insert(self) -> Fault | None:
        """Bring the prices into order that are in ``held`` and not in ``keys``: those that it got last."""
        held, keys, sign, wall, most = self.held, self.keys, self.sign, self._wall, self._most
        for price in [*islice(reversed(held), len(held) - len(keys))]:
            key = price * sign
            if wall <= key <= most:
                insort(keys, key)
            elif 0.0 < price <= self._highest:
                self.count -= held.pop(price) > 0.0
            else:
                return self._bad(price, held[price])
        if len(keys) > self.count + (self.count >> 1) + _SPARE:
            self.tidy(self.count)
        return None

    def _next_best(self) -> Level | None:
        """Drop the empty prices that are better than every level; return the best level."""
        held, keys, sign = self.held, self.keys, self.sign
        while keys:
            price = keys[-1] * sign
            qty = held[price]
            if qty:
                return price, qty
            del held[price], keys[-1]
        return None

    def tidy(self, n: int) -> None:
        """Drop the empty prices among the best ``n`` levels: the last n keys are these levels, all keys if n is the count."""
        keys, held = self.keys, self.held
        if len(keys) == self.count:
            return
        if n >= self.count:
            self.held = {price: qty for price, qty in held.items() if qty}
            keys[:] = [key for key in keys if held[abs(key)]]
            return
        place = len(keys)
        while n:
            place -= 1
            price = abs(keys[place])
            if held[price]:
                n -= 1
            else:
                del held[price], keys[place]

    def trim(self, rows: int) -> None:
        """Keep the best levels only."""
        if self.count > rows:
            self.tidy(self.count)
            excess = self.count - rows
            for key in self.keys[:excess]:
                del self.held[abs(key)]
            del self.keys[:excess]
            self.count = rows

    def settle(self, window: int) -> None:
        """Take the best levels, where they fill the window, for the venue's own window: what enters it will be told."""
        if self.count >= window:
            self.trim(window)
            self._wall = self._nowhere
            self.is_walled = False

    def fence(self, window: int) -> None:
        """Where the window is full, stop taking it for the venue's own: what enters it may have been told before."""
        if self.count >= window:
            self._wall = self._worst()
            self.is_walled = True

    def end(self, window: int) -> float | None:
        """Return the price beyond which nothing is known, None when there is nothing beyond. window: rows the venue tells of, 0: all."""
        if self.is_walled:
            return abs(self._wall)
        return abs(self._worst()) if window and self.count >= window else None

    def best(self, n: int) -> tuple[Level, ...]:
        """Return the best levels, the best first."""
        self.tidy(n)
        held = self.held
        return tuple([(price, held[price]) for price in map(abs, self.keys[: -min(n, self.count) - 1 : -1])])

    def level(self, rank: int) -> Level:
        """Return a level by its rank, 0 for the best. Raises IndexError where there is none."""
        if not 0 <= rank < self.count:
            raise IndexError(f"the side has {self.count} levels")
        self.tidy(rank + 1)
        price = abs(self.keys[~rank])
        return price, self.held[price]

    def walk(self) -> Iterator[Level]:
        """Return all levels, the best first. The side must not change meanwhile."""
        held = self.held
        return ((price, held[price]) for price in map(abs, reversed(self.keys)) if held[price])

    def _worst(self) -> float:
        """The key of the worst level, of which there is one."""
        return next(key for key in self.keys if self.held[abs(key)])

    def _bad(self, price: float, qty: float) -> Fault:
        if self._highest < price < inf:
            return Fault(_too_high(price), lasting=True)
        return Fault(f"a delta has price {price!r} with quantity {qty!r}")


def _too_high(price: float) -> str:
    return f"price {price!r} is 2**51 ticks or more, where floats do not tell prices apart"
