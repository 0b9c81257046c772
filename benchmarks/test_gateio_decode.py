"""Gate.io spot, bytes to event: the pure part."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import msgspec
import pytest

from benchmarks.gateio_tape import CHANNELS
from benchmarks.meter import Meter
from benchmarks.report import Bar
from exwire_gateio.spot import wire
from exwire_gateio.spot.decode import decode

SYMBOLS = {"BTC_USDT": "BTC/USDT"}
CALLS = 200

TYPES = {
    "trade": wire.TradePush,
    "book_ticker": wire.BookTickerPush,
    "ticker": wire.TickerPush,
    "order_book_update 20+20": wire.OrderBookUpdatePush,
    "obu delta": wire.ObuPush,
}


@pytest.mark.parametrize("name", CHANNELS)
def test_decode(meter: Meter, name: str) -> None:
    """One frame to one event: JSON, numbers, checks, conversion. No handler, no callback."""
    meter.time(f"decode: {name}", decode, CHANNELS[name], SYMBOLS, 1)


@pytest.mark.parametrize("name", TYPES)
def test_detect(meter: Meter, name: str) -> None:
    """Telling the message's type: what the decoder of all pushes takes longer than the decoder of this one alone, same frame."""
    of_all = msgspec.json.Decoder(wire.Push, strict=False).decode
    of_one = msgspec.json.Decoder(TYPES[name], strict=False).decode
    frame = CHANNELS[name]

    taken = meter.together({"all": calling(of_all, frame), "one": calling(of_one, frame)}, rounds=300)

    of_all_us, of_one_us = ([seconds / CALLS * 1e6 for seconds in taken[who]] for who in ("all", "one"))
    meter.add(f"detect: {name}", of_all_us, bar=Bar(8.0), baseline=of_one_us)


def calling(decoder: Callable[[bytes], object], frame: bytes) -> Callable[[], float]:
    """Return a contender: seconds of 200 calls."""

    def run() -> float:
        started = perf_counter()
        for _ in range(CALLS):
            decoder(frame)
        return perf_counter() - started

    return run
