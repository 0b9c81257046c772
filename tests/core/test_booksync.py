"""What keeps a book continuous: the answer to everything that a venue and a network can do to it."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import msgspec
import pytest

from exwire.book import BookState, L2Book
from exwire.bookrule import Action, BookRule, FetchSnapshot, Resubscribe, SnapshotFrom
from exwire.booksync import Announcement, BookSync
from exwire.errors import OutsideBookError
from exwire.lifecycle import BookInvalid, BookLive, Gap
from exwire.metrics import BookMetrics
from exwire.model import BookDelta, BookSnapshot, Level

IN_BAND = BookRule(SnapshotFrom.IN_BAND, window=3)
REST = BookRule(SnapshotFrom.REST, depth=3, retry_s=0.2, buffer=5)
WINDOW = BookRule(SnapshotFrom.REST, window=3, depth=3, retry_s=1.0)
EACH = BookRule(SnapshotFrom.EACH_FRAME, window=3)

SECOND = 1_000_000_000
BIDS: tuple[Level, ...] = ((100.0, 1.0), (99.0, 2.0))
ASKS: tuple[Level, ...] = ((101.0, 1.0), (102.0, 2.0))
CROSSING: tuple[Level, ...] = ((101.0, 1.0),)


def full(last_id: int, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> BookSnapshot:
    return BookSnapshot("acme", "BTC/USDT", last_id, last_id, last_id, bids, asks)


def delta(first_id: int, last_id: int | None = None, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> BookDelta:
    last_id = first_id if last_id is None else last_id
    return BookDelta("acme", "BTC/USDT", last_id, last_id, first_id, last_id, bids, asks)


class Kept:
    """A book, its sync, and what was heard of it. Its clock stands still unless a test moves it."""

    def __init__(self, rule: BookRule, tick: float = 0.0) -> None:
        self.book = L2Book("acme", "BTC/USDT", window=rule.window, tick=tick)
        self.heard: list[Announcement] = []
        self.sync = BookSync(self.book, rule, self.heard.append)
        self.calls: list[tuple[BookState, int]] = []
        self.book.on_book = lambda book: self.calls.append((book.state, book.last_id))
        self.now_ns = 1_000 * SECOND

    @property
    def state(self) -> BookState:
        return self.book.state

    def is_live(self) -> bool:
        return self.book.state is BookState.LIVE

    def start(self) -> Action | None:
        return self.sync.start(self.now_ns)

    def delta(self, first_id: int, last_id: int | None = None, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> Action | None:
        return self.sync.on_delta(delta(first_id, last_id, bids, asks), self.now_ns)

    def full(self, last_id: int, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> Action | None:
        return self.sync.on_full(full(last_id, bids, asks), self.now_ns)

    def rest(self, last_id: int, bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS) -> Action | None:
        return self.sync.on_snapshot(full(last_id, bids, asks), self.now_ns)

    def later(self, seconds: float) -> Action | None:
        """Let time pass; the clock rings when its deadline has come."""
        self.now_ns += round(seconds * SECOND)
        deadline = self.sync.next_deadline_ns
        return self.sync.on_clock(self.now_ns) if deadline is not None and deadline <= self.now_ns else None


def live(rule: BookRule, last_id: int = 100) -> Kept:
    """Return a book that became LIVE at an id, as its rule wants it, long ago."""
    kept = Kept(rule)
    kept.start()
    if rule.source is SnapshotFrom.REST:
        kept.delta(last_id)
        kept.rest(last_id)
    else:
        kept.full(last_id)
    assert kept.state is BookState.LIVE
    kept.later(60.0)
    kept.heard.clear()
    kept.calls.clear()
    return kept


BOTH = pytest.mark.parametrize("rule", [IN_BAND, REST], ids=["in band", "REST"])


# In band: the stream sends the snapshot itself


def test_in_band_deltas_before_the_full_frame_mean_nothing() -> None:
    kept = Kept(IN_BAND)
    assert kept.start() is None
    assert kept.delta(99) is None
    assert kept.state is BookState.SYNCING

    assert kept.full(100) is None
    assert kept.delta(101, 105, bids=((100.5, 1.0),)) is None

    assert kept.is_live()
    assert kept.book.best_bid == (100.5, 1.0)
    assert kept.book.as_of.last_id == 105
    assert kept.calls == [(BookState.LIVE, 100), (BookState.LIVE, 105)]


def test_a_full_frame_may_overtake_the_ack() -> None:
    """``start`` comes with the ack, and finds the book LIVE."""
    kept = Kept(IN_BAND)
    kept.full(100)
    kept.delta(101)

    assert kept.start() is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 101)


def test_a_full_frame_in_the_middle_replaces_the_book() -> None:
    kept = live(IN_BAND)
    kept.delta(101, bids=((100.5, 1.0),))

    assert kept.full(150, bids=((90.0, 1.0),)) is None

    assert list(kept.book.bids) == [(90.0, 1.0)]
    assert kept.delta(151) is None
    assert kept.heard == []


def test_a_full_frame_of_the_same_id_is_a_repetition() -> None:
    kept = live(IN_BAND)

    assert kept.full(100, bids=()) is None
    assert list(kept.book.bids) == list(BIDS)
    assert kept.sync.duplicates == 1


def test_a_full_frame_of_a_lower_id_is_not_believed() -> None:
    """It may be late, or the venue may count anew; both its book and ours may be the wrong one."""
    kept = live(IN_BAND)

    assert kept.full(90) == Resubscribe(0.0, "update ids went backwards: from 100 to 90")
    assert kept.state is BookState.SYNCING


def test_without_a_full_frame_the_topic_is_subscribed_again() -> None:
    """A venue may confirm a topic that it does not serve, and say no more."""
    kept = Kept(IN_BAND)
    kept.start()
    assert kept.sync.next_deadline_ns == kept.now_ns + 10 * SECOND
    assert kept.later(9.9) is None

    assert kept.later(0.2) == Resubscribe(1.0, "no snapshot came in time")


# Ids


@BOTH
def test_an_id_without_levels_goes_on(rule: BookRule) -> None:
    """Some deltas carry nothing but ids."""
    kept = live(rule)
    kept.delta(101, 110)

    assert (kept.book.last_id, list(kept.book.bids)) == (110, list(BIDS))


@BOTH
def test_a_delta_that_comes_twice_is_ignored_and_counted(rule: BookRule) -> None:
    """Its quantities are old."""
    kept = live(rule)
    kept.delta(101, bids=((100.0, 5.0),))
    kept.delta(102, bids=((100.0, 6.0),))

    assert kept.delta(101, bids=((100.0, 5.0),)) is None
    assert kept.delta(102, bids=((100.0, 5.0),)) is None
    assert kept.book.best_bid == (100.0, 6.0)
    assert kept.sync.duplicates == 2
    assert kept.calls == [(BookState.LIVE, 101), (BookState.LIVE, 102)]
    kept.delta(103)
    assert kept.state is BookState.LIVE


@BOTH
def test_a_delta_that_is_newer_in_part_is_applied_and_counted(rule: BookRule) -> None:
    """Quantities are absolute: what is known already does no harm."""
    kept = live(rule)
    kept.delta(101, 105)

    assert kept.delta(103, 107, bids=((100.0, 9.0),)) is None
    assert (kept.book.best_bid, kept.book.last_id, kept.sync.overlaps) == ((100.0, 9.0), 107, 1)


@BOTH
def test_ids_that_go_backwards_for_good_are_no_repetitions(rule: BookRule) -> None:
    """A venue that counts anew after a restart would be ignored for ever, and the book stand still and be LIVE."""
    kept = live(rule)
    assert [kept.delta(1), kept.delta(2)] == [None, None]
    action = kept.delta(3)

    assert action is not None
    assert action.reason == "update ids went backwards: from 100 to 3"
    assert kept.state is BookState.SYNCING


@BOTH
def test_repetitions_count_in_a_row_only(rule: BookRule) -> None:
    kept = live(rule)
    for first_id in range(101, 110):
        assert kept.delta(first_id) is None
        assert kept.delta(first_id) is None

    assert kept.state is BookState.LIVE


@BOTH
def test_ids_near_two_to_the_63_are_exact(rule: BookRule) -> None:
    """A float would take neighbours for the same."""
    top = 2**63 - 1
    kept = live(rule, top - 3)
    assert kept.delta(top - 2) is None
    assert kept.delta(top) is not None
    assert kept.heard[0] == Gap("acme", "BTC/USDT", f"expected update {top - 1}, received {top}", top - 1, top - 1)


@BOTH
def test_a_delta_whose_ids_are_the_wrong_way_round_ends_the_book(rule: BookRule) -> None:
    """Applied, it would take the book back."""
    kept = live(rule)

    assert kept.delta(101, 50) is not None
    assert kept.book.reason == "a delta has the update ids 101 to 50"


# A gap


def test_a_gap_is_said_and_the_topic_subscribed_again() -> None:
    kept = live(IN_BAND)
    kept.delta(101)
    kept.calls.clear()

    action = kept.delta(104, 106, bids=((100.0, 5.0),))

    assert action == Resubscribe(0.0, "expected update 102, received 104")
    assert (kept.state, kept.book.reason) == (BookState.SYNCING, "expected update 102, received 104")
    assert kept.calls == [(BookState.SYNCING, 101)]
    assert kept.heard == [
        Gap("acme", "BTC/USDT", "expected update 102, received 104", 102, 103),
        BookInvalid("acme", "BTC/USDT", BookState.SYNCING, "expected update 102, received 104", 101, 60.0),
    ]


def test_after_a_gap_the_next_full_frame_makes_the_book_live() -> None:
    kept = live(IN_BAND)
    kept.delta(104)
    assert kept.delta(105) is None
    kept.heard.clear()
    kept.later(0.25)

    kept.full(110)

    assert kept.state is BookState.LIVE
    assert kept.heard == [BookLive("acme", "BTC/USDT", 110, 0.25)]
    assert kept.start() is None


def test_where_snapshots_come_from_rest_a_gap_keeps_the_subscription_and_the_deltas() -> None:
    """From the one that showed it on: the snapshot may stand right before it."""
    kept = live(REST)
    assert kept.delta(104, 106, bids=((100.0, 5.0),)) == FetchSnapshot(0.0, 3, "expected update 101, received 104")
    assert kept.delta(107, bids=((99.0, 6.0),)) is None

    assert kept.rest(103) is None

    assert kept.state is BookState.LIVE
    assert (kept.book.last_id, list(kept.book.bids)) == (107, [(100.0, 5.0), (99.0, 6.0)])
    assert kept.calls == [(BookState.SYNCING, 100), (BookState.LIVE, 107)]


@BOTH
@pytest.mark.parametrize("rows", [CROSSING, ((100.0, nan),), ((100.0, -1.0),)], ids=["crossed", "nan", "negative"])
def test_a_book_that_cannot_be_is_built_again(rule: BookRule, rows: tuple[Level, ...]) -> None:
    kept = live(rule)

    action = kept.delta(101, bids=rows)

    assert isinstance(action, FetchSnapshot if rule is REST else Resubscribe)
    assert kept.state is BookState.SYNCING
    assert kept.heard == [BookInvalid("acme", "BTC/USDT", BookState.SYNCING, kept.book.reason, 100, 60.0)]


# A snapshot from REST


def test_deltas_that_come_before_the_snapshot_are_applied_to_it() -> None:
    """The worked example of the protocol notes: id 100; 95 to 99 is dropped, 99 to 101 applied, 102 applied."""
    kept = Kept(REST)
    assert kept.start() == FetchSnapshot(0.0, 3, "subscribed")
    kept.delta(95, 99, bids=((100.0, 7.0), (99.0, 7.0)))
    kept.delta(100, 101, bids=((100.0, 8.0),))
    kept.delta(102)
    assert kept.calls == []

    assert kept.rest(100) is None

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 102)
    assert list(kept.book.bids) == [(100.0, 8.0), (99.0, 2.0)]
    assert kept.calls == [(BookState.LIVE, 102)]
    assert kept.sync.duplicates == 0


def test_deltas_may_overtake_the_ack() -> None:
    kept = Kept(REST)
    kept.delta(100)
    kept.delta(101)
    kept.start()
    kept.rest(100)

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 101)


def test_a_snapshot_older_than_the_deltas_is_fetched_again_after_a_while() -> None:
    """REST may be behind the stream by seconds. What is kept stays."""
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    for _ in range(3):
        action = kept.rest(98)
        assert action == FetchSnapshot(0.2, 3, "the snapshot's id 98 is older than the stream, which is kept from 100")

    assert kept.rest(99) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 100)
    assert kept.sync.failures == 3


def test_a_snapshot_ahead_of_the_deltas_waits_for_them() -> None:
    """LIVE means that a delta has shown where the stream stands."""
    kept = Kept(REST)
    kept.start()
    kept.delta(95)
    kept.rest(100)
    kept.delta(96, 99)
    assert kept.state is BookState.SYNCING

    kept.delta(100, 102, bids=((100.0, 4.0),))

    assert (kept.state, kept.book.last_id, kept.book.best_bid) == (BookState.LIVE, 102, (100.0, 4.0))


def test_a_snapshot_that_came_before_any_delta_is_tested_by_the_first() -> None:
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    assert kept.state is BookState.SYNCING

    assert kept.delta(102) == FetchSnapshot(0.2, 3, "the snapshot's id 100 is older than the stream, which is kept from 102")
    assert kept.rest(101) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 102)


def test_a_snapshot_that_the_stream_has_just_reached_is_live() -> None:
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    kept.delta(98, 100)

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 100)


def test_a_quiet_topic_is_proven_by_a_second_snapshot() -> None:
    """Nothing says where the stream stands; ten silent seconds in which REST stood still as well do."""
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    assert kept.later(10.0) == FetchSnapshot(0.0, 3, "no delta came within 10 s")

    assert kept.rest(100) is None

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 100)


def test_a_topic_that_is_silent_while_rest_goes_on_is_dead() -> None:
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    kept.later(10.0)

    assert kept.rest(105) == Resubscribe(0.2, "the topic was silent while REST went on from 100 to 105")
    assert kept.start() == FetchSnapshot(0.0, 3, "subscribed")


def test_an_old_answer_does_not_prove_silence() -> None:
    """Caches answer too."""
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    kept.later(10.0)

    assert kept.rest(90) is None
    assert kept.state is BookState.SYNCING
    assert isinstance(kept.later(10.0), FetchSnapshot)
    kept.rest(100)
    assert kept.is_live()


def test_a_delta_that_ends_the_silence_is_believed_before_the_second_snapshot() -> None:
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    kept.later(10.0)
    kept.delta(101)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 101)

    assert kept.rest(100) is None
    assert kept.book.last_id == 101


def test_a_delta_that_shows_the_snapshot_to_be_old_leaves_the_second_one_to_be_used() -> None:
    kept = Kept(REST)
    kept.start()
    kept.rest(100)
    kept.later(10.0)

    assert kept.delta(105) is None
    assert kept.rest(104) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 105)


def test_a_stream_that_does_not_come_as_far_as_the_snapshot_is_subscribed_again() -> None:
    """Its ids may count something else."""
    kept = Kept(REST)
    kept.start()
    kept.delta(5)
    kept.rest(100)
    kept.delta(6)

    assert kept.later(10.0) == Resubscribe(0.2, "the stream did not come from 6 to the snapshot's 100 within 10 s")


def test_a_gap_among_the_kept_deltas_needs_a_snapshot_behind_it() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    kept.delta(103)
    assert kept.sync.gaps == 1

    assert isinstance(kept.rest(101), FetchSnapshot)
    assert kept.rest(102) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 103)


def test_a_gap_while_a_snapshot_waits_outdates_it() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(95)
    kept.rest(100)

    assert kept.delta(105) == FetchSnapshot(0.2, 3, "the snapshot's id 100 is older than the stream, which is kept from 105")


def test_kept_deltas_that_come_twice_or_overlap_or_go_backwards_are_seen() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100, 105)
    kept.delta(100, 105)
    kept.delta(104, 107)
    assert (kept.sync.duplicates, kept.sync.overlaps) == (1, 1)
    kept.rest(110)

    assert [kept.delta(3), kept.delta(4)] == [None, None]
    assert kept.delta(5) == FetchSnapshot(0.2, 3, "update ids went backwards: from 107 to 5")
    kept.rest(4)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 5)


def test_kept_deltas_have_an_end() -> None:
    """A venue that streams and does not answer must not fill the memory: it starts over."""
    kept = Kept(REST)
    kept.start()
    for first_id in range(100, 112):
        assert kept.delta(first_id) is None

    assert isinstance(kept.rest(108), FetchSnapshot)
    assert kept.rest(109) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 111)


def test_a_kept_delta_whose_ids_are_the_wrong_way_round_drops_what_was_kept() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    kept.delta(102, 101)
    kept.delta(103)

    assert isinstance(kept.rest(101), FetchSnapshot)
    kept.rest(102)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 103)


def test_a_snapshot_that_cannot_be_is_fetched_again() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100)

    assert kept.rest(100, bids=CROSSING) == FetchSnapshot(0.2, 3, "crossed: best bid 101.0, best ask 101.0")
    assert kept.rest(100) is None
    assert kept.state is BookState.LIVE


def test_a_kept_delta_that_cannot_be_is_left_behind_by_a_later_snapshot() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    kept.delta(101, bids=CROSSING)
    assert isinstance(kept.rest(100), FetchSnapshot)
    assert kept.state is BookState.SYNCING

    kept.delta(102)
    kept.rest(101)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 102)


def test_an_answer_that_nobody_waits_for_is_ignored() -> None:
    """It comes from before the book was LIVE, or from before the connection was lost."""
    kept = live(REST)
    assert kept.rest(500, bids=()) is None
    assert kept.sync.on_snapshot_failed("HTTP 503", kept.now_ns) is None
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 100)

    kept.sync.on_lost("closed", kept.now_ns)
    assert kept.rest(500) is None
    assert kept.sync.on_snapshot_failed("HTTP 503", kept.now_ns) is None
    assert kept.state is BookState.SYNCING


def test_a_full_frame_on_a_stream_of_deltas_replaces_the_book() -> None:
    """Gate's ``full:true``: announced for this stream too, and seen by nobody yet."""
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    kept.full(120)
    assert kept.rest(110) is None
    kept.delta(121)

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 121)


# The window of a stream whose snapshots come from REST


def test_a_snapshot_between_two_deltas_is_the_venues_own_window() -> None:
    """What enters it from then on is told: one leaves, one enters."""
    kept = Kept(WINDOW)
    kept.start()
    kept.delta(95, 100)
    kept.rest(100, bids=((100.0, 1.0), (99.0, 1.0), (98.0, 1.0)))
    kept.delta(101, bids=((99.0, 0.0), (97.0, 1.0)))

    assert kept.book.depth(3)[0] == ((100.0, 1.0), (98.0, 1.0), (97.0, 1.0))


def test_a_snapshot_within_a_delta_is_not() -> None:
    """98 was pushed out for the moment in which it was taken. At the end of the delta it is back, which the delta need not tell."""
    kept = Kept(WINDOW)
    kept.start()
    kept.delta(95, 105, bids=((99.5, 0.0),))
    kept.rest(100, bids=((100.0, 1.0), (99.5, 1.0), (99.0, 1.0)))

    assert kept.state is BookState.LIVE
    assert list(kept.book.bids) == [(100.0, 1.0), (99.0, 1.0)]
    with pytest.raises(OutsideBookError, match="3 bids were asked for, 2 are known"):
        kept.book.depth(3)


def test_a_delta_that_overlaps_makes_a_full_window_doubtful() -> None:
    """It tells what changed between windows of which ours is none."""
    kept = live(WINDOW)
    kept.delta(101, bids=((98.0, 1.0),))
    kept.delta(101, 102, bids=((99.0, 0.0),))

    with pytest.raises(OutsideBookError, match="3 bids were asked for, 2 are known"):
        kept.book.depth(3)


# Every frame a snapshot


def test_each_frame_replaces_the_book() -> None:
    kept = live(EACH)
    kept.full(150, bids=((90.0, 1.0),))

    assert (kept.book.last_id, list(kept.book.bids)) == (150, [(90.0, 1.0)])


def test_a_frame_that_is_not_newer_is_ignored_and_the_third_in_a_row_believed() -> None:
    kept = live(EACH)
    kept.full(50)
    kept.full(51)
    assert (kept.book.last_id, kept.sync.duplicates) == (100, 2)

    kept.full(52)

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 52)
    assert kept.heard == [Gap("acme", "BTC/USDT", "update ids went backwards: from 100 to 52")]


def test_a_frame_that_cannot_be_is_healed_by_the_next() -> None:
    """There is nothing to ask for: another one comes anyway."""
    kept = live(EACH)
    assert kept.full(101, bids=CROSSING) is None
    assert kept.full(102, bids=CROSSING) is None
    assert kept.state is BookState.SYNCING
    assert kept.sync.next_deadline_ns == kept.now_ns + 10 * SECOND

    kept.full(103)
    assert kept.is_live()
    assert kept.sync.next_deadline_ns is None


# Failures


def fail(kept: Kept) -> Sequence[Action]:
    """Let the next 20 attempts fail, and return them."""
    actions = []
    for _ in range(20):
        action = kept.sync.on_snapshot_failed("HTTP 503", kept.now_ns)
        assert action is not None
        actions.append(action)
        if isinstance(action, Resubscribe):
            kept.start()
    return actions


def test_after_ten_failures_the_book_is_invalid_and_is_tried_more_and_more_rarely() -> None:
    """For ever: a venue that comes back after an hour finds us there. Who waits for the book is told, and may give up."""
    kept = Kept(REST)
    kept.start()
    actions = fail(kept)

    assert actions[:10] == [FetchSnapshot(0.2, 3, "the snapshot could not be fetched: HTTP 503")] * 10
    assert [type(action) for action in actions[10:]] == [Resubscribe] * 10
    assert [action.after_s for action in actions[10:]] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 60.0]
    assert (kept.state, kept.book.reason) == (BookState.INVALID, "the snapshot could not be fetched: HTTP 503")
    assert kept.heard == [BookInvalid("acme", "BTC/USDT", BookState.INVALID, kept.book.reason, 0, 0.0)]
    assert kept.calls == [(BookState.INVALID, 0)]


def test_an_invalid_book_becomes_live_by_the_attempt_that_succeeds() -> None:
    kept = Kept(REST)
    kept.start()
    fail(kept)
    kept.delta(100)
    kept.rest(100)

    assert kept.state is BookState.LIVE
    assert isinstance(kept.heard[-1], BookLive)


def test_a_topic_that_cannot_be_subscribed_again_is_tried_on() -> None:
    kept = live(IN_BAND)
    kept.delta(105)
    delays = []
    for _ in range(12):
        action = kept.sync.on_resubscribe_failed("code 2: Alert sub", kept.now_ns)
        assert isinstance(action, Resubscribe)
        delays.append(action.after_s)

    assert delays == [1.0] * 10 + [2.0, 4.0]
    assert kept.state is BookState.INVALID
    kept.full(200)
    assert kept.sync.on_resubscribe_failed("late", kept.now_ns) is None
    assert kept.is_live()


def test_a_driver_that_does_nothing_is_asked_again() -> None:
    """Nothing comes of a Resubscribe, not even a failure: the clock sees to it."""
    kept = live(IN_BAND)
    kept.delta(105)
    assert kept.later(19.9) is None

    assert kept.later(0.2) == Resubscribe(1.0, "no snapshot came in time")


def test_prices_that_floats_cannot_tell_apart_make_the_book_invalid_at_once() -> None:
    """Ten more snapshots would have the same prices."""
    kept = Kept(REST, tick=0.001)
    kept.start()
    kept.delta(100)

    action = kept.rest(100, asks=((0.001 * 2.0**51, 1.0),))

    assert action is not None
    assert action.after_s == 2.0
    assert kept.state is BookState.INVALID
    assert "2**51 ticks" in kept.book.reason


def test_a_price_that_grows_there_ends_the_book() -> None:
    kept = Kept(IN_BAND, tick=0.001)
    kept.full(100)
    kept.delta(101, asks=((0.001 * 2.0**51, 1.0),))

    assert kept.state is BookState.SYNCING
    assert "2**51 ticks" in kept.book.reason


def test_a_book_that_breaks_again_soon_is_not_repaired_at_once_again() -> None:
    """A venue that drops every tenth frame must not be asked for snapshots without end."""
    kept = live(REST)
    delays = []
    for last_id in range(200, 320, 10):
        action = kept.delta(last_id)
        assert isinstance(action, FetchSnapshot)
        delays.append(action.after_s)
        kept.rest(last_id)
        assert kept.state is BookState.LIVE
    assert delays == [0.0] + [0.2] * 10 + [2.0]

    kept.later(10.0)
    action = kept.delta(500)
    assert action is not None
    assert action.after_s == 0.0


# The connection


def test_a_lost_connection_takes_the_book_and_what_was_kept() -> None:
    kept = live(REST)
    kept.sync.on_lost("connection lost with close code 1006", kept.now_ns)

    assert (kept.state, kept.book.reason) == (BookState.SYNCING, "connection lost with close code 1006")
    assert kept.calls == [(BookState.SYNCING, 100)]
    assert [type(event) for event in kept.heard] == [BookInvalid]
    assert kept.sync.next_deadline_ns is None

    kept.later(2.0)
    assert kept.start() == FetchSnapshot(0.0, 3, "subscribed")
    kept.delta(50)
    kept.rest(50)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 50)
    assert kept.heard[-1] == BookLive("acme", "BTC/USDT", 50, 2.0)


def test_deltas_of_the_lost_connection_are_not_joined_to_those_of_the_next() -> None:
    kept = Kept(REST)
    kept.start()
    kept.delta(100)
    kept.sync.on_lost("closed", kept.now_ns)
    kept.delta(101)
    kept.start()

    assert isinstance(kept.rest(99), FetchSnapshot)
    assert kept.book.reason == "the snapshot's id 99 is older than the stream, which is kept from 101"


def test_a_lost_connection_gives_an_invalid_book_a_new_beginning() -> None:
    kept = Kept(REST)
    kept.start()
    fail(kept)
    kept.calls.clear()
    kept.sync.on_lost("closed", kept.now_ns)

    assert kept.state is BookState.SYNCING
    assert kept.calls == [(BookState.SYNCING, 0)]
    kept.start()
    assert kept.sync.on_snapshot_failed("HTTP 503", kept.now_ns) == FetchSnapshot(0.2, 3, "the snapshot could not be fetched: HTTP 503")


def test_losing_a_connection_while_syncing_is_no_news() -> None:
    kept = Kept(REST)
    kept.start()
    kept.sync.on_lost("closed", kept.now_ns)

    assert (kept.calls, kept.heard, kept.book.reason) == ([], [], "closed")


@BOTH
def test_a_book_that_was_given_up_stays_so(rule: BookRule) -> None:
    kept = live(rule)
    kept.sync.close("the connector was closed", kept.now_ns)
    assert (kept.state, kept.book.reason) == (BookState.INVALID, "the connector was closed")
    assert kept.calls == [(BookState.INVALID, 100)]

    answers = [kept.start(), kept.delta(101), kept.full(200), kept.rest(200), kept.later(100.0)]
    answers.append(kept.sync.on_snapshot_failed("late", kept.now_ns))
    answers.append(kept.sync.on_resubscribe_failed("late", kept.now_ns))
    kept.sync.on_lost("late", kept.now_ns)
    kept.sync.close("again", kept.now_ns)

    assert answers == [None] * 7
    assert (kept.state, kept.book.reason, len(kept.calls)) == (BookState.INVALID, "the connector was closed", 1)


# A snapshot that is used up

LOW = BookRule(SnapshotFrom.REST, depth=3, refresh_below=2, buffer=4)
THREE: tuple[Level, ...] = ((100.0, 1.0), (99.0, 1.0), (98.0, 1.0))
DEEPER: tuple[Level, ...] = ((98.0, 1.0), (97.0, 1.0), (96.0, 1.0))
EATEN: tuple[Level, ...] = ((100.0, 0.0), (99.0, 0.0))


def low() -> Kept:
    """Return a LIVE book at 101 of whose known bids one is left, and which has asked for a snapshot."""
    kept = Kept(LOW)
    kept.start()
    kept.delta(100)
    kept.rest(100, bids=THREE)
    action = kept.delta(101, bids=EATEN)
    assert action == FetchSnapshot(0.0, 3, "fewer than 2 levels are left of the snapshot")
    assert kept.state is BookState.LIVE
    kept.heard.clear()
    return kept


def test_when_few_of_the_known_levels_are_left_a_snapshot_is_taken_in_while_the_book_stays_live() -> None:
    """A price that moves for hours leaves the levels behind that the first snapshot knew."""
    kept = low()
    assert kept.delta(102, bids=((97.5, 3.0),)) is None
    assert kept.delta(103, bids=((97.5, 2.0),)) is None
    assert list(kept.book.bids) == [(98.0, 1.0)]

    assert kept.rest(102, bids=((98.0, 1.0), (97.5, 3.0), (97.0, 1.0))) is None

    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 103)
    assert list(kept.book.bids) == [(98.0, 1.0), (97.5, 2.0), (97.0, 1.0)]
    assert (kept.heard, kept.sync.refreshes, kept.sync.resyncs) == ([], 1, 0)
    assert set(kept.calls) == {(BookState.LIVE, last_id) for last_id in range(100, 104)}


def test_a_snapshot_where_the_book_stands_is_taken_in_at_once() -> None:
    kept = low()
    kept.rest(101, bids=DEEPER)

    assert (kept.book.last_id, list(kept.book.bids)) == (101, list(DEEPER))


def test_a_snapshot_ahead_of_a_live_book_waits_for_it() -> None:
    kept = low()
    kept.rest(103, bids=DEEPER)
    kept.delta(102)
    assert list(kept.book.bids) == [(98.0, 1.0)]

    kept.delta(103)
    assert (kept.book.last_id, list(kept.book.bids)) == (103, list(DEEPER))


def test_a_snapshot_behind_a_live_book_is_no_use_and_another_is_asked_for_later() -> None:
    kept = low()
    assert kept.rest(99, bids=DEEPER) is None
    assert kept.delta(102) is None
    assert kept.later(10.0) is None

    assert isinstance(kept.delta(103), FetchSnapshot)


@pytest.mark.parametrize("trouble", ["failed", "crossed", "unanswered"])
def test_trouble_with_it_leaves_the_book_live(trouble: str) -> None:
    kept = low()
    if trouble == "failed":
        assert kept.sync.on_snapshot_failed("HTTP 503", kept.now_ns) is None
    elif trouble == "crossed":
        assert kept.rest(101, bids=((102.0, 1.0),)) is None
    else:
        for first_id in range(102, 110):
            assert kept.delta(first_id) is None
    kept.later(10.0)

    assert (kept.state, kept.heard, list(kept.book.bids)) == (BookState.LIVE, [], [(98.0, 1.0)])
    assert isinstance(kept.delta(kept.book.last_id + 1), FetchSnapshot)


def test_a_gap_meanwhile_is_a_gap() -> None:
    kept = low()
    kept.delta(102)
    assert isinstance(kept.delta(105), FetchSnapshot)
    assert kept.state is BookState.SYNCING

    assert isinstance(kept.rest(102, bids=DEEPER), FetchSnapshot)
    kept.rest(104, bids=DEEPER)
    assert (kept.state, kept.book.last_id) == (BookState.LIVE, 105)


def test_without_any_level_left_the_book_is_built_again() -> None:
    kept = low()
    action = kept.delta(102, bids=((98.0, 0.0),))

    assert isinstance(action, FetchSnapshot)
    assert kept.book.reason == "every level that the snapshot knew of a side is gone"


# A callback that raises


class OursError(Exception):
    """What the user's code raises."""


def raising(_: L2Book) -> None:
    raise OursError


@BOTH
def test_an_exception_of_on_book_leaves_everything_settled(rule: BookRule) -> None:
    kept = live(rule)
    kept.book.on_book = raising
    for first_id in (101, 102):
        with pytest.raises(OursError):
            kept.delta(first_id, bids=((100.0, float(first_id)),))

    assert (kept.state, kept.book.last_id, kept.book.best_bid) == (BookState.LIVE, 102, (100.0, 102.0))


@BOTH
@pytest.mark.parametrize("by", ["delta", "clock"])
def test_an_action_outlives_the_exception_that_kept_it_from_being_returned(rule: BookRule, by: str) -> None:
    """The next delta returns it, or the clock, which is due at once."""
    kept = live(rule)
    kept.book.on_book = raising
    with pytest.raises(OursError):
        kept.delta(105)
    assert kept.state is BookState.SYNCING
    assert kept.sync.next_deadline_ns == 0

    action = kept.delta(106) if by == "delta" else kept.later(0.0)

    assert action is not None
    assert action.reason == "expected update 101, received 105"
    assert kept.later(0.0) is None


def test_a_refresh_that_an_exception_held_back_is_asked_for_by_the_next_delta() -> None:
    kept = Kept(LOW)
    kept.start()
    kept.delta(100)
    kept.rest(100, bids=THREE)
    kept.book.on_book = raising
    with pytest.raises(OursError):
        kept.delta(101, bids=EATEN)
    kept.book.on_book = lambda _: None

    assert isinstance(kept.delta(102), FetchSnapshot)
    assert kept.delta(103) is None


def test_a_callback_may_close_the_book() -> None:
    """What would have been done for it is not done any more."""
    kept = live(IN_BAND)

    def close(_: L2Book) -> None:
        kept.book.on_book = lambda _: None
        kept.sync.close("enough", kept.now_ns)

    kept.book.on_book = close

    assert kept.delta(105) is None
    assert kept.state is BookState.INVALID


# Counting


def test_what_a_book_has_been_through_is_counted() -> None:
    kept = Kept(REST)
    assert kept.sync.metrics(kept.now_ns) == BookMetrics(0, 0, 0, 0, 0, 0, 0)
    kept.start()
    kept.later(1.0)
    assert kept.sync.metrics(kept.now_ns).not_live_ns == SECOND
    kept.delta(100)
    kept.rest(98)
    kept.rest(100)
    kept.later(5.0)
    kept.delta(101)
    kept.delta(101)
    kept.delta(101, 102)
    kept.delta(104)
    kept.later(0.5)

    assert kept.sync.metrics(kept.now_ns) == BookMetrics(
        gaps=1, resyncs=1, failures=1, refreshes=0, duplicates=1, overlaps=1, not_live_ns=SECOND + SECOND // 2
    )


def test_announcements_are_json() -> None:
    """They go to the command line as they are; states in lower case."""
    kept = live(IN_BAND)
    kept.delta(105)

    assert [msgspec.json.decode(msgspec.json.encode(event)) for event in kept.heard] == [
        {"type": "gap", "venue": "acme", "symbol": "BTC/USDT", "reason": "expected update 101, received 105", "from_id": 101, "to_id": 104},
        {
            "type": "book_invalid",
            "venue": "acme",
            "symbol": "BTC/USDT",
            "state": "syncing",
            "reason": "expected update 101, received 105",
            "last_id": 100,
            "live_s": 60.0,
        },
    ]
