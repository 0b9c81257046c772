"""The ledger of one connection and the demand of a connector: what was asked, what the venue said, who carries what."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from exwire.errors import UsageError
from exwire.subscription import Ack, Channel, Demand, Ledger, Refusal, Request, Subscription, TopicState

BTC = Subscription(Channel.TRADES, "BTC/USDT")
ETH = Subscription(Channel.TRADES, "ETH/USDT")
SOL = Subscription(Channel.TRADES, "SOL/USDT")


def request(id: int, *subs: Subscription, subscribe: bool = True) -> Request:
    return Request(id=id, frame=b"", subs=subs, topics=tuple(topic(sub) for sub in subs), subscribe=subscribe)


def topic(sub: Subscription) -> str:
    return f"{sub.channel}:{sub.symbol}:{sub.params}"


@pytest.fixture
def ledger() -> Ledger:
    """A ledger that wants three topics and has sent them in one request, number 1."""
    ledger = Ledger()
    ledger.want([BTC, ETH, SOL])
    ledger.sent(request(1, BTC, ETH, SOL))
    return ledger


def test_a_topic_is_wanted_then_sent_then_confirmed_then_live() -> None:
    ledger = Ledger()
    seen = [ledger.state(BTC)]
    ledger.want([BTC])
    seen.append(ledger.state(BTC))
    ledger.sent(request(1, BTC))
    seen.append(ledger.state(BTC))
    ledger.answer(Ack(1, ok=True))
    seen.append(ledger.state(BTC))
    ledger.live(BTC)
    seen.append(ledger.state(BTC))

    assert seen == [None, TopicState.WANTED, TopicState.SENT, TopicState.CONFIRMED, TopicState.LIVE]


def test_asking_twice_sends_once(ledger: Ledger) -> None:
    assert ledger.want([BTC, BTC]) == []


def test_an_ack_confirms_exactly_the_topics_of_its_request(ledger: Ledger) -> None:
    """Acks are matched by request, so a second request in flight is not confirmed by the first one's answer."""
    ada = Subscription(Channel.TRADES, "ADA/USDT")
    ledger.want([ada])
    ledger.sent(request(2, ada))

    assert ledger.answer(Ack(1, ok=True)).confirmed == (BTC, ETH, SOL)
    assert ledger.state(ada) is TopicState.SENT


def test_an_ack_without_an_id_is_matched_by_the_topics_it_names(ledger: Ledger) -> None:
    """Some venues echo id 0, or none."""
    assert ledger.answer(Ack(None, ok=True, topics=(topic(BTC), topic(ETH), topic(SOL)))).confirmed == (BTC, ETH, SOL)


def test_a_refusal_that_names_topics_rejects_those_and_leaves_the_others_open(ledger: Ledger) -> None:
    answer = ledger.answer(Ack(1, ok=False, topics=(topic(ETH),), code="7", message="no such pair"))

    assert answer.rejected == (Refusal(ETH, "7", "no such pair"),)
    assert ledger.state(ETH) is None
    assert ledger.state(BTC) is TopicState.SENT
    assert ledger.answer(Ack(1, ok=True)).confirmed == (BTC, SOL)


def test_a_refusal_of_a_whole_batch_is_halved_until_the_bad_topic_stands_alone(ledger: Ledger) -> None:
    """A venue that refuses a frame for one bad symbol without naming it costs the good ones nothing but time."""
    first, second = ledger.answer(Ack(1, ok=False, code="2")).halves
    assert (first, second) == ((BTC,), (ETH, SOL))
    assert {ledger.state(sub) for sub in (BTC, ETH, SOL)} == {TopicState.WANTED}

    ledger.sent(request(2, *first))
    ledger.sent(request(3, *second))
    assert ledger.answer(Ack(2, ok=True)).confirmed == (BTC,)
    third, fourth = ledger.answer(Ack(3, ok=False, code="2")).halves
    ledger.sent(request(4, *third))
    ledger.sent(request(5, *fourth))

    assert ledger.answer(Ack(4, ok=True)).confirmed == (ETH,)
    assert [refusal.sub for refusal in ledger.answer(Ack(5, ok=False, code="2")).rejected] == [SOL]
    assert list(ledger.states()) == [BTC, ETH]


def test_a_late_ack_after_unsubscribing_is_ignored(ledger: Ledger) -> None:
    ledger.drop([BTC])

    assert ledger.answer(Ack(1, ok=True)).confirmed == (ETH, SOL)
    assert BTC not in ledger


def test_a_late_answer_to_a_superseded_request_settles_nothing_new(ledger: Ledger) -> None:
    """Cancelled, unsubscribed, asked for again: the first request's answer is not the second one's."""
    ledger.drop([BTC])
    ledger.want([BTC])
    ledger.sent(request(2, BTC))

    assert BTC not in ledger.answer(Ack(1, ok=True)).confirmed
    assert ledger.state(BTC) is TopicState.SENT


def test_a_repeated_refusal_does_not_reject_the_rest_of_its_batch(ledger: Ledger) -> None:
    refusal = Ack(1, ok=False, topics=(topic(ETH),), code="7")
    ledger.answer(refusal)

    assert ledger.answer(refusal).rejected == ()
    assert (ledger.unmatched, ledger.state(BTC)) == (1, TopicState.SENT)


def test_an_ack_that_answers_nothing_is_counted(ledger: Ledger) -> None:
    ledger.answer(Ack(99, ok=True))
    ledger.answer(Ack(None, ok=False, topics=("nobody's",)))

    assert ledger.unmatched == 2


def test_data_may_overtake_the_ack(ledger: Ledger) -> None:
    """Gate pushes a book's snapshot before it acknowledges the subscription."""
    assert ledger.live(BTC)
    assert not ledger.live(BTC)

    ledger.answer(Ack(1, ok=True))
    assert ledger.state(BTC) is TopicState.LIVE


def test_an_unsubscription_is_settled_by_its_own_answer(ledger: Ledger) -> None:
    ledger.answer(Ack(1, ok=True))
    assert ledger.drop([BTC, BTC]) == [BTC]
    ledger.sent(request(2, BTC, subscribe=False))

    assert ledger.answer(Ack(2, ok=True)).removed == (BTC,)


def test_what_was_never_sent_needs_no_unsubscription() -> None:
    ledger = Ledger()
    ledger.want([BTC])

    assert ledger.drop([BTC]) == []


def test_a_lost_connection_takes_every_topic_back_to_wanted_in_order(ledger: Ledger) -> None:
    ledger.answer(Ack(1, ok=True))
    ledger.live(ETH)
    ledger.lost()

    assert ledger.unsent() == [BTC, ETH, SOL]
    ledger.answer(Ack(1, ok=True))
    assert ledger.unmatched == 1, "an answer of the old connection means nothing on the new one"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 50}), Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": 400})),
        (Subscription.of(Channel.BOOK, "BTC/USDT"), Subscription.of(Channel.BOOK_SNAPSHOT, "BTC/USDT")),
        (Subscription(Channel.TICKER, "*"), Subscription(Channel.TICKER, "BTC/USDT")),
        (Subscription(Channel.TICKER, "BTC/USDT"), Subscription(Channel.TICKER, "*")),
    ],
)
def test_topics_whose_events_look_alike_do_not_share_a_connection(one: Subscription, other: Subscription) -> None:
    """A reader of one depth would silently get the other's levels."""
    ledger = Ledger()
    ledger.want([one])

    with pytest.raises(UsageError, match="second connection"):
        ledger.want([other])
    assert ledger.want([Subscription(Channel.TRADES, "BTC/USDT")])


def test_candles_of_two_intervals_share_a_connection() -> None:
    ledger = Ledger()
    minute, hour = (Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": each}) for each in ("1m", "1h"))

    assert ledger.want([minute, hour]) == [minute, hour]


@settings(max_examples=60, stateful_step_count=40)
class LedgerMachine(RuleBasedStateMachine):
    """Whatever the order of calls and answers, nothing is confirmed that was not asked on this connection, and nothing wanted is lost."""

    requests: Bundle[Request] = Bundle("requests")

    @initialize()
    def start(self) -> None:
        self.ledger = Ledger()
        self.wanted: list[Subscription] = []
        self.ids = iter(range(1, 10_000))

    @rule(names=st.lists(st.sampled_from("ABCDEFGH"), max_size=4))
    def want(self, names: list[str]) -> None:
        subs = [Subscription(Channel.TRADES, f"{name}/USDT") for name in names]
        new = self.ledger.want(subs)
        assert new == [sub for sub in dict.fromkeys(subs) if sub not in self.wanted]
        self.wanted += new

    @rule(target=requests, size=st.integers(1, 4))
    def send(self, size: int) -> Request | MultipleResults[Request]:
        subs = self.ledger.unsent()[:size]
        if not subs:
            return multiple()
        sent = request(next(self.ids), *subs)
        self.ledger.sent(sent)
        return sent

    @rule(answered=consumes(requests), ok=st.booleans(), names=st.booleans())
    def answer(self, answered: Request, ok: bool, names: bool) -> None:
        answer = self.ledger.answer(Ack(answered.id, ok=ok, topics=answered.topics if names else ()))
        assert set(answer.confirmed) <= set(answered.subs) & set(self.wanted)
        for refusal in answer.rejected:
            self.wanted.remove(refusal.sub)
        for half in answer.halves:
            assert set(half) <= set(self.ledger.unsent())

    @rule(name=st.sampled_from("ABCDEFGH"))
    def drop(self, name: str) -> None:
        sub = Subscription(Channel.TRADES, f"{name}/USDT")
        self.ledger.drop([sub])
        if sub in self.wanted:
            self.wanted.remove(sub)

    @rule(name=st.sampled_from("ABCDEFGH"))
    def data(self, name: str) -> None:
        self.ledger.live(Subscription(Channel.TRADES, f"{name}/USDT"))

    @rule()
    def lose(self) -> None:
        self.ledger.lost()
        assert self.ledger.unsent() == self.wanted

    @invariant()
    def wants_exactly_what_was_asked_and_not_refused(self) -> None:
        assert list(self.ledger.states()) == self.wanted


TestLedgerMachine = LedgerMachine.TestCase


def test_demand_counts_references() -> None:
    """A topic is given up with its last holder, whatever the order."""
    demand: Demand[str] = Demand()
    assert demand.add(BTC, "one")
    assert not demand.add(BTC, "two")

    assert not demand.remove(BTC, "one")
    assert not demand.remove(BTC, "one"), "taking the same reference back twice takes nobody else's"
    assert demand.remove(BTC, "two")
    assert BTC not in demand


@given(st.lists(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), unique=True), st.integers(1, 7))
def test_demand_never_puts_more_topics_on_a_connection_than_it_may_carry(names: list[str], limit: int) -> None:
    demand: Demand[int] = Demand()
    connections: list[int] = []

    def new() -> int:
        connections.append(len(connections))
        return connections[-1]

    subs = [Subscription(Channel.TRADES, name) for name in names]
    placed = [demand.place(sub, connections, limit, new) for sub in subs]

    assert all(demand.load(connection) <= limit for connection in connections)
    assert len(connections) == -(-len(names) // limit)
    assert [demand.place(sub, connections, limit, new) for sub in subs] == placed, "a placed topic stays"
    for sub in subs:
        demand.release(sub)
    assert not any(demand.load(connection) for connection in connections)


def test_a_topic_that_the_venue_refused_is_held_by_nobody() -> None:
    demand: Demand[str] = Demand()
    demand.add(BTC, "one")
    demand.place(BTC, [], 1, lambda: "connection")
    demand.forget(BTC)

    assert not demand.held(BTC, "one")
    assert (BTC in demand, demand.at(BTC)) == (False, None)
    assert demand.add(BTC, "two")


def test_demand_keeps_topics_that_look_alike_on_different_connections() -> None:
    demand: Demand[int] = Demand()
    connections: list[int] = []

    def new() -> int:
        connections.append(len(connections))
        return connections[-1]

    shallow, deep = (Subscription.of(Channel.BOOK, "BTC/USDT", {"depth": depth}) for depth in (50, 400))

    assert demand.place(shallow, connections, 100, new) != demand.place(deep, connections, 100, new)
