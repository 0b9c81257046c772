"""What users hold: topics shared, spread over connections, handed to callbacks and streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from exwire.config import Endpoints
from exwire.connector import Connector
from exwire.contracts import ON_CHANGE, ChannelSpec, Delivery, ErrorKind, Limits, Param
from exwire.errors import (
    ConfigError,
    ConnectError,
    ConnectionLostError,
    ExwireError,
    GapError,
    PluginBrokenError,
    SubscriptionError,
    UnknownNameError,
    UsageError,
    VenueError,
)
from exwire.lifecycle import Connected, Disconnected, Lifecycle, Rejected
from exwire.model import Instrument, Ticker, Trade
from exwire.stream import Policy
from exwire.subscription import Channel, Subscription
from toy import ToyHandler, ToyRest, ToyServer, ToyVenue, toy_server

MANY = [f"C{number}/USDT" for number in range(25)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EXWIRE_CACHE_DIR", str(tmp_path))
    ToyRest.asked = 0
    yield
    ToyRest.listed = ("BTC/USDT", "ETH/USDT", *MANY)


@pytest.fixture
async def server() -> AsyncIterator[ToyServer]:
    async with toy_server() as server:
        yield server


def connector(server: ToyServer, venue: ToyVenue | None = None) -> Connector:
    return Connector(venue or ToyVenue(), endpoints=Endpoints(ws={"spot": server.url}))


@pytest.fixture
async def toy(server: ToyServer) -> AsyncIterator[Connector]:
    async with connector(server) as toy:
        yield toy


class Received:
    """A callback that remembers, to wait on."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self._changed = asyncio.Event()

    def __call__(self, event: object) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


async def test_a_callback_receives_its_topics(toy: Connector, server: ToyServer) -> None:
    received = Received()
    handle = await toy.subscribe(Channel.TRADES, ["BTC/USDT", "ETH/USDT"], received)
    await server.push("trades ETH-USDT", 7.0)
    await received.until(lambda: received.events)

    event = received.events[0]
    assert isinstance(event, Trade)
    assert (event.symbol, event.price) == ("ETH/USDT", 7.0)
    assert [sub.symbol for sub in handle.subs] == ["BTC/USDT", "ETH/USDT"]


async def test_two_subscribers_share_a_topic_and_the_last_one_gives_it_up(toy: Connector, server: ToyServer) -> None:
    one, two = Received(), Received()
    first = await toy.subscribe(Channel.TRADES, "BTC/USDT", one)
    second = await toy.subscribe(Channel.TRADES, ["BTC/USDT", "ETH/USDT"], two)
    await server.push("trades BTC-USDT")
    await two.until(lambda: two.events)
    assert len(one.events) == 1

    await second.close()
    await server.push("trades BTC-USDT")
    await one.until(lambda: len(one.events) == 2)
    assert len(two.events) == 1
    assert next(iter(server.topics.values())) == {"trades BTC-USDT"}

    await first.close()
    await first.close()
    await server.until(lambda: not server.connections)


async def test_topics_are_spread_over_as_many_connections_as_the_venue_asks(server: ToyServer) -> None:
    class Ten(ToyHandler):
        __slots__ = ()
        limits: ClassVar[Limits] = Limits(topics=10)

    async with connector(server, ToyVenue(handler=Ten)) as toy:
        received = Received()
        handle = await toy.subscribe(Channel.TRADES, MANY, received)
        assert sorted(len(topics) for topics in server.topics.values()) == [5, 10, 10]

        for symbol in MANY:
            await server.push(f"trades {symbol.replace('/', '-')}")
        await received.until(lambda: len(received.events) == 25)
        await handle.close()
        await server.until(lambda: not server.connections)


async def test_a_symbol_that_is_not_listed_is_refused_with_the_nearest(toy: Connector, server: ToyServer) -> None:
    with pytest.raises(UnknownNameError, match=r"toy: unknown symbol 'BTC/USDC'; nearest known: BTC/USDT"):
        await toy.subscribe(Channel.TRADES, "BTC/USDC", Received())
    assert server.requests == [], "nothing was sent"


async def test_the_list_is_refreshed_before_a_symbol_is_called_unknown(toy: Connector) -> None:
    """Listed an hour ago: the copy from disk does not know it yet."""
    await toy.instruments()
    ToyRest.listed = ("NEW/USDT",)
    await toy.subscribe(Channel.TRADES, "NEW/USDT", Received())

    assert ToyRest.asked == 2


async def test_one_bad_symbol_never_costs_the_others(toy: Connector, server: ToyServer) -> None:
    """Whether the list says so or the venue does; the error's handle holds the good ones."""
    server.bad_topics = {"trades C7-USDT"}
    received = Received()
    with pytest.raises(SubscriptionError) as raised:
        await toy.subscribe(Channel.TRADES, [*MANY, "NOPE/USDT"], received)

    assert [(refusal.sub.symbol, refusal.code) for refusal in raised.value.rejected] == [
        ("NOPE/USDT", "unknown symbol"),
        ("C7/USDT", "404"),
    ]
    assert raised.value.handle is not None
    await server.push("trades C3-USDT")
    await received.until(lambda: received.events)
    await raised.value.handle.close()
    await server.until(lambda: not server.connections)


async def test_a_stream_yields_events(toy: Connector, server: ToyServer) -> None:
    async with toy.stream(Channel.TRADES, "BTC/USDT") as trades:
        await server.push("trades BTC-USDT", 3.0)
        async with asyncio.timeout(5):
            trade = await anext(trades)

    assert trade.price == 3.0
    await server.until(lambda: not server.connections)


async def test_after_a_reconnect_a_stream_of_trades_raises_once_and_goes_on(toy: Connector, server: ToyServer) -> None:
    async with toy.stream(Channel.TRADES, "BTC/USDT") as trades:
        await server.push("trades BTC-USDT", 1.0)
        await anext(trades)
        await toy.reconnect()
        await server.push("trades BTC-USDT", 2.0)

        with pytest.raises(GapError, match="replaced"):
            await anext(trades)
        assert (await anext(trades)).price == 2.0


async def test_after_a_reconnect_a_stream_of_newest_values_goes_on(toy: Connector, server: ToyServer) -> None:
    """A ticker's old values are worth nothing, so losing some is no gap."""
    async with toy.stream(Channel.TICKER, "BTC/USDT") as tickers:
        await toy.reconnect()
        await server.push("ticker BTC-USDT", 2.0)
        async with asyncio.timeout(5):
            assert (await anext(tickers)).last == 2.0


async def test_lifecycle_comes_in_order_with_the_data(toy: Connector, server: ToyServer) -> None:
    async with toy.stream(Channel.TRADES, "BTC/USDT", lifecycle=True) as stream:
        await server.push("trades BTC-USDT")
        seen: list[object] = []
        async with asyncio.timeout(5):
            while not any(isinstance(each, Trade) for each in seen):
                seen.append(await anext(stream))

    assert [type(each).__name__ for each in seen] == ["Connected", "Subscribed", "Trade"]


async def test_policies_by_channel(toy: Connector) -> None:
    assert toy.stream(Channel.TICKER, "BTC/USDT").policy is Policy.LATEST
    assert toy.stream(Channel.TRADES, "BTC/USDT").policy is Policy.FAIL
    assert toy.stream(Channel.TRADES, "BTC/USDT").maxlen == 65_536


async def test_a_topic_refused_on_replay_reaches_its_stream_and_no_other(toy: Connector, server: ToyServer) -> None:
    """Also when it was ``reconnect()`` that asked; the error that it raises does not keep the stream from hearing."""
    lifecycle: list[Lifecycle] = []
    toy.on_lifecycle = lifecycle.append
    async with toy.stream(Channel.TICKER, ["BTC/USDT", "ETH/USDT"]) as both, toy.stream(Channel.TICKER, "BTC/USDT") as other:
        server.bad_topics = {"ticker ETH-USDT"}
        with pytest.raises(SubscriptionError):
            await toy.reconnect()
        async with asyncio.timeout(5):
            with pytest.raises(SubscriptionError, match="ETH/USDT"):
                await anext(both)
            await server.push("ticker BTC-USDT", 5.0)
            assert (await anext(both)).last == 5.0
            assert (await anext(other)).last == 5.0
    assert [type(event) for event in lifecycle].count(Rejected) == 1


async def test_a_stream_whose_last_topic_is_refused_ends(toy: Connector, server: ToyServer) -> None:
    async with toy.stream(Channel.TICKER, "ETH/USDT") as tickers:
        server.bad_topics = {"ticker ETH-USDT"}
        with pytest.raises(SubscriptionError):
            await toy.reconnect()
        async with asyncio.timeout(5):
            with pytest.raises(SubscriptionError, match="ETH/USDT"):
                await anext(tickers)
            with pytest.raises(StopAsyncIteration):
                await anext(tickers)


async def test_a_topic_refused_on_replay_can_be_asked_for_again(toy: Connector, server: ToyServer) -> None:
    """And then lives exactly as long as the new handle: the old one's reference is gone with the refusal."""
    old = await toy.subscribe(Channel.TRADES, ["BTC/USDT", "ETH/USDT"], Received())
    server.bad_topics = {"trades ETH-USDT"}
    with pytest.raises(SubscriptionError):
        await toy.reconnect()
    server.bad_topics = set()
    received = Received()
    new = await toy.subscribe(Channel.TRADES, "ETH/USDT", received)
    await old.close()
    await server.push("trades ETH-USDT")
    await received.until(lambda: received.events)
    await new.close()

    await server.until(lambda: not server.connections)


async def test_an_outage_is_one_gap_however_many_attempts_it_takes(server: ToyServer) -> None:
    async with connector(server) as toy, toy.stream(Channel.TRADES, "BTC/USDT") as trades:
        failed = Received()
        toy.on_lifecycle = lambda event: failed(event) if isinstance(event, Disconnected) and not event.code else None
        server.refuses = True
        await server.drop()
        await failed.until(lambda: len(failed.events) >= 3)
        server.refuses = False
        await server.until(lambda: any(server.topics.values()))
        await server.push("trades BTC-USDT", 9.0)

        async with asyncio.timeout(5):
            with pytest.raises(GapError):
                await anext(trades)
            assert (await anext(trades)).price == 9.0


async def test_late_data_of_one_variant_never_reaches_a_subscriber_of_another(server: ToyServer) -> None:
    """Until the venue has answered the unsubscription, the place of the old variant stays taken."""

    class Variants(ToyHandler):
        __slots__ = ()
        channels: ClassVar = {Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.BY_ID, (Param("depth", ("1", "2"), ""),))}

    async with connector(server, ToyVenue(handler=Variants)) as toy:
        shallow = await toy.subscribe(Channel.TRADES, "BTC/USDT", Received(), depth=1)
        await toy.subscribe(Channel.TRADES, "ETH/USDT", Received(), depth=1)
        server.mute_acks = True
        closing = asyncio.create_task(shallow.close())
        await server.until(lambda: server.requests[-1]["op"] == "unsub")
        server.mute_acks = False
        await toy.subscribe(Channel.TRADES, "BTC/USDT", Received(), depth=2)

        assert len(server.connections) == 2
        await server.say(f'{{"id":{server.requests[-2]["id"]},"ok":true}}')
        async with asyncio.timeout(5):
            await closing


async def test_closing_while_a_subscription_is_under_way_leaves_nothing(server: ToyServer) -> None:
    asked = asyncio.Event()
    answer = asyncio.Event()

    class Slow(ToyRest):
        async def instruments(self) -> list[Instrument]:
            asked.set()
            await answer.wait()
            return await super().instruments()

    toy = await connector(server, ToyVenue(rest=Slow)).__aenter__()
    pending = asyncio.create_task(toy.subscribe(Channel.TRADES, "BTC/USDT", Received()))
    await asked.wait()
    await toy.close()
    answer.set()

    with pytest.raises(UsageError, match="closed"):
        await pending
    assert server.opens == 0


@pytest.mark.parametrize("error", [VenueError("toy", "503", "maintenance"), ConnectError("https://api.toy.invalid", "down")])
async def test_without_rest_the_venue_itself_judges_symbols(server: ToyServer, error: ExwireError) -> None:
    """A REST outage must not stop a feed."""

    class Down(ToyRest):
        async def instruments(self) -> list[Instrument]:
            raise error

    async with connector(server, ToyVenue(rest=Down)) as toy:
        handle = await toy.subscribe(Channel.TRADES, "ANY/USDT", Received())

        assert [sub.symbol for sub in handle.subs] == ["ANY/USDT"]


async def test_a_venue_that_has_no_rest_can_be_subscribed(server: ToyServer) -> None:
    class Bare(ToyVenue):
        has_rest = False

    async with connector(server, Bare()) as toy:
        assert (await toy.subscribe(Channel.TRADES, "ANY/USDT", Received())).subs


async def test_reconnect_before_anything_is_subscribed_has_nothing_to_do(toy: Connector) -> None:
    assert Channel.TRADES in toy.channels()
    await toy.reconnect()


async def test_typing_errors_do_not_ask_the_venue_each_time(toy: Connector) -> None:
    for _ in range(3):
        with pytest.raises(UnknownNameError):
            await toy.subscribe(Channel.TRADES, "BTC/USDC", Received())

    assert ToyRest.asked == 2, "once to load, once to make sure"


async def test_a_connection_that_ends_for_good_ends_its_streams_with_the_reason(server: ToyServer) -> None:
    class Final(ToyHandler):
        __slots__ = ()

        def classify_error(self, exc: Exception) -> ErrorKind:
            return ErrorKind.FATAL

    async with connector(server, ToyVenue(handler=Final)) as toy, toy.stream(Channel.TICKER, "BTC/USDT") as tickers:
        await server.drop()
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionLostError):
                await anext(tickers)
            handle = await toy.subscribe(Channel.TRADES, "BTC/USDT", Received())

        assert handle.subs, "a new call opens a new connection"


async def test_a_venue_that_cannot_be_reached_is_an_error_and_leaves_nothing(toy: Connector, server: ToyServer) -> None:
    async with Connector(ToyVenue(), endpoints=Endpoints(ws={"spot": "ws://127.0.0.1:1/"})) as unreachable:
        for _ in range(2):
            with pytest.raises(ConnectError):
                await unreachable.subscribe(Channel.TRADES, "BTC/USDT", Received())


async def test_cancelling_a_subscription_leaks_no_reference(toy: Connector, server: ToyServer) -> None:
    server.mute_acks = True
    pending = asyncio.create_task(toy.subscribe(Channel.TRADES, "BTC/USDT", Received()))
    await server.until(lambda: server.requests)
    pending.cancel()
    await asyncio.wait([pending])

    assert pending.cancelled()
    await server.until(lambda: not server.connections)


async def test_ping(toy: Connector) -> None:
    """REST answers while no connection is open; afterwards the connection itself does."""
    assert await toy.ping() < 5
    await toy.subscribe(Channel.TRADES, "BTC/USDT", Received())
    assert await toy.ping() < 5


async def test_closing_ends_streams_that_are_being_read(server: ToyServer) -> None:
    toy = connector(server)
    await toy.__aenter__()
    reader = asyncio.create_task(_drain(toy.stream(Channel.TRADES, "BTC/USDT")))
    await server.until(lambda: server.requests)
    await toy.close()
    await toy.close()

    async with asyncio.timeout(5):
        await reader


async def _drain(stream: AsyncIterator[object]) -> list[object]:
    return [event async for event in stream]


async def test_wrong_use_is_said(toy: Connector, server: ToyServer) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown channel 'trade'; nearest known: trades"):
        await toy.subscribe("trade", "BTC/USDT", Received())  # type: ignore[call-overload]  # as a script would write it
    with pytest.raises(UnknownNameError, match=r"unknown option of trades 'depth'"):
        await toy.subscribe(Channel.TRADES, "BTC/USDT", Received(), depth=5)
    with pytest.raises(ConfigError, match="no symbol"):
        await toy.subscribe(Channel.TRADES, [], Received())
    with pytest.raises(UsageError, match="entered once"):
        await toy.__aenter__()
    with pytest.raises(UsageError, match="has to be entered"):
        await connector(server).instruments()
    await toy.close()
    with pytest.raises(UsageError, match="is closed"):
        await toy.instruments()


async def test_an_exchange_in_a_box_lives_as_long_as_the_connector(server: ToyServer) -> None:
    lives: list[str] = []

    @asynccontextmanager
    async def box() -> AsyncIterator[Endpoints]:
        lives.append("started")
        yield Endpoints(ws={"spot": server.url})
        lives.append("ended")

    boxed: AbstractAsyncContextManager[Endpoints] = box()
    async with Connector(ToyVenue(), endpoints=Endpoints(), box=boxed) as toy:
        await toy.subscribe(Channel.TICKER, "BTC/USDT", Received())

    assert lives == ["started", "ended"]


async def test_one_failing_connection_concerns_its_topics_only(server: ToyServer) -> None:
    class One(ToyHandler):
        __slots__ = ()
        limits: ClassVar[Limits] = Limits(topics=1)

    async with connector(server, ToyVenue(handler=One)) as toy:
        btc, eth = toy.stream(Channel.TICKER, "BTC/USDT", lifecycle=True), toy.stream(Channel.TICKER, "ETH/USDT", lifecycle=True)
        async with btc, eth:
            victim = next(connection for connection, topics in server.topics.items() if "ticker BTC-USDT" in topics)
            victim.transport.abort()
            seen: list[object] = []
            async with asyncio.timeout(5):
                while not seen or not isinstance(seen[-1], Disconnected):
                    seen.append(await anext(btc))
            await server.push("ticker ETH-USDT")
            told: list[object] = []
            async with asyncio.timeout(5):
                while not told or not isinstance(told[-1], Ticker):
                    told.append(await anext(eth))

    assert not [each for each in told if isinstance(each, Disconnected)]
    assert [type(each) for each in told if isinstance(each, Connected)] == [Connected]


async def test_a_broken_encoder_is_told_to_the_caller(server: ToyServer) -> None:
    class Broken(ToyHandler):
        __slots__ = ()

        def encode_subscribe(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]  # it is broken on purpose
            raise LookupError("oops")

    async with connector(server, ToyVenue(handler=Broken)) as toy:
        with pytest.raises(PluginBrokenError, match="oops"):
            await toy.subscribe(Channel.TRADES, "BTC/USDT", Received())


def test_subscriptions_are_values() -> None:
    assert Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "1m"}).param("interval") == "1m"
    assert Subscription(Channel.TRADES, "BTC/USDT").param("depth", "50") == "50"
