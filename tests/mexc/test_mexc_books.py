"""MEXC spot books of the shared sequences end as the index states, and a frame that is missing is missed."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from exwire.book import BookState
from exwire.bookrule import BookRule, FetchSnapshot, SnapshotFrom
from exwire.handlers import AnySymbol
from exwire.model import BookDelta, BookSnapshot, sorted_asks, sorted_bids
from exwire_mexc.names import spot_symbol
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.rest import Depth
from samples import Sample, needs_samples
from sequences import Replay, Sequence, Variant, altered, sequences

pytestmark = needs_samples

RULE: Final = BookRule(SnapshotFrom.REST, depth=5000, refresh_below=1000, retry_s=0.2)
"""``aggre.depth``, at either speed."""

BY_NAME: Final = {each.name: each for each in sequences("mexc", "spot")}
BOOKS: Final = [each for each in BY_NAME.values() if each.final_version]
VARIANTS: Final = [(book, variant) for book in BOOKS for variant in book.variants]

by_sequence = pytest.mark.parametrize("sequence", BOOKS, ids=lambda each: each.name)


def event(sample: Sample, payload: bytes) -> BookDelta | BookSnapshot:
    if sample.kind == "rest_response":
        book = msgspec.json.decode(payload, type=Depth, strict=False)
        return BookSnapshot("mexc", "", 0, 0, book.last_update_id, sorted_bids(book.bids), sorted_asks(book.asks))
    (decoded,) = to_events(read_binary(payload), payload, AnySymbol(spot_symbol), 0)
    assert isinstance(decoded, BookDelta)
    return decoded


def test_there_is_a_book_with_variants() -> None:
    assert BOOKS
    assert {variant.do for _, variant in VARIANTS} == {"drop", "repeat", "swap"}


@by_sequence
def test_a_book_ends_as_the_index_states(sequence: Sequence) -> None:
    replay = Replay(RULE, event)
    replay.play(sequence.samples)

    assert replay.ends(sequence)
    assert (replay.gaps, replay.actions, replay.sync.overlaps, replay.sync.duplicates) == ([], [], 0, 0)


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


def test_deltas_before_the_snapshot_and_after_it_make_one_book() -> None:
    """Versions 101 and 102, the snapshot at 100, 103 to 105. The source's own test states the same levels."""
    replay = Replay(RULE, event)
    samples = BY_NAME["mexc-spot-tardis-unit"].samples
    replay.play(samples[:3])
    assert list(replay.book.bids) == [(99.9, 0.5), (99.8, 2.3), (99.7, 1.1)]
    assert list(replay.book.asks) == []

    replay.play(samples[3:])

    assert (replay.book.last_id, replay.book.best_ask) == (105, (100.3, 0.4))
    assert list(replay.book.bids) == [(99.9, 0.5), (99.8, 2.3), (99.7, 1.1), (99.6, 0.8)]


def test_a_version_that_is_missing_before_the_snapshot_makes_no_book() -> None:
    """101, 103, and the snapshot at 100: the source makes a book of them, and whatever 102 changed is not in it."""
    replay = Replay(RULE, event)
    replay.play(BY_NAME["mexc-spot-tardis-historical"].samples)

    assert replay.book.state is BookState.SYNCING
    assert [type(action) for action in replay.actions] == [FetchSnapshot]
