"""What MEXC spot sends as text: answers, and pushes in the form of before protobuf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from exwire.errors import DecodeError
from exwire.lifecycle import Notice
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Side, Ticker, Trade
from exwire.subscription import Ack, Channel, Ledger, Pong, Subscription, TopicState
from exwire_mexc.spot.decode import to_events
from exwire_mexc.spot.encode import requests
from exwire_mexc.spot.text import read_text
from exwire_mexc.spot.wire import Push
from mexc_frames import ABSENT, LEGACY, answer, edited

SYMBOLS = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT", "DXGMUSDT": "DXGM/USDT"}
RECV = 7
SENT = 1_678_593_222_460_000_000
A, B, C = (f"spot@public.aggre.deals.v3.api.pb@100ms@{pair}" for pair in ("BTCUSDT", "ETHUSDT", "NOPEUSDT"))


def old(kind: str, body: dict[str, Any] | None = None, /, **changes: Any) -> bytes:
    """Return an old push. body: changes of it; changes: of what is around."""
    fields = LEGACY[kind]
    return msgspec.json.encode(
        edited(fields | {"d": edited(fields["d"], body or {}) if isinstance(fields["d"], dict) else fields["d"]}, changes)
    )


def events(frame: bytes) -> Sequence[Event]:
    got = read_text(frame)
    assert type(got) is Push
    return to_events(got, frame, SYMBOLS, RECV)


def acks(frame: bytes) -> list[Ack]:
    got = read_text(frame)
    assert type(got) is tuple
    return [control for control in got if isinstance(control, Ack)]


class TestOldPushes:
    @pytest.mark.parametrize(
        ("kind", "event"),
        [
            ("deals", Trade("mexc", "BTC/USDT", 1_678_593_222_456_000_000, RECV, "", Side.BUY, 20382.7, 0.0438)),
            ("increase.depth", BookDelta("mexc", "BTC/USDT", SENT, RECV, 3407459756, 3407459756, (), ((20290.89, 0.0),))),
            ("limit.depth", BookSnapshot("mexc", "BTC/USDT", SENT, RECV, 3407459756, ((20290.8, 2.0),), ((20290.89, 1.0),))),
            ("bookTicker", BookTicker("mexc", "BTC/USDT", SENT, RECV, 0, 25.3519, 31.21, 25.3652, 40.66)),
            (
                "kline",
                Candle(
                    *("mexc", "BTC/USDT", SENT, RECV, "15m", 1_661_931_000_000_000_000),
                    *(20284.90, 20284.93, 20277.52, 20279.43, 1.43211, 29043.48804658),
                    closed=False,
                ),
            ),
            ("miniTicker", Ticker("mexc", "BTC/USDT", SENT, RECV, 76522.0, 0.0013, 77196.3, 75630.77, 7666.720258, 584664223.92)),
        ],
    )
    def test_a_push_of_before_protobuf_is_the_same_event(self, kind: str, event: Event) -> None:
        """Numbers are text, those of a candle bare."""
        assert list(events(old(kind))) == [event]

    def test_the_old_tickers_of_all_pairs_are_a_list(self) -> None:
        """They name their symbols themselves."""
        assert [event.symbol for event in events(old("miniTickers"))] == ["BTC/USDT", "ETH/USDT"]

    def test_the_oldest_form_is_an_array(self) -> None:
        """Seen in 2021: its ``q`` is the base volume, and its only time is that of the candle."""
        frame = (
            b'["push.kline",{"symbol":"DXGM_USDT","data":{"symbol":"DXGM_USDT","interval":"Min5","t":1638241800,"o":0.0268,"c":0.02456,'
            b'"h":0.0273,"l":0.02286,"v":31416.3765539,"q":1264843.57},"symbol_display":"DXGM_USDT"}]'
        )

        assert list(events(frame)) == [
            Candle(
                *("mexc", "DXGM/USDT", 1_638_241_800_000_000_000, RECV, "5m", 1_638_241_800_000_000_000),
                *(0.0268, 0.0273, 0.02286, 0.02456, 1264843.57, 31416.3765539),
                closed=False,
            )
        ]

    @pytest.mark.parametrize(
        "frame",
        [
            old("deals", c="spot@private.orders.v3.api"),
            old("deals", c="spot@public.nope.v3.api@BTCUSDT"),
            old("deals", d=[]),
            old("deals", d=ABSENT),
            old("deals", t=-1),
            old("bookTicker", t=ABSENT),
            old("bookTicker", {"a": "NaN"}),
            old("bookTicker", {"a": "0"}),
            old("kline", d={}),
            old("kline", d={"k": {"i": "Min2"}}),
            old("limit.depth", {"r": "x"}),
            old("miniTicker", {"tr": "--"}),
            b'["push.depth",{}]',
            b"[]",
            b"[[[",
        ],
        ids=lambda frame: repr(frame[:60]),
    )
    def test_nonsense_is_refused(self, frame: bytes) -> None:
        """As it is from protobuf."""
        with pytest.raises(DecodeError):
            events(frame)


def test_a_member_whose_name_is_not_utf_8_is_refused() -> None:
    """The typed decoder skips it unread; counting unknown members does not."""
    with pytest.raises(DecodeError, match="utf-8"):
        read_text(b'{"channel":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT","\x80publicAggreDeals":{}}')


class TestAnswers:
    @pytest.mark.parametrize(
        ("frame", "expected"),
        [
            (answer(A), [Ack(7, ok=True, topics=(A,))]),
            (answer(f"{A},{B}"), [Ack(7, ok=True, topics=(A, B))]),
            (answer(f"{A}, {B} "), [Ack(7, ok=True, topics=(A, B))]),
            (answer(A, id=0), [Ack(None, ok=True, topics=(A,))]),
            (answer(A, id=ABSENT), [Ack(None, ok=True, topics=(A,))]),
            (answer(""), [Ack(7, ok=True, leaving=True)]),
            (answer(None), [Ack(7, ok=True, leaving=True)]),
        ],
        ids=lambda each: each.decode() if isinstance(each, bytes) else "",
    )
    def test_an_answer_that_lists_topics_accepts_them(self, frame: bytes, expected: list[Ack]) -> None:
        """An id of 0 says that the request had none. An unsubscription may be answered without a word."""
        assert read_text(frame) == tuple(expected)

    @pytest.mark.parametrize("colon", ["：", ":"])
    @pytest.mark.parametrize(("id", "answers"), [(7, 7), (0, None)])
    def test_a_refusal_has_code_0_and_is_known_by_its_words(self, id: int, answers: int | None, colon: str) -> None:
        """``Blocked!`` means that there is no such topic. The colon is the full-width one."""
        frame = answer(f"Not Subscribed successfully! [{A},{B}].  Reason{colon} Blocked! ", id=id)

        assert read_text(frame) == (Ack(answers, ok=False, topics=(A, B), code="Blocked!", message="Not Subscribed successfully!"),)

    def test_one_answer_may_accept_some_topics_and_refuse_others(self) -> None:
        """Each has its own list."""
        said = f"Subscribed successful! [{A},{B}]. Not Subscribed successfully! [{C}].  Reason： Blocked! "

        assert read_text(answer(said)) == (
            Ack(7, ok=True, topics=(A, B)),
            Ack(7, ok=False, topics=(C,), code="Blocked!", message="Not Subscribed successfully!"),
        )

    def test_an_empty_list_accepts_nothing(self) -> None:
        """Or else the whole request would be taken for accepted."""
        said = f"Subscribed successful! [ ]. Not Subscribed successfully! [{C}].  Reason： Blocked! "

        assert [(ack.ok, ack.topics) for ack in acks(answer(said))] == [(False, (C,))]

    def test_a_refusal_without_reason_and_topics_is_one_of_the_request(self) -> None:
        """The ledger then asks again in halves."""
        assert read_text(answer("Not Subscribed successfully! []")) == (Ack(7, ok=False, message="Not Subscribed successfully!"),)

    @pytest.mark.parametrize("said", ["msg format invalid", "Not Subscribed successfully!", "no subscription", "Blocked!"])
    def test_other_words_refuse_the_request_that_they_answer(self, said: str) -> None:
        """And are announced when they answer none."""
        assert read_text(answer(said)) == (Ack(7, ok=False, message=said),)
        assert read_text(answer(said, id=0)) == (Notice("mexc", "error", said),)

    def test_only_a_little_of_long_words_reaches_an_error(self) -> None:
        """Whatever a venue sends, an error stays readable."""
        (ack,) = acks(answer("x" * 10_000_000))

        assert len(ack.message) == 300

    @pytest.mark.parametrize("frame", [answer("PONG", id=0), answer("pong"), b'{"id":0,"code":0,"msg":"PONG"}\n'])
    def test_a_pong_is_known_by_its_word(self, frame: bytes) -> None:
        """In either case, whatever its id."""
        assert read_text(frame) == (Pong(),)

    def test_an_invalid_listen_key_is_said_in_plain_words(self) -> None:
        """No JSON around it."""
        assert read_text(b"Invalid listen key") == (Notice("mexc", "error", "Invalid listen key"),)

    @pytest.mark.parametrize(
        "frame",
        [
            b"",
            b"PONG",
            b"\xff\xfe",
            b"{",
            b"{}",
            b"null",
            b"Invalid",
            b'{"msg":7}',
            b'{"id":"seven","msg":""}',
            b'{"method":"SUBSCRIPTION","params":["spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"],"id":7}',
            b'{"method":"PING"}',
            b'{"id":7,"code":0}',
        ],
    )
    def test_what_is_none_of_it_is_refused(self, frame: bytes) -> None:
        """A request that comes back, as in a recording of both directions, confirms nothing."""
        with pytest.raises(DecodeError) as caught:
            read_text(frame)

        assert caught.value.frame == frame


def asked(*symbols: str) -> tuple[Ledger, list[Subscription]]:
    """Return a ledger in which one request for these symbols' trades was sent, with id 7."""
    subs = [Subscription(Channel.TRADES, symbol) for symbol in symbols]
    ledger = Ledger()
    ledger.want(subs)
    for request in requests("SUBSCRIPTION", subs, iter([7])):
        ledger.sent(request)
    return ledger, subs


class TestLedger:
    """What the acks do to the topics that were asked for."""

    @pytest.mark.parametrize("id", [7, 0])
    def test_topics_are_confirmed_with_and_without_an_id(self, id: int) -> None:
        """They are spelt as in the request."""
        ledger, subs = asked("BTC/USDT", "ETH/USDT")
        (ack,) = acks(answer(f"{A},{B}", id=id))

        assert ledger.answer(ack).confirmed == tuple(subs)

    def test_an_answer_without_a_word_confirms_no_subscription(self) -> None:
        """It has been seen after unsubscriptions only; a subscription is confirmed by the names of its topics."""
        ledger, subs = asked("BTC/USDT", "ETH/USDT")
        (ack,) = acks(answer(""))

        assert ledger.answer(ack).confirmed == ()
        assert set(ledger.states().values()) == {TopicState.SENT}
        assert ledger.drop(subs) == subs
        for request in requests("UNSUBSCRIPTION", subs, iter([7])):
            ledger.sent(request)
        assert ledger.answer(ack).removed == tuple(subs)

    @pytest.mark.parametrize("id", [7, 0])
    def test_one_bad_symbol_costs_only_itself(self, id: int) -> None:
        """The answer says which it was."""
        ledger, (good, bad) = asked("BTC/USDT", "NOPE/USDT")
        said = f"Subscribed successful! [{A}]. Not Subscribed successfully! [{C}].  Reason： Blocked! "
        answers = [ledger.answer(ack) for ack in acks(answer(said, id=id))]

        assert [sub for each in answers for sub in each.confirmed] == [good]
        assert [refusal.sub for each in answers for refusal in each.rejected] == [bad]
        assert [refusal.code for each in answers for refusal in each.rejected] == ["Blocked!"]
        assert ledger.states() == {good: TopicState.CONFIRMED}

    def test_a_request_that_could_not_be_read_is_sent_again_in_halves(self) -> None:
        """Its answer names no topic."""
        ledger, (first, second) = asked("BTC/USDT", "ETH/USDT")
        (ack,) = acks(answer("msg format invalid"))

        assert ledger.answer(ack).halves == ((first,), (second,))
