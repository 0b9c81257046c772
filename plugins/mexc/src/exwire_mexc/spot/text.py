"""MEXC spot's text frames: answers, and the two JSON forms in which pushes may come, from a gateway or a recording.

Answers are all that MEXC itself still sends as text. A push may be in protobuf's JSON form, whose members are the messages' fields and
whose 64-bit integers are text, or in the form of before protobuf.
"""

# ruff: noqa: N815 - the fields are spelt as MEXC spells them

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from exwire.errors import DecodeError
from exwire.wire import UNREADABLE
from exwire_mexc.names import VENUE
from exwire_mexc.spot import wire
from exwire_mexc.spot.control import Control, read_answer, read_plain
from exwire_mexc.spot.legacy import read_array, read_body
from exwire_mexc.spot.wire import PUBLIC, Push

__all__ = ["read_text"]

_Time = Annotated[int, Meta(ge=0, le=9_223_372_036_854)]


class Text(Struct, gc=False):
    """All that a text frame may say. ``msg``: an answer; ``channel`` and a body: a push in protobuf's JSON form; ``c``: an old push.

    {"id":7,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"}
    """

    id: int | None = None
    msg: str | UnsetType | None = UNSET
    c: str = ""
    d: Raw = Raw()
    s: str = ""
    t: _Time = 0
    channel: str = ""
    symbol: str = ""
    createTime: _Time = 0
    sendTime: _Time = 0
    publicAggreDepths: wire.AggreDepths | None = None
    publicAggreBookTicker: wire.BookTicker | None = None
    publicAggreDeals: wire.Deals | None = None
    publicLimitDepths: wire.LimitDepths | None = None
    publicSpotKline: wire.SpotKline | None = None
    publicMiniTicker: wire.MiniTicker | None = None
    publicMiniTickers: wire.MiniTickers | None = None
    publicBookTickerBatch: wire.BookTickerBatch | None = None
    publicBookTicker: wire.BookTicker | None = None
    publicDeals: wire.Deals | None = None
    publicIncreaseDepths: wire.IncreaseDepths | None = None
    publicIncreaseDepthsBatch: wire.IncreaseDepthsBatch | None = None


_BODIES: Final = tuple(name for name in Text.__struct_fields__ if name.startswith("public"))
_KNOWN: Final = frozenset(Text.__struct_fields__) | {"symbolId"}

_decode: Final = msgspec.json.Decoder(Text, strict=False).decode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def read_text(frame: bytes) -> Push | tuple[Control, ...]:
    """Return what a text frame holds, its numbers converted and checked. Raises DecodeError."""
    try:
        if frame[:1] == b"[":
            return read_array(frame)
        said = _decode(frame)
        if said.msg is not UNSET:
            return read_answer(said.id, said.msg or "")
        if said.c:
            return Push(said.c, said.s, said.t, read_body(said.c, said.d))
    except UNREADABLE as exc:
        plain = read_plain(frame)
        if plain is not None:
            return (plain,)
        raise DecodeError(VENUE, str(exc), frame) from exc
    if not said.channel.startswith(PUBLIC):
        raise DecodeError(VENUE, f"expected an answer or a public spot push, got channel {said.channel[:80]!r}", frame)
    body = next((body for body in (getattr(said, name) for name in _BODIES) if body is not None), None)
    unknown = 0 if body is not None else _unknown_members(frame)
    return Push(said.channel, said.symbol, said.sendTime or said.createTime, body, unknown)


def _unknown_members(frame: bytes) -> int:
    try:
        return len(_members(frame).keys() - _KNOWN)
    except UNREADABLE as exc:  # a member that the typed decoder skipped unread may have a name that is not UTF-8
        raise DecodeError(VENUE, str(exc), frame) from exc
