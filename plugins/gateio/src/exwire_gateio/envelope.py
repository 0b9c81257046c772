"""What Gate.io says around the data, the same on every market: acks, errors, pongs, notices; and how a request is wrapped. Pure.

Source: Gate.io WebSocket v4, "Request", "Response", "Error", "System API", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from exwire.errors import DecodeError
from exwire.lifecycle import Notice
from exwire.subscription import Ack, Pong, Request
from exwire.wire import UNREADABLE
from exwire_gateio.names import VENUE

__all__ = ["carries_many", "ping", "read_control", "topic_name", "wrap"]

_MANY: Final = frozenset({"trades", "trades_v2", "tickers", "book_ticker", "obu", "public_liquidates"})
"""Channels, without their market, whose payload lists topics; elsewhere the whole payload names one."""


class Refused(Struct):
    """``{"code":2,"message":"unknown currency pair: NOPE_USD"}``."""

    code: int | str = ""
    message: str = ""


class Envelope(Struct):
    """Everything but the data.

    {"time":1790134507,"time_ms":1790134507715,"id":12,"conn_id":"8b9b24f2d19b4d6b","trace_id":"6e4f","channel":"spot.order_book_update",
     "event":"subscribe","payload":["NOPE_USD","100ms"],"error":{"code":2,"message":"unknown currency pair: NOPE_USD"},
     "result":{"status":"fail"},"requestId":"6e4f"}
    {"time":1790134410,"time_ms":1790134410515,"channel":"spot.pong","event":"","result":null,"requestId":"591b"}
    """

    channel: str = ""
    event: str | None = ""
    id: int | None = None
    payload: tuple[str, ...] | None = None
    error: Refused | None = None
    result: Raw = Raw()
    time: int | None = None
    time_ms: int | None = None


class Announcement(Struct):
    """``{"type":"upgrade","msg":"The connection will soon be closed for a service upgrade. Please reconnect."}``."""

    type: str = ""
    msg: str = ""


class Wrapped(Struct, omit_defaults=True):
    """``{"time":1611541000,"id":12,"channel":"spot.trades","event":"subscribe","payload":["BTC_USDT","ETH_USDT"]}``."""

    time: int
    channel: str
    id: int | None = None
    event: str = ""
    payload: tuple[str, ...] = ()


_decode_envelope: Final = msgspec.json.Decoder(Envelope, strict=False).decode
_decode_announcement: Final = msgspec.json.Decoder(Announcement | None).decode


def wrap(channel: str, event: str, payload: Sequence[str], id: int, now_ns: int) -> bytes:
    """Return a subscribe or unsubscribe frame. now_ns: ns since the epoch; Gate tolerates 60 s of difference."""
    return msgspec.json.encode(Wrapped(now_ns // 1_000_000_000, channel, id, event, tuple(payload)))


def ping(channel: str, now_ns: int) -> Request:
    """Return Gate's own ping on ``spot.ping``, ``futures.ping``."""
    return Request(0, msgspec.json.encode(Wrapped(now_ns // 1_000_000_000, channel)))


def carries_many(channel: str) -> bool:
    """Return whether one frame of this channel may name several topics, each an element of its payload."""
    return channel.partition(".")[2] in _MANY


def topic_name(channel: str, payload: Sequence[str]) -> str:
    """Return what names one topic on a connection: ``spot.trades BTC_USDT``, ``spot.candlesticks 1m BTC_USDT``."""
    return " ".join((channel, *payload))


def read_control(frame: bytes, cause: DecodeError) -> Ack | Pong | Notice:
    """Return what a frame that is no event says.

    cause: why it is no event; raised, with the channel in front, when the frame is no control message either. Success is the absence of
    ``error``: Gate's docs warn that ``result.status`` is not to be read.
    """
    try:
        envelope = _decode_envelope(frame)
    except UNREADABLE as exc:
        # A frame with a wrong envelope is reported for that; one that is not JSON at all failed the same way twice.
        raise DecodeError(VENUE, f"neither an event ({cause.reason}) nor a control message ({exc})", frame) from exc
    if envelope.channel.endswith(".pong"):
        return Pong(_sent_at(envelope))
    if envelope.channel.endswith(".system") or envelope.event == "upgrade":
        return _notice(envelope, frame)
    if envelope.event in ("subscribe", "unsubscribe") and (envelope.error is not None or envelope.result):
        return _ack(envelope)  # a frame with neither is a request, which Gate never sends
    if envelope.error is not None and not envelope.event:
        # A request that Gate could not even read is answered without event, and often without id.
        return _ack(envelope) if envelope.id is not None or envelope.payload else _complaint(envelope.error)
    said = f"{envelope.channel or 'no channel'}, event {envelope.event!r}"
    raise DecodeError(VENUE, f"{said}: {cause.reason}", frame) from cause


def _sent_at(envelope: Envelope) -> int:
    """Return ns, 0 for a time that is absent or cannot be: a pong is worth more than its clock."""
    ns = envelope.time_ms * 1_000_000 if envelope.time_ms else (envelope.time or 0) * 1_000_000_000
    return ns if 0 < ns < 2**63 else 0


def _ack(envelope: Envelope) -> Ack:
    """Frames are atomic and a refusal does not say which topic was bad, so an answer with an id names none; without, its payload does."""
    topics = () if envelope.id is not None else _topics(envelope.channel, envelope.payload or ())
    if envelope.error is None:
        return Ack(envelope.id, ok=True, topics=topics)
    return Ack(envelope.id, ok=False, topics=topics, code=str(envelope.error.code), message=envelope.error.message)


def _topics(channel: str, payload: tuple[str, ...]) -> tuple[str, ...]:
    if not payload:
        return ()
    if carries_many(channel):
        return tuple(topic_name(channel, (each,)) for each in payload)
    return (topic_name(channel, payload),)


def _notice(envelope: Envelope, frame: bytes) -> Notice:
    """Both spellings: the kind in ``result.type``, and in ``event``."""
    try:
        body = _decode_announcement(envelope.result or b"null") or Announcement()
    except UNREADABLE as exc:
        raise DecodeError(VENUE, f"{envelope.channel or 'no channel'}, event {envelope.event!r}: result: {exc}", frame) from exc
    event = "" if envelope.event == "update" else envelope.event
    return Notice(VENUE, body.type or event or "system", body.msg)


def _complaint(error: Refused) -> Notice:
    return Notice(VENUE, "error", f"{error.code} {error.message}".strip())
