"""What keeps a book continuous: snapshots and deltas in, a book that is LIVE or says that it is not, and what to do next. Pure.

Time comes as ``now_ns``, what has to be done goes out as an ``Action``. The answer to each thing that can happen while the book is LIVE:

- a delta that goes on where the book stands: applied;
- one at or below the book's id (sent twice, or late): ignored and counted; three in a row: the ids went backwards, resync;
- one that begins at or below the book's id and ends above it: applied and counted, quantities are absolute;
- one that begins above the next id: a gap, resync; one whose last id is below its first: resync;
- a price or quantity that cannot be, a crossed or locked book, a price of 2**51 ticks, no level left of what was known: resync;
- a full frame of a higher id: replaces the book; of the same id: ignored and counted; of a lower one: resync, except where every frame is
  a snapshot: there it is ignored and counted, and the third in a row taken for the venue's new count.

Resync is of this book alone. Where snapshots come from REST, deltas are kept meanwhile, from the one that showed the gap on. The answer
to a snapshot from REST:

- older than the first delta kept (what is compared is ids, never times): fetched again after a while;
- newer than the last one: it waits until the stream has come that far. Where the stream stays silent from the start, a second snapshot
  of the same id shows that nothing has happened, and the book is LIVE; one of a higher id shows that the topic is dead, and it is
  subscribed again, as it is when the stream speaks and does not come that far;
- anything else: loaded, and the deltas kept are applied to it, the first of which may begin at or below its id.

Of the deltas kept, a gap drops those before it, three in a row that are not newer drop all before the third, and so does one more than
there is room for. After too many failures in a row the book is INVALID, and is tried on more and more rarely, by subscribing again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias, final

from exwire.book import BookState, L2Book
from exwire.bookrule import Action, BookRule, FetchSnapshot, Resubscribe, SnapshotFrom
from exwire.bookside import Fault
from exwire.lifecycle import BookInvalid, BookLive, Gap
from exwire.metrics import BookMetrics
from exwire.model import BookDelta, BookSnapshot

__all__ = ["Announcement", "BookSync"]

_STABLE_NS: Final = 10_000_000_000
"""A book that was LIVE for so long starts anew with quick repairs."""

_BACKWARDS: Final = 3
"""So many frames in a row that are not newer are not repetitions any more: the venue has begun to count again."""

Announcement: TypeAlias = Gap | BookInvalid | BookLive


class _Phase(Enum):
    """Where a book stands.

    idle: its topic is not subscribed, or not yet; waiting: a full frame has to come; fetching: a snapshot has to; holding: there is one,
    and the stream has to reach it; confirming: there is one, the stream is silent, and a second one has to come.
    """

    IDLE = "idle"
    WAITING = "waiting"
    FETCHING = "fetching"
    HOLDING = "holding"
    CONFIRMING = "confirming"
    LIVE = "live"
    CLOSED = "closed"


_LIVE: Final = _Phase.LIVE
_WANTS_SNAPSHOT: Final = (_Phase.FETCHING, _Phase.HOLDING, _Phase.CONFIRMING)


@final
class BookSync:
    """Keeps one book by one rule.

    announce: gets what happens to the book, in order with its changes; it must not raise. An exception of the book's ``on_book`` is passed
    on by the call that led to it: everything is settled by then, and an action that it would have returned is returned by the next call.
    """

    __slots__ = (
        "_announce",
        "_buffer",
        "_deadline",
        "_failures",
        "_held",
        "_live_since",
        "_not_live_ns",
        "_not_live_since",
        "_owed",
        "_phase",
        "_refresh_from",
        "_refreshing",
        "_repairs",
        "_run",
        "_run_at",
        "book",
        "duplicates",
        "failures",
        "gaps",
        "overlaps",
        "refreshes",
        "resyncs",
        "rule",
    )

    def __init__(self, book: L2Book, rule: BookRule, announce: Callable[[Announcement], object]) -> None:
        self.book = book
        self.rule = rule
        self._announce = announce
        self._phase = _Phase.IDLE
        self._buffer: list[BookDelta] = []
        """Contiguous deltas: of REST while not LIVE, or since a refresh began."""
        self._held: BookSnapshot | None = None
        self._deadline: int | None = None
        self._owed: Action | None = None
        self._failures = 0
        self._repairs = 0
        self._run = 0
        self._run_at = 0
        self._refreshing = False
        self._refresh_from = 0
        self._live_since = 0
        self._not_live_since: int | None = None
        self._not_live_ns = 0
        self.gaps = self.resyncs = self.failures = self.refreshes = self.duplicates = self.overlaps = 0

    @property
    def next_deadline_ns(self) -> int | None:
        """When ``on_clock`` has to be called at the latest, None: not until something else happens."""
        return 0 if self._owed is not None else self._deadline

    def metrics(self, now_ns: int) -> BookMetrics:
        """Return what the book has been through."""
        down = 0 if self._not_live_since is None else now_ns - self._not_live_since
        counts = (self.gaps, self.resyncs, self.failures, self.refreshes, self.duplicates, self.overlaps)
        return BookMetrics(*counts, self._not_live_ns + down)

    def start(self, now_ns: int) -> Action | None:
        """The topic was subscribed. A full frame and deltas may have come before, and are taken."""
        if self._not_live_since is None and self._phase is _Phase.IDLE:
            self._not_live_since = now_ns
        if self._phase in (_LIVE, _Phase.CLOSED):
            return self._take()
        if self.rule.source is SnapshotFrom.REST:
            self._held = None
            return self._fetch(0.0, "subscribed")
        self._wait(now_ns, self.rule.first_data_s)
        return self._take()

    def on_delta(self, delta: BookDelta, now_ns: int) -> Action | None:
        """A delta came. None: it was applied, kept, or rightly ignored."""
        if self._phase is _LIVE:
            book = self.book
            if book.last_id + 1 == delta.first_id <= delta.last_id:
                fault = book.apply(delta)
                if fault is not None:
                    return self._lose(fault.reason, now_ns)
                if self.rule.refresh_below:
                    return self._applied(delta, now_ns)
                book.notify()
                return None
            return self._out_of_line(delta, now_ns) or self._take()
        if self.rule.source is SnapshotFrom.REST and self._phase is not _Phase.CLOSED:
            return self._keep(delta, now_ns) or self._take()
        return self._take()

    def on_full(self, snapshot: BookSnapshot, now_ns: int) -> Action | None:
        """A frame of the topic came that holds the whole book."""
        book, is_live, is_each = self.book, self._phase is _LIVE, self.rule.source is SnapshotFrom.EACH_FRAME
        if self._phase is _Phase.CLOSED:
            return None
        if is_live and snapshot.last_id <= book.last_id:
            backwards = f"update ids went backwards: from {book.last_id} to {snapshot.last_id}"
            if not is_each and snapshot.last_id < book.last_id:
                return self._lose(backwards, now_ns)
            self.duplicates += 1
            if not (is_each and self._is_backwards(book.last_id)):
                return self._take()
            self._announce(Gap(book.venue, book.symbol, backwards))
        fault = book.load(snapshot)
        if fault is not None:
            if is_live:
                return self._lose(fault.reason, now_ns)
            if is_each:  # the next frame may be better
                book.reason = fault.reason
                return self._take()
            return self._failed(fault.reason, now_ns, lasting=fault.lasting)
        if is_live:
            self._forget()
        else:
            self._go_live(now_ns)
        return self._finish(None)

    def on_snapshot(self, snapshot: BookSnapshot, now_ns: int) -> Action | None:
        """REST answered. An answer that nobody waits for any more is ignored."""
        if self._phase is _LIVE and self._refreshing:
            return self._refresh(snapshot, now_ns)
        if self._phase not in _WANTS_SNAPSHOT:
            return self._take()
        buffer, held, last_id = self._buffer, self._held, snapshot.last_id
        if buffer and last_id + 1 < buffer[0].first_id:
            self._held = None
            return self._failed(_older(snapshot, buffer[0]), now_ns)
        if buffer and last_id <= buffer[-1].last_id:
            return self._bridge(snapshot, now_ns)
        if self._phase is _Phase.CONFIRMING and held is not None and not buffer:
            if last_id == held.last_id:
                return self._bridge(snapshot, now_ns)
            if last_id > held.last_id:
                reason = f"the topic was silent while REST went on from {held.last_id} to {last_id}"
                return self._failed(reason, now_ns, resubscribe=True)
        if held is None or last_id > held.last_id:
            self._held = snapshot
        self._phase = _Phase.HOLDING
        self._deadline = now_ns + _ns(self.rule.first_data_s)
        return self._take()

    def on_snapshot_failed(self, error: str, now_ns: int) -> Action | None:
        """REST did not answer, or refused."""
        if self._refreshing:
            self._stop_refresh(now_ns)
            return self._take()
        if self._phase not in _WANTS_SNAPSHOT:
            return self._take()
        return self._failed(f"the snapshot could not be fetched: {error}", now_ns)

    def on_resubscribe_failed(self, error: str, now_ns: int) -> Action | None:
        """The topic could not be subscribed again."""
        if self._phase in (_LIVE, _Phase.CLOSED):
            return self._take()
        return self._failed(f"the topic could not be subscribed again: {error}", now_ns, resubscribe=True)

    def on_lost(self, reason: str, now_ns: int) -> None:
        """The connection is gone, and with it every delta that was kept. ``start`` follows when the topic was subscribed on a new one."""
        if self._phase is _Phase.CLOSED:
            return
        was_live, was_syncing = self._phase is _LIVE, self.book.state is BookState.SYNCING
        self._phase = _Phase.IDLE
        self._forget()
        self._deadline = None
        self._failures = self._repairs = 0
        if was_live:
            self._stop_live(reason, now_ns)
        if was_syncing:
            self.book.reason = reason
            return
        if not was_live:
            self.book.turn(BookState.SYNCING, reason)
        self.book.notify()

    def on_clock(self, now_ns: int) -> Action | None:
        """Time has passed."""
        if self._owed is not None or self._deadline is None or now_ns < self._deadline:
            return self._take()
        self._deadline = None
        if self._phase is not _Phase.HOLDING or self._held is None:
            return self._failed("no snapshot came in time", now_ns)
        silence = f"{self.rule.first_data_s:g} s"
        if self._buffer:
            reason = f"the stream did not come from {self._buffer[-1].last_id} to the snapshot's {self._held.last_id} within {silence}"
            return self._failed(reason, now_ns, resubscribe=True)
        action = self._fetch(0.0, f"no delta came within {silence}")
        self._phase = _Phase.CONFIRMING
        return action

    def close(self, reason: str, now_ns: int) -> None:
        """Give the book up for good."""
        if self._phase is _Phase.CLOSED:
            return
        if self._not_live_since is None and self._phase is _LIVE:
            self._not_live_since = now_ns
        self._phase = _Phase.CLOSED
        self._forget()
        self._deadline = None
        self.book.close(reason)
        self.book.notify()

    # LIVE

    def _out_of_line(self, delta: BookDelta, now_ns: int) -> Action | None:
        """A delta does not begin with the next id."""
        book = self.book
        last = book.last_id
        if delta.last_id < delta.first_id:
            return self._lose(f"a delta has the update ids {delta.first_id} to {delta.last_id}", now_ns)
        if delta.last_id <= last:
            self.duplicates += 1
            if self._is_backwards(last):
                return self._lose(f"update ids went backwards: from {last} to {delta.last_id}", now_ns, delta)
            return None
        if delta.first_id <= last:
            self.overlaps += 1
            book.fence()
            fault = book.apply(delta)
            return self._lose(fault.reason, now_ns) if fault is not None else self._applied(delta, now_ns)
        self.gaps += 1
        reason = f"expected update {last + 1}, received {delta.first_id}"
        self._announce(Gap(book.venue, book.symbol, reason, last + 1, delta.first_id - 1))
        return self._lose(reason, now_ns, delta)

    def _applied(self, delta: BookDelta, now_ns: int) -> Action | None:
        """A delta was applied to a book that may be refreshed: keep it for that, or see whether it is time."""
        action: Action | None = None
        if self._refreshing:
            self._buffer.append(delta)
            held = self._held
            if held is not None and held.last_id <= delta.last_id:
                return self._bridge(held, now_ns)
            if len(self._buffer) > self.rule.buffer:
                self._stop_refresh(now_ns)
        elif now_ns >= self._refresh_from and self.book.runs_low(self.rule.refresh_below):
            self._refreshing = True
            action = FetchSnapshot(0.0, self.rule.depth, f"fewer than {self.rule.refresh_below} levels are left of the snapshot")
        return self._finish(action)

    def _refresh(self, snapshot: BookSnapshot, now_ns: int) -> Action | None:
        """REST answered while LIVE: the snapshot has to be bridged from where the refresh began."""
        last_id = self.book.last_id
        if snapshot.last_id > last_id:
            self._held = snapshot
        elif snapshot.last_id == last_id or (self._buffer and snapshot.last_id + 1 >= self._buffer[0].first_id):
            return self._bridge(snapshot, now_ns)
        else:
            self._stop_refresh(now_ns)
        return self._take()

    def _stop_refresh(self, now_ns: int) -> None:
        self._refresh_from = now_ns + _STABLE_NS
        self._forget()

    def _lose(self, reason: str, now_ns: int, delta: BookDelta | None = None) -> Action | None:
        """Stop being LIVE and begin to repair. delta: what may be kept of the stream."""
        if now_ns - self._live_since >= _STABLE_NS:
            self._repairs = 0
        self._forget()
        self._stop_live(reason, now_ns)
        if delta is not None and self.rule.source is SnapshotFrom.REST:
            self._buffer.append(delta)
        if self.rule.source is SnapshotFrom.EACH_FRAME:  # the next frame heals it
            self._wait(now_ns, self.rule.first_data_s)
            return self._finish(None)
        return self._finish(self._repair(reason, now_ns))

    def _stop_live(self, reason: str, now_ns: int) -> None:
        self._phase = _Phase.IDLE
        self.resyncs += 1
        self._not_live_since = now_ns
        book = self.book
        book.turn(BookState.SYNCING, reason)
        lived_s = (now_ns - self._live_since) / 1e9
        self._announce(BookInvalid(book.venue, book.symbol, BookState.SYNCING, reason, book.last_id, lived_s))

    def _is_backwards(self, last_id: int) -> bool:
        """Count a frame that is not newer than this; True for the third in a row."""
        if self._run_at != last_id:
            self._run, self._run_at = 0, last_id
        self._run += 1
        if self._run < _BACKWARDS:
            return False
        self._run = 0
        return True

    # Not LIVE

    def _keep(self, delta: BookDelta, now_ns: int) -> Action | None:
        """Buffer a delta, so that the buffer stays contiguous; go on if it reaches the snapshot that waits for it."""
        buffer = self._buffer
        if delta.last_id < delta.first_id:
            buffer.clear()
            return None
        if buffer:
            top = buffer[-1].last_id
            if delta.last_id <= top:
                self.duplicates += 1
                if not self._is_backwards(top):
                    return None
                buffer[:] = [delta]
                return self._outdated(f"update ids went backwards: from {top} to {delta.last_id}", now_ns)
            if delta.first_id > top + 1:
                self.gaps += 1
                buffer.clear()
            elif delta.first_id <= top:
                self.overlaps += 1
            if len(buffer) >= self.rule.buffer:
                buffer.clear()
        buffer.append(delta)
        held = self._held
        if held is None:
            return None
        if held.last_id + 1 < buffer[0].first_id:
            return self._outdated(_older(held, buffer[0]), now_ns)
        return self._bridge(held, now_ns) if held.last_id <= delta.last_id else None

    def _outdated(self, reason: str, now_ns: int) -> Action | None:
        """The snapshot that waited is of no use any more. One that is under way may be."""
        self._held = None
        if self._phase is _Phase.HOLDING:
            return self._failed(reason, now_ns)
        if self._phase is _Phase.CONFIRMING:
            self._phase = _Phase.FETCHING
        return None

    def _bridge(self, snapshot: BookSnapshot, now_ns: int) -> Action | None:
        """Load a snapshot that the buffer reaches, and apply what is newer. Everybody else sees the outcome only."""
        book, last_id = self.book, snapshot.last_id
        is_live = self._phase is _LIVE
        fault = book.load(snapshot, self.rule.full)
        if fault is not None and is_live:  # the book stays as it is, perhaps by a delta further than it was last seen
            self._stop_refresh(now_ns)
            return self._finish(None)
        fault = fault or self._catch_up(last_id)
        if fault is not None:
            return self._lose(fault.reason, now_ns) if is_live else self._failed(fault.reason, now_ns, lasting=fault.lasting)
        if is_live:
            self.refreshes += 1
            self._stop_refresh(now_ns)
        else:
            self._go_live(now_ns)
        return self._finish(None)

    def _catch_up(self, last_id: int) -> Fault | None:
        """Apply what the buffer has above the snapshot's id.

        The windows that a venue's deltas lead from and to lie between two deltas. A snapshot taken there shows such a window. One taken
        within a delta may lack levels that had left the window and came back, which the delta need not tell.
        """
        book = self.book
        if not self._buffer:
            book.settle()
        for delta in self._buffer:
            if last_id in (delta.first_id - 1, delta.last_id):
                book.settle()
            elif delta.first_id <= book.last_id <= delta.last_id:
                book.fence()
            if delta.last_id > last_id:
                fault = book.apply(delta)
                if fault is not None:
                    return fault
        return None

    def _go_live(self, now_ns: int) -> None:
        self._forget()
        self._deadline = None
        self._failures = 0
        down = 0 if self._not_live_since is None else now_ns - self._not_live_since
        self._not_live_ns += down
        self._not_live_since = None
        self._live_since = now_ns
        self._phase = _LIVE
        book = self.book
        book.turn(BookState.LIVE)
        self._announce(BookLive(book.venue, book.symbol, book.last_id, down / 1e9))

    def _failed(self, reason: str, now_ns: int, *, resubscribe: bool = False, lasting: bool = False) -> Action | None:
        """An attempt to become LIVE failed: say what to try next, and when it is too often, that the book is INVALID."""
        book = self.book
        self.failures += 1
        self._failures += 1
        is_over = lasting or self._failures > self.rule.retries
        book.reason = reason
        if lasting:
            self._failures = max(self._failures, self.rule.retries + 1)
        self._repairs = max(self._repairs, self._failures)
        action = self._repair(reason, now_ns, resubscribe=resubscribe or is_over)
        if not is_over or book.state is BookState.INVALID:
            self._owed = None
            return action
        book.turn(BookState.INVALID, reason)
        self._announce(BookInvalid(book.venue, book.symbol, BookState.INVALID, reason, book.last_id, 0.0))
        return self._finish(action)

    def _repair(self, reason: str, now_ns: int, *, resubscribe: bool = False) -> Action:
        """Return the next attempt: the first at once, ``retries`` more a ``retry_s`` apart, then later and later."""
        rule = self.rule
        number, self._repairs = self._repairs, self._repairs + 1
        after_s = rule.retry_s if number else 0.0
        if number > rule.retries:
            after_s = min(rule.retry_cap_s, max(1.0, rule.retry_s) * 2.0 ** min(number - rule.retries, 32))
        if rule.source is SnapshotFrom.REST and not resubscribe:
            return self._fetch(after_s, reason)
        self._forget()
        self._wait(now_ns, after_s + 2 * rule.first_data_s)  # twice: the venue's answers come first
        return Resubscribe(after_s, reason)

    def _fetch(self, after_s: float, reason: str) -> FetchSnapshot:
        self._phase = _Phase.FETCHING
        self._deadline = None
        self._owed = None
        return FetchSnapshot(after_s, self.rule.depth, reason)

    def _wait(self, now_ns: int, seconds: float) -> None:
        self._phase = _Phase.WAITING
        self._deadline = now_ns + _ns(seconds)

    def _forget(self) -> None:
        self._buffer.clear()
        self._held = None
        self._refreshing = False
        self._owed = None

    def _finish(self, action: Action | None) -> Action | None:
        """Call back, last of all. The action outlives a callback that raises, and not one that closes the book."""
        if action is not None:
            self._owed = action
        self.book.notify()
        return self._take()

    def _take(self) -> Action | None:
        action, self._owed = self._owed, None
        return action


def _older(snapshot: BookSnapshot, delta: BookDelta) -> str:
    return f"the snapshot's id {snapshot.last_id} is older than the stream, which is kept from {delta.first_id}"


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
