"""MEXC spot frames to measure with, in both forms: the box's own, and one of a size that it rarely sends, built from the protocol notes."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec
from google.protobuf.json_format import MessageToDict

from exwire.loopback import sample_frames
from exwire_mexc.loopback import MexcScript
from exwire_mexc.spot.schema import parse, parse_rows
from exwire_mexc.spot.venue import MexcSpotPublicHandler
from mexc_frames import BODIES, LEGACY, answer, push

__all__ = ["CHANNELS", "JSON", "OLD", "SLOW_ROAD", "handler", "tape"]

_SECONDS: Final = 20.0


@cache
def _sampled() -> dict[str, tuple[bytes, ...]]:
    frames = sample_frames(MexcScript(), seconds=_SECONDS)
    return {name: tuple(each.encode() if isinstance(each, str) else each for each in said) for name, said in frames.items()}


def _median(frames: tuple[bytes, ...]) -> bytes:
    """Return a frame of the median length among those with a body."""
    full = sorted((frame for frame in frames if parse(frame).WhichOneof("body")), key=len)
    return full[len(full) // 2]


def _rows(best: float, step: float, count: int) -> list[dict[str, str]]:
    return [{"price": f"{best + step * place:.2f}", "quantity": f"0.{place * 791_907 + 1_000_007:08d}"} for place in range(count)]


def _channels() -> dict[str, bytes]:
    sampled = _sampled()
    deal = BODIES["publicAggreDeals"]["deals"][0] | {"tradeId": "730292425431437318X0_1790145447233000000_1"}
    return {
        "trade": push("publicAggreDeals", deals=[deal]),
        "5 trades": push("publicAggreDeals", deals=[deal] * 5),
        "book_ticker": _median(sampled["book_ticker"]),
        "book_ticker batch": _median(sampled["book_ticker_batch"]),
        "ticker": _median(sampled["ticker"]),
        "candle": _median(sampled["candle"]),
        "aggre.depth 20+20": push("publicAggreDepths", bids=_rows(91251.0, -0.01, 20), asks=_rows(91251.1, 0.01, 20)),
        "aggre.depth 100 ms": _median(sampled["book_100"]),
        "limit.depth 5+5": _median(sampled["book_snapshot_5"]),
        "limit.depth 20+20": _median(sampled["book_snapshot_20"]),
    }


def _rendered(frame: bytes) -> bytes:
    """Return a binary push in protobuf's own JSON form, without spaces."""
    return msgspec.json.encode(MessageToDict(parse_rows(frame)))  # type: ignore[arg-type]  # it is a message


CHANNELS: Final = _channels()
"""A typical binary frame of each channel."""

JSON: Final = {name: _rendered(frame) for name, frame in CHANNELS.items()}
"""The same pushes in protobuf's JSON form."""

OLD: Final = {name: msgspec.json.encode(fields) for name, fields in LEGACY.items() if name != "miniTickers"}
"""Pushes of before protobuf."""

SLOW_ROAD: Final = {
    "ack": (answer("spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"), True),
    "refusal": (answer("Not Subscribed successfully! [spot@public.aggre.deals.v3.api.pb@100ms@NOPEUSDT].  Reason： Blocked! "), True),
    "pong": (answer("PONG", id=0), True),
    "empty window": (push("publicAggreDeals")[:60], False),
    "undecodable": (CHANNELS["trade"][:-40], False),
    "other symbol": (CHANNELS["trade"].replace(b"BTCUSDT", b"DOGUSDT"), False),
    "all tickers": (_sampled()["tickers"][-1], False),
}
"""What is no event, or none that was asked for, or many of them: frame, and whether it is text."""


def tape(name: str) -> tuple[bytes, ...]:
    """Return all frames that the box sent on a topic in 20 s. name: of ``MexcScript.samples``."""
    return _sampled()[name]


def handler() -> MexcSpotPublicHandler:
    """Return a handler that has subscribed to BTC/USDT."""
    made = MexcSpotPublicHandler()
    made.symbols["BTCUSDT"] = "BTC/USDT"
    return made
