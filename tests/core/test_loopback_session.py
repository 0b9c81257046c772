"""Sessions and the topics they share, without a socket; routes and rate limits."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

import pytest

from exwire.errors import UsageError
from exwire.loopback import RateWindow, Reply, RestRequest, Route, VenueScript, sample_frames
from exwire.loopback.listings import LISTINGS
from exwire.loopback.market import Market, SimInstrument
from exwire.loopback.session import Hub, Key, Lifetimes, Session
from exwire.loopback.topics import BookDeltas, BookState, BookTops, Candles, Delta, Frame, Tickers, Topic, Trades, windows_of
from exwire.model import Side

START = 1_790_000_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS


class Counter(Topic):
    """Says how often it was asked."""

    def __init__(self, interval_ms: int = 0) -> None:
        super().__init__(interval_ms)
        self.pushed = 0

    def greet(self, now_ns: int) -> Iterable[Frame]:
        return [f"hello {self.pushed}"]

    def push(self, now_ns: int) -> Iterable[Frame]:
        self.pushed += 1
        return [f"push {self.pushed}"]


def make_topic(key: Key, now_ns: int) -> Topic | None:
    return None if key == "silent" else Counter(int(str(key)))


def hub() -> Hub:
    return Hub(make_topic)


def session(of: Hub, market: str = "spot", max_unread_bytes: int = 1000) -> Session:
    return Session(of, "0123456789abcdef", market, START, max_unread_bytes=max_unread_bytes)


def test_second_subscriber_joins_the_same_stream() -> None:
    """A greeting continues with the next push, for the first subscriber and for the tenth."""
    shared = hub()
    early, late = session(shared), session(shared)
    early.subscribe("0", START)
    shared.push(START + MS)
    late.subscribe("0", START + MS)
    shared.push(START + 2 * MS)

    assert list(early.outbox) == ["hello 0", "push 1", "push 2"]
    assert list(late.outbox) == ["hello 1", "push 2"]


def test_subscribing_twice_is_once() -> None:
    shared = hub()
    one = session(shared)

    assert one.subscribe("0", START)
    assert not one.subscribe("0", START)
    assert list(one.outbox) == ["hello 0"]


def test_topic_without_subscribers_is_forgotten() -> None:
    shared = hub()
    one = session(shared)
    one.subscribe("0", START)

    assert one.unsubscribe("0")
    assert not one.unsubscribe("0")
    assert shared.keys == []
    assert one.subscribe("0", START)


def test_accepted_topic_may_stay_silent_for_ever() -> None:
    shared = hub()
    one = session(shared)

    assert one.subscribe("silent", START)
    assert list(one.topics) == ["silent"]
    assert shared.keys == []
    assert one.unsubscribe("silent")


def test_topic_speaks_at_its_interval() -> None:
    shared = hub()
    one = session(shared)
    one.subscribe("100", START)
    for n in range(1, 31):
        shared.push(START + n * 20 * MS)

    assert list(one.outbox) == ["hello 0", *(f"push {n}" for n in range(1, 7))]


def test_client_that_reads_too_little_is_dropped() -> None:
    shared = hub()
    woken: list[bool] = []
    one = Session(shared, "id", "spot", START, max_unread_bytes=100, wake=lambda: woken.append(True))
    one.subscribe("0", START)
    one.send("x" * 80)
    one.send("x" * 20)

    assert one.closing
    assert one.close_code is None
    assert not one.outbox
    assert shared.sessions == {}
    assert shared.keys == []
    assert woken


def test_taking_frames_makes_room_again() -> None:
    one = session(hub(), max_unread_bytes=100)
    for _ in range(10):
        one.send("x" * 80)
        assert one.next_frame() == "x" * 80

    assert one.next_frame() is None
    assert not one.closing


def test_closed_session_takes_no_more_frames_and_abort_wins_over_a_close_frame() -> None:
    one = session(hub())
    one.send("last")
    one.close(1000)
    one.send("too late")
    assert list(one.outbox) == ["last"]
    one.close(1012)
    assert one.close_code == 1000
    one.close(None)

    assert one.close_code is None
    assert not one.outbox


def test_broadcast_reaches_one_market_or_all() -> None:
    shared = hub()
    spot, futures = session(shared, "spot"), session(shared, "futures")
    shared.broadcast("a", START)
    shared.broadcast("b", START, "spot")

    assert (list(spot.outbox), list(futures.outbox)) == (["a", "b"], ["a"])


def test_connection_that_waits_for_nothing_is_closed() -> None:
    """Gate closes an idle socket after some 30 s and a silent one after 60, both without a close frame."""
    shared = hub()
    idle, subscribed, talking = session(shared), session(shared), session(shared)
    subscribed.subscribe("silent", START)
    talking.heard_ns = START + 29 * SECOND
    shared.close_overdue(START + 30 * SECOND, Lifetimes())

    assert idle.closing
    assert not subscribed.closing
    assert not talking.closing
    shared.close_overdue(START + 60 * SECOND, Lifetimes(unsubscribed_s=0))
    assert subscribed.closing
    assert not talking.closing
    shared.close_overdue(START + 600 * SECOND, Lifetimes(unsubscribed_s=0, silent_s=0))
    assert not talking.closing


def test_talk_may_not_keep_a_connection_without_topics() -> None:
    """MEXC: 30 s without a subscription, pings or not, begin again when the last one is given up; the close frame is empty."""
    lifetimes = Lifetimes(talk_counts=False, code=1005)
    shared = hub()
    idle, once = session(shared), session(shared)
    once.subscribe("silent", START)
    idle.heard_ns = once.heard_ns = START + 29 * SECOND
    shared.close_overdue(START + 29 * SECOND, lifetimes)
    once.unsubscribe("silent")
    shared.close_overdue(START + 30 * SECOND, lifetimes)

    assert (idle.closing, idle.close_code) == (True, 1005)
    assert not once.closing
    shared.close_overdue(START + 59 * SECOND, lifetimes)
    assert once.closing


def test_a_connection_may_live_so_long_and_no_longer() -> None:
    shared = hub()
    busy = session(shared)
    busy.subscribe("silent", START)
    busy.heard_ns = START + 86_400 * SECOND
    shared.close_overdue(START + 86_399 * SECOND, Lifetimes(total_s=86_400))
    assert not busy.closing

    shared.close_overdue(START + 86_400 * SECOND, Lifetimes(total_s=86_400))
    assert busy.closing


# --- topics over a market -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def market() -> Market:
    return Market(4, START, [each for each in LISTINGS if each.symbol == "BTC/USDT"])


@pytest.fixture
def bitcoin(market: Market) -> SimInstrument:
    return market.instruments["BTC/USDT"]


def test_trades_are_pushed_once_each(market: Market, bitcoin: SimInstrument) -> None:
    topic = Trades(bitcoin, lambda _, trades, __: [str(trade.id) for trade in trades])
    before = bitcoin.trade_count
    pushed: list[Frame] = []
    for n in range(1, 101):
        market.step(START + n * 20 * MS)
        pushed += topic.push(market.now_ns)

    assert pushed == [str(trade.id) for trade in bitcoin.trades_since(before)]
    assert pushed


def test_quotes_are_pushed_when_best_bid_or_ask_changed(market: Market, bitcoin: SimInstrument) -> None:
    topic = BookTops(bitcoin, 1, lambda state, _: f"{state.bids}{state.asks}", greets=False)
    assert topic.greet(START) == ()
    pushed: list[Frame] = []
    for n in range(1, 101):
        market.step(START + n * 20 * MS)
        pushed += topic.push(market.now_ns)
        assert not pushed or pushed[-1] == f"{bitcoin.book.bids.top(1)}{bitcoin.book.asks.top(1)}"

    assert 1 < len(pushed) < 100
    assert all(before != after for before, after in pairwise(pushed))


def test_deltas_continue_the_greeting_without_a_hole(market: Market, bitcoin: SimInstrument) -> None:
    topic = BookDeltas(
        bitcoin, 50, lambda delta, _: f"{delta.first_id} {delta.last_id}", interval_ms=20, encode_full=lambda state, _: f"{state.last_id}"
    )
    last_id = int(str(next(iter(topic.greet(START)))))
    assert last_id == bitcoin.book.update_id
    for n in range(1, 101):
        market.step(START + n * 20 * MS)
        for frame in topic.push(market.now_ns):
            first, last = map(int, str(frame).split())
            assert first == last_id + 1
            last_id = last

    assert last_id == bitcoin.book.update_id
    assert list(topic.push(market.now_ns)) == []


@pytest.mark.parametrize("with_full", [True, False])
def test_forgotten_history_is_a_new_start_or_a_hole(bitcoin: SimInstrument, with_full: bool) -> None:
    """As on the real venue under load; a client has to notice by the ids."""

    def full(state: BookState, now_ns: int) -> Frame:
        return f"full {state.last_id}"

    def delta(delta: Delta, now_ns: int) -> Frame:
        return f"delta {delta.first_id}"

    topic = BookDeltas(bitcoin, 50, delta, interval_ms=20, encode_full=full if with_full else None)
    book = bitcoin.book
    for _ in range(20_000):
        order = book.limit(Side.BUY, 1, 1, START).resting
        assert order is not None
        book.cancel(order.id, START)

    assert list(topic.push(START)) == ([f"full {book.update_id}"] if with_full else [])
    first = book.update_id + 1
    assert book.bids.best is not None
    book.market(Side.BUY, 1, START)
    assert list(topic.push(START)) == [f"delta {first}"]


def test_ticker_speaks_whether_or_not_anything_changed(bitcoin: SimInstrument) -> None:
    topic = Tickers(bitcoin, lambda each, now: each.listing.symbol, interval_ms=1000)

    assert list(topic.push(START)) == list(topic.push(START)) == ["BTC/USDT"]


def test_candle_is_said_once_more_when_it_closed(market: Market, bitcoin: SimInstrument) -> None:
    topic = Candles(bitcoin, windows_of(10), lambda _, candle, __: f"{candle.start_s} {candle.closed}", every_ms=2000, now_ns=START)
    first = START // SECOND
    pushed: list[Frame] = []
    for n in range(1, 60):
        market.step(START + n * 200 * MS)
        pushed += topic.push(market.now_ns)

    assert pushed.count(f"{first} True") == 1
    assert pushed.index(f"{first} True") + 1 == pushed.index(f"{first + 10} False")
    assert pushed.count(f"{first} False") == 5


# --- scripts ------------------------------------------------------------------------------------------------------------------------


def nothing(request: RestRequest) -> Reply:
    return Reply(None)


@pytest.mark.parametrize(
    ("template", "path", "parts"),
    [
        ("/time", "/time", {}),
        ("/time", "/times", None),
        ("/pairs/{pair}", "/pairs/BTC_USDT", {"pair": "BTC_USDT"}),
        ("/pairs/{pair}", "/pairs/a/b", None),
        ("/pairs/{pair}", "/pairs/", None),
        ("/v1.0/{a}/x/{b}", "/v1.0/1/x/2", {"a": "1", "b": "2"}),
        ("/v1.0/{a}", "/v1x0/1", None),
    ],
)
def test_route_templates(template: str, path: str, parts: dict[str, str] | None) -> None:
    assert Route("GET", template, nothing).match(path) == parts


def test_rate_window_counts_each_key_apart_and_starts_anew() -> None:
    rates = RateWindow(3, 10.0)
    budgets = [rates.spend("a", START + n * SECOND) for n in range(4)]

    assert [budget.allowed for budget in budgets] == [True, True, True, False]
    assert [budget.remaining for budget in budgets] == [2, 1, 0, 0]
    assert budgets[0].reset_s == START // SECOND + 10
    assert rates.spend("b", START, weight=3).allowed
    assert rates.spend("a", START + 10 * SECOND).remaining == 2


class TwoTopics(VenueScript):
    venue = "two"
    ws_paths: ClassVar = {"spot": "/ws"}
    samples: ClassVar = {"fast": "0", "slow": "1000"}

    def routes(self) -> list[Route]:
        return []

    def on_message(self, session: Session, frame: Frame, now_ns: int) -> None:
        session.send(frame)

    def topic(self, key: Key, now_ns: int) -> Topic | None:
        return make_topic(key, now_ns)


def test_sample_frames_need_no_server() -> None:
    frames = sample_frames(TwoTopics(), seconds=2.0)

    assert frames["slow"] == ["hello 0", "push 1", "push 2"]
    assert len(frames["fast"]) == 101


def test_each_box_needs_a_script_of_its_own() -> None:
    script = TwoTopics()
    sample_frames(script, seconds=0.1)

    with pytest.raises(UsageError, match="script of its own"):
        sample_frames(script, seconds=0.1)
