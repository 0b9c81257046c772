"""MEXC's protobuf pushes in the box, written byte by byte from the field numbers of the protocol notes.

No descriptor, and nothing of our decoder: what the two have in common would be wrong in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from exwire.loopback.book import Rows
from exwire.loopback.market import CandleBar, SimInstrument, SimTrade
from exwire.loopback.topics import BookState, Delta, Frame
from exwire.model import Side

__all__ = [
    "aggre_book_ticker", "aggre_deals", "aggre_depth", "book_ticker_batch", "fixed", "kline", "limit_depth", "message", "mini_ticker",
    "mini_tickers", "no_deals", "pair_of",
]  # fmt: skip

_LIMIT_DEPTHS, _KLINE, _MINI_TICKER, _MINI_TICKERS = 303, 308, 309, 310
_BOOK_TICKER_BATCH, _AGGRE_DEPTHS, _AGGRE_DEALS, _AGGRE_BOOK_TICKER = 311, 313, 314, 315
"""Field numbers of the bodies."""

_OTHER_COUNTER: Final = 26_323_931_104
"""What the versions of ``limit.depth`` are ahead of those of ``aggre.depth``, so that nobody relies on the two being one counter."""

_DAY_S: Final = 86_400
_TICKER_ZONE_S: Final = 8 * 3600
"""``rate`` is of the day at UTC+8 whatever the topic's zone."""


def message(*fields: tuple[int, str | int | bytes]) -> bytes:
    """Return a message of (number, value) in that order. Proto3 leaves defaults out: 0 and ``""``; ``bytes``, a message, is never one."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            if value:
                out += _varint(number << 3) + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        elif value or isinstance(value, bytes):
            data = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return bytes(out)


def aggre_deals(topic: str, instrument: SimInstrument, trades: list[SimTrade], now_ns: int) -> list[Frame]:
    """Return one frame with all of a window's trades."""
    deals = [(1, _deal(instrument, trade)) for trade in trades]
    return [_push(topic, now_ns, _AGGRE_DEALS, message(*deals, (2, _event_type(topic, instrument))), pair_of(instrument))]


def no_deals(topic: str, instrument: SimInstrument, now_ns: int) -> Frame:
    """Return the frame without a body that stands for an empty window."""
    return message((1, topic), (3, pair_of(instrument)), (6, now_ns // 1_000_000))


def aggre_depth(topic: str, delta: Delta, now_ns: int) -> Frame:
    """Return everything that happened to the book in a window."""
    body = message(
        *_levels(1, delta.instrument, delta.asks),
        *_levels(2, delta.instrument, delta.bids),
        (3, _event_type(topic, delta.instrument)),
        (4, str(delta.first_id)),
        (5, str(delta.last_id)),
        (6, delta.time_ns // 1_000_000),
    )
    return _push(topic, now_ns, _AGGRE_DEPTHS, body, pair_of(delta.instrument))


def limit_depth(topic: str, state: BookState, now_ns: int) -> Frame:
    """Return the best levels whole."""
    body = message(
        *_levels(1, state.instrument, state.asks),
        *_levels(2, state.instrument, state.bids),
        (3, topic.partition("@" + pair_of(state.instrument))[0]),
        (4, str(state.last_id + _OTHER_COUNTER)),
        (5, state.time_ns // 1_000_000),
    )
    return _push(topic, now_ns, _LIMIT_DEPTHS, body, pair_of(state.instrument))


def aggre_book_ticker(topic: str, instrument: SimInstrument, now_ns: int) -> Frame:
    """Return best bid and ask, with the version of the book."""
    stamps = (5, str(instrument.book.update_id)), (6, instrument.book.time_ns // 1_000_000)
    return _push(topic, now_ns, _AGGRE_BOOK_TICKER, message(*_quote(instrument), *stamps), pair_of(instrument))


def book_ticker_batch(topic: str, state: BookState, now_ns: int) -> Frame:
    """Return best bid and ask as the only item of a batch."""
    body = message((1, message(*_quote(state.instrument))), (2, str(state.last_id)), (3, state.time_ns // 1_000_000))
    return _push(topic, now_ns, _BOOK_TICKER_BATCH, body, pair_of(state.instrument))


def kline(topic: str, instrument: SimInstrument, candle: CandleBar, now_ns: int) -> Frame:
    """Return a candle. Its frame has a ``symbolId``, and says when it was created instead of when it was sent."""
    bar, price, pair = candle.bar, instrument.price_text, pair_of(instrument)
    body = message(
        (1, topic.rpartition("@")[2]), (2, candle.start_s), (3, price(bar.open)), (4, price(bar.close)), (5, price(bar.high)),
        (6, price(bar.low)), (7, instrument.qty_text(bar.lots)), (8, instrument.notional_text(bar.notional)), (9, candle.end_s),
    )  # fmt: skip
    symbol_id = hashlib.sha256(pair.encode()).hexdigest()[:32]
    return message((1, topic), (3, pair), (4, symbol_id), (5, now_ns // 1_000_000), (_KLINE, body))


def mini_ticker(topic: str, zone_s: int | None, instrument: SimInstrument, now_ns: int) -> Frame:
    """Return the statistics of one pair. zone_s: the topic's time zone, seconds east of Greenwich, None for rolling 24 hours."""
    return _push(topic, now_ns, _MINI_TICKER, _mini_ticker(zone_s, instrument, now_ns), pair_of(instrument))


def mini_tickers(topic: str, zone_s: int | None, instruments: Iterable[SimInstrument], now_ns: int) -> Frame:
    """Return the statistics of all pairs, around which no symbol stands."""
    items = [(1, _mini_ticker(zone_s, each, now_ns)) for each in instruments]
    return _push(topic, now_ns, _MINI_TICKERS, message(*items), "")


def pair_of(instrument: SimInstrument) -> str:
    """Return MEXC's spelling of a symbol."""
    return instrument.listing.symbol.replace("/", "")


def fixed(value: int, decimals: int) -> str:
    """Return ``value / 10 ** decimals`` with all its decimals, zeros too."""
    text = str(value).rjust(decimals + 1, "0")
    return f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _push(topic: str, now_ns: int, number: int, body: bytes, pair: str) -> bytes:
    return message((1, topic), (3, pair), (6, now_ns // 1_000_000), (number, body))


def _event_type(topic: str, instrument: SimInstrument) -> str:
    return topic.removesuffix("@" + pair_of(instrument))


def _levels(number: int, instrument: SimInstrument, rows: Rows) -> list[tuple[int, bytes]]:
    """Books are printed with every decimal, a deleted level as ``0.00000000``; REST leaves the zeros of a quantity out."""
    prices, lots = instrument.listing.price_decimals, instrument.listing.qty_decimals
    return [(number, message((1, fixed(price, prices)), (2, fixed(qty, lots)))) for price, qty in rows]


def _quote(instrument: SimInstrument) -> list[tuple[int, str]]:
    """A side without orders has no fields."""
    fields = []
    for number, ladder in ((1, instrument.book.bids), (3, instrument.book.asks)):
        if ladder.best is not None:
            fields.append((number, fixed(ladder.best, instrument.listing.price_decimals)))
            fields.append((number + 1, instrument.qty_text(ladder.lots[ladder.best])))
    return fields


def _deal(instrument: SimInstrument, trade: SimTrade) -> bytes:
    return message(
        (1, fixed(trade.price, instrument.listing.price_decimals)), (2, instrument.qty_text(trade.lots)),
        (3, 1 if trade.side is Side.BUY else 2), (4, trade.ts_ns // 1_000_000), (5, f"{trade.id}X0"),
    )  # fmt: skip


def _mini_ticker(zone_s: int | None, instrument: SimInstrument, now_ns: int) -> bytes:
    day, price = instrument.day(now_ns), instrument.price_text
    rate = _ratio(_change(_TICKER_ZONE_S, instrument, now_ns))
    zoned = _ratio(day.change if zone_s is None else _change(zone_s, instrument, now_ns))
    high, low = price(day.high), price(day.low)
    return message(
        (1, pair_of(instrument)), (2, price(day.last)), (3, rate), (4, zoned), (5, high), (6, low),
        (7, instrument.notional_text(day.notional)), (8, instrument.qty_text(day.lots)), (9, rate), (10, zoned), (11, high), (12, low),
    )  # fmt: skip


def _change(zone_s: int, instrument: SimInstrument, now_ns: int) -> float:
    """Return how the price moved since midnight there, a ratio."""
    now_s = now_ns // 1_000_000_000
    start_s = (now_s + zone_s) // _DAY_S * _DAY_S - zone_s
    first = instrument.candle(start_s, start_s + 60, now_ns)
    return 0.0 if first is None else instrument.day(now_ns).last / first.bar.open - 1


def _ratio(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
