"""The shared sequences: frames and REST answers of one book in the order of their arrival, and the book that must stand at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import msgspec
from msgspec import Struct

from exwire.book import BookState, L2Book
from exwire.bookrule import Action, BookRule, FetchSnapshot
from exwire.booksync import BookSync
from exwire.model import BookDelta, BookSnapshot, Level
from samples import Sample, index, read, samples_dir

__all__ = ["Replay", "Sequence", "Variant", "sequences"]

Rows = tuple[tuple[str, str], ...]


class Variant(Struct, frozen=True):
    """What to do to a sequence, and what must come of it. do: ``drop``, ``repeat``, ``swap``; pos: one position, or the two to swap."""

    do: str
    pos: int | tuple[int, int]
    expect: str


class Sequence(Struct, frozen=True):
    """One line of SEQUENCES.json, of which those without a final book have a name only."""

    name: str
    exchange: str
    market: str
    symbol: str = ""
    snapshot_id: int = 0
    final_id: int = 0
    final_version: int = 0
    final_bids5: Rows = ()
    final_asks5: Rows = ()
    n_bids: int = 0
    n_asks: int = 0
    variants: tuple[Variant, ...] = ()

    @property
    def samples(self) -> list[Sample]:
        """Its messages, in the order of their positions."""
        mine = [(each.sequence.pos, each) for each in index() if each.sequence and each.sequence.name == self.name]
        return [each for _, each in sorted(mine, key=lambda pair: pair[0])]


@cache
def sequences(exchange: str, market: str) -> tuple[Sequence, ...]:
    """Return the sequences of one market, ``()`` where the samples are absent."""
    file = samples_dir() / "SEQUENCES.json"
    if not file.is_file():
        return ()
    return tuple(
        each for each in msgspec.json.decode(file.read_bytes(), type=list[Sequence]) if each.exchange == exchange and each.market == market
    )


class Replay:
    """A book that is kept from a sequence. gaps: positions at which it stopped being LIVE; actions: what it asked for."""

    def __init__(self, rule: BookRule, decode: Callable[[Sample, bytes], BookDelta | BookSnapshot]) -> None:
        self.book = L2Book("venue", "symbol", window=rule.window)
        self.sync = BookSync(self.book, rule, lambda _: None)
        self.gaps: list[int] = []
        self.actions: list[Action] = []
        self._decode = decode
        self.sync.start(0)

    def play(self, samples: Iterable[Sample]) -> None:
        """Hand the messages over, one after another."""
        for sample in samples:
            was_live = self.book.state is BookState.LIVE
            event = self._decode(sample, read(sample))
            action = self.sync.on_snapshot(event, 0) if isinstance(event, BookSnapshot) else self.sync.on_delta(event, 0)
            if action is not None:
                self.actions.append(action)
            if was_live and self.book.state is not BookState.LIVE:
                assert sample.sequence is not None
                assert isinstance(action, FetchSnapshot)
                self.gaps.append(sample.sequence.pos)

    def ends(self, sequence: Sequence) -> bool:
        """Return whether the book is LIVE and is the one that the index states."""
        book = self.book
        if book.state is not BookState.LIVE:
            return False
        return (
            book.as_of.last_id == (sequence.final_id or sequence.final_version)
            and book.bids[:5] == levels(sequence.final_bids5)
            and book.asks[:5] == levels(sequence.final_asks5)
            and (len(book.bids), len(book.asks)) == (sequence.n_bids, sequence.n_asks)
        )


def levels(listed: Rows) -> tuple[Level, ...]:
    return tuple((float(price), float(qty)) for price, qty in listed)


def altered(samples: list[Sample], variant: Variant) -> list[Sample]:
    """Return the messages as a variant wants them."""
    altered = list(samples)
    if isinstance(variant.pos, tuple):
        first, second = variant.pos
        altered[first], altered[second] = altered[second], altered[first]
    elif variant.do == "drop":
        del altered[variant.pos]
    else:
        altered.insert(variant.pos, altered[variant.pos])
    return altered
