"""A local L2 book that is continuous, or says that it is not. Pure: no clock, no socket, no task.

``L2Book`` is what users read; :class:`exwire.booksync.BookSync` feeds it and decides whether it may be read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from enum import StrEnum
from math import inf, nextafter
from typing import Any, Final, Protocol, final, overload

from msgspec import Struct

from exwire.bookside import BookSide, Fault
from exwire.errors import BookChangedError, BookNotLiveError, ConfigError, OutsideBookError, UsageError
from exwire.model import BookDelta, BookSnapshot, Level, Side

__all__ = ["AsOf", "BookState", "L2Book", "LevelsView", "Waiter"]

_TICKS: Final = 2.0**51
"""From so many ticks on, half a tick is no longer exact in a float, and soon neighbouring prices are the same."""


class BookState(StrEnum):
    """Whether a book may be read.

    live: it holds every change up to ``as_of``; syncing: it is being built, or built again after a gap; invalid: that failed too often, or
    cannot succeed; it is still tried, but more and more rarely.
    """

    LIVE = "live"
    SYNCING = "syncing"
    INVALID = "invalid"


_LIVE: Final = BookState.LIVE


class AsOf(Struct, frozen=True, gc=False):
    """Up to where a book goes: the venue's last update id in it, the venue's time of that and ours, ns."""

    last_id: int
    ts_event: int
    ts_recv: int


class Waiter(Protocol):
    """What a reader of ``updates`` waits on: of an ``asyncio.Future``, the part that is used."""

    def __await__(self) -> Generator[Any, None, None]: ...

    def done(self) -> bool:
        """Return whether its reader goes on already, or has given up."""
        ...

    def set_result(self, result: None, /) -> None:
        """Let its reader go on."""
        ...


@final
class L2Book:
    """The bids and asks of one instrument, one level a price.

    It changes in place: read what belongs together without an ``await`` in between. Reading levels while it is not LIVE raises
    BookNotLiveError; asking for levels that the venue does not tell of raises OutsideBookError.

    state, reason: whether it may be read, and why not; last_id: the venue's update id that it stands at; generation: grows with every
    change of levels or state; window: levels a side that the venue tells of, 0: all; on_book: called after every change, with the book.

    tick: the instrument's price step, 0: not known; prices of 2**51 ticks and more are refused. future: makes what ``updates`` waits on.
    """

    __slots__ = (
        "_asks",
        "_bids",
        "_closed",
        "_future",
        "_highest",
        "_ts_event",
        "_ts_recv",
        "_waiters",
        "generation",
        "last_id",
        "on_book",
        "reason",
        "state",
        "symbol",
        "venue",
        "window",
    )

    def __init__(self, venue: str, symbol: str, *, window: int = 0, tick: float = 0.0, future: Callable[[], Waiter] | None = None) -> None:
        self.venue = venue
        self.symbol = symbol
        self.window = window
        self.state = BookState.SYNCING
        self.reason = "not built yet"
        self.last_id = 0
        self.generation = 0
        self.on_book: Callable[[L2Book], object] = _ignore
        self._ts_event = 0
        self._ts_recv = 0
        self._highest = nextafter(tick * _TICKS if tick else inf, 0.0)
        self._future = future
        self._waiters: list[Waiter] = []
        self._closed = False
        self._bids = BookSide(1.0, self._highest)
        self._asks = BookSide(-1.0, self._highest)

    def __repr__(self) -> str:
        return f"<L2Book {self.venue} {self.symbol} {self.state} at {self.last_id}>"

    @property
    def as_of(self) -> AsOf:
        """Up to where the book goes, or went when it was last LIVE."""
        return AsOf(self.last_id, self._ts_event, self._ts_recv)

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None when nobody bids."""
        if self.state is not _LIVE:
            raise self._not_live()
        return self._bids.top

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None when nobody asks."""
        if self.state is not _LIVE:
            raise self._not_live()
        return self._asks.top

    @property
    def mid(self) -> float | None:
        """Halfway between best bid and best ask, None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (bid[0] + ask[0]) / 2

    @property
    def spread(self) -> float | None:
        """Best ask less best bid, above 0, None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else ask[0] - bid[0]

    @property
    def bids(self) -> LevelsView:
        """The bids that are known, the highest first, without a copy: until the book changes."""
        return LevelsView(self, self._side(Side.BUY))

    @property
    def asks(self) -> LevelsView:
        """The asks that are known, the lowest first, without a copy: until the book changes."""
        return LevelsView(self, self._side(Side.SELL))

    def depth(self, n: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return a copy of the best ``n`` bids and of the best ``n`` asks, fewer where there are no more.

        Raises OutsideBookError when there may be more than are known.
        """
        bids, asks = self._side(Side.BUY), self._side(Side.SELL)
        if n < 0:
            raise ConfigError(f"depth() needs a number of levels, not {n}")
        for name, side in (("bids", bids), ("asks", asks)):
            end = side.end(self.window)
            if side.count < n and end is not None:
                raise OutsideBookError(self.venue, self.symbol, f"{n} {name} were asked for, {side.count} are known, as far as {end!r}")
        return bids.best(n), asks.best(n)

    def qty_at(self, side: Side, price: float) -> float:
        """Return what rests at a price, 0.0 for nothing. side: of the resting orders, BUY for bids.

        Raises OutsideBookError for a price beyond what is known.
        """
        levels = self._side(side)
        if not 0.0 < price < inf:
            raise ConfigError(f"qty_at() needs a price above 0, not {price!r}")
        end = levels.end(self.window)
        if end is not None and price * levels.sign < end * levels.sign:
            raise OutsideBookError(self.venue, self.symbol, f"{price!r} is beyond {end!r}, up to where this side is known")
        return levels.held.get(price, 0.0)

    def cost_to_fill(self, side: Side, qty: float) -> float:
        """Return the notional of taking a quantity at once, without fees. side: ours, BUY takes asks.

        Raises OutsideBookError when that is more than the book has, or more than is known of it.
        """
        levels = self._side(Side.SELL if side is Side.BUY else Side.BUY)
        if not 0.0 <= qty < inf:
            raise ConfigError(f"cost_to_fill() needs a quantity of 0 or more, not {qty!r}")
        cost, left = 0.0, qty
        for price, here in levels.walk():
            if here >= left:
                return cost + left * price
            cost += here * price
            left -= here
        if not left:
            return cost
        end = levels.end(self.window)
        why = "that is all there is" if end is None else f"nothing is known beyond {end!r}"
        raise OutsideBookError(self.venue, self.symbol, f"{qty!r} cannot be filled, {qty - left!r} can: {why}")

    def updates(self) -> AsyncIterator[BookState]:
        """Yield the state: as it is now, then after every change, once for all the changes that came since the reader last looked.

        Ends when the book is given up. Raises UsageError for a book that no connector keeps.
        """
        if self._future is None:
            raise UsageError("updates() waits on an event loop, which only a book of a connector has")
        return self._states(self._future)

    async def _states(self, future: Callable[[], Waiter]) -> AsyncIterator[BookState]:
        seen = -1
        while True:
            if seen != self.generation:
                seen = self.generation
                yield self.state
            elif self._closed:
                return
            else:
                waiter = future()
                self._waiters.append(waiter)
                await waiter

    # What follows is for BookSync, and for whoever replays recorded deltas: it changes the book and asks no questions about ids.

    def load(self, snapshot: BookSnapshot, full: int = 0) -> Fault | None:
        """Replace all levels. A Fault leaves them as they were.

        full: a side with so many rows may go on, unseen; 0: what the snapshot leaves out is not there, or outside the window.
        """
        bids, asks = BookSide(1.0, self._highest), BookSide(-1.0, self._highest)
        fault = bids.load(snapshot.bids, full) or asks.load(snapshot.asks, full)
        if fault is not None:
            return fault
        if bids.top and asks.top and bids.top[0] >= asks.top[0]:
            return _crossing(bids.top, asks.top)
        self._bids, self._asks = bids, asks
        if not full:
            self.settle()
        self.last_id = snapshot.last_id
        self._ts_event = snapshot.ts_event
        self._ts_recv = snapshot.ts_recv
        self.generation += 1
        return None

    def apply(self, delta: BookDelta) -> Fault | None:
        """Change levels. After a Fault the book is not LIVE and holds none."""
        bids, asks, window = self._bids, self._asks, self.window
        fault = (bids.apply(delta.bids, window) if delta.bids else None) or (asks.apply(delta.asks, window) if delta.asks else None)
        if fault is not None:
            return self._withdrawn(fault)
        best_bid, best_ask = bids.top, asks.top
        if best_bid is None or best_ask is None:
            if (bids.is_walled and best_bid is None) or (asks.is_walled and best_ask is None):
                return self._withdrawn(Fault("every level that the snapshot knew of a side is gone"))
        elif best_bid[0] >= best_ask[0]:
            return self._withdrawn(_crossing(best_bid, best_ask))
        self.last_id = delta.last_id
        self._ts_event = delta.ts_event
        self._ts_recv = delta.ts_recv
        self.generation += 1
        return None

    def settle(self) -> None:
        """Take sides that fill the window for the venue's own window, as they stand: the stream tells of all that enters it."""
        if self.window:
            self._bids.settle(self.window)
            self._asks.settle(self.window)

    def fence(self) -> None:
        """Stop taking full sides for the venue's own window: something may have entered it untold."""
        if self.window:
            self._bids.fence(self.window)
            self._asks.fence(self.window)

    def runs_low(self, below: int) -> bool:
        """Return whether a side has fewer levels left than this, of those that a full snapshot knew."""
        bids, asks = self._bids, self._asks
        return (bids.count < below and bids.is_walled) or (asks.count < below and asks.is_walled)

    def turn(self, state: BookState, reason: str = "") -> None:
        """Set the state. Levels that nobody may read are dropped."""
        self.state = state
        self.reason = reason
        self.generation += 1
        if state is not _LIVE:
            self._bids, self._asks = BookSide(1.0, self._highest), BookSide(-1.0, self._highest)

    def notify(self) -> None:
        """Wake the readers of ``updates`` and call ``on_book``, whose exception is passed on."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
        self.on_book(self)

    def close(self, reason: str) -> None:
        """Give the book up for good: it is INVALID, and ``updates`` ends."""
        self._closed = True
        self.turn(BookState.INVALID, reason)

    def _side(self, side: Side) -> BookSide:
        if self.state is not _LIVE:
            raise self._not_live()
        return self._bids if side is Side.BUY else self._asks

    def _withdrawn(self, fault: Fault) -> Fault:
        self.turn(BookState.SYNCING if self.state is _LIVE else self.state, fault.reason)
        return fault

    def _not_live(self) -> BookNotLiveError:
        return BookNotLiveError(self.venue, self.symbol, self.state, self.reason)


@final
class LevelsView(Sequence[Level]):
    """One side of a book, the best level first. Once the book has changed, it raises BookChangedError, or BookNotLiveError."""

    __slots__ = ("_book", "_generation", "_side")

    def __init__(self, book: L2Book, side: BookSide) -> None:
        self._book = book
        self._side = side
        self._generation = book.generation

    def __len__(self) -> int:
        self._check()
        return self._side.count

    @overload
    def __getitem__(self, index: int) -> Level: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Level, ...]: ...
    def __getitem__(self, index: int | slice) -> Level | tuple[Level, ...]:
        self._check()
        side = self._side
        if isinstance(index, slice):
            return side.best(side.count)[index]
        return side.level(index if index >= 0 else side.count + index)

    def __iter__(self) -> Iterator[Level]:
        for rank in range(len(self)):
            self._check()
            yield self._side.level(rank)

    def __repr__(self) -> str:
        return f"<LevelsView {list(self)}>"

    def _check(self) -> None:
        book = self._book
        if book.generation != self._generation:
            if book.state is not _LIVE:
                raise BookNotLiveError(book.venue, book.symbol, book.state, book.reason)
            raise BookChangedError(book.venue, book.symbol)


def _crossing(bid: Level, ask: Level) -> Fault:
    return Fault(f"crossed: best bid {bid[0]!r}, best ask {ask[0]!r}")


def _ignore(_: object) -> None:
    """The callback that nobody set."""
