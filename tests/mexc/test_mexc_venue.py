"""What the MEXC spot handler does with a frame, and what it answers when the interface asks."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from typing import NoReturn

import pytest

from exwire.contracts import AuthMixin, Cadence, ConnectionMixin, Delivery, ErrorKind, SubscriptionMixin
from exwire.errors import AuthError, ConfigError, ConnectError, ConnectionLostError, UnknownNameError
from exwire.handlers import AnySymbol, PublicMessageHandler
from exwire.lifecycle import Notice
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Ticker, Trade
from exwire.subscription import Ack, Channel, Subscription
from exwire_mexc.plugin import exwire_venue
from exwire_mexc.spot import MexcSpotPublicHandler
from heard import Heard
from mexc_frames import ABSENT, BODIES, KINDS, LEGACY, answer, field, push, rendered

TYPES = {
    "publicAggreDeals": Trade,
    "publicDeals": Trade,
    "publicAggreDepths": BookDelta,
    "publicIncreaseDepths": BookDelta,
    "publicIncreaseDepthsBatch": BookDelta,
    "publicLimitDepths": BookSnapshot,
    "publicAggreBookTicker": BookTicker,
    "publicBookTicker": BookTicker,
    "publicBookTickerBatch": BookTicker,
    "publicMiniTicker": Ticker,
    "publicMiniTickers": Ticker,
    "publicSpotKline": Candle,
}
SINGLE = [kind for kind in KINDS if kind != "publicMiniTickers"]
EMPTY = push("publicAggreDeals", {"publicAggreDeals": ABSENT})


class TestEvents:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(("form", "is_text"), [(push, False), (rendered, True)], ids=["protobuf", "json"])
    def test_a_push_reaches_the_callback_of_its_kind(
        self, handler: MexcSpotPublicHandler, heard: Heard, kind: str, form: Callable[[str], bytes], is_text: bool
    ) -> None:
        """Frame in, events out, with the receive stamp they were given."""
        handler.feed(form(kind), is_text, 7)

        assert {type(event) for event in heard.events} == {TYPES[kind]}
        assert {(event.venue, event.ts_recv) for event in heard.events} == {("mexc", 7)}
        assert heard.events[0].symbol == "BTC/USDT"
        assert len(heard) == len(heard.events)

    @pytest.mark.parametrize("kind", SINGLE)
    def test_a_symbol_that_is_not_subscribed_is_counted_and_dropped(self, handler: MexcSpotPublicHandler, heard: Heard, kind: str) -> None:
        """After an unsubscribe some are still under way."""
        handler.symbols = {"ETHUSDT": "ETH/USDT"}
        handler.feed(push(kind), False, 0)

        assert handler.outside == 1
        assert len(heard) == 0

    def test_the_push_of_all_tickers_counts_the_rows_outside(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """And delivers the others."""
        handler.feed(push("publicMiniTickers"), False, 0)

        assert [event.symbol for event in heard.events] == ["BTC/USDT", "ETH/USDT"]
        assert (handler.outside, handler.empty) == (1, 0)

    def test_every_symbol_of_the_form_is_known_without_a_subscription(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """For reading recorded frames."""
        handler.symbols = AnySymbol(handler.symbol)
        handler.feed(push("publicDeals", {"symbol": "币安人生USDT"}), False, 0)
        handler.feed(push("publicDeals", {"symbol": "NONSENSE"}), False, 0)

        assert [event.symbol for event in heard.events] == ["币安人生/USDT"]
        assert handler.outside == 1

    def test_an_empty_window_is_counted_and_no_event(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """MEXC sends a push without a body then."""
        handler.feed(EMPTY, False, 0)

        assert (handler.empty, handler.unknown, handler.decode_errors, len(heard)) == (1, 0, 0, 0)

    def test_what_the_schema_lacks_is_counted_and_harms_nothing(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """A field beside a body that is known, and a body that is not."""
        handler.feed(push("publicDeals") + field(400, "new"), False, 0)
        handler.feed(EMPTY + field(316, b""), False, 0)

        assert (handler.unknown, handler.empty, handler.decode_errors, len(heard.events)) == (2, 1, 0, 1)

    def test_one_pair_that_cannot_be_read_does_not_cost_the_others(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """A push of all pairs has two thousand of them; when none can be read, the frame is undecodable."""
        good = b"".join(
            field(number, text) for number, text in ((1, "BTCUSDT"), (2, "1"), (4, "0"), (5, "1"), (6, "1"), (7, "1"), (8, "1"))
        )
        bad = field(1, "ETHUSDT")
        around = field(1, "spot@public.miniTickers.v3.api.pb@24H") + field(6, 1_755_076_752_201)
        handler.feed(around + field(310, field(1, bad) + field(1, good)), False, 7)
        handler.feed(around + field(310, field(1, bad)), False, 7)

        assert [event.symbol for event in heard.events] == ["BTC/USDT"]
        assert (handler.bad_rows, handler.decode_errors) == (1, 1)

    def test_unknown_fields_are_counted_whoever_subscribed(self, handler: MexcSpotPublicHandler) -> None:
        """They say that MEXC's schema moved on, which is news of every push."""
        handler.symbols = {}
        handler.feed(push("publicAggreDeals") + field(99, "new"), False, 7)

        assert (handler.unknown, handler.outside) == (1, 1)

    def test_each_trade_of_a_push_arrives_even_if_the_callback_fails_on_another(
        self, handler: MexcSpotPublicHandler, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A push has as many as its window had; a lost one would be nobody's fault but ours."""
        seen = []

        def picky(trade: Trade) -> None:
            seen.append(trade.trade_id)
            if len(seen) == 1:
                raise ValueError(trade.trade_id)

        handler.on_trade = picky
        with caplog.at_level(logging.ERROR, logger="exwire"):
            handler.feed(push("publicAggreDeals"), False, 0)

        assert seen == ["T1", "T2"]
        assert handler.callback_errors == 1

    def test_a_key_error_of_the_user_is_not_taken_for_a_foreign_symbol(
        self, handler: MexcSpotPublicHandler, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is reported as what it is: a callback that raised."""

        def forgetful(trade: Trade) -> NoReturn:
            raise KeyError(trade.symbol)

        handler.on_trade = forgetful
        with caplog.at_level(logging.ERROR, logger="exwire"):
            handler.feed(push("publicDeals"), False, 0)

        assert (handler.outside, handler.callback_errors) == (0, 1)
        assert "a callback raised" in caplog.text

    def test_callbacks_that_nobody_set_do_nothing(self, handler: MexcSpotPublicHandler) -> None:
        """Every channel and every control message may be ignored."""
        for kind in KINDS:
            handler.feed(push(kind), False, 0)
        for frame in (answer("spot@x"), answer("PONG"), answer("no", id=0), b"Invalid listen key", b"junk"):
            handler.feed(frame, True, 0)

        assert (handler.callback_errors, handler.decode_errors) == (0, 1)


class TestControl:
    def test_an_answer_may_settle_several_topics_in_different_ways(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """Each way is an ack of its own."""
        handler.feed(answer("Subscribed successful! [spot@a]. Not Subscribed successfully! [spot@b].  Reason： Blocked! "), True, 0)

        assert heard.acks == [
            Ack(7, ok=True, topics=("spot@a",)),
            Ack(7, ok=False, topics=("spot@b",), code="Blocked!", message="Not Subscribed successfully!"),
        ]

    def test_a_pong_has_no_clock(self, handler: MexcSpotPublicHandler, heard: Heard) -> None:
        """0 says so."""
        handler.feed(answer("PONG", id=0), True, 0)

        assert heard.pongs == [0]

    @pytest.mark.parametrize(
        ("frame", "said"), [(b"Invalid listen key", "Invalid listen key"), (answer("msg format invalid", id=0), "msg format invalid")]
    )
    def test_a_complaint_that_answers_nothing_is_announced(
        self, handler: MexcSpotPublicHandler, heard: Heard, frame: bytes, said: str
    ) -> None:
        """Nothing can be matched with it, but somebody should read it."""
        handler.feed(frame, True, 0)

        assert heard.notices == [Notice("mexc", "error", said)]


class TestBadInput:
    @pytest.mark.parametrize(
        ("frame", "is_text", "reason"),
        [
            (b"", False, "got channel ''"),
            (b"", True, "truncated"),
            (b"ping", True, "malformed"),
            (b"\xff\xfe\x00", True, "malformed"),
            (push("publicDeals")[:-7], False, "PushDataV3ApiWrapper"),
            (push("publicDeals"), True, "malformed"),
            (rendered("publicDeals"), False, "PushDataV3ApiWrapper"),
            (rendered("publicDeals")[:-7], True, "truncated"),
            (push("publicAggreDepths", fromVersion="x"), False, "publicAggreDepths: "),
            (push("publicAggreBookTicker", bidPrice="0"), False, "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT: "),
            (bytes(10_000_000), False, "PushDataV3ApiWrapper"),
            (b"\x0b" * 10_000_000, False, "PushDataV3ApiWrapper"),
            (b"[" * 10_000_000, True, "got `array`"),
            (b'{"channel":' * 900_000, True, "got `object`"),
            (b'{"d":' * 2_000_000, True, "recursion"),
        ],
        ids=lambda each: repr(each[:30]) if isinstance(each, bytes | str) else "",
    )
    def test_what_cannot_be_understood_is_counted_kept_and_announced(
        self, handler: MexcSpotPublicHandler, heard: Heard, frame: bytes, is_text: bool, reason: str
    ) -> None:
        """And the stream lives on."""
        handler.feed(frame, is_text, 0)
        handler.feed(push("publicDeals"), False, 0)

        (error,) = heard.errors
        assert reason in error.reason
        assert error.frame == frame[:65_536]
        assert error.size == len(frame)
        assert (handler.decode_errors, handler.frames, len(heard.events)) == (1, 2, 1)


class TestAnswers:
    def test_it_keeps_every_contract_and_holds_no_dict(self, handler: MexcSpotPublicHandler) -> None:
        """Mixins are slotless; a class that forgot would give every handler a dictionary."""
        assert isinstance(handler, PublicMessageHandler)
        assert isinstance(handler, ConnectionMixin)
        assert isinstance(handler, AuthMixin)
        assert isinstance(handler, SubscriptionMixin)
        assert not handler.requires_authentication
        assert not hasattr(handler, "__dict__")

    def test_it_connects_with_next_to_nothing(self, handler: MexcSpotPublicHandler) -> None:
        """No headers, no compression, an address that is encrypted."""
        context = handler.connection_context()

        assert context.urls == ("wss://wbs-api.mexc.com/ws",)
        assert (context.headers, context.compression) == ((), False)

    def test_its_limits_stay_below_those_of_mexc(self, handler: MexcSpotPublicHandler) -> None:
        """30 topics, 100 messages a second, 24 hours; frames above 1024 bytes were never seen to work."""
        limits = handler.connection_context().limits

        assert limits.topics == 20
        assert limits.frames_per_s + limits.burst < 100
        assert (limits.frame_bytes, limits.lifetime_s) == (1024, 86_400.0)

    def test_it_pings_in_mexcs_own_way(self, handler: MexcSpotPublicHandler) -> None:
        """Often enough that a quiet socket is not closed after 60 s."""
        keepalive = handler.connection_context().keepalive
        request = handler.ping(0)

        assert keepalive.application
        assert 15 <= keepalive.interval_s <= 20
        assert request is not None
        assert (request.frame, request.subs) == (b'{"method":"PING"}', ())

    @pytest.mark.parametrize(
        ("exc", "kind"),
        [
            (ConnectionLostError(1005), ErrorKind.QUICK),
            (ConnectionLostError(1006), ErrorKind.NETWORK),
            (ConnectionLostError(1000, "bye"), ErrorKind.NETWORK),
            (ConnectError("wss://x", "no", status=429), ErrorKind.RATE_LIMITED),
            (AuthError("mexc", "x", "y"), ErrorKind.AUTH),
            (ConfigError("x"), ErrorKind.FATAL),
        ],
    )
    def test_an_empty_close_frame_is_mexcs_usual_way(self, handler: MexcSpotPublicHandler, exc: Exception, kind: ErrorKind) -> None:
        """So the next attempt is at once."""
        assert handler.classify_error(exc) is kind

    @pytest.mark.parametrize(
        ("channel", "given", "full"),
        [
            (Channel.TRADES, {}, {"interval_ms": "100"}),
            (Channel.TRADES, {"interval_ms": 10}, {"interval_ms": "10"}),
            (Channel.BOOK, {}, {"interval_ms": "100"}),
            (Channel.BOOK_TICKER, {"interval_ms": 0}, {"interval_ms": "0"}),
            (Channel.BOOK_SNAPSHOT, {}, {"depth": "20"}),
            (Channel.CANDLES, {}, {"interval": "1m"}),
            (Channel.TICKER, {}, {"timezone": "24H"}),
        ],
    )
    def test_options_that_were_not_given_get_their_defaults(
        self, handler: MexcSpotPublicHandler, channel: Channel, given: dict[str, object], full: dict[str, object]
    ) -> None:
        """So that one topic has one spelling."""
        resolved = handler.resolve(Subscription.of(channel, "BTC/USDT", given))

        assert resolved == Subscription.of(channel, "BTC/USDT", full)
        assert handler.subscription(handler.topic(resolved)) == resolved

    @pytest.mark.parametrize(
        ("channel", "params", "nearest"),
        [
            (Channel.CANDLES, {"interval": "1min"}, "1m"),
            (Channel.BOOK, {"interval_ms": 1000}, "100"),
            (Channel.BOOK, {"interval": 100}, "interval_ms"),
            (Channel.TICKER, {"timezone": "UTC8"}, "UTC+8"),
            (Channel.ORDERS, {}, "trades"),
        ],
    )
    def test_an_unknown_option_names_the_nearest_known(
        self, handler: MexcSpotPublicHandler, channel: Channel, params: dict[str, object], nearest: str
    ) -> None:
        """Before anything is sent."""
        with pytest.raises(UnknownNameError) as caught:
            handler.resolve(Subscription.of(channel, "BTC/USDT", params))

        assert nearest in caught.value.known

    def test_what_repeats_itself_is_periodic_and_what_does_not_may_be_quiet(self, handler: MexcSpotPublicHandler) -> None:
        """Best bids and asks come every window, changed or not."""
        periodic = {channel for channel, spec in handler.channels.items() if spec.cadence != Cadence()}

        assert periodic == {Channel.BOOK_TICKER, Channel.TICKER, Channel.CANDLES}

    def test_every_channel_says_what_replacing_a_connection_can_promise(self, handler: MexcSpotPublicHandler) -> None:
        """Trade ids may be empty, so trades may come twice."""
        promised = {channel: spec.delivery for channel, spec in handler.channels.items()}

        assert promised == {
            Channel.TRADES: Delivery.AT_LEAST_ONCE,
            Channel.BOOK_TICKER: Delivery.NEWEST,
            Channel.BOOK: Delivery.BY_RANGE,
            Channel.BOOK_SNAPSHOT: Delivery.NEWEST,
            Channel.TICKER: Delivery.NEWEST,
            Channel.CANDLES: Delivery.NEWEST,
        }

    def test_it_asks_for_topics_and_gives_them_back(self, handler: MexcSpotPublicHandler) -> None:
        """In the same words, under ids of its connection."""
        subs = [Subscription(Channel.TRADES, "BTC/USDT")]
        (asked,) = handler.encode_subscribe(subs, count(3), 0)
        (given_back,) = handler.encode_unsubscribe(subs, count(4), 0)

        assert (asked.id, asked.subscribe, given_back.id, given_back.subscribe) == (3, True, 4, False)
        assert asked.topics == given_back.topics == (handler.topic(subs[0]),)

    def test_symbols_translate_both_ways(self, handler: MexcSpotPublicHandler) -> None:
        """By form alone."""
        assert (handler.venue_symbol("BTC/USDT"), handler.symbol("BTCUSDT")) == ("BTCUSDT", "BTC/USDT")


class TestPlugin:
    def test_its_channels_are_those_of_its_handler(self, handler: MexcSpotPublicHandler) -> None:
        """The spec is what listing shows, the handler what works."""
        spot = exwire_venue().markets["spot"]

        assert set(spot.channels) == set(handler.channels)
        assert spot.public == f"{MexcSpotPublicHandler.__module__}:{MexcSpotPublicHandler.__qualname__}"

    def test_it_is_named_as_its_handlers_are(self) -> None:
        """The entry point, the spec and every event say mexc."""
        assert (exwire_venue().name, exwire_venue().api) == (MexcSpotPublicHandler.venue, 1)

    @pytest.mark.parametrize(
        ("module", "heavy"),
        [
            ("exwire_mexc.plugin", {"asyncio", "aiohttp", "websockets", "picows", "ssl", "google.protobuf"}),
            ("exwire_mexc.spot.venue", {"asyncio", "aiohttp", "websockets", "picows", "ssl"}),
        ],
    )
    def test_importing_it_loads_nothing_heavy(self, module: str, heavy: set[str]) -> None:
        """Listing venues has to be quick; protobuf is there when a handler is."""
        code = f"import sys, {module}; print(*{heavy!r} & set(sys.modules))"
        loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

        assert loaded.strip() == ""


def test_every_form_of_a_push_is_tried_here() -> None:
    """A body that joins the frames joins this page."""
    assert TYPES.keys() == BODIES.keys()
    assert len(LEGACY) == 7


def test_errors_do_not_keep_whole_frames_alive(handler: MexcSpotPublicHandler) -> None:
    """Sixteen errors are kept, with 64 KiB each; their tracebacks would hold the frames themselves."""
    for is_text in (True, False):
        frame = b"\xff" * 4_000_000
        handler.feed(frame, is_text, 0)
        gc.collect()

        assert sys.getrefcount(frame) == 2
