"""MEXC through the connector, against its box."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

import exwire
from exwire import Channel, Connector, Ticker


@pytest.fixture
async def mexc() -> AsyncIterator[Connector]:
    """A connector with a box of its own."""
    async with exwire.connect("mexc", loopback=True) as mexc:
        yield mexc


async def test_one_topic_brings_the_tickers_of_all_symbols(mexc: Connector) -> None:
    """``miniTickers``; a ticker of one symbol beside it has a connection of its own, so that neither takes the other's events."""
    listed = set(await mexc.instruments())
    one: asyncio.Queue[Ticker] = asyncio.Queue()
    await mexc.subscribe(Channel.TICKER, "BTC/USDT", one.put_nowait)
    seen: set[str] = set()
    async with asyncio.timeout(20), mexc.stream(Channel.TICKER, "*") as tickers:
        while seen != listed:
            seen.add((await anext(tickers)).symbol)

        assert (await one.get()).symbol == "BTC/USDT"


@pytest.mark.parametrize("channel", [Channel.TRADES, Channel.BOOK_TICKER, Channel.BOOK, Channel.BOOK_SNAPSHOT, Channel.CANDLES])
async def test_every_channel_flows(mexc: Connector, channel: Channel) -> None:
    async with asyncio.timeout(20), mexc.stream(channel, ["BTC/USDT", "ETH/USDT"]) as events:
        event = await anext(events)

    assert (event.venue, event.symbol in {"BTC/USDT", "ETH/USDT"}) == ("mexc", True)
