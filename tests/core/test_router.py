"""Which callbacks an event goes to."""

from __future__ import annotations

import pytest

from exwire.model import BookDelta, BookSnapshot, Candle, Event, Side, Ticker, Trade
from exwire.router import Router
from exwire.subscription import Channel, Subscription
from toy import ToyHandler

BTC = Subscription(Channel.TRADES, "BTC/USDT")


def trade(symbol: str = "BTC/USDT") -> Trade:
    return Trade("toy", symbol, 1, 1, "1", Side.BUY, 1.0, 1.0)


def candle(interval: str) -> Candle:
    return Candle("toy", "BTC/USDT", 1, 1, interval, 1, 1.0, 1.0, 1.0, 1.0, None, None, closed=False)


class Routed:
    """A handler, its router, and lists to receive into."""

    def __init__(self) -> None:
        self.handler = ToyHandler()
        self.router = Router(self.handler)
        self.first: list[Subscription] = []

    def add(self, sub: Subscription) -> list[Event]:
        received: list[Event] = []
        self.router.add(sub, received.append, self.first.append)
        return received


@pytest.fixture
def routed() -> Routed:
    return Routed()


def test_an_event_goes_to_the_callbacks_of_its_topic(routed: Routed) -> None:
    btc, eth = routed.add(BTC), routed.add(Subscription(Channel.TRADES, "ETH/USDT"))
    tickers = routed.add(Subscription(Channel.TICKER, "BTC/USDT"))
    routed.handler.on_trade(trade())
    routed.handler.on_ticker(ticker := Ticker("toy", "BTC/USDT", 1, 1, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0))

    assert (btc, eth, tickers) == ([trade()], [], [ticker])


def test_an_event_of_a_topic_given_up_goes_nowhere(routed: Routed) -> None:
    received = routed.add(BTC)
    routed.router.remove(BTC, received.append, routed.first.append)
    routed.handler.on_trade(trade())

    assert received == []


def test_both_kinds_of_book_event_go_to_the_book_topic(routed: Routed) -> None:
    received = routed.add(Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 50}))
    routed.handler.on_book_snapshot(snapshot := BookSnapshot("toy", "BTC/USDT", 1, 1, 1, (), ()))
    routed.handler.on_book_delta(delta := BookDelta("toy", "BTC/USDT", 1, 1, 2, 2, (), ()))

    assert received == [snapshot, delta]


def test_a_topic_of_all_symbols_takes_every_symbol(routed: Routed) -> None:
    received = routed.add(Subscription(Channel.TICKER, "*"))
    routed.handler.on_ticker(ticker := Ticker("toy", "ANY/USDT", 1, 1, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0))

    assert received == [ticker]


def test_candles_are_told_apart_by_their_interval(routed: Routed) -> None:
    minutes, hours = (routed.add(Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": each})) for each in ("1m", "1h"))
    routed.handler.on_candle(candle("1h"))

    assert (minutes, hours) == ([], [candle("1h")])


def test_the_first_event_is_noticed_once(routed: Routed) -> None:
    received = routed.add(BTC)
    routed.handler.on_trade(trade())
    routed.handler.on_trade(trade())

    assert routed.first == [BTC]
    assert len(received) == 2


def test_several_subscribers_each_get_the_event_even_if_one_raises(routed: Routed) -> None:
    """The first exception still comes out, so that it is counted and reported."""

    def fragile(_: object) -> None:
        raise ZeroDivisionError

    routed.router.add(BTC, fragile, routed.first.append)
    received = routed.add(BTC)
    with pytest.raises(ZeroDivisionError):
        routed.handler.on_trade(trade())
    routed.router.remove(BTC, fragile, routed.first.append)
    routed.handler.on_trade(trade())

    assert len(received) == 2


def test_after_a_reconnect_the_first_event_is_noticed_again(routed: Routed) -> None:
    """Data may overtake the acks of the replay."""
    routed.add(BTC)
    routed.handler.on_trade(trade())
    routed.router.rearm(routed.first.append)
    routed.handler.on_trade(trade())
    routed.handler.on_trade(trade())

    assert routed.first == [BTC, BTC]
