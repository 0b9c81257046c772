"""Turn MEXC spot pushes into exwire events: frame → push → events. Pure: bytes in, structs out.

Source: MEXC spot v3 WebSocket, "Public", read 2026-11; which of a ticker's two volumes is which as captured frames show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from msgspec import Struct, convert

from exwire.errors import DecodeError
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Level, Side, Ticker, Trade, sorted_asks, sorted_bids
from exwire.wire import UNREADABLE
from exwire_mexc.names import VENUE
from exwire_mexc.spot import wire
from exwire_mexc.spot.encode import INTERVALS
from exwire_mexc.spot.schema import UNPARSABLE, parse, parse_rows, unknown_fields
from exwire_mexc.spot.wire import PUBLIC, Body, Push, PushDataV3ApiWrapper

__all__ = ["read_binary", "to_events"]

_MAX_MS: Final = 9_223_372_036_854
"""In the year 2262, where nanoseconds leave 63 bits."""

_SIDES: Final = {1: Side.BUY, 2: Side.SELL}
_INTERVALS: Final = {venues: unified for unified, venues in INTERVALS.items()}


def read_binary(frame: bytes) -> Push:
    """Return the push that a binary frame holds, its numbers converted and checked. Raises DecodeError."""
    try:
        push = parse(frame)
    except UNPARSABLE as exc:
        raise DecodeError(VENUE, f"expected a PushDataV3ApiWrapper: {exc}", frame) from exc
    channel, name = push.channel, push.WhichOneof("body")
    if not channel.startswith(PUBLIC) or (name is not None and name not in _READ):
        raise DecodeError(VENUE, f"expected a public spot push, got channel {channel[:80]!r} with {name or 'no body'}", frame)
    sent_ms, unknown = push.sendTime or push.createTime, len(unknown_fields(push))
    if name is None:
        return Push(channel, push.symbol, sent_ms, None, unknown)
    message: Any = getattr(push, name)
    try:
        in_columns = _IN_COLUMNS.get(name)
        body = in_columns(message, push, frame) if in_columns else None
        if body is None:
            body = _READ[name](getattr(parse_rows(frame), name) if in_columns else message)
    except UNREADABLE as exc:
        raise DecodeError(VENUE, f"{channel[:80]}: {name}: {exc}", frame) from exc
    return Push(channel, push.symbol, sent_ms, body, unknown + len(unknown_fields(message)))


def to_events(push: Push, frame: bytes, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    """Return the events that a push carries, all of one kind, in the venue's order.

    frame: what the push was read from; symbols: the venue's spelling → unified symbol. Rows of other symbols in a push for all of them are
    left out; raises KeyError when the push itself is of another one, DecodeError for what is not sane.
    """
    body = push.body
    if body is None:
        return ()
    kind = type(body)
    convert_body = _TO_EVENTS.get(kind) or _TO_EVENTS[kind.__mro__[1]]  # the old forms are subclasses
    try:
        return convert_body(push, body, symbols, ts_recv)
    except ValueError as exc:
        raise DecodeError(VENUE, f"{push.channel[:80]}: {exc}", frame) from exc


# Protobuf messages become the structs of wire.py: single ones attribute by attribute in C, repeated ones as lists of such.

B = TypeVar("B", bound=Struct)


def _single(kind: type[B], message: object) -> B:
    return convert(message, kind, strict=False, from_attributes=True)


def _listed(kind: type[B], name: str, rows: Iterable[object]) -> B:
    return convert({name: [*rows]}, kind, strict=False, from_attributes=True)


def _deals(message: wire.DealsMessage) -> wire.Deals:
    return _listed(wire.Deals, "deals", message.deals)


def _aggre_depths(message: wire.AggreDepthsMessage) -> wire.AggreDepths:
    fields = {
        "asks": [*message.asks],
        "bids": [*message.bids],
        "fromVersion": message.fromVersion,
        "toVersion": message.toVersion,
    }
    return convert(fields, wire.AggreDepths, strict=False, from_attributes=True)


D = TypeVar("D", wire.LimitDepths, wire.IncreaseDepths)


def _versioned_depths(kind: type[D], message: wire.VersionedDepthsMessage) -> D:
    fields = {"asks": [*message.asks], "bids": [*message.bids], "version": message.version}
    return convert(fields, kind, strict=False, from_attributes=True)


def _depths_batch(message: wire.DepthsBatchMessage) -> wire.IncreaseDepthsBatch:
    return wire.IncreaseDepthsBatch(tuple([_versioned_depths(wire.IncreaseDepths, each) for each in message.items]))


def _book_ticker_batch(message: wire.BookTickersMessage) -> wire.BookTickerBatch:
    fields = {"items": [*message.items], "version": message.version}
    return convert(fields, wire.BookTickerBatch, strict=False, from_attributes=True)


def _mini_tickers(message: wire.MiniTickersMessage) -> wire.MiniTickers:
    """One pair that cannot be read does not cost the other two thousand; when none can, the first one's fault is raised."""
    try:
        return _listed(wire.MiniTickers, "items", message.items)
    except UNREADABLE:
        rows, fault = [], None
        for item in message.items:
            try:
                rows.append(_single(wire.MiniTicker, item))
            except UNREADABLE as exc:
                fault = fault or exc
        if not rows and fault is not None:
            raise fault from None
        return wire.MiniTickers(tuple(rows), bad=len(message.items) - len(rows))


_READ: Final[dict[str, Callable[[Any], Body]]] = {
    "publicAggreDepths": _aggre_depths,
    "publicAggreBookTicker": partial(_single, wire.BookTicker),
    "publicAggreDeals": _deals,
    "publicLimitDepths": partial(_versioned_depths, wire.LimitDepths),
    "publicSpotKline": partial(_single, wire.SpotKline),
    "publicMiniTicker": partial(_single, wire.MiniTicker),
    "publicMiniTickers": _mini_tickers,
    "publicBookTickerBatch": _book_ticker_batch,
    "publicBookTicker": partial(_single, wire.BookTicker),
    "publicDeals": _deals,
    "publicIncreaseDepths": partial(_versioned_depths, wire.IncreaseDepths),
    "publicIncreaseDepthsBatch": _depths_batch,
}


# Books are read as columns: 19 µs for 20 + 20 levels, where row by row takes 26 (benchmarks/test_mexc_decode.py). The columns fit together
# when every row has a price and a quantity, which the size of the frame tells; where it does not, row by row decides.


def _aggre_columns(message: wire.AggreColumnsMessage, push: PushDataV3ApiWrapper, frame: bytes) -> wire.AggreColumns | None:
    sides = _sides(message, push, frame)
    if sides is None:
        return None
    return convert({"fromVersion": message.fromVersion, "toVersion": message.toVersion} | sides, wire.AggreColumns, strict=False)


def _limit_columns(message: wire.LimitColumnsMessage, push: PushDataV3ApiWrapper, frame: bytes) -> wire.LimitColumns | None:
    sides = _sides(message, push, frame)
    return None if sides is None else convert({"version": message.version} | sides, wire.LimitColumns, strict=False)


def _sides(message: wire.ColumnsMessage, push: PushDataV3ApiWrapper, frame: bytes) -> dict[str, object] | None:
    """Return the columns of both sides, None when a row may have lacked something: protobuf leaves out text that is empty.

    Told of frames whose writer puts each field of a row once, as every encoder does.

    In the frame each row has a tag and a length, a byte each; merged, a side has one tag and one length. With whole rows the frame is
    longer than the merged push by a number of bytes that is known but for the one by which the length of the body may have grown; a row
    more or less makes two.
    """
    asks, bids = message.asks, message.bids
    ask_prices, ask_quantities, bid_prices, bid_quantities = asks.price[:], asks.quantity[:], bids.price[:], bids.quantity[:]
    if len(ask_prices) != len(ask_quantities) or len(bid_prices) != len(bid_quantities):
        return None
    if len(unknown_fields(asks)) or len(unknown_fields(bids)):
        return None  # their bytes are not in the sum below, and would hide that a row lacks something
    if (not ask_prices and message.HasField("asks")) or (not bid_prices and message.HasField("bids")):
        return None
    saved = _saved(ask_prices, ask_quantities) + _saved(bid_prices, bid_quantities)
    if len(frame) - push.ByteSize() - saved not in {0, 1}:
        return None
    return {
        "asks": {"price": ask_prices, "quantity": ask_quantities},
        "bids": {"price": bid_prices, "quantity": bid_quantities},
    }


def _saved(prices: list[str], quantities: list[str]) -> int:
    """Return how many bytes merging whole rows saves. Each text has a tag and a length of its own, and a length takes a byte for 7 bits."""
    rows = len(prices)
    if not rows:
        return 0
    merged = 4 * rows + len("".join(prices)) + len("".join(quantities))
    return 2 * rows - 1 - (merged.bit_length() + 6) // 7


_IN_COLUMNS: Final[dict[str, Callable[[Any, PushDataV3ApiWrapper, bytes], Body | None]]] = {
    "publicAggreDepths": _aggre_columns,
    "publicLimitDepths": _limit_columns,
}


# The structs of wire.py become events.


def _trades(push: Push, body: wire.Deals, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    symbol = symbols[push.symbol]
    return [
        Trade(VENUE, symbol, deal.time * 1_000_000, ts_recv, deal.tradeId, _SIDES[deal.tradeType], deal.price, deal.quantity)
        for deal in body.deals
    ]


def _delta(push: Push, body: wire.AggreDepths, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return _changes(push, body.fromVersion, body.toVersion, _levels(body.bids), _levels(body.asks), symbols, ts_recv)


def _delta_of_columns(push: Push, body: wire.AggreColumns, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return _changes(push, body.fromVersion, body.toVersion, _zipped(body.bids), _zipped(body.asks), symbols, ts_recv)


def _changes(
    push: Push, first: int, last: int, bids: tuple[Level, ...], asks: tuple[Level, ...], symbols: Mapping[str, str], ts_recv: int
) -> Sequence[Event]:
    if last < first:
        raise ValueError(f"expected fromVersion <= toVersion, got {first} and {last}")
    return (BookDelta(VENUE, symbols[push.symbol], _sent_at(push), ts_recv, first, last, bids, asks),)


def _increase(push: Push, body: wire.IncreaseDepths, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return _increases(push, wire.IncreaseDepthsBatch((body,)), symbols, ts_recv)


def _increases(push: Push, body: wire.IncreaseDepthsBatch, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    symbol, ts_event = symbols[push.symbol], _sent_at(push)
    return [
        BookDelta(VENUE, symbol, ts_event, ts_recv, each.version, each.version, _levels(each.bids), _levels(each.asks))
        for each in body.items
    ]


def _snapshot(push: Push, body: wire.LimitDepths, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return _top_of_book(push, body.version, _levels(body.bids), _levels(body.asks), symbols, ts_recv)


def _snapshot_of_columns(push: Push, body: wire.LimitColumns, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return _top_of_book(push, body.version, _zipped(body.bids), _zipped(body.asks), symbols, ts_recv)


def _top_of_book(
    push: Push, version: int, bids: tuple[Level, ...], asks: tuple[Level, ...], symbols: Mapping[str, str], ts_recv: int
) -> Sequence[Event]:
    """Rows in their order, best first; a row without quantity is no level and is left out."""
    return (BookSnapshot(VENUE, symbols[push.symbol], _sent_at(push), ts_recv, version, sorted_bids(bids), sorted_asks(asks)),)


def _book_ticker(push: Push, body: wire.BookTicker, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return (_top(push, body, body.version, symbols, ts_recv),)


def _book_tickers(push: Push, body: wire.BookTickerBatch, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    """The push has one version, so all of its rows carry it."""
    return [_top(push, each, body.version, symbols, ts_recv) for each in body.items]


def _top(push: Push, row: wire.BookTicker, version: int | str, symbols: Mapping[str, str], ts_recv: int) -> BookTicker:
    bid, bid_qty = _side(row.bidPrice, row.bidQuantity)
    ask, ask_qty = _side(row.askPrice, row.askQuantity)
    return BookTicker(VENUE, symbols[push.symbol], _sent_at(push), ts_recv, int(version or 0), bid, bid_qty, ask, ask_qty)


def _side(price: float | str, qty: float | str) -> tuple[float | None, float]:
    """A side without orders may be absent, empty or zero: MEXC does not say, and none of it can mean anything else."""
    if price and qty != "":
        return float(price), float(qty)
    if price or qty:
        raise ValueError(f"expected a price above 0 with a quantity, or neither, got {price!r} and {qty!r}")
    return None, 0.0


def _candle(push: Push, body: wire.SpotKline, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    """MEXC does not say that a candle closed: the next one begins."""
    interval = _INTERVALS.get(body.interval)
    if interval is None:
        raise ValueError(f"expected an interval such as Min15, got {body.interval!r}")
    return (
        Candle(
            VENUE,
            symbols[push.symbol],
            _sent_at(push),
            ts_recv,
            interval,
            body.windowStart * 1_000_000_000,
            body.openingPrice,
            body.highestPrice,
            body.lowestPrice,
            body.closingPrice,
            body.volume,
            body.amount,
            closed=False,
        ),
    )


def _ticker(push: Push, body: wire.MiniTicker, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    return (_rolling(push, body, symbols, ts_recv),)


def _tickers(push: Push, body: wire.MiniTickers, symbols: Mapping[str, str], ts_recv: int) -> Sequence[Event]:
    events = []
    for each in body.items:
        try:
            events.append(_rolling(push, each, symbols, ts_recv))
        except KeyError:
            continue
    return events


def _rolling(push: Push, row: wire.MiniTicker, symbols: Mapping[str, str], ts_recv: int) -> Ticker:
    return Ticker(
        VENUE,
        symbols[row.symbol],
        _sent_at(push),
        ts_recv,
        row.price,
        row.zonedRate,
        row.high,
        row.low,
        row.quantity,
        row.volume,
    )


_TO_EVENTS: Final[dict[type, Callable[[Push, Any, Mapping[str, str], int], Sequence[Event]]]] = {
    wire.Deals: _trades,
    wire.AggreColumns: _delta_of_columns,
    wire.AggreDepths: _delta,
    wire.IncreaseDepths: _increase,
    wire.IncreaseDepthsBatch: _increases,
    wire.LimitColumns: _snapshot_of_columns,
    wire.LimitDepths: _snapshot,
    wire.BookTicker: _book_ticker,
    wire.BookTickerBatch: _book_tickers,
    wire.SpotKline: _candle,
    wire.MiniTicker: _ticker,
    wire.MiniTickers: _tickers,
}


def _levels(rows: tuple[wire.Level, ...]) -> tuple[Level, ...]:
    return tuple([(row.price, row.quantity) for row in rows])


def _zipped(side: wire.Side) -> tuple[Level, ...]:
    return tuple(zip(side.price, side.quantity, strict=True))


def _sent_at(push: Push) -> int:
    ms = push.sent_ms
    if not 0 < ms <= _MAX_MS:
        raise ValueError(f"expected a time in sendTime or createTime, ms, got {ms}")
    return ms * 1_000_000
