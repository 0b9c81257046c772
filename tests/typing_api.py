"""The public API used as a strictly typed program would; mypy reads this file, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import exwire
from exwire import (
    BookDelta,
    BookSnapshot,
    BookTicker,
    Candle,
    Channel,
    Connector,
    Event,
    EventStream,
    Handle,
    Instrument,
    Lifecycle,
    Policy,
    Ticker,
    Trade,
    VenueInfo,
)


def on_trade(trade: Trade) -> None:
    assert_type(trade.price, float)


async def streams(gate: Connector) -> None:
    async for trade in gate.stream(Channel.TRADES, ["BTC/USDT"]):
        assert_type(trade, Trade)
    async for quote in gate.stream(Channel.BOOK_TICKER, "BTC/USDT", policy=Policy.DROP_OLDEST, maxlen=10):
        assert_type(quote, BookTicker)
        assert_type(quote.bid_price, float | None)
    async for change in gate.stream(Channel.BOOK, "BTC/USDT", depth=400):
        assert_type(change, BookSnapshot | BookDelta)
    async for snapshot in gate.stream(Channel.BOOK_SNAPSHOT, "BTC/USDT"):
        assert_type(snapshot, BookSnapshot)
    async for ticker in gate.stream(Channel.TICKER, "BTC/USDT"):
        assert_type(ticker, Ticker)
    async for candle in gate.stream(Channel.CANDLES, "BTC/USDT", interval="1m"):
        assert_type(candle, Candle)
    assert_type(gate.stream(Channel.TRADES, "BTC/USDT", lifecycle=True), EventStream[Event | Lifecycle])


async def callbacks(gate: Connector) -> None:
    handle = await gate.subscribe(Channel.TRADES, "BTC/USDT", on_trade)
    assert_type(handle, Handle)
    await gate.subscribe(Channel.CANDLES, "BTC/USDT", on_trade)  # type: ignore[arg-type]  # a callback for another event is refused
    await handle.close()


async def main() -> None:
    assert_type(exwire.venues(), list[VenueInfo])
    async with exwire.connect("gateio", loopback=True) as gate:
        assert_type(gate, Connector)
        instruments = await gate.instruments()
        assert_type(instruments["BTC/USDT"], Instrument)
    socket = exwire.create_websocket("gateio")
    await socket.connect()
    await socket.subscribe([exwire.Subscription(Channel.TRADES, "BTC/USDT")])
