"""What the model promises of every event, whatever frame it came from."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

import msgspec

from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Level, Side, Ticker, Trade

__all__ = ["check"]


def check(event: Event, *, venue: str, ts_recv: int) -> None:
    """Assert it: finite numbers in their ranges, sorted snapshots, times and ids of 63 bits, JSON that leads back."""
    assert event.venue == venue
    assert event.symbol
    assert 0 < event.ts_event < 2**63
    assert event.ts_recv == ts_recv
    match event:
        case Trade():
            assert _is_price(event.price)
            assert _is_number(event.qty)
            assert type(event.side) is Side
        case BookTicker():
            for price, qty in ((event.bid_price, event.bid_qty), (event.ask_price, event.ask_qty)):
                assert qty == 0 if price is None else _is_price(price)
                assert _is_number(qty)
            assert 0 <= event.update_id < 2**63
        case BookSnapshot():
            assert _are_levels(event.bids + event.asks, of_snapshot=True)
            assert all(higher[0] >= lower[0] for higher, lower in pairwise(event.bids))
            assert all(lower[0] <= higher[0] for lower, higher in pairwise(event.asks))
            assert 0 <= event.last_id < 2**63
        case BookDelta():
            assert _are_levels(event.bids + event.asks, of_snapshot=False)
            assert 0 <= event.first_id <= event.last_id < 2**63
        case Ticker():
            assert all(map(_is_number, (event.last, event.high, event.low, event.base_volume)))
            assert event.quote_volume is None or _is_number(event.quote_volume)
            assert isfinite(event.change)
            assert all(price is None or _is_price(price) for price in (event.bid_price, event.ask_price))
        case Candle():
            assert all(map(_is_price, (event.open, event.high, event.low, event.close)))
            assert all(volume is None or _is_number(volume) for volume in (event.base_volume, event.quote_volume))
            assert event.interval
            assert 0 < event.ts_open < 2**63
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event


def _is_price(price: float) -> bool:
    return isfinite(price) and price > 0


def _is_number(number: float) -> bool:
    return isfinite(number) and number >= 0


def _are_levels(levels: tuple[Level, ...], *, of_snapshot: bool) -> bool:
    return all(_is_price(price) and _is_number(qty) and (qty > 0 or not of_snapshot) for price, qty in levels)
