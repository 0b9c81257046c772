"""Use ccxt's gate classes against a box: ``python gate_ccxt.py http://127.0.0.1:PORT/api/v4 ws://127.0.0.1:PORT/ws/v4/``.

Nothing but URLs is changed. Exits with 1 when a step fails.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.async_support as ccxt_rest
import ccxt.pro as ccxt_pro

SYMBOLS = ["BTC/USDT", "ETH/USDT", "PEPE/USDT", "ETH/BTC"]
DEADLINE_S = 20.0


def aim(client: Any, rest: str, ws: str) -> Any:
    """Point every URL of a ccxt client at the box."""
    for access in ("public", "private"):
        client.urls["api"][access] = dict.fromkeys(client.urls["api"][access], rest)
    if "ws" in client.urls["api"] or "spot" in client.urls["api"]:
        client.urls["api"]["spot"] = ws
    return client


def check(condition: bool, what: str) -> None:
    """Raise when a claim does not hold."""
    if not condition:
        raise AssertionError(what)


def is_sound(book: Any, levels: int) -> None:
    """A book is sorted, uncrossed and deep enough."""
    bids, asks = [row[0] for row in book["bids"]], [row[0] for row in book["asks"]]
    check(len(bids) >= levels and len(asks) >= levels, f"{len(bids)} + {len(asks)} levels, wanted {levels} each")
    check(bids == sorted(bids, reverse=True) and asks == sorted(asks), "levels out of order")
    check(bids[0] < asks[0], f"crossed: {bids[0]} >= {asks[0]}")


async def rest_steps(gate: Any) -> str:
    """Markets, currencies, ticker, trades, book, candles, time, over REST."""
    markets = await gate.load_markets()
    check(len(markets) >= 20, f"{len(markets)} markets")
    check(markets["BTC/USDT"]["precision"]["price"] == 0.1, "tick size of BTC/USDT")
    ticker = await gate.fetch_ticker("BTC/USDT")
    check(ticker["low"] <= ticker["last"] <= ticker["high"], "last price outside the day's range")
    check(len(await gate.fetch_tickers()) >= 20, "tickers")
    trades = await gate.fetch_trades("BTC/USDT", limit=10)
    check(len(trades) == 10 and all(each["side"] in ("buy", "sell") for each in trades), "trades")
    is_sound(await gate.fetch_order_book("BTC/USDT", 100), 100)
    candles = await gate.fetch_ohlcv("BTC/USDT", "1m", limit=50)
    check(len(candles) == 50, f"{len(candles)} candles")
    check(all(row[3] <= min(row[1], row[4]) and row[2] >= max(row[1], row[4]) for row in candles), "a candle's high or low")
    since = candles[-20][0]
    check((await gate.fetch_ohlcv("BTC/USDT", "1m", since=since))[0][0] == since, "candles since")
    check(abs(await gate.fetch_time() - time.time() * 1000) < 5_000, "server time")
    check(
        await _raises(ccxt_rest.BadSymbol, gate.publicSpotGetOrderBook({"currency_pair": "NOPE_USDT"})), "an unknown pair is no BadSymbol"
    )
    return f"{len(markets)} markets"


async def watch_trades(gate: Any) -> str:
    """Trades of one and of several symbols."""
    seen: list[Any] = []
    while len(seen) < 20:
        seen += await gate.watch_trades("BTC/USDT")
    several = await gate.watch_trades_for_symbols(["ETH/USDT", "SOL/USDT"])
    check(several[0]["symbol"] in ("ETH/USDT", "SOL/USDT"), "symbol")
    return f"{len(seen)} trades"


async def watch_books(gate: Any) -> str:
    """The default depth, and the deep one."""
    for symbol in SYMBOLS:
        for _ in range(10):
            is_sound(await gate.watch_order_book(symbol), 50)
    for _ in range(5):
        is_sound(await gate.watch_order_book("SOL/USDT", 400), 400)
    return f"{len(SYMBOLS) + 1} books"


async def watch_prices(gate: Any) -> str:
    """Tickers, best bid and ask, candles."""
    ticker = await gate.watch_ticker("BTC/USDT")
    check(ticker["last"] > 0, "ticker")
    quotes = await gate.watch_bids_asks(["BTC/USDT"])
    check(quotes["BTC/USDT"]["bid"] < quotes["BTC/USDT"]["ask"], "quote")
    candles = await gate.watch_ohlcv("BTC/USDT", "1m")
    check(len(candles) >= 1, "candles")
    return "ticker, quote, candle"


async def unwatch(gate: Any) -> str:
    """Unsubscribing is confirmed."""
    await gate.un_watch_trades("BTC/USDT")
    return "trades"


async def refusal(gate: Any) -> str:
    """A bad pair fails in the caller."""
    url = gate.urls["api"]["spot"]
    refused = gate.subscribe_public(url, "ticker:NOPE", ["NOPE_USDT"], "spot.tickers")
    check(await _raises(ccxt_rest.BaseError, refused), "an unknown pair was not refused")
    return "unknown pair"


async def _raises(kind: type[Exception], awaitable: Awaitable[Any]) -> bool:
    try:
        await awaitable
    except kind:
        return True
    return False


async def main(rest: str, ws: str) -> int:
    """Run all steps; return the number of failures."""
    over_rest, over_ws = aim(ccxt_rest.gate(), rest, ws), aim(ccxt_pro.gate(), rest, ws)
    steps: list[tuple[Callable[[Any], Awaitable[str]], Any]] = [(rest_steps, over_rest)]
    steps += [(step, over_ws) for step in (watch_trades, watch_books, watch_prices, unwatch, refusal)]
    failed = 0
    for step, client in steps:
        try:
            async with asyncio.timeout(DEADLINE_S):
                print(f"ok    ccxt {step.__name__}: {await step(client)}", flush=True)
        except Exception:  # noqa: BLE001  # a compatibility report lists whatever a foreign client raises
            failed += 1
            print(f"FAIL  ccxt {step.__name__}\n{traceback.format_exc()}", flush=True)
    await over_rest.close()
    await over_ws.close()
    return failed


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(*sys.argv[1:3])) else 0)
