"""MEXC spot, bytes to callback: the frame path without a socket."""

from __future__ import annotations

import logging

import pytest

from benchmarks.meter import Meter
from benchmarks.mexc_tape import CHANNELS, JSON, OLD, SLOW_ROAD, handler
from benchmarks.report import Bar
from exwire.handlers import PublicMessageHandler
from exwire.model import Event
from exwire.router import Router
from exwire.subscription import Channel, Subscription

BARS = {
    "trade": Bar(25.0),
    "book_ticker": Bar(18.0),
    "ticker": Bar(18.0),
    "aggre.depth 20+20": Bar(45.0),
    "limit.depth 20+20": Bar(45.0),
}
JSON_BARS = {
    "trade": Bar(60.0),
    "book_ticker": Bar(40.0),
    "ticker": Bar(40.0),
    "aggre.depth 20+20": Bar(100.0),
    "limit.depth 20+20": Bar(100.0),
}


class Count:
    """A user's callback that does next to nothing."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events = 0

    def __call__(self, _event: Event) -> None:
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
    """One binary frame from bytes to the user's callback: template, decode, convert, dispatch by kind. No socket, no router."""
    target = handler()
    count = call_back(target)

    meter.time(f"feed: {name}", target.feed, CHANNELS[name], False, 1, bar=BARS.get(name))

    assert count.events % target.frames == 0
    assert (count.events > 0, target.decode_errors, target.callback_errors) == (True, 0, 0)


@pytest.mark.parametrize("name", JSON)
def test_feed_json(meter: Meter, name: str) -> None:
    """The same push in protobuf's JSON form."""
    target = handler()
    count = call_back(target)

    meter.time(f"feed json: {name}", target.feed, JSON[name], True, 1, bar=JSON_BARS.get(name))

    assert (count.events > 0, target.decode_errors, target.callback_errors) == (True, 0, 0)


@pytest.mark.parametrize("name", OLD)
def test_feed_old(meter: Meter, name: str) -> None:
    """A push in the JSON form of before protobuf."""
    target = handler()
    count = call_back(target)

    meter.time(f"feed old: {name}", target.feed, OLD[name], True, 1)

    assert (count.events, target.decode_errors, target.callback_errors) == (target.frames, 0, 0)


def test_feed_through_router(meter: Meter) -> None:
    """The same as a connector does it: behind the handler stands a router with as many topics as a connection holds, then the callback."""
    target = handler()
    count = Count()
    router = Router(target)
    for symbol in ("BTC/USDT", *(f"C{number}/USDT" for number in range(target.topics - 1))):
        router.add(Subscription(Channel.TRADES, symbol), count, lambda _: None)

    meter.time("feed: trade, router", target.feed, CHANNELS["trade"], False, 1, bar=BARS["trade"])

    assert count.events == target.frames


@pytest.mark.parametrize("name", SLOW_ROAD)
def test_feed_slow_road(meter: Meter, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is no event, or none that was asked for, or the tickers of all pairs. The callbacks do nothing."""
    caplog.set_level(logging.CRITICAL)
    target = handler()

    meter.time(f"feed: {name}", target.feed, *SLOW_ROAD[name], 1)

    assert target.callback_errors == 0
