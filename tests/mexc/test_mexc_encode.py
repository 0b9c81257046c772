"""Subscriptions become MEXC spot frames, and topics become subscriptions again."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exwire.errors import ConfigError
from exwire.subscription import Channel, Ledger, Request, Subscription
from exwire_mexc.names import QUOTES, spot_pair, spot_symbol
from exwire_mexc.spot.encode import (
    BATCH,
    FRAME_BYTES,
    INTERVALS,
    INTERVALS_MS,
    SNAPSHOT_DEPTHS,
    TOP_INTERVALS_MS,
    ZONES,
    requests,
    subscription,
    topic,
)

EVERY_TOPIC = [
    *(Subscription.of(Channel.TRADES, "BTC/USDT", {"interval_ms": ms}) for ms in INTERVALS_MS),
    *(Subscription.of(Channel.BOOK, "BTC/USDT", {"interval_ms": ms}) for ms in INTERVALS_MS),
    *(Subscription.of(Channel.BOOK_TICKER, "BTC/USDT", {"interval_ms": ms}) for ms in TOP_INTERVALS_MS),
    *(Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": depth}) for depth in SNAPSHOT_DEPTHS),
    *(Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": interval}) for interval in INTERVALS),
    *(Subscription.of(Channel.TICKER, "BTC/USDT", {"timezone": zone}) for zone in ZONES),
]


def subscribe(*subs: Subscription) -> list[Request]:
    return requests("SUBSCRIPTION", subs, count(1))


def sent(request: Request) -> dict[str, Any]:
    frame: dict[str, Any] = msgspec.json.decode(request.frame)
    return frame


@pytest.mark.parametrize(
    ("sub", "name"),
    [
        (Subscription(Channel.TRADES, "BTC/USDT"), "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"),
        (Subscription.of(Channel.TRADES, "BTC/USDT", {"interval_ms": 10}), "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT"),
        (Subscription(Channel.BOOK, "BTC/USDT"), "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT"),
        (Subscription.of(Channel.BOOK, "BTC/USDT", {"interval_ms": 10}), "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT"),
        (Subscription(Channel.BOOK_TICKER, "BTC/USDT"), "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT"),
        (Subscription.of(Channel.BOOK_TICKER, "BTC/USDT", {"interval_ms": 0}), "spot@public.bookTicker.batch.v3.api.pb@BTCUSDT"),
        (Subscription(Channel.BOOK_SNAPSHOT, "BTC/USDT"), "spot@public.limit.depth.v3.api.pb@BTCUSDT@20"),
        (Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": 5}), "spot@public.limit.depth.v3.api.pb@BTCUSDT@5"),
        (Subscription(Channel.CANDLES, "BTC/USDT"), "spot@public.kline.v3.api.pb@BTCUSDT@Min1"),
        (Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "1h"}), "spot@public.kline.v3.api.pb@BTCUSDT@Min60"),
        (Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "1M"}), "spot@public.kline.v3.api.pb@BTCUSDT@Month1"),
        (Subscription(Channel.TICKER, "BTC/USDT"), "spot@public.miniTicker.v3.api.pb@BTCUSDT@24H"),
        (Subscription.of(Channel.TICKER, "BTC/USDT", {"timezone": "UTC+8"}), "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+8"),
    ],
)
def test_each_subscription_has_its_topic(sub: Subscription, name: str) -> None:
    """All are protobuf topics; those of the aggre family need their interval."""
    (request,) = subscribe(sub)

    assert sent(request) == {"method": "SUBSCRIPTION", "params": [name], "id": 1}
    assert (request.id, request.subs, request.topics, request.subscribe) == (1, (sub,), (name,), True)
    assert topic(sub) == name


def test_unsubscribing_is_the_same_frame_with_another_method() -> None:
    """Matched by its id like any other."""
    (request,) = requests("UNSUBSCRIPTION", [Subscription(Channel.TRADES, "BTC/USDT")], count(7))

    assert sent(request)["method"] == "UNSUBSCRIPTION"
    assert (request.id, request.subscribe) == (7, False)


def test_a_frame_has_topics_of_one_channel_and_at_most_twelve() -> None:
    """What becomes of the good ones beside a bad one is not documented, so bad company is avoided."""
    subs = [Subscription(channel, f"C{n}/USDT") for n in range(15) for channel in (Channel.TRADES, Channel.BOOK)]
    made = subscribe(*subs)

    assert [len(request.subs) for request in made] == [BATCH, 3, BATCH, 3]
    assert [request.id for request in made] == [1, 2, 3, 4]
    assert all(len({sub.channel for sub in request.subs}) == 1 for request in made)
    assert {sub for request in made for sub in request.subs} == set(subs)
    assert all(sent(request)["params"] == list(request.topics) for request in made)


@given(st.lists(st.text("ABCDEFGHIJ币安💱", min_size=1, max_size=200), min_size=1, max_size=30, unique=True), st.integers(1, 2**40))
def test_a_frame_is_never_longer_than_1024_bytes(names: list[str], first_id: int) -> None:
    """In UTF-8, where a name may take three bytes a character. A topic that alone is longer goes alone."""
    subs = [Subscription(Channel.TRADES, f"{name}/USDT") for name in names]
    made = requests("SUBSCRIPTION", subs, count(first_id))

    assert all(len(request.frame) <= FRAME_BYTES or len(request.subs) == 1 for request in made)
    assert [sub for request in made for sub in request.subs] == subs
    assert [request.id for request in made] == list(range(first_id, first_id + len(made)))


def test_long_names_share_a_frame_with_fewer_others() -> None:
    """Bytes count before topics do."""
    made = subscribe(*(Subscription(Channel.TRADES, f"{'币' * 50}{n}/USDT") for n in range(12)))

    assert [len(request.subs) for request in made] == [4, 4, 4]
    assert all(len(request.frame) <= FRAME_BYTES for request in made)


def test_thirty_topics_are_asked_for_in_frames_as_full_as_they_may_be() -> None:
    """A frame more is a frame more to refuse and to answer."""
    made = subscribe(*(Subscription(Channel.BOOK_TICKER, f"COIN{n}/USDT") for n in range(30)))

    assert [len(request.subs) for request in made] == [12, 12, 6]


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
        "spot@",
        "spot@public.aggre.deals.v3.api.pb@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@100ms",
        "spot@public.aggre.deals.v3.api.pb@100ms@btcusdt",
        "spot@public.aggre.deals.v3.api.pb@100ms@BTCXYZ",
        "spot@public.aggre.deals.v3.api.pb@100ms@USDT",
        "spot@public.aggre.deals.v3.api.pb@100@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@20ms@BTCUSDT",
        "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT@",
        "spot@public.aggre.bookTicker.v3.api.pb@0ms@BTCUSDT",
        "spot@public.deals.v3.api@BTCUSDT",
        "spot@public.limit.depth.v3.api.pb@BTCUSDT@50",
        "spot@public.kline.v3.api.pb@BTCUSDT@1m",
        "spot@public.kline.v3.api.pb@BTCUSDT@Min2",
        "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+99",
        "spot@public.miniTickers.v3.api.pb@Mars",
        "spot@private.orders.v3.api.pb",
        "futures@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
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
        Subscription.of(Channel.BOOK, "BTC/USDT", {"interval_ms": 20}),
        Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT", {"depth": 50}),
        Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "3m"}),
        Subscription.of(Channel.TICKER, "BTC/USDT", {"timezone": "CET"}),
        Subscription(Channel.TRADES, "BTCUSDT"),
    ],
    ids=str,
)
def test_what_mexc_does_not_serve_is_refused_before_it_is_sent(sub: Subscription) -> None:
    """It would be answered with ``Blocked!``, as would a symbol that does not exist."""
    with pytest.raises(ConfigError):
        subscribe(sub)


class TestNames:
    @pytest.mark.parametrize(
        "symbol", ["BTC/USDT", "1INCH/USDT", "BTC3L/USDT", "USDT/USDC", "ETH/BTC", "BTC/USD1", "币安人生/USDT", "QUBIC(OLD)/USDT"]
    )
    def test_symbols_and_pairs_translate_both_ways(self, symbol: str) -> None:
        """As long as the quote currency is a known one."""
        assert spot_pair(symbol) == symbol.replace("/", "")
        assert spot_symbol(spot_pair(symbol)) == symbol

    def test_a_pair_of_an_unknown_quote_can_be_subscribed_and_not_split(self) -> None:
        """Joining is exact; the subscription then says how the pair is split."""
        assert spot_pair("BTC/TRY") == "BTCTRY"
        with pytest.raises(ConfigError, match="ending with one of USDT, "):
            spot_symbol("BTCTRY")

    def test_no_quote_is_the_end_of_another(self) -> None:
        """Or else their order would decide."""
        assert [(a, b) for a in QUOTES for b in QUOTES if a != b and a.endswith(b)] == []

    @pytest.mark.parametrize(
        "symbol",
        [
            *(
                "",
                "/",
                "BTC",
                "BTC/",
                "/USDT",
                "btc/usdt",
                "BTC/USDT/X",
                "BTCUSDT",
                "BTC/USDT:USDT",
                "BTC /USDT",
                "BTC/US\nDT",
                "\ud800/USDT",
            ),
            *("B@C/USDT", "B,C/USDT", "B]C/USDT", "[BC/USDT", 'B"C/USDT', "B\\C/USDT"),
        ],
    )
    def test_what_cannot_be_a_symbol_is_refused(self, symbol: str) -> None:
        """Nor what would be something else inside a topic, or inside the list of an answer."""
        with pytest.raises(ConfigError, match="BTC/USDT"):
            spot_pair(symbol)
        with pytest.raises(ConfigError, match="BTCUSDT"):
            spot_symbol(symbol if symbol != "BTCUSDT" else "BTC")

    def test_a_symbol_in_lower_case_is_answered_with_the_right_one(self) -> None:
        """MEXC refuses lower case, and guessing is not ours."""
        with pytest.raises(ConfigError, match="did you mean 'BTC/USDT'"):
            spot_pair("btc/usdt")
