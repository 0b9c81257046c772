"""A market whose true book is known at every update id, a venue that publishes it, and a network that spoils what it publishes.

``History`` plays one of them against a BookSync and compares after every step: the book equals the true one as far as it claims to know
it, at the id that it claims, or it says that it is not LIVE.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from math import inf, nan
from random import Random
from typing import Final

from exwire.book import BookState, L2Book
from exwire.bookrule import Action, BookRule, FetchSnapshot, Resubscribe, SnapshotFrom
from exwire.booksync import Announcement, BookSync
from exwire.errors import BookNotLiveError, OutsideBookError
from exwire.lifecycle import BookInvalid, BookLive, Gap
from exwire.model import BookDelta, BookSnapshot, Level, Side

__all__ = ["History", "TrueBook"]

PRICES: Final = range(1, 61)
"""In ticks of 0.5."""

Levels = dict[int, int]
"""Price in ticks → lots."""


_TO_A_FRAME: Final = ("drop", "repeat", "swap", "delay", "corrupt", "cross")
_FAULTS: Final = (*_TO_A_FRAME, "late", "merge", "full", "empty", "lose_connection", "raise")


class TrueBook:
    """The venue's own book, as it was at every id."""

    def __init__(self, first_id: int) -> None:
        self.id = first_id
        bids, asks = dict.fromkeys(range(10, 28), 3), dict.fromkeys(range(33, 51), 3)
        self.past: dict[int, tuple[Levels, Levels]] = {first_id: (bids, asks)}

    @property
    def now(self) -> tuple[Levels, Levels]:
        return self.past[self.id]

    def change(self, side: int, rank: int, lots: int) -> None:
        """Take the next id: set a level near the touch, which may be new, or best, or the last one of its side."""
        bids, asks = (dict(each) for each in self.now)
        mine, other, sign = (bids, asks, 1) if side == 0 else (asks, bids, -1)
        touch = min(other, key=lambda price: price * sign, default=31) if other else 30
        price = touch - sign * (1 + rank)
        if price in PRICES:
            if lots:
                mine[price] = lots
            else:
                mine.pop(price, None)
        self.id += 1
        self.past[self.id] = (bids, asks)

    def sweep(self, side: int, levels: int) -> None:
        """Take away the best levels of a side, an id each."""
        for _ in range(levels):
            bids, asks = (dict(each) for each in self.now)
            mine = (bids, asks)[side]
            if mine:
                del mine[max(mine) if side == 0 else min(mine)]
            self.id += 1
            self.past[self.id] = (bids, asks)

    def window(self, id: int, n: int) -> tuple[Levels, Levels]:
        """Return the best n levels a side at an id, 0: all."""
        bids, asks = self.past[id]
        best_bids = sorted(bids, reverse=True)[: n or None]
        best_asks = sorted(asks)[: n or None]
        return {price: bids[price] for price in best_bids}, {price: asks[price] for price in best_asks}


def rows(levels: Levels) -> tuple[Level, ...]:
    return tuple((price * 0.5, lots * 0.25) for price, lots in levels.items())


class Publisher:
    """What a venue sends to one subscription: levels of its window as they are at the end of a delta.

    by_id: those that entered the window, left it or changed in it with any of the delta's ids; otherwise those that differ between the
    windows before and after it, and all that were touched. tells_leaving: whether a level that was pushed out of the window, and still
    exists, is sent with 0.
    """

    def __init__(self, book: TrueBook, window: int, by_id: bool = True, tells_leaving: bool = True) -> None:
        self.book = book
        self.window = window
        self.by_id = by_id
        self.tells_leaving = tells_leaving
        self.sent = book.id

    def delta(self, since: int) -> BookDelta:
        """Return the delta from after an id up to now."""
        book, self.sent = self.book, self.book.id
        sides: list[Levels] = [{}, {}]
        for before in range(since, book.id):
            window = self.window if self.by_id else 0
            self._tell(sides, book.window(before, window), book.window(before + 1, window))
        self._tell(sides, book.window(since, self.window), book.window(book.id, self.window))
        shown, true = book.window(book.id, self.window), book.now
        for side in (0, 1):
            for price in list(sides[side]):
                sides[side][price] = shown[side].get(price, 0)
                if price in true[side] and price not in shown[side] and not self.tells_leaving:
                    del sides[side][price]
        return BookDelta("box", "BTC/USDT", book.id, book.id, since + 1, book.id, rows(sides[0]), rows(sides[1]))

    @staticmethod
    def _tell(sides: list[Levels], before: tuple[Levels, Levels], after: tuple[Levels, Levels]) -> None:
        for side in (0, 1):
            for price in before[side].keys() | after[side].keys():
                if before[side].get(price) != after[side].get(price):
                    sides[side][price] = 0

    def snapshot(self, id: int, n: int) -> BookSnapshot:
        """Return the best n levels a side at an id, 0: all."""
        bids, asks = self.book.window(id, n)
        return BookSnapshot("box", "BTC/USDT", id, id, id, rows(bids), rows(asks))


class RaisedByUserError(Exception):
    """What a user's callback may raise."""


class History:
    """One market, one venue, one network, one client.

    seed: decides all that happens; tally: what was done to the client, and how often its book was compared while it was LIVE.
    """

    def __init__(self, rule: BookRule, seed: int, tally: Counter[str]) -> None:
        self.rule = rule
        self.random = Random(seed)
        self.tally = tally
        self.now_ns = 1_000_000_000
        self.book = TrueBook(2**63 - 5_000 if self.pick(4) == 3 else 1_000)
        self.by_id, self.tells_leaving = self.pick(2) == 0, self.pick(2) == 0
        self.wire: deque[BookDelta | BookSnapshot] = deque()
        self.late: list[BookDelta | BookSnapshot] = []
        self.action: tuple[int, Action] | None = None
        self.says_live = False
        self.called_back = (BookState.SYNCING, 0)
        self.raises = False
        self.client = L2Book("box", "BTC/USDT", window=rule.window, tick=0.5)
        self.client.on_book = self._on_book
        self.sync = BookSync(self.client, rule, self._announced)
        self._subscribe()

    def pick(self, n: int) -> int:
        """Return a number from 0 to n - 1."""
        return self.random.randrange(n)

    def play(self, steps: int) -> None:
        """Let so many things happen."""
        for _ in range(steps):
            self.step()
            self.compare()

    def calm(self) -> None:
        """No more faults: the market goes on, everything is delivered and answered."""
        self.raises = False
        self.wire.extend(self.late)
        self.late.clear()
        for _ in range(300):
            self.now_ns += 500_000_000
            self._market(1)
            self._publish()
            while self.wire:
                self._deliver(self.wire.popleft())
                self.compare()
            if self.client.state is BookState.LIVE and self.client.last_id == self.book.id:
                return
            self._act(fault=0)
            self._clock()
            self.compare()

    def step(self) -> None:
        """Let one thing happen."""
        pick = self.pick
        self.now_ns += 20_000_000
        choice = pick(16)
        if choice < 5:
            self._market(1 + pick(4))
            self._publish()
        elif choice < 10:
            if self.wire:
                self._deliver(self.wire.popleft())
        elif choice < 12:
            self._act(fault=pick(6))
        elif choice == 12:
            self._market(1 + pick(4))
            if self.book.id < 2**63 - 9:
                self.book.sweep(pick(2), pick(3) * pick(5))
        elif choice == 13:
            self.now_ns += (0, 300_000_000, 3_000_000_000, 11_000_000_000)[pick(4)]
            self._clock()
        else:
            self._fault(pick(len(_FAULTS)))

    def _market(self, changes: int) -> None:
        for _ in range(changes):
            if self.book.id < 2**63 - 1:
                self.book.change(self.pick(2), min(self.pick(14), self.pick(14)), self.pick(5))

    def _subscribe(self) -> None:
        self.publisher = Publisher(self.book, self.rule.window, self.by_id, self.tells_leaving)
        self.wire.clear()
        if self.rule.source is not SnapshotFrom.REST:
            self.wire.append(self.publisher.snapshot(self.book.id, self.rule.window))
        self._call(self.sync.start(self.now_ns))

    def _publish(self) -> None:
        publisher = self.publisher
        if publisher.sent < self.book.id:
            if self.rule.source is SnapshotFrom.EACH_FRAME:
                publisher.sent = self.book.id
                self.wire.append(publisher.snapshot(self.book.id, self.rule.window))
            else:
                self.wire.append(publisher.delta(publisher.sent))

    def _fault(self, choice: int) -> None:
        """Do one of the things that happen to connections, if it can be done now."""
        name = _FAULTS[choice]
        if name in _TO_A_FRAME and not self.wire:
            return
        self.tally[name] += 1
        getattr(self, f"_{name}")()

    def _drop(self) -> None:
        self.wire.popleft()

    def _repeat(self) -> None:
        for _ in range(1 + self.pick(4)):
            self.wire.appendleft(self.wire[0])

    def _swap(self) -> None:
        self.wire.rotate(1 + self.pick(3))

    def _delay(self) -> None:
        self.late.append(self.wire.popleft())

    def _late(self) -> None:
        self.wire.extendleft(self.late)
        self.late.clear()

    def _corrupt(self) -> None:
        self._deliver(self._corrupted(self.wire.popleft()))

    def _cross(self) -> None:
        self._deliver(self._crossed(self.wire.popleft()))

    def _merge(self) -> None:
        """A delta that covers again what others covered."""
        if self.rule.source is not SnapshotFrom.EACH_FRAME:
            self.wire.append(self.publisher.delta(max(min(self.book.past), self.publisher.sent - self.pick(6))))

    def _full(self) -> None:
        """A full frame in the middle."""
        if self.rule.source is not SnapshotFrom.REST:
            self._publish()
            self.wire.append(self.publisher.snapshot(self.publisher.sent, self.rule.window))

    def _empty(self) -> None:
        """Ids go on, no level changes."""
        if self.book.id < 2**63 - 1:
            self.book.past[self.book.id + 1] = self.book.now
            self.book.id += 1
            self._publish()

    def _lose_connection(self) -> None:
        self.action = None
        self.wire.clear()
        self._guarded(lambda: self.sync.on_lost("the connection was lost", self.now_ns))
        self.compare()
        self._subscribe()

    def _raise(self) -> None:
        """The user's callback begins to raise now and then, or stops."""
        self.raises = not self.raises

    def _corrupted(self, frame: BookDelta | BookSnapshot) -> BookDelta | BookSnapshot:
        pick = self.pick
        bad = ((15.0, -1.0), (15.0, nan), (15.0, inf), (nan, 1.0), (-15.0, 1.0), (inf, 1.0), (0.0, 1.0), (1.2e15, 1.0), (nan, 0.0))
        row = bad[pick(len(bad))]
        bids, asks = ((row, *frame.bids), frame.asks) if pick(2) == 0 else (frame.bids, (*frame.asks, row))
        if isinstance(frame, BookSnapshot):
            if not row[1]:
                bids, asks = (*frame.bids, (15.0, nan)), frame.asks
            return BookSnapshot(frame.venue, frame.symbol, 0, 0, frame.last_id, bids, asks)
        first, last = (frame.last_id + 1, frame.last_id) if pick(4) == 3 else (frame.first_id, frame.last_id)
        return BookDelta(frame.venue, frame.symbol, 0, 0, first, last, bids, asks)

    def _crossed(self, frame: BookDelta | BookSnapshot) -> BookDelta | BookSnapshot:
        extra = ((PRICES[-1] * 0.5 + 0.5, 1.0), (PRICES[0] * 0.25, 1.0))
        bids, asks = (*frame.bids, extra[0]), (*frame.asks, extra[1])
        if isinstance(frame, BookSnapshot):
            return BookSnapshot(frame.venue, frame.symbol, 0, 0, frame.last_id, bids, asks)
        return BookDelta(frame.venue, frame.symbol, 0, 0, frame.first_id, frame.last_id, bids, asks)

    def _deliver(self, frame: BookDelta | BookSnapshot) -> None:
        if isinstance(frame, BookSnapshot):
            self._guarded(lambda: self.sync.on_full(frame, self.now_ns))
        else:
            self._guarded(lambda: self.sync.on_delta(frame, self.now_ns))

    def _act(self, fault: int) -> None:
        """Do what the client asked for, if it is time."""
        if self.action is None or self.now_ns < self.action[0]:
            return
        action, self.action = self.action[1], None
        if isinstance(action, Resubscribe):
            if fault == 5:
                self.tally["resubscribe refused"] += 1
                self._guarded(lambda: self.sync.on_resubscribe_failed("refused", self.now_ns))
            elif self.client.state is not BookState.LIVE:
                self._guarded(self._resubscribed)
            return
        self._answer(action, fault)

    def _resubscribed(self) -> Action | None:
        self._subscribe()
        return None

    def _answer(self, action: FetchSnapshot, fault: int) -> None:
        taken_at = self.book.id
        if fault == 3:
            self.tally["stale snapshot"] += 1
            taken_at = max(min(self.book.past), taken_at - 1 - self.pick(12))
        if fault == 5:
            self.tally["no snapshot"] += 1
            self._guarded(lambda: self.sync.on_snapshot_failed("HTTP 503", self.now_ns))
            return
        snapshot = Publisher(self.book, 0).snapshot(taken_at, action.depth)
        if fault == 4:
            self.tally["corrupt snapshot"] += 1
            spoiled = self._corrupted(snapshot) if self.pick(2) == 0 else self._crossed(snapshot)
            assert isinstance(spoiled, BookSnapshot)
            snapshot = spoiled
        self._guarded(lambda: self.sync.on_snapshot(snapshot, self.now_ns))

    def _clock(self) -> None:
        deadline = self.sync.next_deadline_ns
        if deadline is not None and deadline <= self.now_ns:
            self._guarded(lambda: self.sync.on_clock(self.now_ns))

    def _guarded(self, call: Callable[[], Action | None]) -> None:
        try:
            self._call(call())
        except RaisedByUserError:
            self.tally["callback raised"] += 1
        assert self.called_back[0] is self.client.state
        assert self.client.state is not BookState.LIVE or self.called_back[1] == self.client.generation

    def _call(self, action: Action | None) -> None:
        if action is not None:
            self.action = (self.now_ns + round(action.after_s * 1e9), action)

    def _on_book(self, book: L2Book) -> None:
        assert book is self.client
        self.called_back = (book.state, book.generation)
        self.compare()
        if self.raises and self.pick(3) == 2:
            raise RaisedByUserError

    def _announced(self, event: Announcement) -> None:
        self.tally[type(event).__name__] += 1
        if isinstance(event, BookLive):
            assert not self.says_live
            assert event.last_id == self.client.last_id
            self.says_live = True
        elif isinstance(event, BookInvalid):
            assert self.says_live or event.state is BookState.INVALID
            self.says_live = False
        else:
            assert isinstance(event, Gap)
            assert event.from_id <= event.to_id

    # What must hold at every moment

    def compare(self) -> None:
        """Hold the client's book against the true one."""
        book = self.client
        assert (book.state is BookState.LIVE) is self.says_live
        if book.state is not BookState.LIVE:
            assert book.reason
            for read in (lambda: book.best_bid, lambda: book.asks, lambda: book.depth(1), lambda: book.qty_at(Side.BUY, 15.0)):
                assert is_refused(read, BookNotLiveError)
            return
        self.tally["compared"] += 1
        bids, asks = (rows(levels) for levels in self.book.past[book.as_of.last_id])
        self._compare_side(Side.BUY, list(book.bids), sorted(bids, reverse=True))
        self._compare_side(Side.SELL, list(book.asks), sorted(asks))
        best_bid, best_ask = book.best_bid, book.best_ask
        assert (best_bid, best_ask) == (max(bids, default=None), min(asks, default=None))
        if best_bid and best_ask:
            assert best_bid[0] < best_ask[0]
            assert book.spread == best_ask[0] - best_bid[0]

    def _compare_side(self, side: Side, known: list[Level], true: list[Level]) -> None:
        book, n = self.client, len(known)
        assert known == true[:n]
        if self.rule.window:
            assert n <= self.rule.window
        with suppress(OutsideBookError):  # unless it says that there may be more than it knows, there is not
            assert book.depth(n + 1)[0 if side is Side.BUY else 1] == tuple(true)
        price = PRICES[self.tally["compared"] % len(PRICES)] * 0.5
        try:
            assert book.qty_at(side, price) == dict(true).get(price, 0.0)
        except OutsideBookError:
            assert not known or (price < known[-1][0] if side is Side.BUY else price > known[-1][0])
        taken = Side.SELL if side is Side.BUY else Side.BUY
        total = sum(qty for _, qty in known)
        assert book.cost_to_fill(taken, total) == sum(price * qty for price, qty in known)
        assert is_refused(lambda: book.cost_to_fill(taken, total + 0.25), OutsideBookError)


def is_refused(read: Callable[[], object], error: type[Exception]) -> bool:
    try:
        read()
    except error:
        return True
    return False
