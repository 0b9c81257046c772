"""Counters and latency histograms, cheap enough for the frame path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from msgspec import Struct

__all__ = ["BookMetrics", "ConnectionMetrics", "Histogram"]

_SUB: Final = 8
"""Buckets an octave: a reported quantile is at most 12.5 % above the true one."""
_OCTAVES: Final = 44


@final
class Histogram:
    """Durations in ns, in buckets of constant relative width, from 1 ns to hours. Memory is fixed; nothing is ever allocated by ``add``."""

    __slots__ = ("_buckets", "count", "highest", "total")

    def __init__(self) -> None:
        self._buckets = [0] * (_OCTAVES * _SUB)
        self.count = 0
        self.total = 0
        self.highest = 0

    def add(self, value: int) -> None:
        """Count one duration, ns; negative ones (a clock that stepped back) count as 0."""
        value = max(value, 0)
        self._buckets[_index(value)] += 1
        self.count += 1
        self.total += value
        self.highest = max(self.highest, value)

    def quantile(self, q: float) -> int:
        """Return the upper edge, ns, of the bucket that holds quantile ``q`` (0 to 1); 0 when nothing was counted."""
        if not self.count:
            return 0
        rank = max(1, -int(-q * self.count // 1))
        for upper, seen in self._cumulative():
            if seen >= rank:
                return min(upper, self.highest)
        return self.highest

    @property
    def mean(self) -> float:
        """Mean duration, ns; 0.0 when nothing was counted."""
        return self.total / self.count if self.count else 0.0

    def _cumulative(self) -> Iterator[tuple[int, int]]:
        seen = 0
        for index, count in enumerate(self._buckets):
            seen += count
            yield _upper(index), seen


def _index(value: int) -> int:
    if value < _SUB:
        return value
    shift = value.bit_length() - 4
    return min((shift << 3) + (value >> shift), _OCTAVES * _SUB - 1)


def _upper(index: int) -> int:
    if index < 2 * _SUB:
        return index
    shift = (index >> 3) - 1
    return (((index & 7) + 9) << shift) - 1


class ConnectionMetrics(Struct, frozen=True):
    """What one connection has seen, as of the call that returned it.

    frames: received; decode_errors: frames that could not be understood; callback_errors: exceptions out of the user's callbacks;
    outside: rows of symbols that were not subscribed; unmatched_acks: answers to nothing we asked; opens: connections opened so far;
    handling_p50_ns, handling_p99_ns: frame in hand to callback returned, one frame in 64 sampled.
    """

    frames: int
    decode_errors: int
    callback_errors: int
    outside: int
    unmatched_acks: int
    opens: int
    handling_p50_ns: int
    handling_p99_ns: int


class BookMetrics(Struct, frozen=True):
    """What one book has been through, as of the call that returned it.

    gaps: holes in the ids of its deltas; resyncs: times it stopped being LIVE; failures: repairs that had to be begun again; refreshes:
    snapshots taken in while LIVE; duplicates: frames that were not newer; overlaps: deltas that were newer in part; not_live_ns: time
    since the start in which it could not be read.
    """

    gaps: int
    resyncs: int
    failures: int
    refreshes: int
    duplicates: int
    overlaps: int
    not_live_ns: int
