"""What core itself adds to a venue's decoding."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import ClassVar

from benchmarks.meter import Meter
from benchmarks.report import Bar
from exwire.handlers import PublicMessageHandler
from exwire.model import Side, Trade
from exwire.router import Router
from exwire.subscription import Channel, Subscription

CALLS = 200
TRADE = Trade("acme", "BTC/USDT", 1, 2, "3", Side.BUY, 4.0, 5.0)


class Empty(PublicMessageHandler):
    """A venue without words."""

    __slots__ = ()

    venue: ClassVar[str] = "acme"
    market: ClassVar[str] = "spot"

    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        pass


def calling(function: Callable[[bytes, bool, int], None]) -> Callable[[], float]:
    """Return a contender: seconds of 200 calls."""

    def run() -> float:
        started = perf_counter()
        for _ in range(CALLS):
            function(b"", True, 1)
        return perf_counter() - started

    return run


def test_template(meter: Meter) -> None:
    """``feed`` around an empty handler, the empty handler alone, and the difference: counting, containing, timing one frame in 64."""
    handler = Empty()

    taken = meter.together({"feed": calling(handler.feed), "bare": calling(handler._handle_message)}, rounds=1_000)

    feed, bare = ([seconds / CALLS * 1e6 for seconds in taken[name]] for name in ("feed", "bare"))
    meter.add("template: feed of an empty handler", feed, bar=Bar(5.0))
    meter.add("template: the empty handler alone", bare)
    meter.add("template: difference", feed, bar=Bar(5.0), baseline=bare)


def test_router(meter: Meter) -> None:
    """One event through a router of 300 topics to a callback that is called and does nothing."""
    handler = Empty()
    router = Router(handler)
    for number in range(300):
        router.add(Subscription(Channel.TRADES, f"C{number}/USDT"), lambda _: None, lambda _: None)
    router.add(Subscription(Channel.TRADES, TRADE.symbol), lambda _: None, lambda _: None)

    meter.time("router: one event", handler.on_trade, TRADE, rounds=1_000, calls=CALLS)
