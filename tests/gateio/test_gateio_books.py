"""Captured Gate.io spot books end as they did when they were captured, and a frame that is missing is missed."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from exwire.book import BookState, L2Book
from exwire.bookrule import BookRule, SnapshotFrom
from exwire.handlers import AnySymbol
from exwire.model import BookDelta, BookSnapshot, sorted_asks, sorted_bids
from exwire_gateio.names import pair_symbol
from exwire_gateio.spot.decode import decode
from exwire_gateio.spot.rest import OrderBook
from samples import Sample, needs_samples, read
from sequences import Replay, Sequence, Variant, altered, levels, sequences

pytestmark = needs_samples

RULE: Final = BookRule(SnapshotFrom.REST, window=100, depth=100)
"""``spot.order_book_update`` every 100 ms."""

BOOKS: Final = [each for each in sequences("gate", "spot") if each.final_id]
VARIANTS: Final = [(book, variant) for book in BOOKS for variant in book.variants]

by_sequence = pytest.mark.parametrize("sequence", BOOKS, ids=lambda each: each.name)


def event(sample: Sample, payload: bytes) -> BookDelta | BookSnapshot:
    if sample.kind == "rest_response":
        book = msgspec.json.decode(payload, type=OrderBook, strict=False)
        return BookSnapshot("gateio", "", 0, 0, book.id, sorted_bids(book.bids), sorted_asks(book.asks))
    decoded = decode(payload, AnySymbol(pair_symbol), 0)
    assert isinstance(decoded, BookDelta)
    return decoded


def test_the_three_captured_books_are_there() -> None:
    assert {book.symbol for book in BOOKS} == {"FAST_USDT", "HAI_ETH", "NANO_USDT"}


@by_sequence
def test_a_captured_book_ends_as_the_index_states(sequence: Sequence) -> None:
    replay = Replay(RULE, event)
    replay.play(sequence.samples)

    assert replay.ends(sequence)
    assert (replay.gaps, replay.actions, replay.sync.overlaps, replay.sync.duplicates) == ([], [], 0, 0)


@by_sequence
def test_after_each_frame_the_touch_is_the_one_that_the_index_states(sequence: Sequence) -> None:
    replay = Replay(RULE, event)
    told = 0
    for sample in sequence.samples:
        replay.play([sample])
        if "best_bid_after" in sample.expected and replay.book.state is BookState.LIVE:
            touch = (replay.book.best_bid, replay.book.best_ask)
            told += 1

            assert touch == levels((sample.expected["best_bid_after"], sample.expected["best_ask_after"]))
            assert replay.book.last_id == sample.expected["book_id_after"]
    assert told == len(sequence.samples) - 2


@pytest.mark.parametrize(("sequence", "variant"), VARIANTS, ids=lambda each: each.name if isinstance(each, Sequence) else each.do)
def test_a_variant_does_what_the_index_says(sequence: Sequence, variant: Variant) -> None:
    replay = Replay(RULE, event)
    replay.play(altered(sequence.samples, variant))

    if variant.do == "repeat":
        assert replay.ends(sequence)
        assert (replay.gaps, replay.sync.duplicates) == ([], 1)
    else:
        position = variant.pos + 1 if isinstance(variant.pos, int) else variant.pos[1]
        assert f"gap detected at position {position}" in variant.expect
        assert replay.gaps == [position]
        assert replay.book.state is BookState.SYNCING


@by_sequence
def test_whichever_frame_is_missing_is_missed_at_the_next(sequence: Sequence) -> None:
    """And the rest of the sequence makes no book of it."""
    samples = sequence.samples
    for place in range(2, len(samples) - 1):
        replay = Replay(RULE, event)
        replay.play(altered(samples, Variant("drop", place, "")))

        assert replay.gaps == [place + 1]
        assert replay.book.state is BookState.SYNCING


@by_sequence
def test_whichever_frame_comes_twice_changes_nothing(sequence: Sequence) -> None:
    samples = sequence.samples
    for place in range(2, len(samples)):
        replay = Replay(RULE, event)
        replay.play(altered(samples, Variant("repeat", place, "")))

        assert replay.ends(sequence)


@by_sequence
def test_a_snapshot_that_comes_last_leads_to_the_same_book(sequence: Sequence) -> None:
    """The deltas wait for it."""
    snapshot = next(each for each in sequence.samples if each.kind == "rest_response")
    replay = Replay(RULE, event)
    replay.play([*(each for each in sequence.samples if each is not snapshot), snapshot])

    assert replay.ends(sequence)


@by_sequence
def test_what_enters_the_window_is_told_and_so_is_what_leaves_it(sequence: Sequence) -> None:
    """The rule counts on it: a side that was once full has 100 rows after every frame, although nobody cuts it here."""
    book = L2Book("gateio", "")
    full = [False, False]
    for sample in sequence.samples:
        happened = event(sample, read(sample))
        if isinstance(happened, BookSnapshot):
            book.load(happened)
            book.turn(BookState.LIVE)
        elif book.state is BookState.LIVE:
            book.apply(happened)
        if book.state is BookState.LIVE:
            rows = (len(book.bids), len(book.asks))
            full = [was or now == RULE.window for was, now in zip(full, rows, strict=True)]

            assert all(now == RULE.window if is_full else now < RULE.window for now, is_full in zip(rows, full, strict=True))
    assert any(full) or sequence.symbol == "HAI_ETH"
