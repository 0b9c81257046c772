"""Turn Gate.io spot frames into exwire events. Pure: bytes in, structs out.

Source: Gate.io WebSocket v4, "Spot", read 2026-11; ``v`` and ``a`` of a candle as captured frames show them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from exwire.errors import DecodeError
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Ticker, Trade, sorted_asks, sorted_bids
from exwire.wire import UNREADABLE
from exwire_gateio.names import VENUE
from exwire_gateio.spot.wire import (
    BookTickerPush,
    CandlestickPush,
    CandlestickResult,
    ObuPush,
    OrderBookPush,
    OrderBookUpdatePush,
    Push,
    TickerPush,
    TradePush,
    TradeV2Push,
)

__all__ = ["TO_EVENT", "decode", "decode_push", "exact_ns"]

decode_push: Final[Callable[[bytes], Push]] = msgspec.json.Decoder(Push, strict=False).decode
_MAX_NS: Final = 2**63 - 1


def decode(frame: bytes, symbols: Mapping[str, str], ts_recv: int) -> Event:
    """Return the event that a frame carries.

    symbols: the venue's spelling → unified symbol. Raises KeyError when the frame's pair is not among them, and DecodeError for
    everything that is not a whole and sane push, acks included.
    """
    try:
        push = decode_push(frame)
        return TO_EVENT[type(push)](push, symbols, ts_recv)
    except UNREADABLE as exc:
        raise DecodeError(VENUE, str(exc), frame) from exc


def _trade(push: TradePush, symbols: Mapping[str, str], ts_recv: int) -> Trade:
    result = push.result
    ts_event = exact_ns(result.create_time_ms) if result.create_time_ms else _created_at(push)
    return Trade(VENUE, symbols[result.currency_pair], ts_event, ts_recv, str(result.id), result.side, result.price, result.amount)


def _book_ticker(push: BookTickerPush, symbols: Mapping[str, str], ts_recv: int) -> BookTicker:
    result = push.result
    bid, bid_qty, ask, ask_qty = result.b, result.B, result.a, result.A
    if bid and bid_qty and ask and ask_qty:
        return BookTicker(VENUE, symbols[result.s], result.t * 1_000_000, ts_recv, result.u, bid, bid_qty, ask, ask_qty)
    return _half_book_ticker(push, symbols, ts_recv)


def _half_book_ticker(push: BookTickerPush, symbols: Mapping[str, str], ts_recv: int) -> BookTicker:
    """Return a book ticker of which something is empty or zero; ``float("")`` refuses a price without an amount."""
    result = push.result
    bid, bid_qty = (result.b, float(result.B)) if result.b else (None, 0.0)
    ask, ask_qty = (result.a, float(result.A)) if result.a else (None, 0.0)
    return BookTicker(VENUE, symbols[result.s], result.t * 1_000_000, ts_recv, result.u, bid, bid_qty, ask, ask_qty)


def _order_book(push: OrderBookPush, symbols: Mapping[str, str], ts_recv: int) -> BookSnapshot:
    result = push.result
    return BookSnapshot(
        VENUE, symbols[result.s], result.t * 1_000_000, ts_recv, result.lastUpdateId, sorted_bids(result.bids), sorted_asks(result.asks)
    )


def _order_book_update(push: OrderBookUpdatePush, symbols: Mapping[str, str], ts_recv: int) -> BookDelta | BookSnapshot:
    result = push.result
    symbol = symbols[result.s]
    if result.full:
        return BookSnapshot(VENUE, symbol, result.t * 1_000_000, ts_recv, result.u, sorted_bids(result.b), sorted_asks(result.a))
    if result.u < result.U:
        raise ValueError(f"expected U <= u, got U {result.U} and u {result.u}")
    return BookDelta(VENUE, symbol, result.t * 1_000_000, ts_recv, result.U, result.u, result.b, result.a)


def _obu(push: ObuPush, symbols: Mapping[str, str], ts_recv: int) -> BookDelta | BookSnapshot:
    result = push.result
    symbol = symbols[_stream_pair(result.s)]
    if result.full:
        return BookSnapshot(VENUE, symbol, result.t * 1_000_000, ts_recv, result.u, sorted_bids(result.b), sorted_asks(result.a))
    if result.U is None or result.u < result.U:
        raise ValueError(f"expected U <= u, got U {result.U} and u {result.u}")
    return BookDelta(VENUE, symbol, result.t * 1_000_000, ts_recv, result.U, result.u, result.b, result.a)


@lru_cache(maxsize=4096)  # 0.06 µs instead of 0.26
def _stream_pair(stream: str) -> str:
    pair, _, depth = stream[3:].rpartition(".")
    if stream[:3] != "ob." or not pair or not depth:
        raise ValueError(f"expected a stream such as ob.BTC_USDT.50, got {stream!r} - at `$.result.s`")
    return pair


def _ticker(push: TickerPush, symbols: Mapping[str, str], ts_recv: int) -> Ticker:
    result = push.result
    return Ticker(
        VENUE,
        symbols[result.currency_pair],
        _sent_at(push),
        ts_recv,
        result.last,
        result.change_percentage / 100,
        result.high_24h,
        result.low_24h,
        result.base_volume,
        result.quote_volume,
        result.highest_bid or None,
        result.lowest_ask or None,
    )


def _candle(push: CandlestickPush, symbols: Mapping[str, str], ts_recv: int) -> Candle:
    result = push.result
    interval, _, pair = result.n.partition("_")
    if not interval:
        raise ValueError(f"expected a name such as 1m_BTC_USDT, got {result.n!r} - at `$.result.n`")
    base_volume, quote_volume = _volumes(result)
    return Candle(
        VENUE,
        symbols[pair],
        _sent_at(push),
        ts_recv,
        interval,
        result.t * 1_000_000_000,
        result.o,
        result.h,
        result.l,
        result.c,
        base_volume,
        quote_volume,
        result.w,
    )


TO_EVENT: Final[dict[type[Push], Callable[[Any, Mapping[str, str], int], Event]]] = {
    OrderBookUpdatePush: _order_book_update,
    ObuPush: _obu,
    BookTickerPush: _book_ticker,
    TradePush: _trade,
    TradeV2Push: _trade,
    OrderBookPush: _order_book,
    TickerPush: _ticker,
    CandlestickPush: _candle,
}


_NS_SCALE: Final = {20: 1, 19: 10, 18: 100, 17: 1_000, 16: 10_000, 15: 100_000}
"""By the length of thirteen digits, a point and one to six more: what they have to be multiplied by without the point."""
_THIRTEEN_DIGITS: Final = 10**18
"""No such text with something else than digits in it reaches this number: int() accepts signs, spaces and underscores."""


def exact_ns(milliseconds: str) -> int:
    """Return ns of milliseconds with a fraction, digit by digit: a float tells only 244 ns apart here. Digits below 1 ns are cut off."""
    scale = _NS_SCALE.get(len(milliseconds))
    if scale and milliseconds[13] == ".":  # as Gate writes it: 0.45 µs instead of 0.65
        try:
            ns = int(milliseconds.replace(".", "", 1)) * scale
        except ValueError:
            pass
        else:
            if _THIRTEEN_DIGITS <= ns <= _MAX_NS:
                return ns
    return _any_ns(milliseconds)


def _any_ns(milliseconds: str) -> int:
    whole, _, fraction = milliseconds.partition(".")
    digits = whole + fraction
    if digits.isascii() and digits.isdecimal():
        ns = int((digits + "000000")[: len(whole) + 6])
        if 0 < ns <= _MAX_NS:
            return ns
    raise ValueError(f"expected milliseconds such as 1606292218213.4578, got {milliseconds!r} - at `$.result.create_time_ms`")


def _created_at(push: TradePush) -> int:
    return push.result.create_time * 1_000_000_000 or _sent_at(push)


def _sent_at(push: TradePush | TickerPush | CandlestickPush) -> int:
    """Return when Gate sent a push, ns; frames from before 2022 say it in seconds only."""
    if push.time_ms:
        return push.time_ms * 1_000_000
    if push.time:
        return push.time * 1_000_000_000
    raise ValueError("expected a time in `$.time_ms` or `$.time`")


def _volumes(result: CandlestickResult) -> tuple[float | None, float]:
    """Return base and quote volume.

    The sources disagree on which of ``v`` and ``a`` is which; captured frames of 2022 and 2026 have the quote volume in ``v``. A pair that
    only fits the other way round (base × low <= quote <= base × high) is read the other way round. Frames of 2021 have no ``a``.
    """
    v, a = result.v, result.a
    if a is None:
        return None, v
    if not a * result.l <= v <= a * result.h and v * result.l <= a <= v * result.h:
        return v, a
    return a, v
