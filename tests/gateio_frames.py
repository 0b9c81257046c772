"""Gate.io spot frames built from the protocol notes, one of each public channel, a way to bend them, and who hears what comes of them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["ABSENT", "RESULTS", "ack", "edited", "push"]

ABSENT: Final = object()
"""Given as a field's value, it leaves the field out."""

RESULTS: Final[dict[str, dict[str, Any]]] = {
    "spot.trades": {
        "id": 309143071,
        "id_market": 5736713,
        "create_time": 1606292218,
        "create_time_ms": "1606292218213.4578",
        "side": "sell",
        "currency_pair": "BTC_USDT",
        "amount": "16.4700000000",
        "price": "0.4705000000",
        "range": "2390902-2390902",
    },
    "spot.book_ticker": {
        "t": 1790134391753,
        "u": 48123156,
        "s": "BTC_USDT",
        "b": "118.91",
        "B": "13.548",
        "a": "118.99",
        "A": "65.556",
    },
    "spot.order_book": {
        "t": 1790134390437,
        "lastUpdateId": 48123154,
        "s": "BTC_USDT",
        "l": "20",
        "bids": [["118.91", "13.548"], ["118.90", "2"]],
        "asks": [["118.99", "43.704"], ["119", "1"]],
    },
    "spot.order_book_update": {
        "t": 1790134390805,
        "e": "depthUpdate",
        "E": 1790134390,
        "s": "BTC_USDT",
        "l": "100",
        "U": 474334686,
        "u": 474334687,
        "b": [["2765.2", "1.4816"]],
        "a": [],
    },
    "spot.obu": {
        "t": 1757377580073,
        "s": "ob.BTC_USDT.50",
        "U": 27053258982,
        "u": 27053258987,
        "b": [["111665.9", "0"]],
    },
    "spot.tickers": {
        "currency_pair": "BTC_USDT",
        "last": "86695.3",
        "lowest_ask": "86691.6",
        "highest_bid": "86690",
        "change_percentage": "1.3401",
        "base_volume": "0.211442",
        "quote_volume": "18239.3197469",
        "high_24h": "86835.7",
        "low_24h": "85121.6",
    },
    "spot.candlesticks": {
        "t": "1606292580",
        "v": "73241.17",
        "c": "19130.1",
        "h": "19131",
        "l": "19127",
        "o": "19128.1",
        "n": "1m_BTC_USDT",
        "a": "3.8286",
        "w": True,
    },
}
RESULTS["spot.trades_v2"] = RESULTS["spot.trades"]

_ENVELOPE: Final[dict[str, Any]] = {"time": 1790134390, "time_ms": 1790134390863, "channel": "", "event": "update"}


def edited(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with changes; those set to ABSENT are left out."""
    return {name: value for name, value in (fields | changes).items() if value is not ABSENT}


def push(channel: str, *, envelope: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """Return the channel's frame. changes: of its result; envelope: changes around it."""
    outside = edited(_ENVELOPE | {"channel": channel}, envelope or {})
    return msgspec.json.encode({"result": edited(RESULTS[channel], changes)} | outside)


def ack(channel: str = "spot.trades", **changes: Any) -> bytes:
    """Return the answer to a subscription."""
    fields: dict[str, Any] = {
        "time": 1789456334,
        "time_ms": 1789456334999,
        "id": 12,
        "conn_id": "c59a69fd3702aa1d",
        "trace_id": "5597c780565cf57ad16784743225b18b",
        "channel": channel,
        "event": "subscribe",
        "payload": ["BTC_USDT", "ETH_USDT"],
        "result": {"status": "success"},
        "requestId": "5597c780565cf57ad16784743225b18b",
    }
    return msgspec.json.encode(edited(fields, changes))
