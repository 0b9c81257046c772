"""Gate.io spot frames to measure with: the box's own, and one of a size that it rarely sends, built from the protocol notes."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from exwire.loopback import sample_frames
from exwire_gateio.loopback import GateioScript
from exwire_gateio.spot.venue import GateioSpotPublicHandler
from gateio_frames import ack

__all__ = ["CHANNELS", "SLOW_ROAD", "handler", "tape"]

_SECONDS: Final = 20.0


@cache
def _sampled() -> dict[str, tuple[bytes, ...]]:
    frames = sample_frames(GateioScript(), seconds=_SECONDS)
    return {name: tuple(each.encode() if isinstance(each, str) else each for each in said) for name, said in frames.items()}


def _median(frames: tuple[bytes, ...]) -> bytes:
    """Return a frame of the median length."""
    return sorted(frames, key=len)[len(frames) // 2]


def _deep(frame: bytes) -> bytes:
    """Return an order_book_update with 20 levels a side; everything else, the order of its fields too, stays as it was."""
    message: dict[str, Any] = msgspec.json.decode(frame)
    message["result"] |= {"b": _rows(91251.0, -0.1, 20), "a": _rows(91251.1, 0.1, 20)}
    return msgspec.json.encode(message)


def _rows(best: float, step: float, count: int) -> list[list[str]]:
    return [[f"{best + step * place:.1f}", f"0.{place * 7919 + 10007:06d}"] for place in range(count)]


def _channels() -> dict[str, bytes]:
    sampled = _sampled()
    return {
        "trade": _median(sampled["trades"]),
        "book_ticker": _median(sampled["book_ticker"]),
        "ticker": _median(sampled["ticker"]),
        "candle": _median(sampled["candle"]),
        "order_book_update 20+20": _deep(_median(sampled["book_update_20"])),
        "order_book_update": _median(sampled["book_update_20"]),
        "obu delta": _median(sampled["obu_50"]),
        "obu 50+50 snapshot": sampled["obu_50"][0],
        "order_book 20+20": _median(sampled["book_snapshot_20"]),
    }


CHANNELS: Final = _channels()
"""A typical frame of each channel."""

SLOW_ROAD: Final = {
    "ack": ack(),
    "pong": b'{"time":1790134410,"time_ms":1790134410515,"conn_id":"3e2ed73842f9228b","channel":"spot.pong","event":"","result":null}',
    "undecodable": CHANNELS["trade"][:-40],
    "other symbol": CHANNELS["trade"].replace(b"BTC_USDT", b"DOGE_USDT"),
}
"""What is no event, or none that was asked for."""


def tape(name: str) -> tuple[bytes, ...]:
    """Return all frames that the box sent on a topic in 20 s. name: of ``GateioScript.samples``."""
    return _sampled()[name]


def handler() -> GateioSpotPublicHandler:
    """Return a handler that has subscribed to BTC/USDT."""
    made = GateioSpotPublicHandler()
    made.symbols["BTC_USDT"] = "BTC/USDT"
    return made
