"""Gate.io spot, bytes to callback: the frame path without a socket."""

from __future__ import annotations

import pytest

from benchmarks.gateio_tape import CHANNELS, SLOW_ROAD, handler
from benchmarks.meter import Meter
from benchmarks.report import Bar
from exwire.handlers import PublicMessageHandler
from exwire.router import Router
from exwire.subscription import Channel, Subscription

BARS = {
    "trade": Bar(25.0),
    "book_ticker": Bar(18.0),
    "ticker": Bar(18.0),
    "order_book_update 20+20": Bar(45.0),
}


class Count:
    """A user's callback that does next to nothing."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events = 0

    def __call__(self, _event: object) -> None:
        """Count."""
        self.events += 1


def call_back(target: PublicMessageHandler) -> Count:
    """Set every callback of a handler."""
    count = Count()
    target.on_trade = target.on_book_ticker = target.on_ticker = target.on_candle = count
    target.on_book_snapshot = target.on_book_delta = count
    return count


@pytest.mark.parametrize("name", CHANNELS)
def test_feed(meter: Meter, name: str) -> None:
    """One frame from bytes to the user's callback: template, decode, convert, dispatch by kind. No socket, no router."""
    target = handler()
    count = call_back(target)

    meter.time(f"feed: {name}", target.feed, CHANNELS[name], True, 1, bar=BARS.get(name))

    assert count.events == target.frames


@pytest.mark.parametrize("topics", [1, 300])
def test_feed_through_router(meter: Meter, topics: int) -> None:
    """The same as a connector does it: behind the handler stands a router with so many topics, then the user's callback."""
    target = handler()
    count = Count()
    router = Router(target)
    symbols = ["BTC/USDT", *(f"C{number}/USDT" for number in range(topics - 1))]
    for symbol in symbols:
        router.add(Subscription(Channel.TRADES, symbol), count, lambda _: None)

    meter.time(f"feed: trade, router of {topics}", target.feed, CHANNELS["trade"], True, 1, bar=BARS["trade"])

    assert count.events == target.frames


@pytest.mark.parametrize("name", SLOW_ROAD)
def test_feed_slow_road(meter: Meter, name: str) -> None:
    """What is no event: refused by the event decoder first, then read as a control message, dropped, or kept as an error."""
    target = handler()
    acks, pongs = Count(), Count()
    target.on_ack, target.on_pong = acks, pongs

    meter.time(f"feed: {name}", target.feed, SLOW_ROAD[name], True, 1)

    ends = {"ack": acks.events, "pong": pongs.events, "undecodable": target.decode_errors, "other symbol": target.outside}
    assert ends[name] == target.frames
