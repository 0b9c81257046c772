"""Use ccxt's mexc classes against a box: ``python mexc_ccxt.py http://127.0.0.1:PORT ws://127.0.0.1:PORT/ws``.

Nothing but URLs is changed. ccxt reads protobuf with its own generated modules. Exits with 1 when a step fails.
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
DEADLINE_S = 30.0


def aim(client: Any, rest: str, ws: str) -> Any:
    """Point every URL of a ccxt client at the box; on contracts ``/api/v1/contract`` is part of it."""
    api = client.urls["api"]
    api["spot"] = dict.fromkeys(api["spot"], rest)
    api["contract"] = {access: f"{rest}/api/v1/{'contract' if access == 'public' else 'private'}" for access in api["contract"]}
    if "ws" in api:
        api["ws"] = dict.fromkeys(api["ws"], ws)
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


async def rest_steps(mexc: Any) -> str:
    """Markets, tickers, trades, book, candles, time, over REST."""
    markets = await mexc.load_markets()
    check(len(markets) >= 20, f"{len(markets)} markets")
    check(markets["BTC/USDT"]["precision"]["price"] == 0.1, "tick size of BTC/USDT")
    check(all(markets[symbol]["active"] for symbol in SYMBOLS), "not active")
    ticker = await mexc.fetch_ticker("BTC/USDT")
    check(ticker["low"] <= ticker["last"] <= ticker["high"], "last price outside the day's range")
    check(len(await mexc.fetch_tickers()) >= 20, "tickers")
    quotes = await mexc.fetch_bids_asks(SYMBOLS)
    check(all(each["bid"] < each["ask"] for each in quotes.values()), "quotes")
    trades = await mexc.fetch_trades("BTC/USDT", limit=10)
    check(len(trades) == 10 and all(each["side"] in ("buy", "sell") for each in trades), "trades")
    is_sound(await mexc.fetch_order_book("BTC/USDT", 100), 100)
    candles = await mexc.fetch_ohlcv("BTC/USDT", "1m", limit=50)
    check(len(candles) == 50, f"{len(candles)} candles")
    check(all(row[3] <= min(row[1], row[4]) and row[2] >= max(row[1], row[4]) for row in candles), "a candle's high or low")
    since = candles[-20][0]
    check((await mexc.fetch_ohlcv("BTC/USDT", "1m", since=since))[0][0] == since, "candles since")
    check(abs(await mexc.fetch_time() - time.time() * 1000) < 5_000, "server time")
    check(await _raises(ccxt_rest.BadSymbol, mexc.spotPublicGetDepth({"symbol": "NOPEUSDT"})), "an unknown symbol is no BadSymbol")
    return f"{len(markets)} markets"


async def watch_trades(mexc: Any) -> str:
    """Trades."""
    seen = []
    while len(seen) < 20:
        seen += await mexc.watch_trades("BTC/USDT")
    check(all(each["side"] in ("buy", "sell") and each["price"] > 0 for each in seen), "a trade")
    return f"{len(seen)} trades"


async def watch_books(mexc: Any) -> str:
    """Snapshot over REST, joined to the stream of deltas; ccxt waits for 25 of those first."""
    for symbol in SYMBOLS:
        for _ in range(10):
            is_sound(await mexc.watch_order_book(symbol), 50)
    return f"{len(SYMBOLS)} books"


async def watch_prices(mexc: Any) -> str:
    """Best bid and ask, candles. Its ticker of spot is the book ticker."""
    ticker = await mexc.watch_ticker("BTC/USDT")
    check(ticker["bid"] < ticker["ask"], "ticker")
    candles = await mexc.watch_ohlcv("BTC/USDT", "1m")
    check(len(candles) >= 1 and candles[-1][3] <= candles[-1][4] <= candles[-1][2], "candles")
    return "ticker, candle"


async def unwatch(mexc: Any) -> str:
    """No answer is waited for, so this sees only that everything else goes on."""
    await mexc.un_watch_trades("BTC/USDT")
    await mexc.watch_ticker("ETH/USDT")
    return "trades"


async def _raises(kind: type[Exception], awaitable: Awaitable[Any]) -> bool:
    try:
        await awaitable
    except kind:
        return True
    return False


async def main(rest: str, ws: str) -> int:
    """Run all steps; return the number of failures."""
    over_rest, over_ws = aim(ccxt_rest.mexc(), rest, ws), aim(ccxt_pro.mexc(), rest, ws)
    steps: list[tuple[Callable[[Any], Awaitable[str]], Any]] = [(rest_steps, over_rest)]
    steps += [(step, over_ws) for step in (watch_trades, watch_books, watch_prices, unwatch)]
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
