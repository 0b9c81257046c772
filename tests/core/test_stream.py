"""The bounded hand-over from callbacks to ``async for``."""

from __future__ import annotations

import asyncio

import hypothesis.strategies as st
import pytest
from hypothesis import given

from exwire.errors import ConfigError, GapError, OverflowedError, SubscriptionError
from exwire.lifecycle import Connected, Discarded, Gap, Rejected
from exwire.model import Side, Trade
from exwire.stream import EventStream, Policy
from exwire.subscription import Channel, Refusal, Subscription

BTC = Subscription(Channel.TRADES, "BTC/USDT")
GAP = Gap("toy", "*", "reconnected")


def trade(number: int, symbol: str = "BTC/USDT") -> Trade:
    return Trade("toy", symbol, number, number, str(number), Side.BUY, 1.0, 1.0)


class Held:
    """Stands where the connector's handle stands."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


class Streams:
    """Makes streams and remembers what they said."""

    def __init__(self) -> None:
        self.held = Held()
        self.discards: list[Discarded] = []
        self.closed: list[EventStream[Trade]] = []

    def __call__(self, policy: Policy = Policy.FAIL, maxlen: int | None = None, *, lifecycle: bool = False) -> EventStream[Trade]:
        async def open_(_: EventStream[Trade]) -> Held:
            return self.held

        return EventStream(
            "toy",
            policy=policy,
            maxlen=maxlen,
            lifecycle=lifecycle,
            open_=open_,
            on_discard=self.discards.append,
            on_close=self.closed.append,
        )


@pytest.fixture
def streams() -> Streams:
    return Streams()


async def read(stream: EventStream[Trade], count: int) -> list[object]:
    async with asyncio.timeout(5):
        return [await anext(stream) for _ in range(count)]


async def test_events_come_out_in_order(streams: Streams) -> None:
    stream = streams()
    for number in range(3):
        stream.put(trade(number))

    assert await read(stream, 3) == [trade(0), trade(1), trade(2)]


async def test_a_reader_that_waits_is_woken(streams: Streams) -> None:
    stream = streams()
    reader = asyncio.create_task(read(stream, 1))
    await asyncio.sleep(0)
    stream.put(trade(1))

    assert await reader == [trade(1)]


async def test_latest_keeps_the_newest_event_of_each_symbol(streams: Streams) -> None:
    """A slow reader of prices wants the present one, not a queue of old ones; every discard is counted and announced."""
    stream = streams(Policy.LATEST)
    for event in (trade(1), trade(2, "ETH/USDT"), trade(3)):
        stream.put(event)

    assert await read(stream, 2) == [trade(3), trade(2, "ETH/USDT")]
    assert (stream.discarded, streams.discards) == (1, [Discarded("toy", 1)])


async def test_drop_oldest_keeps_the_newest_places(streams: Streams) -> None:
    stream = streams(Policy.DROP_OLDEST, 2)
    for number in range(5):
        stream.put(trade(number))

    assert await read(stream, 2) == [trade(3), trade(4)]
    assert (stream.discarded, streams.discards) == (3, [Discarded("toy", 3)])


async def test_fail_delivers_what_it_holds_then_ends_with_an_error(streams: Streams) -> None:
    """Trades are not thrown away in silence."""
    stream = await streams(Policy.FAIL, 2).__aenter__()
    for number in range(5):
        stream.put(trade(number))

    assert await read(stream, 2) == [trade(0), trade(1)]
    with pytest.raises(OverflowedError, match="2 places"):
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert streams.held.closed == 1, "its topics are given back"


async def test_a_gap_raises_once_and_then_goes_on(streams: Streams) -> None:
    stream = streams()
    stream.put(trade(1))
    stream.announce(GAP)
    stream.announce(GAP)
    stream.put(trade(2))

    assert await read(stream, 1) == [trade(1)]
    with pytest.raises(GapError, match="reconnected"):
        await anext(stream)
    assert await read(stream, 1) == [trade(2)]


async def test_drop_oldest_does_not_drop_a_gap(streams: Streams) -> None:
    stream = streams(Policy.DROP_OLDEST, 2)
    stream.announce(GAP)
    for number in range(5):
        stream.put(trade(number))

    with pytest.raises(GapError):
        await anext(stream)


async def test_with_lifecycle_everything_is_yielded_in_its_place(streams: Streams) -> None:
    stream = streams(lifecycle=True)
    connected = Connected("toy", "ws://127.0.0.1/", 2)
    for item in (trade(1), GAP, connected, trade(2)):
        stream.put(item) if isinstance(item, Trade) else stream.announce(item)

    assert await read(stream, 4) == [trade(1), GAP, connected, trade(2)]


async def test_with_lifecycle_discards_are_yielded(streams: Streams) -> None:
    stream = streams(Policy.LATEST, lifecycle=True)
    stream.put(trade(1))
    stream.put(trade(2))

    assert await read(stream, 2) == [Discarded("toy", 1), trade(2)]


async def test_without_lifecycle_only_what_costs_data_is_told(streams: Streams) -> None:
    stream = streams()
    for event in (Connected("toy", "", 1), Rejected("toy", (Refusal(BTC, "2", "delisted"),))):
        stream.announce(event)

    with pytest.raises(SubscriptionError, match="delisted"):
        await anext(stream)


async def test_a_stream_that_nobody_reads_does_not_grow_with_the_troubles_of_its_connection(streams: Streams) -> None:
    stream = streams(Policy.FAIL, 10, lifecycle=True)
    for _ in range(100):
        stream.announce(Connected("toy", "", 1))

    assert len(stream) == 10


async def test_closing_while_it_opens_gives_the_topics_back() -> None:
    held, opening = Held(), asyncio.Event()

    async def open_(_: EventStream[Trade]) -> Held:
        await opening.wait()
        return held

    stream: EventStream[Trade] = EventStream("toy", policy=Policy.FAIL, open_=open_, on_discard=_ignore, on_close=_ignore)
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    await stream.aclose()
    opening.set()

    with pytest.raises(StopAsyncIteration):
        await reader
    assert held.closed == 1


async def test_closing_ends_the_iteration_and_gives_the_topics_back(streams: Streams) -> None:
    async with streams() as stream:
        stream.put(trade(1))
    seen = [event async for event in stream]

    assert seen == [trade(1)], "what had arrived is still delivered"
    assert (streams.held.closed, streams.closed) == (1, [stream])


async def test_closing_wakes_a_reader_that_waits(streams: Streams) -> None:
    stream = streams()
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    await stream.aclose()

    with pytest.raises(StopAsyncIteration):
        await reader


async def test_a_partly_refused_stream_says_so_once_and_delivers_the_rest() -> None:
    held = Held()

    async def open_(_: EventStream[Trade]) -> Held:
        error = SubscriptionError("toy", [BTC], [Refusal(BTC, "2", "no such pair")])
        error.handle = held  # type: ignore[assignment]  # stands where the connector's handle stands
        raise error

    stream: EventStream[Trade] = EventStream("toy", policy=Policy.FAIL, open_=open_, on_discard=_ignore, on_close=_ignore)
    with pytest.raises(SubscriptionError, match="no such pair"):
        await anext(stream)
    stream.put(trade(1))

    assert await read(stream, 1) == [trade(1)]
    await stream.aclose()
    assert held.closed == 1


async def test_a_wholly_refused_stream_ends() -> None:
    async def open_(_: EventStream[Trade]) -> Held:
        raise SubscriptionError("toy", [], [Refusal(BTC, "2", "no such pair")])

    stream: EventStream[Trade] = EventStream("toy", policy=Policy.FAIL, open_=open_, on_discard=_ignore, on_close=_ignore)
    with pytest.raises(SubscriptionError):
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def _ignore(_: object) -> None:
    pass


def test_a_stream_has_a_place(streams: Streams) -> None:
    with pytest.raises(ConfigError, match="maxlen=0"):
        streams(maxlen=0)


@given(st.lists(st.tuples(st.sampled_from(["put", "read"]), st.sampled_from("ABC"))), st.sampled_from(Policy), st.integers(1, 5))
def test_every_event_is_either_delivered_or_counted(steps: list[tuple[str, str]], policy: Policy, maxlen: int) -> None:
    """No silent loss, whatever the order of writing and reading."""

    async def play() -> None:
        stream = Streams()(policy, maxlen)
        put = delivered = 0
        seen: dict[str, int] = {}
        for step, symbol in steps:
            if step == "put" and not (policy is Policy.FAIL and stream.discarded):
                put += 1
                stream.put(trade(put, symbol))
            elif len(stream):
                event = await anext(stream)
                assert event.ts_event > seen.get(event.symbol, 0), "a symbol's events stay in order"
                seen[event.symbol] = event.ts_event
                delivered += 1
        assert put == delivered + stream.discarded + len(stream)

    asyncio.run(play())
