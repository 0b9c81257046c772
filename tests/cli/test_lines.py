"""Events and lifecycle read as one line each."""

from __future__ import annotations

import pytest

from exwire.lifecycle import Connected, Discarded, Disconnected, Gap, Lifecycle, Notice, Rejected, Subscribed, Undecodable
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Side, Ticker, Trade
from exwire.subscription import Channel, Refusal, Subscription
from exwire_cli.lines import event_line, lifecycle_line

AT = ("acme", "BTC/USDT", 1_763_900_000_120_500_000, 1_763_900_000_123_999_999)
SUB = Subscription(Channel.TRADES, "BTC/USDT")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Trade(*AT, "7", Side.SELL, 93000.1, 1e-7), "trade sell 1e-07 @ 93000.1"),
        (BookTicker(*AT, 5, 93000.0, 0.5, None, 0.0), "book_ticker bid 93000 x 0.5 ask none"),
        (BookSnapshot(*AT, 9, ((3.0, 1.0), (2.0, 1.0)), ()), "book_snapshot id 9, 2+0 levels bid 3 x 1"),
        (BookSnapshot(*AT, 9, (), ()), "book_snapshot id 9, 0+0 levels"),
        (BookDelta(*AT, 10, 12, ((3.0, 0.0),), ()), "book_delta ids 10-12, 1+0 levels"),
        (Ticker(*AT, 93000.0, -0.0134, 1.0, 1.0, 12.5, 1.0), "ticker last 93000 change -1.34% volume 12.5"),
        (Candle(*AT, "1m", 0, 1.0, 4.0, 0.5, 2.0, None, None, True), "candle 1m open, high, low, close 1 4 0.5 2 closed"),
    ],
)
def test_an_event_is_its_receipt_time_and_what_it_says(event: Event, words: str) -> None:
    """UTC, to the millisecond, not rounded up."""
    assert event_line(event) == f"12:13:20.123 acme BTC/USDT {words}"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Connected("acme", "wss://acme.example/ws", 1), "connected to wss://acme.example/ws"),
        (Connected("acme", "wss://acme.example/ws", 3), "connected to wss://acme.example/ws, for the 3. time"),
        (Subscribed("acme", (SUB,)), "confirmed trades BTC/USDT"),
        (Rejected("acme", (Refusal(SUB, "2", "no such pair"),)), "refused trades BTC/USDT (2 no such pair)"),
        (Gap("acme", "*", "reconnected"), "events of all symbols may be missing here: reconnected"),
        (Discarded("acme", 4), "4 events were thrown away, because they were read too slowly"),
        (Undecodable("acme", "expected an object", 2), "2 frames could not be understood so far: expected an object"),
        (Notice("acme", "upgrade", "soon"), "announces upgrade: soon"),
        (Disconnected("acme", 1006, "connection lost", 0.25), "connection lost; trying again in 0.2 s"),
        (Disconnected("acme", 0, "refused", None), "refused; not trying again"),
    ],
)
def test_what_happens_to_a_connection_is_a_sentence(event: Lifecycle, words: str) -> None:
    """For stderr, beside the data."""
    assert lifecycle_line(event) == f"acme: {words}"
