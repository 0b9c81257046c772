"""A matching engine: one book, price-time priority, integer ticks and lots. Pure: no clock, no randomness.

Every change of a resting level takes the next update id, and a bounded history of those changes can be read from any id in it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from itertools import count
from typing import Final, TypeAlias, final

from msgspec import Struct

from exwire.model import Side

__all__ = ["HISTORY", "Book", "Change", "Fill", "Ladder", "Order", "Placed", "Rows", "Window"]

HISTORY: Final = 16_384
"""How many level changes a book remembers, at least."""

Change: TypeAlias = tuple[Side, int, int]
"""A level change: (side, price in ticks, new total in lots, 0 when the level is gone)."""

Rows: TypeAlias = list[tuple[int, int]]
"""Levels: (price in ticks, lots)."""


class Order(Struct, eq=False, gc=False):
    """A resting order. side: its own; lots: what is left of it; owner: whose, ``""`` for the simulated crowd."""

    id: int
    side: Side
    price: int
    lots: int
    owner: str = ""


class Fill(Struct, frozen=True, gc=False):
    """One match. price: the maker's; maker: the resting order, its ``lots`` already reduced."""

    price: int
    lots: int
    maker: Order


class Placed(Struct, frozen=True):
    """What became of a limit order. resting: the part that rests, None when all was filled."""

    fills: list[Fill]
    resting: Order | None


@final
class Ladder:
    """The levels of one side, best last in ``_keys``, so that work at the touch moves little memory.

    lots: total by price.
    """

    __slots__ = ("_keys", "_sign", "lots")

    def __init__(self, side: Side, rows: Iterable[tuple[int, int]] = ()) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self.lots = dict(rows)
        self._keys = sorted(price * self._sign for price in self.lots)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> int | None:
        """The best price in ticks, None when the side is empty."""
        return self._keys[-1] * self._sign if self._keys else None

    def put(self, price: int, lots: int) -> None:
        """Set a level's total; 0 removes it."""
        if lots:
            if price not in self.lots:
                insort(self._keys, price * self._sign)
            self.lots[price] = lots
        elif self.lots.pop(price, 0):
            del self._keys[bisect_left(self._keys, price * self._sign)]

    def price_at(self, rank: int) -> int:
        """Return the price of a level, rank 0 being the best. Raises IndexError beyond the last."""
        return self._keys[-1 - rank] * self._sign

    def within(self, price: int, depth: int) -> bool:
        """Return whether a price, listed or not, is among the best ``depth`` levels or better than the last of them."""
        keys = self._keys
        return len(keys) < depth or price * self._sign >= keys[-depth]

    def top(self, depth: int | None = None) -> Rows:
        """Return the best levels, best first; all of them for None."""
        keys = self._keys if depth is None else self._keys[-depth:]
        sign, lots = self._sign, self.lots
        return [(key * sign, lots[key * sign]) for key in reversed(keys)]


@final
class Book:
    """Orders at rest, and what happens when one arrives.

    bids, asks: totals by level; update_id: of the last level change; time_ns: when that was. ``update_id`` given: where the ids start.
    """

    __slots__ = ("_changes", "_history", "_ids", "_orders", "_queues", "asks", "bids", "time_ns", "update_id")

    def __init__(self, update_id: int = 0, *, history: int = HISTORY) -> None:
        self.bids = Ladder(Side.BUY)
        self.asks = Ladder(Side.SELL)
        self.update_id = update_id
        self.time_ns = 0
        self._history = history
        self._changes: list[Change] = []
        self._orders: dict[int, Order] = {}
        self._queues: dict[Side, dict[int, list[Order]]] = {Side.BUY: {}, Side.SELL: {}}
        self._ids = count(1)

    @property
    def order_count(self) -> int:
        """How many orders rest, on both sides together."""
        return len(self._orders)

    def ladder(self, side: Side) -> Ladder:
        """Return the levels on which orders of this side rest."""
        return self.bids if side is Side.BUY else self.asks

    def queue(self, side: Side, price: int) -> tuple[Order, ...]:
        """Return the orders of one level, first in line first."""
        return tuple(self._queues[side].get(price, ()))

    def fill(self, side: Side, rows: Rows, now_ns: int) -> None:
        """Rest one order on each of these prices of an empty side, as if before the first update id."""
        self._queues[side] = {price: [Order(next(self._ids), side, price, lots)] for price, lots in rows}
        self._orders.update((queue[0].id, queue[0]) for queue in self._queues[side].values())
        self.time_ns = now_ns
        if side is Side.BUY:
            self.bids = Ladder(side, rows)
        else:
            self.asks = Ladder(side, rows)

    def limit(self, side: Side, price: int, lots: int, now_ns: int, owner: str = "") -> Placed:
        """Match an order up to its price and let the remainder rest. price: ticks > 0; lots > 0."""
        fills = self._take(side, lots, price, now_ns)
        left = lots - sum(fill.lots for fill in fills)
        if not left:
            return Placed(fills, None)
        order = Order(next(self._ids), side, price, left, owner)
        self._orders[order.id] = order
        queue = self._queues[side].get(price)
        if queue is None:
            queue = self._queues[side][price] = []
        queue.append(order)
        self._put(side, price, self.ladder(side).lots.get(price, 0) + left, now_ns)
        return Placed(fills, order)

    def market(self, side: Side, lots: int, now_ns: int) -> list[Fill]:
        """Match an order at any price; what finds no counterpart is gone."""
        return self._take(side, lots, None, now_ns)

    def cancel(self, order_id: int, now_ns: int) -> Order | None:
        """Take a resting order back; None when there is none of that id."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        queue = self._queues[order.side][order.price]
        queue.remove(order)
        if not queue:
            del self._queues[order.side][order.price]
        self._put(order.side, order.price, self.ladder(order.side).lots[order.price] - order.lots, now_ns)
        return order

    def changes_since(self, update_id: int) -> list[Change] | None:
        """Return the changes with ids from ``update_id + 1`` to the last one; None when the history does not reach back so far."""
        missing = self.update_id - update_id
        if missing > len(self._changes):
            return None
        return self._changes[-missing:] if missing > 0 else []

    def _take(self, side: Side, lots: int, price: int | None, now_ns: int) -> list[Fill]:
        fills: list[Fill] = []
        other = Side.SELL if side is Side.BUY else Side.BUY
        ladder, queues = self.ladder(other), self._queues[other]
        while lots and (best := ladder.best) is not None:
            if price is not None and (best > price if side is Side.BUY else best < price):
                break
            queue, total = queues[best], ladder.lots[best]
            while queue and lots:
                maker = queue[0]
                matched = min(maker.lots, lots)
                maker.lots -= matched
                lots -= matched
                total -= matched
                if not maker.lots:
                    queue.pop(0)
                    del self._orders[maker.id]
                fills.append(Fill(best, matched, maker))
            if not queue:
                del queues[best]
            self._put(other, best, total, now_ns)
        return fills

    def _put(self, side: Side, price: int, lots: int, now_ns: int) -> None:
        self.ladder(side).put(price, lots)
        self.update_id += 1
        self.time_ns = now_ns
        self._changes.append((side, price, lots))
        if len(self._changes) > 2 * self._history:
            del self._changes[: -self._history]


@final
class Window:
    """The best ``depth`` levels of a book as a subscriber was told them, and what has to be announced next.

    It follows the book change by change, so a level that was inside at any moment since the last ``flush`` is announced even when it is
    back to its old total, or gone: a client that took a REST snapshot in between needs that. depth None: the whole book.
    """

    __slots__ = ("_depth", "_sides", "_touched")

    def __init__(self, book: Book, depth: int | None) -> None:
        self._depth = depth
        self._sides = {Side.BUY: Ladder(Side.BUY, book.bids.top()), Side.SELL: Ladder(Side.SELL, book.asks.top())}
        self._touched: dict[Side, dict[int, None]] = {Side.BUY: {}, Side.SELL: {}}

    def apply(self, changes: Iterable[Change]) -> None:
        """Follow the book. changes: the next ones in the order of their ids."""
        depth = self._depth
        for side, price, lots in changes:
            ladder, touched = self._sides[side], self._touched[side]
            if depth is None:
                ladder.put(price, lots)
                touched[price] = None
                continue
            was_inside = price in ladder.lots and ladder.within(price, depth)
            listed = len(ladder)
            ladder.put(price, lots)
            if was_inside or (lots and ladder.within(price, depth)):
                touched[price] = None
                if len(ladder) < listed and len(ladder) >= depth:
                    touched[ladder.price_at(depth - 1)] = None  # it entered
                elif len(ladder) > listed and len(ladder) > depth:
                    touched[ladder.price_at(depth)] = None  # it was pushed out

    def flush(self) -> tuple[Rows, Rows]:
        """Return (bids, asks) to announce, in no particular order, 0 lots for a level that is gone or outside; and forget them."""
        bids, asks = (self._rows(side) for side in (Side.BUY, Side.SELL))
        return bids, asks

    def top(self) -> tuple[Rows, Rows]:
        """Return (bids, asks) inside the window, best first."""
        return self._sides[Side.BUY].top(self._depth), self._sides[Side.SELL].top(self._depth)

    def _rows(self, side: Side) -> Rows:
        ladder, depth = self._sides[side], self._depth
        rows = [(price, ladder.lots.get(price, 0) if depth is None or ladder.within(price, depth) else 0) for price in self._touched[side]]
        self._touched[side].clear()
        return rows
