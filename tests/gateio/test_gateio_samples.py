"""Every real Gate.io spot payload of the shared samples has the outcome that this page gives it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, pairwise
from typing import Any, Final

import msgspec
import pytest

from exwire.errors import DecodeError
from exwire.handlers import AnySymbol
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Ticker, Trade
from exwire.subscription import Ack, Channel
from exwire_gateio.spot.encode import requests, subscription
from exwire_gateio.spot.venue import GateioSpotPublicHandler
from heard import Heard
from samples import Sample, needs_samples, read, select

pytestmark = needs_samples

PUSHES: Final = select("gate", "spot", "ws_push")
ACKS: Final = select("gate", "spot", "ws_ack")
REQUESTS: Final = select("gate", "spot", "ws_request")

EVENTS: Final[dict[str, tuple[type, ...]]] = {
    "spot.trades": (Trade,),
    "spot.trades_v2": (Trade,),
    "spot.book_ticker": (BookTicker,),
    "spot.order_book": (BookSnapshot,),
    "spot.order_book_update": (BookDelta,),
    "spot.obu": (BookDelta, BookSnapshot),
    "spot.tickers": (Ticker,),
    "spot.candlesticks": (Candle,),
}
"""Public channels: each push is an event."""

NOT_HERE: Final = {
    "spot.balances",
    "spot.cross_balances",
    "spot.cross_loan",
    "spot.funding_balances",
    "spot.margin_balances",
    "spot.orders",
    "spot.orders_v2",
    "spot.priceorders",
    "spot.usertrades",
    "spot.usertrades_v2",
}
"""Private channels: nobody can subscribe to them on a public connection, so a push of theirs is a DecodeError that names the channel."""

LEGACY: Final = {"legacy.depth.update", "legacy.ticker.update", "legacy.trades.update"}
"""The protocol before v4, which Gate no longer speaks: a DecodeError."""

CLAIMS: Final[dict[str, Callable[[Any], object]]] = {
    "id": lambda event: event.trade_id,
    "side": lambda event: event.side,
    "price": lambda event: event.price,
    "amount": lambda event: event.qty,
    "last": lambda event: event.last,
    "ask": lambda event: event.ask_price,
    "bid": lambda event: event.bid_price,
    "baseVolume": lambda event: event.base_volume,
    "quoteVolume": lambda event: event.quote_volume,
    "high": lambda event: event.high,
    "low": lambda event: event.low,
    "open": lambda event: event.open,
    "close": lambda event: event.close,
    "closed": lambda event: event.closed,
    "openTime": lambda event: event.ts_open // 1_000_000_000,
    "timestamp_of_message": lambda event: event.ts_event // 1_000_000,
    "arr.count": lambda event: 1,
    "candlestick_msg.symbol": lambda event: event.symbol.replace("/", "_"),
    "candlestick_msg.timestamp": lambda event: event.ts_event // 1_000_000,
    "candlestick_msg.period": lambda event: event.interval,
    "candlestick_msg.begin_time": lambda event: event.ts_open // 1_000_000_000,
    "candlestick_msg.open": lambda event: event.open,
    "candlestick_msg.high": lambda event: event.high,
    "candlestick_msg.low": lambda event: event.low,
    "candlestick_msg.close": lambda event: event.close,
    "candlestick_msg.volume": lambda event: event.base_volume,
    "candlestick_msg.quote_volume": lambda event: event.quote_volume,
}
"""What the index may expect of a push, and where the event has it."""

OF_THE_BOOK: Final = {"action", "book_id_after", "best_bid_after", "best_ask_after"}
"""What the index expects of a book after a delta was applied; no single frame says it."""


@pytest.fixture
def anything(handler: GateioSpotPublicHandler) -> GateioSpotPublicHandler:
    """A handler that knows every symbol of the form."""
    handler.symbols = AnySymbol(handler.symbol)
    return handler


def by_id(sample: Sample) -> str:
    return sample.id


def same(value: object, expected: object) -> bool:
    """The index writes numbers as text, ours are numbers."""
    return float(expected) == value if isinstance(value, float) and isinstance(expected, str) else str(value) == str(expected)


def test_no_push_of_the_index_is_of_an_unknown_channel() -> None:
    """A payload that joins the samples joins this page."""
    assert PUSHES
    assert {sample.channel for sample in PUSHES} <= EVENTS.keys() | NOT_HERE | LEGACY


def test_every_public_channel_has_a_push_in_the_index() -> None:
    """Otherwise a channel of ours was never tried on a real frame."""
    assert EVENTS.keys() <= {sample.channel for sample in PUSHES}


@pytest.mark.parametrize("sample", [each for each in PUSHES if each.channel not in NOT_HERE | LEGACY], ids=by_id)
def test_a_public_push_decodes_to_what_the_index_expects(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """One event of the channel's kind, and every value that the source asserts."""
    anything.feed(read(sample), True, 7)

    assert heard.errors == []
    (event,) = heard.events
    assert len(heard) == 1
    assert anything.outside == 0
    assert type(event) in EVENTS[sample.channel]
    assert 1_600_000_000 < event.ts_event / 1e9 < 1_800_000_000
    assert anything.symbol(anything.venue_symbol(event.symbol)) == event.symbol
    for claim in sample.expected.keys() - OF_THE_BOOK:
        assert same(CLAIMS[claim](event), sample.expected[claim]), claim


@pytest.mark.parametrize("sample", [each for each in PUSHES if each.channel in NOT_HERE | LEGACY], ids=by_id)
def test_a_push_that_is_not_public_spot_is_a_decode_error(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """It says which channel it was, where the frame does."""
    anything.feed(read(sample), True, 7)

    (error,) = heard.errors
    assert len(heard) == 1
    assert error.reason.startswith("no channel" if sample.channel in LEGACY else sample.channel)


@pytest.mark.parametrize("name", sorted({each.sequence.name for each in PUSHES if each.sequence}))
def test_the_deltas_of_a_sequence_chain_by_their_ids(anything: GateioSpotPublicHandler, heard: Heard, name: str) -> None:
    """Each begins where the one before it ended; the ids are those that the index says the book stands at."""
    deltas = sorted(
        ((each.sequence.pos, each) for each in PUSHES if each.sequence and each.sequence.name == name), key=lambda pair: pair[0]
    )
    for _, sample in deltas:
        anything.feed(read(sample), True, 0)
    events = [event for event in heard.events if isinstance(event, BookDelta)]

    assert len(events) == len(deltas) > 2
    assert all(after.first_id == before.last_id + 1 for before, after in pairwise(events))
    for (_, sample), event in zip(deltas[1:], events[1:], strict=True):
        assert event.last_id == sample.expected["book_id_after"]


@pytest.mark.parametrize("sample", [each for each in ACKS if b'"header"' not in read(each) and each.channel != "spot.pong"], ids=by_id)
def test_an_answer_to_a_subscription_is_an_ack(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """With the id of its request, or the topics of its payload, or on old frames neither."""
    anything.feed(read(sample), True, 7)
    wire: dict[str, Any] = msgspec.json.decode(read(sample))

    (got,) = heard.acks
    assert len(heard) == 1
    assert got == Ack(wire.get("id"), ok=True, topics=got.topics)
    if "id" in wire:
        assert got.topics == ()
    else:
        assert [anything.topic(anything.subscription(topic)) for topic in got.topics] == list(got.topics)
        assert len(got.topics) == len(wire.get("payload", ()))


@pytest.mark.parametrize("sample", [each for each in ACKS if each.channel == "spot.pong"], ids=by_id)
def test_a_pong_is_a_pong(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """With Gate's clock in it."""
    anything.feed(read(sample), True, 7)

    assert heard.pongs == [msgspec.json.decode(read(sample))["time"] * 1_000_000_000]
    assert len(heard) == 1


@pytest.mark.parametrize("sample", [each for each in ACKS if b'"header"' in read(each)], ids=by_id)
def test_an_answer_to_an_order_request_is_a_decode_error(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """A public connection never asked."""
    anything.feed(read(sample), True, 7)

    assert [type(error) for error in heard.errors] == [DecodeError]
    assert len(heard) == 1


@pytest.mark.parametrize("sample", [each for each in REQUESTS if each.channel in EVENTS], ids=by_id)
def test_a_request_of_the_index_is_the_one_that_we_would_send(sample: Sample) -> None:
    """Field by field; the id is optional to Gate, and ours always has one."""
    wire: dict[str, Any] = msgspec.json.decode(read(sample))
    topic = " ".join([wire["channel"], *wire["payload"]])
    (made,) = requests(wire["event"], [subscription(topic)], count(wire.get("id", 1)), wire["time"] * 1_000_000_000)

    assert made.topics == (topic,)
    assert msgspec.json.decode(made.frame) == {"id": 1} | wire


@pytest.mark.parametrize("sample", REQUESTS, ids=by_id)
def test_a_request_that_comes_back_confirms_nothing(anything: GateioSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """A recording may hold both directions."""
    anything.feed(read(sample), True, 7)

    assert (len(heard.errors), len(heard)) == (1, 1)


def test_the_channels_of_the_index_are_those_of_the_handler(anything: GateioSpotPublicHandler) -> None:
    """spot.order_book_update and spot.obu are both our BOOK, spot.trades_v2 is nobody's."""
    ours = {anything.topic(anything.resolve(subscription(f"{each} BTC_USDT"))).split(" ")[0] for each in ("spot.trades", "spot.tickers")}

    assert ours <= EVENTS.keys()
    assert set(anything.channels) == {Channel(event) for event in ("trades", "book_ticker", "book", "book_snapshot", "ticker", "candles")}
