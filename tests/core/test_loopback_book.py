"""The matching engine of the box, and the windows through which its changes are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exwire.loopback.book import Book, Change, Window
from exwire.model import Side

BUY, SELL = Side.BUY, Side.SELL
NOW = 1_000


def book_of(*orders: tuple[Side, int, int]) -> Book:
    book = Book(100)
    for side, price, lots in orders:
        book.limit(side, price, lots, NOW)
    return book


class Copy:
    """A client's book: absolute totals by price, 0 removes."""

    def __init__(self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> None:
        self.sides = {BUY: dict(bids), SELL: dict(asks)}

    def put(self, side: Side, rows: Iterable[tuple[int, int]]) -> None:
        for price, lots in rows:
            if lots:
                self.sides[side][price] = lots
            else:
                self.sides[side].pop(price, None)

    def trim(self, depth: int) -> None:
        for side, rows in self.sides.items():
            self.sides[side] = dict(sorted(rows.items(), reverse=side is BUY)[:depth])

    def top(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        return sorted(self.sides[BUY].items(), reverse=True), sorted(self.sides[SELL].items())


def test_better_price_is_matched_first() -> None:
    book = book_of((SELL, 102, 5), (SELL, 101, 5))

    assert [(fill.price, fill.lots) for fill in book.market(BUY, 7, NOW)] == [(101, 5), (102, 2)]
    assert book.asks.top() == [(102, 3)]


def test_earlier_order_is_matched_first_at_the_same_price() -> None:
    book = Book()
    first = book.limit(BUY, 100, 5, NOW, owner="ann").resting
    second = book.limit(BUY, 100, 5, NOW, owner="bob").resting

    fills = book.market(SELL, 7, NOW)

    assert [fill.maker for fill in fills] == [first, second]
    assert [each.owner for each in book.queue(BUY, 100)] == ["bob"]
    assert book.bids.top() == [(100, 3)]


def test_limit_order_matches_up_to_its_price_and_rests_with_the_remainder() -> None:
    book = book_of((SELL, 101, 2), (SELL, 103, 2))

    placed = book.limit(BUY, 102, 5, NOW)

    assert [(fill.price, fill.lots) for fill in placed.fills] == [(101, 2)]
    assert placed.resting is not None
    assert (book.bids.best, placed.resting.lots, book.asks.best) == (102, 3, 103)


@pytest.mark.parametrize(("resting", "arriving"), [(BUY, SELL), (SELL, BUY)])
def test_limit_order_matches_at_exactly_its_price(resting: Side, arriving: Side) -> None:
    book = book_of((resting, 101, 2))

    assert book.limit(arriving, 101, 2, NOW).resting is None
    assert (book.bids.best, book.asks.best) == (None, None)


def test_what_a_market_order_cannot_match_is_gone() -> None:
    book = book_of((SELL, 101, 2))

    assert sum(fill.lots for fill in book.market(BUY, 9, NOW)) == 2
    assert (book.asks.best, book.bids.best) == (None, None)


def test_cancel_takes_only_that_order() -> None:
    book = book_of((BUY, 100, 5))
    order = book.limit(BUY, 100, 3, NOW).resting
    assert order is not None

    assert book.cancel(order.id, NOW) is order
    assert book.cancel(order.id, NOW) is None
    assert book.bids.top() == [(100, 5)]
    assert book.order_count == 1


def test_every_level_change_takes_the_next_id() -> None:
    """One order through three levels is three changes; two makers on one level are one."""
    book = book_of((SELL, 101, 1), (SELL, 101, 1), (SELL, 102, 1), (SELL, 103, 1))
    before = book.update_id

    book.market(BUY, 4, NOW + 7)

    assert book.update_id == before + 3
    assert book.time_ns == NOW + 7
    assert book.changes_since(before) == [(SELL, 101, 0), (SELL, 102, 0), (SELL, 103, 0)]
    assert book.changes_since(book.update_id) == []


def test_history_is_bounded() -> None:
    book = Book(history=10)
    for n in range(100):
        book.limit(BUY, 100 + n, 1, NOW)

    assert book.changes_since(0) is None
    assert len(book.changes_since(book.update_id - 10) or ()) == 10


def test_level_that_moves_up_into_the_window_is_announced() -> None:
    """The subscriber was never told of it while it was outside."""
    book = book_of((BUY, 100, 1), (BUY, 99, 2), (BUY, 98, 3))
    window = Window(book, 2)

    book.market(SELL, 1, NOW)
    window.apply(book.changes_since(book.update_id - 1) or ())

    assert sorted(window.flush()[0]) == [(98, 3), (100, 0)]


def test_level_that_is_pushed_out_of_the_window_is_announced_as_gone() -> None:
    book = book_of((BUY, 100, 1), (BUY, 99, 2))
    window = Window(book, 2)

    book.limit(BUY, 101, 5, NOW)
    window.apply(book.changes_since(book.update_id - 1) or ())

    assert sorted(window.flush()[0]) == [(99, 0), (101, 5)]
    assert window.flush() == ([], [])


def test_change_outside_the_window_is_not_announced() -> None:
    book = book_of((BUY, 100, 1), (BUY, 99, 2))
    window = Window(book, 1)

    book.limit(BUY, 99, 5, NOW)
    window.apply(book.changes_since(book.update_id - 1) or ())

    assert window.flush() == ([], [])
    assert window.top() == ([(100, 1)], [])


Instruction: TypeAlias = tuple[str, Side, int, int]
"""(kind, side, price, lots; for a cancel, lots choose the order)."""

ORDERS = st.lists(
    st.tuples(st.sampled_from(["limit", "market", "cancel"]), st.sampled_from([BUY, SELL]), st.integers(90, 110), st.integers(1, 9)),
    max_size=60,
)


def play(book: Book, order: Instruction, seen: list[int]) -> tuple[int, int]:
    """Return (lots that came in, lots that were matched or withdrawn on the other side of the account)."""
    kind, side, price, lots = order
    if kind == "limit":
        placed = book.limit(side, price, lots, NOW)
        if placed.resting is not None:
            seen.append(placed.resting.id)
        return lots, 2 * sum(fill.lots for fill in placed.fills)
    if kind == "market":
        matched = sum(fill.lots for fill in book.market(side, lots, NOW))
        return matched, 2 * matched
    cancelled = book.cancel(seen[lots % len(seen)], NOW) if seen else None
    return 0, cancelled.lots if cancelled is not None else 0


def resting(book: Book) -> int:
    return sum(lots for ladder in (book.bids, book.asks) for _, lots in ladder.top())


@given(ORDERS)
def test_nothing_is_lost_and_the_book_never_crosses(orders: list[Instruction]) -> None:
    """What came in is at rest, matched or withdrawn; a level's total is that of its queue."""
    book, came, went = Book(), 0, 0
    seen: list[int] = []
    for order in orders:
        added, removed = play(book, order, seen)
        came, went = came + added, went + removed

        assert resting(book) == came - went
        assert book.bids.best is None or book.asks.best is None or book.bids.best < book.asks.best
        for side in (BUY, SELL):
            for price, lots in book.ladder(side).top():
                assert lots == sum(each.lots for each in book.queue(side, price)) > 0


@given(ORDERS, ORDERS)
def test_change_feed_leads_from_any_snapshot_to_the_true_book(before: list[Instruction], after: list[Instruction]) -> None:
    book = Book()
    seen: list[int] = []
    for order in before:
        play(book, order, seen)
    copy, since = Copy(book.bids.top(), book.asks.top()), book.update_id
    for order in after:
        play(book, order, seen)

    changes = book.changes_since(since)

    assert changes is not None
    assert len(changes) == book.update_id - since
    for side, price, lots in changes:
        copy.put(side, [(price, lots)])
    assert copy.top() == (book.bids.top(), book.asks.top())


@settings(max_examples=150)
@given(ORDERS, st.lists(st.lists(ORDERS, max_size=3), max_size=6), st.sampled_from([1, 2, 3, 5, None]))
def test_windowed_deltas_keep_a_subscriber_equal_to_the_true_top(
    before: list[Instruction], frames: list[list[list[Instruction]]], depth: int | None
) -> None:
    """Also one who joins in the middle of a frame, with a snapshot over REST as Gate's ``order_book_update`` wants it."""
    book = Book()
    seen: list[int] = []
    for order in before:
        play(book, order, seen)
    window = Window(book, depth)
    streamed = Copy(*window.top())
    joined: list[Copy] = []
    for parts in frames:
        since = book.update_id
        for orders in parts:
            for order in orders:
                play(book, order, seen)
            joined.append(Copy(book.bids.top(depth), book.asks.top(depth)))
        changes: list[Change] | None = book.changes_since(since)
        assert changes is not None
        window.apply(changes)
        bids, asks = window.flush()

        assert window.top() == (book.bids.top(depth), book.asks.top(depth))
        for copy in (streamed, *joined):
            copy.put(BUY, bids)
            copy.put(SELL, asks)
        assert streamed.top() == window.top()
        for copy in joined:
            if depth is not None:
                copy.trim(depth)
            assert copy.top() == window.top()
