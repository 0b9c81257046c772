"""MEXC spot, bytes to event: the pure part."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import msgspec
import pytest

from benchmarks.meter import Meter
from benchmarks.mexc_tape import CHANNELS, JSON
from benchmarks.report import Bar
from exwire.model import Event
from exwire_mexc.spot import decode, wire
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.schema import parse, parse_rows
from exwire_mexc.spot.text import Text, read_text

SYMBOLS = {"BTCUSDT": "BTC/USDT"}
CALLS = 200

BODIES = {
    "trade": ("publicAggreDeals", wire.Deals),
    "book_ticker": ("publicAggreBookTicker", wire.BookTicker),
    "ticker": ("publicMiniTicker", wire.MiniTicker),
    "aggre.depth 20+20": ("publicAggreDepths", wire.AggreDepths),
}


def of_binary(frame: bytes) -> Sequence[Event]:
    """Read and convert a binary frame."""
    return to_events(read_binary(frame), frame, SYMBOLS, 1)


def of_text(frame: bytes) -> Sequence[Event]:
    """Read and convert a text frame."""
    push = read_text(frame)
    assert type(push) is wire.Push
    return to_events(push, frame, SYMBOLS, 1)


@pytest.mark.parametrize("name", CHANNELS)
def test_decode(meter: Meter, name: str) -> None:
    """One binary frame to its events: protobuf, numbers, checks, conversion. No handler, no callback."""
    meter.time(f"decode: {name}", of_binary, CHANNELS[name])


@pytest.mark.parametrize("name", JSON)
def test_decode_json(meter: Meter, name: str) -> None:
    """The same push in protobuf's JSON form."""
    meter.time(f"decode json: {name}", of_text, JSON[name])


@pytest.mark.parametrize("name", [name for name in CHANNELS if "20+20" in name])
def test_decode_by_rows(meter: Meter, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A book whose rows are messages, as MEXC's schema has them: what reading them as columns is held against."""
    monkeypatch.setattr(decode, "_IN_COLUMNS", {})
    monkeypatch.setattr(decode, "parse", parse_rows)

    meter.time(f"decode by rows: {name}", of_binary, CHANNELS[name])


@pytest.mark.parametrize("name", BODIES)
def test_detect(meter: Meter, name: str) -> None:
    """Parsing a binary frame and telling its body, which is the least that any reading of it takes."""
    frame = CHANNELS[name]
    body, _ = BODIES[name]

    def detect() -> None:
        assert parse(frame).WhichOneof("body") == body

    meter.time(f"detect: {name}", detect, bar=Bar(8.0))


@pytest.mark.parametrize("name", BODIES)
def test_detect_json(meter: Meter, name: str) -> None:
    """Telling a text frame's kind: what the decoder of all takes longer than the decoder of this push alone, same frame."""
    body, kind = BODIES[name]
    fields: list[tuple[str, Any, Any]] = [("channel", str, ""), ("symbol", str, ""), ("sendTime", int, 0), (body, kind | None, None)]
    of_one = msgspec.json.Decoder(msgspec.defstruct("One", fields), strict=False).decode
    of_all = msgspec.json.Decoder(Text, strict=False).decode
    frame = JSON[name]

    def with_detection() -> float:
        started = perf_counter()
        for _ in range(CALLS):
            of_all(frame)
        return perf_counter() - started

    def without() -> float:
        started = perf_counter()
        for _ in range(CALLS):
            of_one(frame)
        return perf_counter() - started

    taken = meter.together({"with": with_detection, "without": without}, rounds=300)
    samples = [max(0.0, a - b) / CALLS * 1e6 for a, b in zip(taken["with"], taken["without"], strict=True)]
    meter.add(f"detect json: {name}", samples, bar=Bar(8.0))
