"""Subscriptions become Gate.io spot frames, and topics become subscriptions again."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest

from exwire.errors import ConfigError
from exwire.subscription import Channel, Ledger, Request, Subscription
from exwire_gateio.envelope import ping
from exwire_gateio.spot.encode import BOOK_DEPTHS, INTERVALS, SNAPSHOT_DEPTHS, SNAPSHOT_INTERVALS_MS, requests, subscription, topic

NOW = 1_790_134_410_515_000_000

EVERY_TOPIC = [
    *(Subscription.of(channel, "BTC/USDT") for channel in (Channel.TRADES, Channel.BOOK_TICKER, Channel.TICKER)),
    *(Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": interval}) for interval in INTERVALS),
    *(Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": depth}) for depth in BOOK_DEPTHS),
    *(
        Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": depth, "interval_ms": interval})
        for depth in SNAPSHOT_DEPTHS
        for interval in SNAPSHOT_INTERVALS_MS
    ),
]


def subscribe(*subs: Subscription) -> list[Request]:
    return requests("subscribe", subs, count(1), NOW)


def sent(request: Request) -> dict[str, Any]:
    frame: dict[str, Any] = msgspec.json.decode(request.frame)
    return frame


@pytest.mark.parametrize(
    ("sub", "channel", "payload"),
    [
        (Subscription(Channel.TRADES, "BTC/USDT"), "spot.trades", ["BTC_USDT"]),
        (Subscription(Channel.TICKER, "BTC/USDT"), "spot.tickers", ["BTC_USDT"]),
        (Subscription(Channel.BOOK_TICKER, "BTC/USDT"), "spot.book_ticker", ["BTC_USDT"]),
        (Subscription(Channel.CANDLES, "BTC/USDT"), "spot.candlesticks", ["1m", "BTC_USDT"]),
        (Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "4h"}), "spot.candlesticks", ["4h", "BTC_USDT"]),
        (Subscription(Channel.BOOK, "BTC/USDT"), "spot.obu", ["ob.BTC_USDT.50"]),
        (Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 400}), "spot.obu", ["ob.BTC_USDT.400"]),
        (Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 100}), "spot.order_book_update", ["BTC_USDT", "100ms"]),
        (Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 20}), "spot.order_book_update", ["BTC_USDT", "20ms"]),
        (Subscription(Channel.BOOK_SNAPSHOT, "BTC/USDT"), "spot.order_book", ["BTC_USDT", "20", "100ms"]),
        (
            Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": 5, "interval_ms": 1000}),
            "spot.order_book",
            ["BTC_USDT", "5", "1000ms"],
        ),
    ],
)
def test_each_channel_has_its_payload(sub: Subscription, channel: str, payload: list[str]) -> None:
    """The depth of a book decides the channel, and there the interval; the time is in seconds."""
    (request,) = subscribe(sub)

    assert sent(request) == {"time": 1790134410, "id": 1, "channel": channel, "event": "subscribe", "payload": payload}
    assert (request.id, request.subs, request.subscribe) == (1, (sub,), True)
    assert request.topics == (topic(sub),) == (" ".join([channel, *payload]),)


def test_unsubscribing_is_the_same_frame_with_another_event() -> None:
    """Matched by its id like any other."""
    (request,) = requests("unsubscribe", [Subscription(Channel.TRADES, "BTC/USDT")], count(7), NOW)

    assert sent(request)["event"] == "unsubscribe"
    assert (request.id, request.subscribe) == (7, False)


def test_symbols_of_one_channel_share_a_frame_up_to_a_hundred() -> None:
    """A refused frame is bisected, so it should not be larger."""
    subs = [Subscription(Channel.TRADES, f"C{n}/USDT") for n in range(250)]
    made = subscribe(*subs)

    assert [len(request.subs) for request in made] == [100, 100, 50]
    assert [request.id for request in made] == [1, 2, 3]
    assert [sub for request in made for sub in request.subs] == subs
    assert [pair for request in made for pair in sent(request)["payload"]] == [f"C{n}_USDT" for n in range(250)]


def test_order_book_v2_streams_of_both_depths_share_a_frame() -> None:
    """Each element of the payload is a stream of its own."""
    subs = [Subscription.of(Channel.BOOK, symbol, {"depth": depth}) for symbol in ("BTC/USDT", "ETH/USDT") for depth in ("50", "400")]
    (request,) = subscribe(*subs)

    assert sent(request)["payload"] == ["ob.BTC_USDT.50", "ob.BTC_USDT.400", "ob.ETH_USDT.50", "ob.ETH_USDT.400"]


@pytest.mark.parametrize(
    ("channel", "params"), [(Channel.CANDLES, {}), (Channel.BOOK_SNAPSHOT, {}), (Channel.BOOK, {"depth": 100})], ids=str
)
def test_a_channel_with_options_takes_a_frame_for_each_symbol(channel: Channel, params: dict[str, object]) -> None:
    """Its whole payload names one topic."""
    made = subscribe(*(Subscription.of(channel, symbol, params) for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT")))

    assert [len(request.subs) for request in made] == [1, 1, 1]


def test_ids_stay_inside_int32() -> None:
    """Gate echoes larger ones, but not all of its servers are known to."""
    (request,) = requests("subscribe", [Subscription(Channel.TRADES, "BTC/USDT")], count(2**31 + 5), NOW)

    assert request.id == sent(request)["id"] == 5


def test_the_ledger_accepts_every_request() -> None:
    """It needs one topic for each subscription, all different on a connection."""
    ledger = Ledger()
    for request in subscribe(*EVERY_TOPIC):
        ledger.sent(request)

    assert len({topic(sub) for sub in EVERY_TOPIC}) == len(EVERY_TOPIC)


@pytest.mark.parametrize("sub", EVERY_TOPIC, ids=topic)
def test_a_topic_leads_back_to_its_subscription(sub: Subscription) -> None:
    """With every param set."""
    assert subscription(topic(sub)) == sub


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spot.trades",
        "spot.trades BTC_USDT ETH_USDT",
        "spot.trades btc_usdt",
        "spot.trades BTC/USDT",
        "spot.nope BTC_USDT",
        "futures.trades BTC_USDT",
        "spot.candlesticks BTC_USDT 1m",
        "spot.candlesticks 1y BTC_USDT",
        "spot.order_book BTC_USDT 20 100",
        "spot.order_book BTC_USDT 30 100ms",
        "spot.order_book_update BTC_USDT 1000ms",
        "spot.order_book_update BTC_USDT 50ms",
        "spot.obu BTC_USDT.50",
        "spot.obu ob.BTC_USDT",
        "spot.obu ob.BTC_USDT.100",
        "spot.obu ob.BTC_USDT.050",
        "trades BTC_USDT",
    ],
)
def test_what_is_no_topic_stands_for_nothing(text: str) -> None:
    """Only what we would ask for ourselves."""
    with pytest.raises(ConfigError):
        subscription(text)


@pytest.mark.parametrize(
    "sub",
    [
        Subscription(Channel.ORDERS, "BTC/USDT"),
        Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 30}),
        Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": 30}),
        Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "2m"}),
        Subscription(Channel.TRADES, "BTC_USDT"),
    ],
    ids=str,
)
def test_what_gate_does_not_serve_is_refused_before_it_is_sent(sub: Subscription) -> None:
    """One bad symbol would fail its whole frame."""
    with pytest.raises(ConfigError):
        subscribe(sub)


def test_names_are_opaque_utf_8() -> None:
    """A few are Chinese."""
    (request,) = subscribe(Subscription(Channel.TRADES, "币安人生/USDT"))

    assert '["币安人生_USDT"]'.encode() in request.frame


def test_a_ping_carries_neither_event_nor_id() -> None:
    """As Gate documents it."""
    request = ping("spot.ping", NOW)

    assert request.frame == b'{"time":1790134410,"channel":"spot.ping"}'
    assert request.subs == ()
