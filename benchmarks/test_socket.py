"""From a socket to the user's callback, over TCP on this machine, beside bare loops on the same frames in the same rounds."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib.util import find_spec
from time import perf_counter, process_time

import pytest

from benchmarks.floors import BarePicows, BareWebsockets, Contender, Exwire
from benchmarks.gateio_tape import CHANNELS, tape
from benchmarks.meter import Meter
from benchmarks.report import Bar, new_event_loop
from benchmarks.tape_peer import playing
from exwire.subscription import Channel

MESSAGES = 2_000
ROUNDS = 60
HAS_PICOWS = find_spec("picows") is not None

TAPES: dict[str, tuple[Channel, Callable[[], tuple[bytes, ...]]]] = {
    "book_ticker": (Channel.BOOK_TICKER, lambda: tape("book_ticker")),
    "20+20": (Channel.BOOK, lambda: (CHANNELS["order_book_update 20+20"],)),
}


def contenders(channel: Channel) -> dict[str, Contender]:
    """Return who takes part: ours and bare, on each library that is installed."""
    found: dict[str, Contender] = {
        "websockets, bare recv() loop": BareWebsockets(MESSAGES, channel),
        "websockets, exwire": Exwire(MESSAGES, channel, "websockets"),
    }
    if HAS_PICOWS:
        found["picows, bare listener"] = BarePicows(MESSAGES, channel)
        found["picows, exwire"] = Exwire(MESSAGES, channel, "picows")
    return found


@pytest.mark.parametrize("name", TAPES)
def test_socket(meter: Meter, name: str) -> None:
    """2,000 messages sent in one go by another process, until the last one's callback: this process's CPU time, with the kernel's part.

    All run on one event loop in turns. Ours has everything that a connection of a Connector has (interface, template, checks, conversion to
    our events, symbols, router); the bare ones decode the same fields without a check. No TLS, no pauses between messages. The wall time
    stands beside.
    """
    channel, frames = TAPES[name]
    recorded = frames()
    whole = (recorded * (MESSAGES // len(recorded) + 1))[:MESSAGES]
    rounds = ROUNDS if meter.enabled else 1
    taken: dict[str, list[tuple[float, float]]] = {}

    async def measure(url: str) -> None:
        async with AsyncExitStack() as stack:
            playing_for = contenders(channel)
            for contender in playing_for.values():
                stack.push_async_callback(await contender.open(url))
            for turn in range(rounds + 1):
                for who, contender in playing_for.items():
                    cpu, wall = process_time(), perf_counter()
                    await contender.hear()
                    if turn:  # the first one warms up
                        taken.setdefault(who, []).append((process_time() - cpu, perf_counter() - wall))

    with playing(whole) as url, asyncio.Runner(loop_factory=new_event_loop()) as runner:
        meter.run(lambda: runner.run(measure(url)))

    cpu_us = {who: [cpu / MESSAGES * 1e6 for cpu, _ in pairs] for who, pairs in taken.items()}
    for who, pairs in taken.items():
        walls = [wall / MESSAGES * 1e6 for _, wall in pairs]
        note = f"wall: best {min(walls):.2f}, median {statistics.median(walls):.2f}"
        meter.add(f"socket: {name}, {who}", cpu_us[who], note=note)
    for library, floor in (("websockets", "bare recv() loop"), ("picows", "bare listener")):
        if f"{library}, exwire" in taken:
            ours, bare = cpu_us[f"{library}, exwire"], cpu_us[f"{library}, {floor}"]
            bar = Bar(2.0, "median") if (library, name) == ("picows", "book_ticker") else None
            meter.add(f"socket: {name}, {library}, exwire / bare", ours, unit="x", bar=bar, baseline=bare)
