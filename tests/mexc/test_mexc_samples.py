"""Every real MEXC spot payload of the shared samples has the outcome that this page gives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count, pairwise
from typing import Any, Final

import msgspec
import pytest

from exwire.handlers import AnySymbol
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Level, Ticker, Trade
from exwire.subscription import Ack
from exwire_mexc.spot.encode import PING, requests, subscription
from exwire_mexc.spot.venue import MexcSpotPublicHandler
from heard import Heard
from samples import Sample, needs_samples, read, samples_dir, select

pytestmark = needs_samples

PUSHES: Final = select("mexc", "spot", "ws_push")
ACKS: Final = select("mexc", "spot", "ws_ack")
REQUESTS: Final = select("mexc", "spot", "ws_request")

EVENTS: Final[dict[str, type]] = {
    "public.aggre.bookTicker": BookTicker,
    "public.aggre.deals": Trade,
    "public.aggre.depth": BookDelta,
    "public.bookTicker": BookTicker,
    "public.bookTicker.batch": BookTicker,
    "public.deals": Trade,
    "public.increase.depth": BookDelta,
    "public.increase.depth.batch": BookDelta,
    "public.kline": Candle,
    "public.limit.depth": BookSnapshot,
    "public.miniTicker": Ticker,
    "public.miniTickers": Ticker,
    "legacy.public.bookTicker": BookTicker,
    "legacy.public.deals": Trade,
    "legacy.public.increase.depth": BookDelta,
    "legacy.public.kline": Candle,
    "legacy.public.limit.depth": BookSnapshot,
    "legacy.public.miniTicker": Ticker,
    "legacy.raw_array": Candle,
}
"""Public channels: each push is events of this kind."""

NOT_HERE: Final = {"private.account", "private.deals", "private.orders"} | {
    "legacy.private.account",
    "legacy.private.deals",
    "legacy.private.orders",
}
"""Private channels: nobody can subscribe to them on a public connection, so a push of theirs is a DecodeError."""

EMPTY: Final = {"mexc.spot.public.aggre.deals.001.push"}
"""Pushes without a body, of windows in which nothing happened."""


def levels_of(rows: list[dict[str, float]]) -> tuple[Level, ...]:
    return tuple((row["price"], row["amount"]) for row in rows)


def normalized(events: list[Any], rows: list[dict[str, Any]]) -> bool:
    """Return whether the events say what the index gives as another project's normal form."""
    (event,), (row,) = events, rows
    at = round(datetime.fromisoformat(row["timestamp"]).timestamp() * 1000) == event.ts_event // 1_000_000
    if isinstance(event, BookTicker):
        prices = (event.bid_price, event.ask_price) == (row["bidPrice"], row["askPrice"])
        return at and prices and (event.bid_qty, event.ask_qty) == (row["bidAmount"] or 0.0, row["askAmount"] or 0.0)
    return at and (event.bids, event.asks) == (levels_of(row["bids"]), levels_of(row["asks"]))


CLAIMS: Final[dict[str, Callable[[Any], object]]] = {
    "price": lambda event: event.last if isinstance(event, Ticker) else event.price,
    "quantity": lambda event: event.qty,
    "side": lambda event: event.side,
    "time": lambda event: event.ts_event // 1_000_000,
    "sendTime": lambda event: event.ts_event // 1_000_000,
    "bid": lambda event: event.bids[0][0] if isinstance(event, BookSnapshot) else event.bid_price,
    "ask": lambda event: event.asks[0][0] if isinstance(event, BookSnapshot) else event.ask_price,
    "bidPrice": lambda event: event.bid_price,
    "bidQuantity": lambda event: event.bid_qty,
    "askPrice": lambda event: event.ask_price,
    "askQuantity": lambda event: event.ask_qty,
    "version": lambda event: event.update_id if isinstance(event, BookTicker) else event.last_id,
    "fromVersion": lambda event: event.first_id,
    "toVersion": lambda event: event.last_id,
    "symbol": lambda event: event.symbol.replace("/", ""),
    "open": lambda event: event.open,
    "high": lambda event: event.high,
    "low": lambda event: event.low,
    "close": lambda event: event.close,
    "timestamp": lambda event: event.ts_event // 1_000_000,
    "arr.count": lambda event: 1,
    "candlestick_msg.symbol": lambda event: event.symbol.replace("/", "_"),
    "candlestick_msg.pair": lambda event: event.symbol,
    "candlestick_msg.period": lambda event: {"5m": "Min5"}[event.interval],
    "candlestick_msg.open": lambda event: event.open,
    "candlestick_msg.high": lambda event: event.high,
    "candlestick_msg.low": lambda event: event.low,
    "candlestick_msg.close": lambda event: event.close,
    "candlestick_msg.volume": lambda event: event.base_volume,
}
"""What the index may expect of the one event of a push, and where the event has it."""

OF_SEVERAL: Final[dict[str, Callable[[list[Any], Any], bool]]] = {
    "symbols": lambda events, expected: [event.symbol.replace("/", "") for event in events] == expected,
    "bid_deletes": lambda events, expected: (
        [price for event in events for price, qty in event.bids if not qty] == list(map(float, expected))
    ),
    "ask_deletes": lambda events, expected: (
        [price for event in events for price, qty in event.asks if not qty] == list(map(float, expected))
    ),
    "normalized": normalized,
}

OF_THE_BOOK: Final = {"action", "best_bid_after", "best_ask_after"}
"""What the index expects of a book after a delta was applied; no single frame says it."""


@pytest.fixture
def anything(handler: MexcSpotPublicHandler) -> MexcSpotPublicHandler:
    """A handler that knows every symbol of the form."""
    handler.symbols = AnySymbol(handler.symbol)
    return handler


def by_id(sample: Sample) -> str:
    return sample.id


def is_text(sample: Sample) -> bool:
    return not sample.file.endswith(".bin")


def same(value: object, expected: object) -> bool:
    """The index writes numbers as text, ours are numbers."""
    return float(expected) == value if isinstance(value, float) and isinstance(expected, str) else str(value) == str(expected)


def test_no_push_of_the_index_is_of_an_unknown_channel() -> None:
    """A payload that joins the samples joins this page."""
    assert PUSHES
    assert {sample.channel for sample in PUSHES} <= EVENTS.keys() | NOT_HERE


def test_every_channel_of_this_page_has_a_push_in_the_index() -> None:
    """Otherwise one of ours was never tried on a real frame."""
    assert EVENTS.keys() | NOT_HERE <= {sample.channel for sample in PUSHES}


@pytest.mark.parametrize("sample", [each for each in PUSHES if each.channel in EVENTS and each.id not in EMPTY], ids=by_id)
def test_a_public_push_decodes_to_what_the_index_expects(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """Events of the channel's kind, and every value that the source asserts."""
    anything.feed(read(sample), is_text(sample), 7)

    assert heard.errors == []
    assert {type(event) for event in heard.events} == {EVENTS[sample.channel]}
    assert len(heard) == len(heard.events)
    assert (anything.outside, anything.unknown, anything.empty) == (0, 0, 0)
    for event in heard.events:
        assert 1_600_000_000 < event.ts_event / 1e9 < 1_800_000_000
        assert anything.symbol(anything.venue_symbol(event.symbol)) == event.symbol
    for claim in (sample.expected or {}).keys() - OF_THE_BOOK:
        if claim in OF_SEVERAL:
            assert OF_SEVERAL[claim](heard.events, sample.expected[claim]), claim
        else:
            (event,) = heard.events
            assert same(CLAIMS[claim](event), sample.expected[claim]), claim


@pytest.mark.parametrize("sample", [each for each in PUSHES if not is_text(each) and each.channel in EVENTS], ids=by_id)
def test_the_json_form_beside_a_binary_push_decodes_to_the_same(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """It is what protobuf's own tools make of the frame."""
    anything.feed(read(sample), False, 7)
    of_binary = heard.events[:]
    heard.events.clear()
    anything.feed((samples_dir() / sample.file).with_suffix(".json").read_bytes(), True, 7)

    assert heard.errors == []
    assert heard.events == of_binary


@pytest.mark.parametrize("sample", [each for each in PUSHES if each.id in EMPTY], ids=by_id)
def test_a_push_of_an_empty_window_is_no_event(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """It is counted."""
    anything.feed(read(sample), is_text(sample), 7)

    assert (len(heard), anything.empty, anything.unknown) == (0, 1, 0)


@pytest.mark.parametrize("sample", [each for each in PUSHES if each.channel in NOT_HERE], ids=by_id)
def test_a_push_that_is_not_public_spot_is_a_decode_error(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """It says which topic it was."""
    anything.feed(read(sample), is_text(sample), 7)

    (error,) = heard.errors
    assert len(heard) == 1
    assert "spot@private." in error.reason


@pytest.mark.parametrize("name", sorted({each.sequence.name for each in PUSHES if each.sequence and each.sequence.role == "delta"}))
def test_the_deltas_of_a_sequence_come_in_the_order_of_their_versions(anything: MexcSpotPublicHandler, heard: Heard, name: str) -> None:
    """Those that are whole chain: each begins where the one before it ended."""
    deltas = sorted(
        ((each.sequence.pos, each) for each in PUSHES if each.sequence and each.sequence.name == name), key=lambda pair: pair[0]
    )
    for _, sample in deltas:
        anything.feed(read(sample), is_text(sample), 0)
    events = [event for event in heard.events if isinstance(event, BookDelta)]

    assert len(events) == len(deltas) > 1
    assert all(after.first_id > before.last_id for before, after in pairwise(events))
    if "synthetic" in name:
        assert all(after.first_id == before.last_id + 1 for before, after in pairwise(events))


@pytest.mark.parametrize("sample", [each for each in ACKS if each.channel in {"subscribe", "unsubscribe"}], ids=by_id)
def test_an_answer_that_lists_a_topic_is_an_ack(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """Its id is 0, its topic is what it can be matched by."""
    anything.feed(read(sample), True, 7)

    assert heard.acks == [Ack(None, ok=True, topics=(msgspec.json.decode(read(sample))["msg"],))]
    assert len(heard) == 1


@pytest.mark.parametrize("sample", [each for each in ACKS if each.channel == "subscribe_refused"], ids=by_id)
def test_a_refusal_names_its_topics(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """Although its code is 0."""
    anything.feed(read(sample), True, 7)

    refused = tuple(sample.expected["refused"])
    assert heard.acks == [Ack(None, ok=False, topics=refused, code="Blocked!", message="Not Subscribed successfully!")]


@pytest.mark.parametrize("sample", [each for each in ACKS if each.channel == "pong"], ids=by_id)
def test_a_pong_is_a_pong(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """With no clock in it."""
    anything.feed(read(sample), True, 7)

    assert (heard.pongs, len(heard)) == ([0], 1)


def test_every_answer_of_the_index_was_tried() -> None:
    """By one of the tests above."""
    assert {sample.channel for sample in ACKS} == {"subscribe", "unsubscribe", "subscribe_refused", "pong"}


@pytest.mark.parametrize("sample", REQUESTS, ids=by_id)
def test_a_request_of_the_index_is_the_one_that_we_would_send(sample: Sample) -> None:
    """Field by field; the id is optional to MEXC, and ours always has one."""
    wire: dict[str, Any] = msgspec.json.decode(read(sample))
    if wire["method"] == "PING":
        assert wire == msgspec.json.decode(PING)
        return
    (made,) = requests(wire["method"], [subscription(topic) for topic in wire["params"]], count(1))

    assert list(made.topics) == wire["params"]
    assert msgspec.json.decode(made.frame) == {"id": 1} | wire


@pytest.mark.parametrize("sample", REQUESTS, ids=by_id)
def test_a_request_that_comes_back_confirms_nothing(anything: MexcSpotPublicHandler, heard: Heard, sample: Sample) -> None:
    """A recording may hold both directions."""
    anything.feed(read(sample), True, 7)

    assert (len(heard.errors), len(heard)) == (1, 1)
