"""The hand-over from the frame path to ``async for``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import perf_counter

import pytest

from benchmarks.meter import Meter
from benchmarks.report import Bar, new_event_loop
from exwire.lifecycle import Discarded
from exwire.model import Event, Side, Trade
from exwire.stream import EventStream, Policy

CALLS = 1_000
READERS = 200
TRADE = Trade("acme", "BTC/USDT", 1, 2, "3", Side.BUY, 4.0, 5.0)
HAND_OVER = Bar(1.0, "mean")


class NoTopics:
    """What a stream without a connection holds."""

    async def close(self) -> None:
        """Give nothing back."""


async def open_nothing(_: EventStream[Event]) -> NoTopics:
    """Subscribe to nothing."""
    return NoTopics()


def ignore(_: Discarded | EventStream[Event]) -> None:
    """Hear what a stream announces."""


def new_stream(policy: Policy, maxlen: int | None = None) -> EventStream[Event]:
    """Return a stream that only lacks a connection."""
    return EventStream("acme", policy=policy, maxlen=maxlen, open_=open_nothing, on_discard=ignore, on_close=ignore)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The event loop."""
    with asyncio.Runner(loop_factory=new_event_loop()) as runner:
        yield runner


def put_many(stream: EventStream[Event]) -> float:
    """Return the seconds of 1,000 puts."""
    put = stream.put
    started = perf_counter()
    for _ in range(CALLS):
        put(TRADE)
    return perf_counter() - started


@pytest.mark.parametrize("policy", Policy)
def test_put(meter: Meter, policy: Policy) -> None:
    """The frame path's part with nobody waiting: 1,000 events of one symbol into a stream with room for them."""
    taken = meter.together({"put": lambda: put_many(new_stream(policy))}, rounds=500)

    meter.add(f"stream: put, {policy}", [seconds / CALLS * 1e6 for seconds in taken["put"]], bar=HAND_OVER)


def test_put_into_a_full_stream(meter: Meter) -> None:
    """The same where each put has to throw the oldest event away first."""
    stream = new_stream(Policy.DROP_OLDEST, 1_000)
    put_many(stream)

    taken = meter.together({"put": lambda: put_many(stream)}, rounds=500)

    meter.add("stream: put, drop_oldest, full", [seconds / CALLS * 1e6 for seconds in taken["put"]], bar=HAND_OVER)


@pytest.mark.parametrize("policy", Policy)
def test_put_wakes_a_reader(meter: Meter, policy: Policy, runner: asyncio.Runner) -> None:
    """The frame path's part with a reader waiting: the put that wakes it, in 200 streams. What the loop does then is not in it."""

    async def wake() -> float:
        streams = [new_stream(policy) for _ in range(READERS)]
        readers = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await asyncio.sleep(0)  # one turn of the loop: each reader runs until it waits
        assert all(stream._waiter for stream in streams)
        puts = [stream.put for stream in streams]
        started = perf_counter()
        for put in puts:
            put(TRADE)
        taken = perf_counter() - started
        await asyncio.gather(*readers)
        return taken

    taken = meter.together({"wake": lambda: runner.run(wake())}, rounds=100)

    meter.add(f"stream: put, {policy}, a reader waits", [seconds / READERS * 1e6 for seconds in taken["wake"]], bar=HAND_OVER)


@pytest.mark.parametrize("policy", Policy)
def test_hop(meter: Meter, policy: Policy, runner: asyncio.Runner) -> None:
    """The whole hand-over to a reader that waits each time: put, future, one turn of the loop, the reader goes on."""

    async def hops() -> float:
        loop = asyncio.get_running_loop()
        stream = new_stream(policy)
        put = stream.put
        loop.call_soon(put, TRADE)
        await anext(stream)
        started = perf_counter()
        for _ in range(CALLS):
            loop.call_soon(put, TRADE)
            await anext(stream)
        return perf_counter() - started

    taken = meter.together({"hop": lambda: runner.run(hops())}, rounds=50)

    meter.add(f"stream: put to woken reader, {policy}", [seconds / CALLS * 1e6 for seconds in taken["hop"]])


@pytest.mark.parametrize("policy", [Policy.FAIL, Policy.DROP_OLDEST])
def test_read_what_waits(meter: Meter, policy: Policy, runner: asyncio.Runner) -> None:
    """The reader's part when it lags behind: 1,000 events are there, ``async for`` takes them without waiting."""

    async def read() -> float:
        stream = new_stream(policy)
        put_many(stream)
        stream.end()
        started = perf_counter()
        async for _ in stream:
            pass
        return perf_counter() - started

    taken = meter.together({"read": lambda: runner.run(read())}, rounds=50)

    meter.add(f"stream: read one that waits, {policy}", [seconds / CALLS * 1e6 for seconds in taken["read"]])
