"""What users read: a local book that is right, or says that it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf, nan, nextafter

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from exwire.book import AsOf, BookState, L2Book
from exwire.errors import BookChangedError, BookNotLiveError, ConfigError, OutsideBookError, UsageError
from exwire.model import BookDelta, BookSnapshot, Level, Side

BIDS: tuple[Level, ...] = ((100.0, 1.0), (99.5, 2.0), (99.0, 3.0))
ASKS: tuple[Level, ...] = ((100.5, 1.5), (101.0, 2.5), (102.0, 0.5))


def snapshot(bids: tuple[Level, ...] = BIDS, asks: tuple[Level, ...] = ASKS, last_id: int = 10) -> BookSnapshot:
    return BookSnapshot("acme", "BTC/USDT", 1_000, 2_000, last_id, bids, asks)


def delta(bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = (), last_id: int = 11) -> BookDelta:
    return BookDelta("acme", "BTC/USDT", 3_000, 4_000, last_id, last_id, bids, asks)


def live(book: L2Book, loaded: BookSnapshot | None = None, full: int = 0) -> L2Book:
    assert book.load(loaded or snapshot(), full) is None
    book.turn(BookState.LIVE)
    return book


@pytest.fixture
def book() -> L2Book:
    """Three levels a side, all there are, LIVE."""
    return live(L2Book("acme", "BTC/USDT", tick=0.5))


def test_the_touch(book: L2Book) -> None:
    assert (book.best_bid, book.best_ask) == ((100.0, 1.0), (100.5, 1.5))
    assert (book.mid, book.spread) == (100.25, 0.5)


def test_an_empty_side_has_no_best(book: L2Book) -> None:
    """None says that nobody is there, which is another thing than not to know."""
    book.apply(delta(asks=tuple((price, 0.0) for price, _ in ASKS)))

    assert book.best_bid == (100.0, 1.0)
    assert (book.best_ask, book.mid, book.spread) == (None, None, None)


def test_levels_are_read_best_first(book: L2Book) -> None:
    assert list(book.bids) == list(BIDS)
    assert list(book.asks) == list(ASKS)
    assert book.bids[0] == (100.0, 1.0)
    assert book.asks[-1] == (102.0, 0.5)
    assert book.asks[:2] == ASKS[:2]
    assert book.bids[::-1] == BIDS[::-1]
    assert (len(book.bids), (99.5, 2.0) in book.bids, (99.5, 9.0) in book.bids) == (3, True, False)
    for place in (3, -4):
        with pytest.raises(IndexError):
            _ = book.bids[place]


def test_depth_copies(book: L2Book) -> None:
    """What it returned stays as it was, whatever the book does."""
    bids, asks = book.depth(2)
    book.apply(delta(bids=((100.0, 7.0),)))

    assert (bids, asks) == (BIDS[:2], ASKS[:2])
    assert book.depth(1)[0] == ((100.0, 7.0),)
    assert book.depth(0) == ((), ())


def test_depth_of_more_than_there_is_returns_what_there_is(book: L2Book) -> None:
    """This snapshot was not full: it said all."""
    assert book.depth(100) == (BIDS, ASKS)


@pytest.mark.parametrize(
    ("side", "price", "qty"), [(Side.BUY, 99.5, 2.0), (Side.SELL, 99.5, 0.0), (Side.SELL, 101.0, 2.5), (Side.BUY, 1.0, 0.0)]
)
def test_quantity_at_a_price_is_of_the_resting_side(book: L2Book, side: Side, price: float, qty: float) -> None:
    assert book.qty_at(side, price) == qty


@pytest.mark.parametrize(
    ("side", "qty", "cost"),
    [
        (Side.BUY, 0.0, 0.0),
        (Side.BUY, 1.0, 100.5),
        (Side.BUY, 1.5, 150.75),
        (Side.BUY, 2.5, 150.75 + 101.0),
        (Side.SELL, 2.0, 100.0 + 99.5),
        (Side.SELL, 6.0, 100.0 + 199.0 + 297.0),
    ],
)
def test_the_cost_to_fill_eats_the_other_side_level_by_level(book: L2Book, side: Side, qty: float, cost: float) -> None:
    """side is ours: who buys takes asks."""
    assert book.cost_to_fill(side, qty) == pytest.approx(cost)


def test_filling_more_than_there_is_is_refused(book: L2Book) -> None:
    """A cost of part of it would be taken for the cost of all."""
    with pytest.raises(OutsideBookError, match=r"acme BTC/USDT: 5\.0 cannot be filled, 4\.5 can: that is all there is"):
        book.cost_to_fill(Side.BUY, 5.0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda book: book.depth(-1),
        lambda book: book.qty_at(Side.BUY, 0.0),
        lambda book: book.qty_at(Side.BUY, nan),
        lambda book: book.cost_to_fill(Side.BUY, -1.0),
        lambda book: book.cost_to_fill(Side.BUY, inf),
    ],
)
def test_questions_that_make_no_sense_are_refused(book: L2Book, ask: Callable[[L2Book], object]) -> None:
    with pytest.raises(ConfigError):
        ask(book)


# Changes


def test_quantities_are_absolute_and_zero_removes(book: L2Book) -> None:
    book.apply(delta(bids=((100.0, 5.0), (99.5, 0.0)), asks=((100.25, 1.0), (101.0, 0.0))))

    assert list(book.bids) == [(100.0, 5.0), (99.0, 3.0)]
    assert list(book.asks) == [(100.25, 1.0), (100.5, 1.5), (102.0, 0.5)]


def test_rows_may_come_in_any_order_and_remove_what_is_not_there(book: L2Book) -> None:
    book.apply(delta(bids=((98.0, 1.0), (100.25, 1.0), (98.5, 1.0), (1.0, 0.0))))

    assert [price for price, _ in book.bids] == [100.25, 100.0, 99.5, 99.0, 98.5, 98.0]


def test_the_last_of_two_rows_of_a_price_counts(book: L2Book) -> None:
    book.apply(delta(bids=((98.0, 1.0), (98.0, 0.0), (97.0, 0.0), (97.0, 2.0), (99.0, 0.0), (99.0, 4.0))))

    assert list(book.bids) == [(100.0, 1.0), (99.5, 2.0), (99.0, 4.0), (97.0, 2.0)]


def test_as_of_says_how_far_the_book_goes(book: L2Book) -> None:
    before = book.as_of
    book.apply(delta())

    assert before == AsOf(10, 1_000, 2_000)
    assert book.as_of == AsOf(11, 3_000, 4_000)


def test_rows_of_a_snapshot_are_sorted_and_empty_ones_left_out() -> None:
    book = live(L2Book("acme", "BTC/USDT"), snapshot(bids=(BIDS[2], BIDS[0], (98.0, 0.0), BIDS[1]), asks=((100.1, 0.0), *ASKS[::-1])))

    assert (list(book.bids), list(book.asks)) == (list(BIDS), list(ASKS))


def test_a_book_of_nothing_is_a_book() -> None:
    book = live(L2Book("acme", "BTC/USDT"), snapshot((), ()))

    assert (book.best_bid, book.best_ask, len(book.bids), book.depth(5)) == (None, None, 0, ((), ()))


def test_prices_with_twelve_decimals_are_told_apart() -> None:
    """Coins that cost millionths of a cent."""
    prices = [round(1e-8 + place * 1e-12, 12) for place in range(50)]
    book = live(
        L2Book("acme", "PEPE/USDT", tick=1e-12),
        snapshot(tuple((price, 1e9) for price in prices[24::-1]), tuple((price, 1e9) for price in prices[25:])),
    )
    book.apply(delta(bids=((prices[3], 0.0),), asks=((prices[30], 5.0),)))

    assert len(book.bids) == 24
    assert book.qty_at(Side.SELL, 0.000000010030) == 5.0
    assert book.best_ask == (0.000000010025, 1e9)


# What cannot be


@pytest.mark.parametrize(
    "row", [(99.0, -1.0), (99.0, nan), (99.0, inf), (98.0, inf), (nan, 1.0), (-1.0, 1.0), (0.0, 1.0), (inf, 1.0), (nan, 0.0)]
)
@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_row_that_cannot_be_ends_the_book(book: L2Book, side: str, row: Level) -> None:
    """Which row was wrong nobody knows; the others of the same frame are not better."""
    fault = book.apply(delta(bids=(BIDS[0], row)) if side == "bids" else delta(asks=(row, ASKS[0])))

    assert fault is not None
    assert (book.state, book.reason) == (BookState.SYNCING, fault.reason)
    assert book.last_id == 10


@pytest.mark.parametrize("row", [(99.25, -1.0), (99.25, nan), (99.25, inf), (nan, 1.0), (-1.0, 1.0), (0.0, 1.0), (inf, 1.0), (99.0, 1.0)])
def test_a_snapshot_with_a_row_that_cannot_be_is_refused_and_changes_nothing(book: L2Book, row: Level) -> None:
    """The last one: two rows at one price, of which neither is better than the other."""
    fault = book.load(snapshot(bids=(*BIDS, row), last_id=50))

    assert fault is not None
    assert not fault.lasting
    assert (list(book.bids), book.last_id) == (list(BIDS), 10)


@pytest.mark.parametrize(("bid", "ask"), [(100.5, 100.5), (101.0, 100.5)], ids=["locked", "crossed"])
def test_a_locked_or_crossed_book_ends(book: L2Book, bid: float, ask: float) -> None:
    """A venue would have matched them: something was lost."""
    fault = book.apply(delta(bids=((bid, 1.0),)))

    assert fault is not None
    assert fault.reason == f"crossed: best bid {bid}, best ask {ask}"
    assert book.state is BookState.SYNCING


def test_a_crossed_snapshot_is_refused(book: L2Book) -> None:
    assert book.load(snapshot(bids=((100.5, 1.0),))) is not None
    assert list(book.bids) == list(BIDS)


def test_a_price_that_a_float_does_not_tell_from_its_neighbours_is_refused() -> None:
    """From 2**51 ticks on. A lasting fault: to fetch the snapshot again would not help."""
    tick = 0.001
    edge = tick * 2.0**51
    book = L2Book("acme", "BTC/IRR", tick=tick)
    fault = book.load(snapshot((), ((edge, 1.0),)))
    assert fault is not None
    assert fault.lasting

    live(book, snapshot((), ((nextafter(edge, 0.0), 1.0),)))
    fault = book.apply(delta(asks=((edge, 1.0),)))

    assert fault is not None
    assert fault.lasting
    assert book.state is BookState.SYNCING


def test_without_a_tick_no_price_is_too_high() -> None:
    book = live(L2Book("acme", "BTC/IRR"), snapshot((), ((1e300, 1.0),)))

    assert book.best_ask == (1e300, 1.0)


# How far it is known


@pytest.fixture
def window() -> L2Book:
    """The best three levels a side of more, which the stream tells of."""
    return live(L2Book("acme", "BTC/USDT", window=3))


def test_rows_that_a_better_one_pushes_out_of_the_window_are_dropped(window: L2Book) -> None:
    """The stream tells nothing of them any more, not even that they are gone."""
    window.apply(delta(bids=((100.25, 1.0),), asks=((100.4, 1.0), (100.45, 1.0))))

    assert [price for price, _ in window.bids] == [100.25, 100.0, 99.5]
    assert [price for price, _ in window.asks] == [100.4, 100.45, 100.5]


def test_beyond_a_full_window_nothing_is_known(window: L2Book) -> None:
    assert window.depth(3) == (BIDS, ASKS)
    assert window.qty_at(Side.BUY, 99.25) == 0.0
    with pytest.raises(OutsideBookError, match=r"4 bids were asked for, 3 are known, as far as 99\.0"):
        window.depth(4)
    with pytest.raises(OutsideBookError, match=r"98\.5 is beyond 99\.0"):
        window.qty_at(Side.BUY, 98.5)
    with pytest.raises(OutsideBookError, match=r"nothing is known beyond 102\.0"):
        window.cost_to_fill(Side.BUY, 4.6)


def test_a_window_that_is_not_full_is_the_whole_side(window: L2Book) -> None:
    """Had there been more, they would have entered."""
    window.apply(delta(bids=((99.5, 0.0),)))

    assert window.qty_at(Side.BUY, 1.0) == 0.0
    with pytest.raises(OutsideBookError, match="4 asks"):
        window.depth(4)
    window.apply(delta(asks=((100.5, 0.0),)))
    assert window.depth(4) == ((BIDS[0], BIDS[2]), ASKS[1:])


def test_a_snapshot_longer_than_the_window_is_cut() -> None:
    assert len(live(L2Book("acme", "BTC/USDT", window=2)).bids) == 2


@pytest.fixture
def walled() -> L2Book:
    """A stream that tells of everything, built from a snapshot of at most three levels a side."""
    return live(L2Book("acme", "BTC/USDT"), full=3)


def test_beyond_the_worst_price_of_a_full_snapshot_nothing_is_known_for_good(walled: L2Book) -> None:
    """A level there that never changes is never told of; so one that is told of there would stand among unknown ones."""
    walled.apply(delta(bids=((98.5, 4.0), (99.25, 1.0)), asks=((102.5, 1.0),)))
    walled.apply(delta(bids=((99.0, 0.0), (98.0, 0.0))))

    assert list(walled.bids) == [(100.0, 1.0), (99.5, 2.0), (99.25, 1.0)]
    assert walled.qty_at(Side.BUY, 99.0) == 0.0
    with pytest.raises(OutsideBookError):
        walled.qty_at(Side.BUY, 98.5)
    with pytest.raises(OutsideBookError, match=r"4 bids were asked for, 3 are known, as far as 99\.0"):
        walled.depth(4)
    with pytest.raises(OutsideBookError):
        walled.cost_to_fill(Side.SELL, 4.1)


def test_a_full_snapshot_may_be_outgrown(walled: L2Book) -> None:
    """Levels within what it knew are told of, as many as there are."""
    walled.apply(delta(bids=tuple((99.0 + place / 100, 1.0) for place in range(1, 50))))

    assert len(walled.bids) == 52
    assert walled.depth(3)[0] == ((100.0, 1.0), (99.5, 2.0), (99.49, 1.0))


def test_a_side_of_which_all_that_was_known_is_gone_ends_the_book(walled: L2Book) -> None:
    """The best bid is somewhere below, unseen: None would be wrong."""
    fault = walled.apply(delta(bids=tuple((price, 0.0) for price, _ in BIDS)))

    assert fault is not None
    assert walled.state is BookState.SYNCING


def test_a_snapshot_of_a_window_that_was_taken_within_a_delta_is_walled_until_the_window_is_full_again() -> None:
    """A level may have left the window and come back within the delta: then the snapshot lacks it, and the delta need not tell."""
    book = live(L2Book("acme", "BTC/USDT", window=3), full=3)
    book.apply(delta(bids=((100.0, 0.0), (98.0, 1.0))))
    assert list(book.bids) == [(99.5, 2.0), (99.0, 3.0)]
    with pytest.raises(OutsideBookError):
        book.depth(3)

    book.apply(delta(bids=((99.25, 1.0),)))
    book.apply(delta(bids=((99.5, 0.0), (98.0, 1.0))))

    assert book.depth(3)[0] == ((99.25, 1.0), (99.0, 3.0), (98.0, 1.0))


# LIVE, or not


@pytest.mark.parametrize(
    "read",
    [
        lambda book: book.best_bid,
        lambda book: book.best_ask,
        lambda book: book.mid,
        lambda book: book.spread,
        lambda book: book.bids,
        lambda book: book.asks,
        lambda book: book.depth(1),
        lambda book: book.qty_at(Side.BUY, 100.0),
        lambda book: book.cost_to_fill(Side.BUY, 1.0),
    ],
)
@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.INVALID])
def test_levels_cannot_be_read_while_the_book_is_not_live(book: L2Book, state: BookState, read: Callable[[L2Book], object]) -> None:
    """What was right a moment ago is the most convincing kind of wrong."""
    book.turn(state, "expected update 11, received 13")

    with pytest.raises(BookNotLiveError) as caught:
        read(book)
    error = caught.value
    assert (error.venue, error.symbol, error.state, error.reason) == ("acme", "BTC/USDT", state, "expected update 11, received 13")
    assert str(error) == f"acme BTC/USDT: the book is {state} and cannot be read: expected update 11, received 13"


def test_a_new_book_is_not_live() -> None:
    book = L2Book("acme", "BTC/USDT")

    assert (book.state, book.reason) == (BookState.SYNCING, "not built yet")
    assert repr(book) == "<L2Book acme BTC/USDT syncing at 0>"


def test_how_far_it_went_can_be_read_in_any_state(book: L2Book) -> None:
    book.turn(BookState.INVALID, "why")

    assert book.as_of.last_id == 10


def test_a_view_ends_with_the_next_change(book: L2Book) -> None:
    """Taken before an ``await`` and read after it, it would mix two books."""
    view = book.bids
    walking = iter(view)
    assert next(walking) == BIDS[0]
    assert repr(view) == f"<LevelsView {list(BIDS)}>"

    book.apply(delta())

    for use in (lambda: view[0], lambda: view[:1], lambda: len(view), lambda: list(view), lambda: next(walking)):
        with pytest.raises(BookChangedError, match="acme BTC/USDT: the book changed"):
            use()


def test_a_view_of_a_book_that_is_not_live_any_more_says_so(book: L2Book) -> None:
    view = book.bids
    book.turn(BookState.SYNCING, "lost")

    with pytest.raises(BookNotLiveError, match="lost"):
        _ = view[0]


def test_a_view_does_not_come_back_to_life_with_the_book(book: L2Book) -> None:
    view = book.bids
    book.turn(BookState.SYNCING, "lost")
    live(book)

    with pytest.raises(BookChangedError):
        _ = view[0]


# Being told


async def test_updates_yields_the_state_now_and_after_each_change(book: L2Book) -> None:
    """Readers see the state, not only levels: nobody can overlook that the book stopped."""
    book = live(L2Book("acme", "BTC/USDT", future=asyncio.get_running_loop().create_future))
    updates = book.updates()
    assert await anext(updates) is BookState.LIVE

    for state in (BookState.SYNCING, BookState.INVALID):
        waiting = asyncio.ensure_future(anext(updates))
        await asyncio.sleep(0)
        assert not waiting.done()
        book.turn(state, "why")
        book.notify()
        async with asyncio.timeout(5):
            assert await waiting is state


async def test_updates_conflates() -> None:
    """A slow reader gets the newest state once, not a backlog."""
    book = live(L2Book("acme", "BTC/USDT", future=asyncio.get_running_loop().create_future))
    updates = book.updates()
    await anext(updates)
    for last_id in range(11, 20):
        book.apply(delta(last_id=last_id))
        book.notify()

    assert await anext(updates) is BookState.LIVE
    assert book.last_id == 19
    waiting = asyncio.ensure_future(anext(updates))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    book.notify()  # a reader that gave up is no trouble


async def test_updates_of_several_readers_end_with_the_book() -> None:
    book = live(L2Book("acme", "BTC/USDT", future=asyncio.get_running_loop().create_future))

    async def read() -> list[BookState]:
        return [state async for state in book.updates()]

    readers = [asyncio.ensure_future(read()) for _ in range(3)]
    await asyncio.sleep(0)
    book.close("the connector was closed")
    book.notify()

    async with asyncio.timeout(5):
        assert await asyncio.gather(*readers) == [[BookState.LIVE, BookState.INVALID]] * 3
    assert book.reason == "the connector was closed"


def test_updates_needs_somebody_who_waits(book: L2Book) -> None:
    """A book made by hand has no event loop."""
    with pytest.raises(UsageError, match="connector"):
        book.updates()


def test_on_book_is_called_with_the_book_and_what_it_raises_is_passed_on(book: L2Book) -> None:
    calls: list[L2Book] = []
    book.notify()
    book.on_book = calls.append
    book.notify()
    assert calls == [book]

    def fail(_: L2Book) -> None:
        raise ZeroDivisionError

    book.on_book = fail
    with pytest.raises(ZeroDivisionError):
        book.notify()


# Any changes at all

prices = st.integers(1, 40).map(lambda ticks: ticks * 0.25)
changes = st.lists(st.tuples(prices, st.sampled_from([0.0, 0.0, 1.0, 2.5])), max_size=12).map(tuple)


@settings(max_examples=150, deadline=None)
@given(st.lists(changes, max_size=20), st.sampled_from([0, 3, 10]))
def test_a_side_equals_a_dict_that_got_the_same_rows(deltas: list[tuple[Level, ...]], window: int) -> None:
    """Within its window, sorted, whatever comes."""
    book = live(L2Book("acme", "BTC/USDT", window=window), snapshot((), ()))
    true: dict[float, float] = {}
    for rows in deltas:
        assert book.apply(delta(asks=rows)) is None
        true.update(rows)
        true = {price: true[price] for price in sorted(price for price, qty in true.items() if qty)[: window or None]}

        assert list(book.asks) == list(true.items())
