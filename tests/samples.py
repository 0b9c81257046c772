"""The shared real payloads beside a checkout, and their index.

``EXWIRE_SAMPLES`` names the folder; the default is ``../shared/samples`` beside the project. They are read where they lie, never copied.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

__all__ = ["Sample", "index", "needs_samples", "read", "samples_dir", "select"]

_PROJECT = Path(__file__).resolve().parent.parent


class Place(Struct, frozen=True):
    """Where a payload stands in a sequence. role: ``snapshot`` or ``delta``."""

    name: str
    pos: int
    role: str


class Sample(Struct, frozen=True):
    """One line of the index. kind: ``ws_push``, ``ws_ack``, ``ws_request``, ``rest_response``, ``rest_request``, ``signature_vector``."""

    id: str
    file: str
    exchange: str
    market: str
    kind: str
    channel: str
    era: str
    genuine: str
    note: str | None = None
    expected: dict[str, Any] = {}
    sequence: Place | None = None


def samples_dir() -> Path:
    """Return the folder, which need not exist."""
    return Path(os.environ.get("EXWIRE_SAMPLES") or _PROJECT.parent / "shared" / "samples")


@cache
def index() -> tuple[Sample, ...]:
    """Return every line of the index, ``()`` where the folder is absent."""
    file = samples_dir() / "INDEX.jsonl"
    if not file.is_file():
        return ()
    return tuple(msgspec.json.decode(line, type=Sample) for line in file.read_bytes().splitlines() if line.strip())


def select(exchange: str, market: str, *kinds: str) -> list[Sample]:
    """Return the samples of one market, of these kinds."""
    return [each for each in index() if each.exchange == exchange and each.market == market and each.kind in kinds]


def read(sample: Sample) -> bytes:
    """Return the payload as it lies in its file."""
    return (samples_dir() / sample.file).read_bytes()


needs_samples = pytest.mark.skipif(
    not index(), reason=f"the shared samples are not at {samples_dir()}; set EXWIRE_SAMPLES to the folder that holds INDEX.jsonl"
)
