"""Use pymexc's spot classes against a box: ``python mexc_pymexc.py http://127.0.0.1:PORT ws://127.0.0.1:PORT/ws``.

Nothing but URLs is changed. pymexc reads protobuf with its own generated modules. Exits with 1 when a step fails.

The wheel of pymexc 1.3.1 cannot be imported: it lacks a module of private web endpoints, for which an empty one stands in here.
"""

from __future__ import annotations

import queue
import sys
import time
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

sys.modules["pymexc._async.web"] = ModuleType("pymexc._async.web")

import pymexc.base_websocket  # noqa: E402
from pymexc import spot  # noqa: E402
from pymexc.base import MexcAPIError  # noqa: E402

DEADLINE_S = 20.0

STREAMS: dict[str, tuple[Callable[[Any, Callable[[Any], None]], object], Callable[[Any], bool]]] = {
    "deals": (
        lambda ws, call: ws.deals_stream(call, ["BTCUSDT", "ETHUSDT"], "100ms"),
        lambda body: all(float(each.price) > 0 and each.tradeType in (1, 2) and each.time > 0 for each in body.deals),
    ),
    "depth": (
        lambda ws, call: ws.depth_stream(call, "BTCUSDT", "100ms"),
        lambda body: 0 < int(body.fromVersion) <= int(body.toVersion),
    ),
    "depth 10ms": (
        lambda ws, call: ws.depth_stream(call, "ETHUSDT", "10ms"),
        lambda body: 0 < int(body.fromVersion) <= int(body.toVersion),
    ),
    "limit depth": (
        # its limit_depth_stream puts the level before the symbol, which is no topic of the documentation's, nor of the box's
        lambda ws, call: ws._ws_subscribe("public.limit.depth", call, ["BTCUSDT@20"]),
        lambda body: len(body.asks) == len(body.bids) == 20 and float(body.bids[0].price) < float(body.asks[0].price),
    ),
    "book ticker": (
        lambda ws, call: ws.book_ticker_stream(call, "PEPEUSDT", "100ms"),
        lambda body: 0 < float(body.bidPrice) < float(body.askPrice),
    ),
    "book ticker batch": (
        lambda ws, call: ws.book_ticker_batch_stream(call, ["BTCUSDT"]),
        lambda body: all(0 < float(each.bidPrice) < float(each.askPrice) for each in body.items),
    ),
    "kline": (
        lambda ws, call: ws.kline_stream(call, "BTCUSDT", "Min1"),
        lambda body: (
            float(body.lowestPrice) <= float(body.closingPrice) <= float(body.highestPrice) and body.windowEnd - body.windowStart == 60
        ),
    ),
    "mini tickers": (
        lambda ws, call: ws.mini_tickers_stream(call, "UTC+8"),
        lambda body: len(body.items) >= 20 and all(float(each.low) <= float(each.price) <= float(each.high) for each in body.items),
    ),
    "mini ticker": (
        lambda ws, call: ws.mini_ticker_stream(call, "BTCUSDT", "24H"),
        lambda body: body.symbol == "BTCUSDT" and float(body.low) <= float(body.price) <= float(body.high),
    ),
}  # fmt: skip
"""How each stream is asked for, and what its message has to be."""


def rest_steps(http: Any) -> str:
    """Every public call."""
    symbols = http.exchange_info()["symbols"]
    book = http.order_book("BTCUSDT", 5000)
    assert http.ping() == {}
    assert abs(http.time()["serverTime"] - time.time() * 1000) < 5_000
    assert len(symbols) >= 20
    assert len(http.default_symbols()["data"]) == len(symbols)
    assert http.exchange_info(symbol="ETHBTC")["symbols"][0]["baseAsset"] == "ETH"
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert len(http.trades("BTCUSDT", 10)) == 10
    assert len(http.agg_trades("BTCUSDT", limit=10)) == 10
    assert len(http.klines("BTCUSDT", interval="1m", limit=5)[0]) == 8
    assert http.avg_price("BTCUSDT")["mins"] == 5
    assert http.ticker_24h("BTCUSDT")["symbol"] == "BTCUSDT"
    assert len(http.ticker_24h()) == len(http.ticker_price()) == len(http.ticker_book_price()) == len(symbols)
    try:
        http.order_book("NOPEUSDT")
    except MexcAPIError as exc:
        said = str(exc)
    else:
        said = "not refused"
    assert "-1121" in said, said
    return f"{len(symbols)} symbols"


def stream_step(ws: Any, name: str) -> str:
    """Wait for some messages of one stream."""
    subscribe, is_sound = STREAMS[name]
    bodies: queue.Queue[Any] = queue.Queue()
    topics = subscribe(ws, bodies.put)
    for _ in range(3):
        body = bodies.get(timeout=DEADLINE_S)
        assert is_sound(body), body
    return f"{type(body).__name__} from {topics}"


def unsubscribe_step(ws: Any) -> str:
    """After the answer nothing comes any more."""
    bodies: queue.Queue[Any] = queue.Queue()
    topic = ws.book_ticker_stream(bodies.put, "SOLUSDT", "100ms")
    bodies.get(timeout=DEADLINE_S)
    ws.unsubscribe(topic)
    time.sleep(0.5)
    while not bodies.empty():
        bodies.get()
    time.sleep(0.5)
    assert bodies.empty()
    return str(topic)


def refusal_step(ws: Any) -> str:
    """The callback of a refused topic is taken back."""
    topic = ws.depth_stream(lambda _: None, "NOPEUSDT", "100ms")
    deadline = time.monotonic() + DEADLINE_S
    while topic in ws.callback_directory:
        assert time.monotonic() < deadline, "not refused"
        time.sleep(0.02)
    return topic


def main(rest: str, ws: str) -> int:
    """Run all steps; return the number of failures."""
    pymexc.base_websocket.SPOT = ws  # by which its sockets know which of the two markets they serve
    http, socket = spot.HTTP(), spot.WebSocket()
    http.base_url, socket.endpoint = rest, ws
    steps: dict[str, Callable[[], str]] = {"REST": lambda: rest_steps(http)}
    steps |= {name: lambda name=name: stream_step(socket, name) for name in STREAMS}
    steps |= {"unsubscribe": lambda: unsubscribe_step(socket), "refusal": lambda: refusal_step(socket)}
    failed = 0
    for name, step in steps.items():
        try:
            print(f"ok    pymexc {name}: {step()}", flush=True)
        except Exception:  # noqa: BLE001  # a compatibility report lists whatever a foreign client raises
            failed += 1
            print(f"FAIL  pymexc {name}\n{traceback.format_exc()}", flush=True)
    socket.exit()
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:3]) else 0)
