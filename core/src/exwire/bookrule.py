"""How a venue's stream is made into a book: the rule, and what keeping it asks for, as data."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from exwire.errors import ConfigError

__all__ = ["Action", "BookRule", "FetchSnapshot", "Resubscribe", "SnapshotFrom"]


class SnapshotFrom(StrEnum):
    """Where the levels come from that deltas change.

    in_band: a full frame on the topic itself, sent when it is subscribed; rest: a REST request; each_frame: there are no deltas, every
    frame is a snapshot.
    """

    IN_BAND = "in_band"
    REST = "rest"
    EACH_FRAME = "each_frame"


class BookRule(Struct, frozen=True):
    """How a venue's stream is made into a book.

    Deltas chain by ``first_id == last_id + 1``: the first and the last update id that a delta covers, both inclusive. Where a venue states
    the id before a delta instead, its decoder adds 1.

    window: levels a side that the stream tells of, rows that enter and leave included, 0: all; depth: levels a side to ask REST for: an
    answer with so many says nothing beyond its worst price; refresh_below: when fewer levels than this are left of such an answer, another
    is fetched while the book stays LIVE, 0: never; buffer: deltas kept while a snapshot is awaited; retries: failures in a row before the
    book is INVALID; retry_s: between attempts until then; retry_cap_s: the delays after that double up to this; first_data_s: how long a
    snapshot that should come by itself is waited for, and the first delta after one from REST.
    """

    source: SnapshotFrom
    window: int = 0
    depth: int = 0
    refresh_below: int = 0
    buffer: int = 5_000
    retries: int = 10
    retry_s: float = 1.0
    retry_cap_s: float = 60.0
    first_data_s: float = 10.0

    def __post_init__(self) -> None:
        if self.window < 0 or self.depth < 0 or self.buffer < 1 or self.retries < 0:
            raise ConfigError("BookRule needs window, depth and retries of 0 or more, and a buffer of 1 or more")
        if (self.source is SnapshotFrom.REST) != (self.depth > 0):
            raise ConfigError(f"BookRule needs a depth where snapshots come from REST, and none elsewhere: {self.source}, {self.depth}")
        if not 0 <= self.refresh_below <= self.full:
            raise ConfigError(f"BookRule needs a refresh_below from 0 to the {self.full} levels of a snapshot, not {self.refresh_below}")
        if not (0.0 < self.retry_s <= self.retry_cap_s and self.first_data_s > 0.0):
            raise ConfigError("BookRule needs 0 < retry_s <= retry_cap_s, and a first_data_s above 0")

    @property
    def full(self) -> int:
        """Levels of a side after which a REST snapshot says no more, 0 without REST."""
        return min(self.window or self.depth, self.depth)


class FetchSnapshot(Struct, frozen=True):
    """Ask REST for a snapshot of ``depth`` levels a side, ``after_s`` from now; then call ``on_snapshot`` or ``on_snapshot_failed``."""

    after_s: float
    depth: int
    reason: str


class Resubscribe(Struct, frozen=True):
    """Unsubscribe the topic and, once that is answered, subscribe it, ``after_s`` from now; then ``start`` or ``on_resubscribe_failed``."""

    after_s: float
    reason: str


Action: TypeAlias = FetchSnapshot | Resubscribe
"""What has to be done for a book. It takes the place of what was to be done before; a Resubscribe is void once the book is LIVE."""
