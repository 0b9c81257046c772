"""What the Gate.io spot handler does with a frame, and what it answers when the interface asks."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from itertools import count
from typing import Any, NoReturn

import msgspec
import pytest

from exwire.contracts import AuthMixin, Cadence, ConnectionMixin, Delivery, ErrorKind, SubscriptionMixin
from exwire.errors import AuthError, ConfigError, ConnectionLostError, UnknownNameError
from exwire.handlers import AnySymbol, PublicMessageHandler
from exwire.lifecycle import Notice
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Ticker, Trade
from exwire.subscription import Ack, Channel, Ledger, Refusal, Subscription
from exwire_gateio.plugin import exwire_venue
from exwire_gateio.spot import GateioSpotPublicHandler
from gateio_frames import ABSENT, RESULTS, ack, push
from heard import Heard

KINDS = {
    "spot.trades": Trade,
    "spot.trades_v2": Trade,
    "spot.book_ticker": BookTicker,
    "spot.order_book": BookSnapshot,
    "spot.order_book_update": BookDelta,
    "spot.obu": BookDelta,
    "spot.tickers": Ticker,
    "spot.candlesticks": Candle,
}
UPGRADE = "The connection will soon be closed for a service upgrade. Please reconnect."


class TestEvents:
    @pytest.mark.parametrize("channel", RESULTS)
    def test_a_push_reaches_the_callback_of_its_kind(self, handler: GateioSpotPublicHandler, heard: Heard, channel: str) -> None:
        """Frame in, event out, with the receive stamp it was given."""
        handler.feed(push(channel), True, 7)

        (event,) = heard.events
        assert type(event) is KINDS[channel]
        assert (event.venue, event.symbol, event.ts_recv) == ("gateio", "BTC/USDT", 7)
        assert len(heard) == 1

    @pytest.mark.parametrize("channel", RESULTS)
    def test_a_symbol_that_is_not_subscribed_is_counted_and_dropped(
        self, handler: GateioSpotPublicHandler, heard: Heard, channel: str
    ) -> None:
        """After an unsubscribe some are still under way."""
        handler.symbols = {"ETH_USDT": "ETH/USDT"}
        handler.feed(push(channel), True, 0)

        assert handler.outside == 1
        assert len(heard) == 0

    def test_every_symbol_of_the_form_is_known_without_a_subscription(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """For reading recorded frames."""
        handler.symbols = AnySymbol(handler.symbol)
        handler.feed(push("spot.trades", currency_pair="币安人生_USDT"), True, 0)
        handler.feed(push("spot.trades", currency_pair="nonsense"), True, 0)

        assert [event.symbol for event in heard.events] == ["币安人生/USDT"]
        assert handler.outside == 1

    def test_a_key_error_of_the_user_is_not_taken_for_a_foreign_symbol(
        self, handler: GateioSpotPublicHandler, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is reported as what it is: a callback that raised."""

        def forgetful(trade: Trade) -> NoReturn:
            raise KeyError(trade.symbol)

        handler.on_trade = forgetful
        with caplog.at_level(logging.ERROR, logger="exwire"):
            handler.feed(push("spot.trades"), True, 0)

        assert (handler.outside, handler.callback_errors) == (0, 1)
        assert "a callback raised" in caplog.text

    def test_callbacks_that_nobody_set_do_nothing(self, handler: GateioSpotPublicHandler) -> None:
        """Every channel and every control message may be ignored."""
        for frame in (*map(push, RESULTS), ack(), b'{"channel":"spot.pong"}', b'{"channel":"spot.system"}', b"junk"):
            handler.feed(frame, True, 0)

        assert (handler.callback_errors, handler.decode_errors) == (0, 1)


class TestAcks:
    @pytest.mark.parametrize("event", ["subscribe", "unsubscribe"])
    @pytest.mark.parametrize("result", [{"status": "success"}, {"status": "fail"}, None, {}])
    def test_success_is_the_absence_of_an_error(self, handler: GateioSpotPublicHandler, heard: Heard, event: str, result: object) -> None:
        """Gate's docs warn that the status is not to be read."""
        handler.feed(ack(event=event, result=result, error=None), True, 0)

        assert heard.acks == [Ack(12, ok=True)]

    def test_a_refusal_has_the_venues_words_and_names_no_topic(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Frames are atomic and do not say which symbol was bad, so that the ledger asks again in halves."""
        error = {"code": 2, "message": "unknown currency pair: NOPE_USDT"}
        handler.feed(ack(result={"status": "fail"}, error=error), True, 0)

        assert heard.acks == [Ack(12, ok=False, code="2", message="unknown currency pair: NOPE_USDT")]

    @pytest.mark.parametrize(
        ("channel", "payload", "topics"),
        [
            ("spot.trades", ["BTC_USDT", "ETH_USDT"], ("spot.trades BTC_USDT", "spot.trades ETH_USDT")),
            ("spot.obu", ["ob.BTC_USDT.50"], ("spot.obu ob.BTC_USDT.50",)),
            ("spot.candlesticks", ["1m", "BTC_USDT"], ("spot.candlesticks 1m BTC_USDT",)),
            ("spot.order_book_update", ["BTC_USDT", "100ms"], ("spot.order_book_update BTC_USDT 100ms",)),
            ("spot.trades", ABSENT, ()),
            ("spot.trades", None, ()),
        ],
    )
    def test_an_answer_without_id_names_the_topics_of_its_payload(
        self, handler: GateioSpotPublicHandler, heard: Heard, channel: str, payload: object, topics: tuple[str, ...]
    ) -> None:
        """Older stacks echo the payload but no id."""
        handler.feed(ack(channel, id=ABSENT, payload=payload), True, 0)

        assert heard.acks == [Ack(None, ok=True, topics=topics)]

    def test_the_ledger_matches_an_answer_without_id(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Its topics are spelt as those of our requests."""
        subs = [Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "1m"}), Subscription(Channel.TRADES, "BTC/USDT")]
        ledger = Ledger()
        ledger.want(subs)
        for request in handler.encode_subscribe(subs, count(1), 0):
            ledger.sent(request)
            handler.feed(ack(**(msgspec.json.decode(request.frame) | {"id": ABSENT})), True, 0)

        assert [ledger.answer(each).confirmed for each in heard.acks] == [(subs[0],), (subs[1],)]
        assert ledger.unmatched == 0

    def test_one_bad_symbol_costs_only_itself(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """The refused frame is halved until the bad symbol stands alone."""
        subs = [Subscription(Channel.TRADES, symbol) for symbol in ("BTC/USDT", "NOPE/USDT", "ETH/USDT")]
        ids, ledger, asked = count(1), Ledger(), [tuple(subs)]
        ledger.want(subs)
        confirmed: list[Subscription] = []
        rejected: list[Refusal] = []
        while asked:
            (request,) = handler.encode_subscribe(asked.pop(), ids, 0)
            ledger.sent(request)
            bad = "NOPE_USDT" in request.frame.decode()
            handler.feed(ack(id=request.id, error={"code": 2, "message": "unknown"} if bad else None), True, 0)
            answer = ledger.answer(heard.acks[-1])
            asked += answer.halves
            confirmed += answer.confirmed
            rejected += answer.rejected

        assert {sub.symbol for sub in confirmed} == {"BTC/USDT", "ETH/USDT"}
        assert rejected == [Refusal(subs[1], "2", "unknown")]

    def test_an_error_without_event_is_still_the_answer_to_its_id(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Gate could not read the request well enough to say more."""
        handler.feed(ack("", event="", payload=ABSENT, error={"code": 1, "message": "bad body"}, result={"status": "fail"}), True, 0)

        assert heard.acks == [Ack(12, ok=False, code="1", message="bad body")]

    def test_an_error_that_answers_nothing_is_announced(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Nothing can be matched with it, but somebody should read it."""
        error = {"code": 1, "message": "request message need json scheme"}
        handler.feed(ack("", event="", id=ABSENT, payload=ABSENT, error=error, result={"status": "fail"}), True, 0)

        assert heard.notices == [Notice("gateio", "error", "1 request message need json scheme")]

    @pytest.mark.parametrize("error", [ABSENT, None, {"code": 2, "message": "no"}])
    @pytest.mark.parametrize("channel", RESULTS)
    def test_an_update_that_looks_like_an_ack_is_a_decode_error(
        self, handler: GateioSpotPublicHandler, heard: Heard, channel: str, error: object
    ) -> None:
        """It would confirm or refuse a topic that Gate did not speak of."""
        handler.feed(ack(channel, event="update", error=error), True, 0)

        assert (heard.acks, handler.decode_errors) == ([], 1)
        assert heard.errors[0].reason.startswith(f"{channel}, event 'update': ")

    @pytest.mark.parametrize("channel", RESULTS)
    def test_data_under_the_event_of_an_ack_is_no_event(self, handler: GateioSpotPublicHandler, heard: Heard, channel: str) -> None:
        """The event decides, the result of an ack is not read."""
        handler.feed(push(channel, envelope={"event": "subscribe", "id": 3}), True, 0)

        assert (heard.events, heard.acks) == ([], [Ack(3, ok=True)])

    def test_a_request_that_comes_back_is_no_ack(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """An answer has a result or an error."""
        handler.feed(ack(result=ABSENT), True, 0)

        assert (heard.acks, handler.decode_errors) == ([], 1)


class TestPongsAndNotices:
    @pytest.mark.parametrize(
        ("times", "ns"),
        [
            ({"time": 1790134410, "time_ms": 1790134410515}, 1_790_134_410_515_000_000),
            ({"time": 1545404160}, 1_545_404_160_000_000_000),
            ({}, 0),
            ({"time_ms": -1}, 0),
            ({"time_ms": 2**62}, 0),
        ],
    )
    def test_a_pong_brings_gates_clock(self, handler: GateioSpotPublicHandler, heard: Heard, times: dict[str, int], ns: int) -> None:
        """0 where it has none that can be true."""
        fields: dict[str, Any] = {"channel": "spot.pong", "event": "", "result": None}
        handler.feed(msgspec.json.encode(fields | times), True, 0)

        assert heard.pongs == [ns]

    @pytest.mark.parametrize(
        ("frame", "notice"),
        [
            (
                {"channel": "spot.system", "event": "update", "result": {"type": "upgrade", "msg": UPGRADE}},
                Notice("gateio", "upgrade", UPGRADE),
            ),
            ({"channel": "spot.system", "event": "upgrade", "result": {"msg": UPGRADE}}, Notice("gateio", "upgrade", UPGRADE)),
            ({"channel": "", "event": "upgrade"}, Notice("gateio", "upgrade", "")),
            ({"channel": "spot.system", "event": "upgrade", "result": None}, Notice("gateio", "upgrade", "")),
            ({"channel": "spot.system", "event": "update", "result": {"type": "outdated"}}, Notice("gateio", "outdated", "")),
            ({"channel": "spot.system", "event": "update", "result": {}}, Notice("gateio", "system", "")),
        ],
    )
    def test_a_notice_is_passed_on_in_both_spellings(
        self, handler: GateioSpotPublicHandler, heard: Heard, frame: dict[str, Any], notice: Notice
    ) -> None:
        """The docs put its kind into the result, Gate's own client reads it from the event."""
        handler.feed(msgspec.json.encode(frame), True, 0)

        assert heard.notices == [notice]

    def test_a_notice_that_is_none_is_a_decode_error(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Its result is an object."""
        handler.feed(b'{"channel":"spot.system","event":"update","result":[1]}', True, 0)

        assert heard.errors[0].reason == "spot.system, event 'update': result: Expected `object | null`, got `array`"


class TestBadInput:
    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (b"", "truncated"),
            (b"ping", "malformed"),
            (push("spot.trades")[:-7], "truncated"),
            (b"\xff\xfe\x00", "malformed"),
            (push("spot.trades").replace(b"BTC_USDT", b"BTC\xffUSDT"), "utf-8"),
            (push("spot.trades", price=[]), "$.result.price"),
            (push("spot.trades", side="short"), "$.result.side"),
            (push("spot.trades", amount="NaN"), "$.result.amount"),
            (push("spot.trades", amount="Infinity"), "$.result.amount"),
            (push("spot.trades", envelope={"result": None}), "$.result"),
            (push("spot.trades", envelope={"result": {}}), "$.result"),
            (push("spot.trades", envelope={"channel": "spot.nope"}), "spot.nope"),
            (push("spot.trades", envelope={"channel": "spot.balances"}), "spot.balances"),
            (push("spot.trades", envelope={"channel": ABSENT}), "no channel"),
            (push("spot.trades", envelope={"event": "all"}), "event 'all'"),
            (push("spot.trades", envelope={"event": "whatever"}), "event 'whatever'"),
            (b'{"method":"trades.update","params":["BTC_USDT",[]],"id":null}', "no channel"),
            (b'{"request_id":"r","header":{"status":"200","channel":"spot.order_place","event":"api"},"data":{}}', "no channel"),
            (b"[" * 1_000_000, "neither"),
            (b'{"channel":"spot.trades","result":' + b"[" * 1_000_000, "recursion"),
        ],
        ids=lambda each: repr(each[:30]),
    )
    def test_what_cannot_be_understood_is_counted_kept_and_announced(
        self, handler: GateioSpotPublicHandler, heard: Heard, frame: bytes, reason: str
    ) -> None:
        """And the stream lives on."""
        handler.feed(frame, True, 0)
        handler.feed(push("spot.trades"), True, 0)

        (error,) = heard.errors
        assert reason in error.reason
        assert error.frame == frame[:65_536]
        assert error.size == len(frame)
        assert (handler.decode_errors, handler.frames, len(heard.events)) == (1, 2, 1)

    def test_a_binary_frame_is_refused_even_when_it_holds_json(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """Gate speaks JSON text; its binary protocol is another one on another address."""
        handler.feed(push("spot.trades"), False, 0)

        assert heard.events == []
        assert heard.errors[0].reason == "expected JSON text, got a binary frame"

    def test_an_ack_with_a_wrong_envelope_is_reported_for_that(self, handler: GateioSpotPublicHandler, heard: Heard) -> None:
        """A type that is wrong in an answer is not hidden behind the push that it is not."""
        handler.feed(ack(error="no"), True, 0)

        assert "$.error" in heard.errors[0].reason


class TestAnswers:
    def test_it_keeps_every_contract_and_holds_no_dict(self, handler: GateioSpotPublicHandler) -> None:
        """Mixins are slotless; a class that forgot would give every handler a dictionary."""
        assert isinstance(handler, PublicMessageHandler)
        assert isinstance(handler, ConnectionMixin)
        assert isinstance(handler, AuthMixin)
        assert isinstance(handler, SubscriptionMixin)
        assert not handler.requires_authentication
        assert not hasattr(handler, "__dict__")

    def test_it_connects_to_gates_spot_host_without_compression(self, handler: GateioSpotPublicHandler) -> None:
        """A ping of its own every 12 s: a client that is silent is cut off after about 30."""
        context = handler.connection_context()

        assert context.urls == ("wss://api.gateio.ws/ws/v4/",)
        assert (context.compression, context.headers) == (False, ())
        assert context.keepalive.application
        assert 10 <= context.keepalive.interval_s <= 15
        assert context.limits.connections == 300

    def test_its_ping_is_spots(self, handler: GateioSpotPublicHandler) -> None:
        """Each market has its own."""
        request = handler.ping(1_790_134_410_515_000_000)

        assert request is not None
        assert request.frame == b'{"time":1790134410,"channel":"spot.ping"}'

    def test_a_lost_connection_is_retried_and_a_refused_login_is_not(self, handler: GateioSpotPublicHandler) -> None:
        """1006 without a close frame is how Gate usually hangs up."""
        lost = handler.classify_error(ConnectionLostError(1006))

        assert (lost, handler.should_reconnect(lost)) == (ErrorKind.NETWORK, True)
        assert not handler.should_reconnect(handler.classify_error(AuthError("gateio", "4", "no")))

    @pytest.mark.parametrize(
        ("channel", "given", "full"),
        [
            (Channel.TRADES, {}, {}),
            (Channel.CANDLES, {}, {"interval": "1m"}),
            (Channel.CANDLES, {"interval": "30d"}, {"interval": "30d"}),
            (Channel.BOOK, {}, {"depth": "50"}),
            (Channel.BOOK, {"depth": 20}, {"depth": "20"}),
            (Channel.BOOK_SNAPSHOT, {"interval_ms": 1000}, {"depth": "20", "interval_ms": "1000"}),
        ],
    )
    def test_options_that_were_not_given_get_their_defaults(
        self, handler: GateioSpotPublicHandler, channel: Channel, given: dict[str, object], full: dict[str, object]
    ) -> None:
        """So that one topic has one spelling."""
        resolved = handler.resolve(Subscription.of(channel, "BTC/USDT", given))

        assert resolved == Subscription.of(channel, "BTC/USDT", full)
        assert handler.subscription(handler.topic(resolved)) == resolved

    @pytest.mark.parametrize(
        ("channel", "params", "nearest"),
        [
            (Channel.CANDLES, {"interval": "1min"}, "1m"),
            (Channel.BOOK, {"depth": 40}, "400"),
            (Channel.BOOK, {"dept": 50}, "depth"),
            (Channel.ORDERS, {}, "trades"),
        ],
    )
    def test_an_unknown_option_names_the_nearest_known(
        self, handler: GateioSpotPublicHandler, channel: Channel, params: dict[str, object], nearest: str
    ) -> None:
        """Before anything is sent."""
        with pytest.raises(UnknownNameError) as caught:
            handler.resolve(Subscription.of(channel, "BTC/USDT", params))

        assert nearest in caught.value.known

    def test_tickers_are_periodic_and_books_may_be_quiet(self, handler: GateioSpotPublicHandler) -> None:
        """A quiet book was silent for 36 s and healthy."""
        assert handler.channels[Channel.TICKER].cadence != Cadence()
        assert handler.channels[Channel.BOOK].cadence == Cadence()

    def test_every_channel_says_what_replacing_a_connection_can_promise(self, handler: GateioSpotPublicHandler) -> None:
        """Trades have ids, books have ranges, elsewhere the newest value is all that matters."""
        promised = {channel: spec.delivery for channel, spec in handler.channels.items()}

        assert promised == {
            Channel.TRADES: Delivery.BY_ID,
            Channel.BOOK_TICKER: Delivery.NEWEST,
            Channel.BOOK: Delivery.BY_RANGE,
            Channel.BOOK_SNAPSHOT: Delivery.NEWEST,
            Channel.TICKER: Delivery.NEWEST,
            Channel.CANDLES: Delivery.NEWEST,
        }

    @pytest.mark.parametrize("symbol", ["BTC/USDT", "币安人生/USDT", "1INCH/USDT", "BTC3L/USDT", "A.B/C-D"])
    def test_symbols_and_pairs_translate_both_ways(self, handler: GateioSpotPublicHandler, symbol: str) -> None:
        """By form alone."""
        pair = handler.venue_symbol(symbol)

        assert pair == symbol.replace("/", "_")
        assert handler.symbol(pair) == symbol

    @pytest.mark.parametrize(
        "symbol",
        [
            "",
            "/",
            "BTC",
            "BTC/",
            "/USDT",
            "btc/usdt",
            "BTC/USDT/X",
            "BTC_USDT",
            "B_C/USDT",
            "BTC/USDT:USDT",
            "BTC /USDT",
            "BTC/US\nDT",
            "\ud800/USDT",
        ],
    )
    def test_what_cannot_be_a_symbol_is_refused(self, handler: GateioSpotPublicHandler, symbol: str) -> None:
        """And in Gate's spelling likewise."""
        with pytest.raises(ConfigError, match="BTC/USDT"):
            handler.venue_symbol(symbol)
        with pytest.raises(ConfigError, match="BTC_USDT"):
            handler.symbol(symbol.replace("_", "|").replace("/", "_") if "_" not in symbol else symbol.replace("_", "/"))

    def test_a_symbol_in_lower_case_is_answered_with_the_right_one(self, handler: GateioSpotPublicHandler) -> None:
        """Gate refuses lower case, and guessing is not ours."""
        with pytest.raises(ConfigError, match="did you mean 'BTC/USDT'"):
            handler.venue_symbol("btc/usdt")


class TestPlugin:
    def test_its_channels_are_those_of_its_handler(self, handler: GateioSpotPublicHandler) -> None:
        """The spec is what listing shows, the handler what works."""
        spot = exwire_venue().markets["spot"]

        assert set(spot.channels) == set(handler.channels)
        assert spot.public == f"{GateioSpotPublicHandler.__module__}:{GateioSpotPublicHandler.__qualname__}"

    def test_it_is_named_as_its_handlers_are(self) -> None:
        """The entry point, the spec and every event say gateio."""
        assert (exwire_venue().name, exwire_venue().api) == (GateioSpotPublicHandler.venue, 1)

    @pytest.mark.parametrize("module", ["exwire_gateio.plugin", "exwire_gateio.spot.venue"])
    def test_importing_it_loads_nothing_heavy(self, module: str) -> None:
        """Listing venues has to be quick; aiohttp alone takes half a second."""
        code = f"import sys, {module}; print(*{{'asyncio', 'aiohttp', 'websockets', 'picows', 'ssl'}} & set(sys.modules))"
        loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

        assert loaded.strip() == ""


def test_errors_do_not_keep_whole_frames_alive(handler: GateioSpotPublicHandler) -> None:
    """Sixteen errors are kept, with 64 KiB each; their tracebacks would hold the frames themselves."""
    frame = bytes(4_000_000)
    handler.feed(frame, True, 0)
    gc.collect()

    assert sys.getrefcount(frame) == 2
