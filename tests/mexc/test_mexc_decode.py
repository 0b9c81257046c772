"""MEXC spot pushes become exwire events, the same from protobuf and from its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from exwire.errors import DecodeError
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Side, Ticker, Trade
from exwire_mexc.spot import wire
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.encode import INTERVALS
from exwire_mexc.spot.text import read_text
from exwire_mexc.spot.wire import Push
from mexc_frames import ABSENT, BODIES, KINDS, field, push, rendered, topic_of

SYMBOLS = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
RECV = 1_790_134_391_000_000_000
SENT = 1_736_412_092_433_000_000

Decoded: TypeAlias = Callable[..., Sequence[Event]]


def read(frame: bytes) -> Push:
    """JSON begins with a brace, which no binary frame of MEXC's does."""
    got = read_text(frame) if frame[:1] == b"{" else read_binary(frame)
    assert type(got) is Push
    return got


def events(frame: bytes) -> Sequence[Event]:
    return to_events(read(frame), frame, SYMBOLS, RECV)


def refusal(frame: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        events(frame)
    return caught.value


@pytest.fixture(params=[push, rendered], ids=["protobuf", "json"])
def form(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    """How the frame is written."""
    made: Callable[..., bytes] = request.param
    return made


@pytest.fixture
def decoded(form: Callable[..., bytes]) -> Decoded:
    """What comes of a frame in that form."""

    def decode(kind: str, around: dict[str, Any] | None = None, /, **changes: Any) -> Sequence[Event]:
        return events(form(kind, around, **changes))

    return decode


class TestTrades:
    def test_a_push_carries_the_trades_of_its_window_in_order(self, decoded: Decoded) -> None:
        """The side is the taker's; each trade has a time of its own."""
        assert list(decoded("publicAggreDeals")) == [
            Trade(
                venue="mexc",
                symbol="BTC/USDT",
                ts_event=1_736_409_765_051_000_000,
                ts_recv=RECV,
                trade_id="T1",
                side=Side.SELL,
                price=93220.0,
                qty=0.04438243,
            ),
            Trade("mexc", "BTC/USDT", 1_736_409_765_052_000_000, RECV, "T2", Side.BUY, 93220.01, 1.0),
        ]

    def test_a_trade_of_an_older_server_has_no_id(self, decoded: Decoded) -> None:
        """The field came in 2026."""
        (trade,) = decoded("publicDeals")

        assert trade == Trade("mexc", "BTC/USDT", 1_661_927_587_825_000_000, RECV, "", Side.SELL, 20233.84, 0.001028)

    @pytest.mark.parametrize("side", [0, 3, -1, ABSENT])
    def test_an_unknown_side_is_never_guessed(self, form: Callable[..., bytes], side: object) -> None:
        """Side decides what a trade means; one that was not sent is 0 to protobuf."""
        deal = {name: value for name, value in (BODIES["publicDeals"]["deals"][0] | {"tradeType": side}).items() if value is not ABSENT}

        assert "tradeType" in refusal(form("publicDeals", deals=[deal])).reason

    @pytest.mark.parametrize("price", ["0", "-0", "0.0000", "-1", "1e-400"])
    def test_a_price_of_zero_or_less_is_refused(self, form: Callable[..., bytes], price: str) -> None:
        """Nobody traded there."""
        deal = BODIES["publicDeals"]["deals"][0] | {"price": price}

        assert "$.deals[0].price" in refusal(form("publicDeals", deals=[deal])).reason.replace("publicDeals.deals", "deals")

    @pytest.mark.parametrize("time", [0, -1, 9_223_372_036_855, 2**63 - 1])
    def test_a_time_that_cannot_be_is_refused(self, form: Callable[..., bytes], time: int) -> None:
        """Beyond the year 2262 nanoseconds leave 63 bits."""
        deal = BODIES["publicDeals"]["deals"][0] | {"time": time}

        assert "time" in refusal(form("publicDeals", deals=[deal])).reason

    def test_one_bad_trade_fails_its_push(self, form: Callable[..., bytes]) -> None:
        """A window with a hole in it would be taken for whole."""
        good = BODIES["publicDeals"]["deals"][0]

        assert "deals[1]" in refusal(form("publicAggreDeals", deals=[good, good | {"quantity": "NaN"}])).reason


class TestNumbers:
    @pytest.mark.parametrize(("text", "value"), [("1e-7", 1e-7), ("1E+2", 100.0), ("0.00000000", 0.0), ("-0", 0.0), ("12", 12.0)])
    def test_a_quantity_may_be_written_in_any_json_way(self, decoded: Decoded, text: str, value: float) -> None:
        """MEXC writes plain decimals; exponents are read too. -0 is 0."""
        (delta,) = decoded("publicAggreDepths", asks=[{"price": "1", "quantity": text}])

        assert isinstance(delta, BookDelta)
        assert delta.asks == ((1.0, value),)

    @pytest.mark.parametrize(
        "text",
        [
            "NaN",
            "nan",
            "Infinity",
            "-Infinity",
            "inf",
            "-1",
            "",
            " 1",
            "1 ",
            "1_0",
            "0x10",
            "1,5",
            "1.",
            ".5",
            "+1",
            "01",
            "1e400",
            "1e301",
            "٣",
        ],
    )
    @pytest.mark.parametrize(
        ("kind", "changes"),
        [
            ("publicAggreDepths", lambda text: {"bids": [{"price": "1", "quantity": text}]}),
            ("publicLimitDepths", lambda text: {"asks": [{"price": text, "quantity": "1"}]}),
            ("publicAggreBookTicker", lambda text: {"askQuantity": text}),
            ("publicMiniTicker", lambda text: {"volume": text}),
            ("publicSpotKline", lambda text: {"amount": text}),
        ],
    )
    def test_what_is_no_finite_number_is_refused(
        self, form: Callable[..., bytes], kind: str, changes: Callable[[str], dict[str, Any]], text: str
    ) -> None:
        """NaN and infinity never enter: every comparison with them is a lie. Python's float() would take most of these."""
        assert refusal(form(kind, **changes(text))).reason

    @pytest.mark.parametrize("text", ["NaN", "-NaN", "Infinity", "-inf", "1e301", "-1e301", "", "1_0"])
    def test_a_change_may_be_negative_and_nothing_else(self, form: Callable[..., bytes], text: str) -> None:
        """It has a number type of its own, which must not let NaN in either."""
        assert "zonedRate" in refusal(form("publicMiniTicker", zonedRate=text)).reason

    @pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1_0", " 1", "+1", "٣", "9223372036854775808", "9" * 5000])
    def test_a_version_is_a_whole_number_of_63_bits(self, form: Callable[..., bytes], text: str) -> None:
        """It is text on the wire; a book without versions cannot be kept."""
        assert refusal(form("publicAggreDepths", fromVersion=text)).reason
        assert refusal(form("publicLimitDepths", version=text)).reason


class TestBookTicker:
    @pytest.mark.parametrize(
        ("kind", "update_id"), [("publicAggreBookTicker", 81999275445), ("publicBookTickerBatch", 81999275446), ("publicBookTicker", 0)]
    )
    def test_every_field_is_filled_from_the_wire(self, decoded: Decoded, kind: str, update_id: int) -> None:
        """The version came in 2026; 0 where there is none."""
        assert list(decoded(kind)) == [
            BookTicker(
                venue="mexc",
                symbol="BTC/USDT",
                ts_event=SENT,
                ts_recv=RECV,
                update_id=update_id,
                bid_price=93387.28,
                bid_qty=3.73485,
                ask_price=93387.29,
                ask_qty=7.669875,
            )
        ]

    def test_a_batch_is_delivered_row_by_row(self, decoded: Decoded) -> None:
        """The newest comes last; the push has one version for all."""
        row = BODIES["publicBookTicker"]
        first, last = decoded("publicBookTickerBatch", items=[row, row | {"bidPrice": "93387.285"}])

        assert isinstance(first, BookTicker)
        assert isinstance(last, BookTicker)
        assert (first.bid_price, last.bid_price) == (93387.28, 93387.285)
        assert first.update_id == last.update_id == 81999275446

    @pytest.mark.parametrize("nothing", [(ABSENT, ABSENT), ("", ""), ("0", "0"), ("0.00", "")])
    def test_an_empty_side_has_no_price_and_no_quantity(self, decoded: Decoded, nothing: tuple[Any, Any]) -> None:
        """MEXC does not say how it writes one; all of these can mean nothing else."""
        price, qty = nothing
        (no_bid,) = decoded("publicAggreBookTicker", bidPrice=price, bidQuantity=qty)
        (no_ask,) = decoded("publicAggreBookTicker", askPrice=price, askQuantity=qty)

        assert isinstance(no_bid, BookTicker)
        assert isinstance(no_ask, BookTicker)
        assert (no_bid.bid_price, no_bid.bid_qty, no_bid.ask_price) == (None, 0.0, 93387.29)
        assert (no_ask.ask_price, no_ask.ask_qty, no_ask.bid_price) == (None, 0.0, 93387.28)

    @pytest.mark.parametrize(
        "changes", [{"bidPrice": "0"}, {"askPrice": "-1"}, {"bidPrice": ABSENT}, {"askQuantity": ABSENT}, {"askQuantity": ""}]
    )
    def test_half_a_side_is_refused(self, form: Callable[..., bytes], changes: dict[str, Any]) -> None:
        """A price has a quantity, and a quantity a price above 0."""
        assert refusal(form("publicAggreBookTicker", **changes)).reason


class TestBooks:
    def test_a_delta_carries_its_versions_and_absolute_quantities(self, decoded: Decoded) -> None:
        """Both versions are inclusive; a quantity of zero removes the level, so it has to arrive."""
        assert list(decoded("publicAggreDepths")) == [
            BookDelta(
                venue="mexc",
                symbol="BTC/USDT",
                ts_event=SENT,
                ts_recv=RECV,
                first_id=10589632359,
                last_id=10589632361,
                bids=((92877.58, 0.0), (92877.57, 2.0)),
                asks=((92878.0, 1.5),),
            )
        ]

    def test_a_delta_without_rows_still_advances(self, decoded: Decoded) -> None:
        """Protobuf does not send an empty list."""
        (delta,) = decoded("publicAggreDepths", asks=ABSENT, bids=ABSENT)

        assert isinstance(delta, BookDelta)
        assert (delta.first_id, delta.last_id, delta.bids, delta.asks) == (10589632359, 10589632361, (), ())

    def test_versions_that_run_backwards_are_refused(self, form: Callable[..., bytes]) -> None:
        """No window covers them."""
        assert "fromVersion <= toVersion" in refusal(form("publicAggreDepths", toVersion="10589632358")).reason

    def test_a_snapshot_carries_the_top_of_the_book_best_first(self, decoded: Decoded) -> None:
        """It replaces what was known; a row without quantity is no level."""
        bids = [{"price": "1", "quantity": "1"}, {"price": "3", "quantity": "0"}, {"price": "2", "quantity": "5"}]
        asks = [{"price": "6", "quantity": "1"}, {"price": "4.5", "quantity": "2"}]
        (snapshot,) = decoded("publicLimitDepths", bids=bids, asks=asks)

        assert snapshot == BookSnapshot(
            venue="mexc",
            symbol="BTC/USDT",
            ts_event=SENT,
            ts_recv=RECV,
            last_id=36913565463,
            bids=((2.0, 5.0), (1.0, 1.0)),
            asks=((4.5, 2.0), (6.0, 1.0)),
        )

    @pytest.mark.parametrize("count", [*range(12), 20, 22, 200, 3000])
    @pytest.mark.parametrize("kind", ["publicAggreDepths", "publicLimitDepths"])
    def test_a_book_of_any_depth_is_read_whole(self, form: Callable[..., bytes], kind: str, count: int) -> None:
        """Its rows come as columns from protobuf, whose lengths take one byte, two or three."""
        rows = [{"price": f"{place + 1}.5", "quantity": f"{place * 7 + 1}"} for place in range(count)]
        (book,) = events(form(kind, asks=rows, bids=rows[: count // 2]))

        assert isinstance(book, BookDelta | BookSnapshot)
        assert book.asks == tuple((place + 1.5, place * 7 + 1.0) for place in range(count))
        assert sorted(book.bids) == [(place + 1.5, place * 7 + 1.0) for place in range(count // 2)]
        if form is push:
            assert type(read(form(kind, asks=rows)).body) in {wire.AggreColumns, wire.LimitColumns}

    @pytest.mark.parametrize("side", ["asks", "bids"])
    @pytest.mark.parametrize("kind", ["publicAggreDepths", "publicLimitDepths"])
    @pytest.mark.parametrize(
        "rows",
        [
            [{"price": "1"}],
            [{"quantity": "1"}],
            [{}],
            [{"price": "1", "quantity": "1"}, {}],
            [{"price": "1"}, {"quantity": "1"}],
            [{"quantity": "1"}, {"price": "1"}, {"price": "2", "quantity": "2"}],
            [{"price": "1", "quantity": "1"}] * 30 + [{"price": "1"}, {"quantity": "1"}],
        ],
        ids=str,
    )
    def test_a_row_that_lacks_something_is_refused(
        self, form: Callable[..., bytes], kind: str, side: str, rows: list[dict[str, str]]
    ) -> None:
        """Prices and quantities of different rows must never be put together, not even where their numbers agree."""
        assert side in refusal(form(kind, **{side: rows})).reason

    @pytest.mark.parametrize("kind", ["publicAggreDepths", "publicLimitDepths"])
    def test_a_book_that_comes_in_two_parts_is_merged(self, kind: str) -> None:
        """So protobuf has it; the columns give way to reading row by row."""
        frame = push(kind, bids=[]) + field(313 if kind == "publicAggreDepths" else 303, field(1, field(1, "99999") + field(2, "3")))
        (book,) = events(frame)

        assert isinstance(book, BookDelta | BookSnapshot)
        assert book.asks[-1] == (99999.0, 3.0)
        assert type(read(frame).body) in {wire.AggreDepths, wire.LimitDepths}

    def test_the_retired_deltas_are_of_one_version_each(self, decoded: Decoded) -> None:
        """Recordings have them."""
        (one,) = decoded("publicIncreaseDepths")
        several = decoded("publicIncreaseDepthsBatch")

        assert one == BookDelta("mexc", "BTC/USDT", SENT, RECV, 3407459756, 3407459756, bids=(), asks=((20290.89, 0.0),))
        assert [(each.first_id, each.last_id) for each in several if isinstance(each, BookDelta)] == [
            (39003145507, 39003145507),
            (39003145508, 39003145508),
        ]


class TestTickers:
    def test_every_field_is_filled_from_the_wire(self, decoded: Decoded) -> None:
        """``volume`` is the quote turnover, ``quantity`` the base volume; the change is that of the topic's time zone, a ratio."""
        assert list(decoded("publicMiniTicker")) == [
            Ticker(
                venue="mexc",
                symbol="BTC/USDT",
                ts_event=SENT,
                ts_recv=RECV,
                last=115887.51,
                change=-0.0071,
                high=116655.39,
                low=114872.83,
                base_volume=7390.6173804,
                quote_volume=856772057.5,
            )
        ]

    def test_the_push_of_all_pairs_yields_those_that_are_subscribed(self, decoded: Decoded) -> None:
        """Its wrapper names no symbol, its rows do."""
        assert [event.symbol for event in decoded("publicMiniTickers")] == ["BTC/USDT", "ETH/USDT"]

    def test_a_change_that_was_not_sent_is_not_taken_for_none(self, form: Callable[..., bytes]) -> None:
        """Nor for that of another time zone."""
        assert "zonedRate" in refusal(form("publicMiniTicker", zonedRate=ABSENT)).reason


class TestCandles:
    def test_every_field_is_filled_from_the_wire(self, decoded: Decoded) -> None:
        """MEXC never says that a candle closed."""
        assert list(decoded("publicSpotKline")) == [
            Candle(
                venue="mexc",
                symbol="BTC/USDT",
                ts_event=SENT,
                ts_recv=RECV,
                interval="15m",
                ts_open=1_736_410_500_000_000_000,
                open=92925.0,
                high=93158.48,
                low=92800.0,
                close=93158.47,
                base_volume=36.83803224,
                quote_volume=3424811.05,
                closed=False,
            )
        ]

    @pytest.mark.parametrize(("ours", "theirs"), INTERVALS.items())
    def test_each_interval_has_our_name(self, decoded: Decoded, ours: str, theirs: str) -> None:
        """Events are told apart by it."""
        (candle,) = decoded("publicSpotKline", interval=theirs)

        assert isinstance(candle, Candle)
        assert candle.interval == ours

    @pytest.mark.parametrize(
        "changes",
        [
            {"interval": "Min3"},
            {"interval": ABSENT},
            {"windowStart": 0},
            {"windowStart": 2**62},
            {"windowStart": ABSENT},
            {"openingPrice": "0"},
        ],
    )
    def test_nonsense_is_refused(self, form: Callable[..., bytes], changes: dict[str, Any]) -> None:
        """A candle belongs to a window of a known length."""
        assert refusal(form("publicSpotKline", **changes)).reason


class TestEnvelope:
    @pytest.mark.parametrize(
        ("around", "ns"),
        [
            ({"createTime": 1736412092000}, SENT),
            ({"createTime": 1736412092000, "sendTime": ABSENT}, 1_736_412_092_000_000_000),
        ],
    )
    def test_a_push_has_the_time_of_sending_or_that_of_its_creation(self, decoded: Decoded, around: dict[str, Any], ns: int) -> None:
        """Candles have only the latter."""
        assert [event.ts_event for event in decoded("publicSpotKline", around)] == [ns]

    @pytest.mark.parametrize("time", [ABSENT, 0, -1, 9_223_372_036_855])
    @pytest.mark.parametrize("kind", [kind for kind in KINDS if "Deals" not in kind])
    def test_a_push_without_a_time_that_can_be_is_refused(self, form: Callable[..., bytes], kind: str, time: object) -> None:
        """Only trades have one of their own."""
        assert "ime" in refusal(form(kind, {"sendTime": time})).reason

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "publicMiniTickers"])
    @pytest.mark.parametrize("symbol", ["XENUSDT", "", ABSENT])
    def test_a_symbol_that_is_not_subscribed_is_a_key_error(self, form: Callable[..., bytes], kind: str, symbol: object) -> None:
        """The handler counts it; a mini ticker names its symbol itself."""
        frame = form(kind, {"symbol": symbol}, **({"symbol": "XENUSDT"} if kind == "publicMiniTicker" else {}))

        with pytest.raises(KeyError):
            events(frame)

    @pytest.mark.parametrize("channel", ["", "spot@private.account.v3.api.pb", "public.aggre.deals", "x" * 5000, ABSENT])
    def test_a_push_is_of_a_public_topic(self, form: Callable[..., bytes], channel: object) -> None:
        """Bytes at random often read as a protobuf message with fields that nobody knows; they have no topic."""
        assert "expected " in refusal(form("publicAggreDeals", {"channel": channel})).reason
        assert len(refusal(form("publicAggreDeals", {"channel": channel})).reason) < 300

    def test_a_private_push_is_refused_whatever_its_topic(self) -> None:
        """Nobody can subscribe to one on a public connection."""
        account = push("publicAggreDeals", {"publicAggreDeals": ABSENT, "privateAccount": {"vcoinName": "USDT"}})

        assert "privateAccount" in refusal(account).reason


class TestUnknown:
    """The schema grows on MEXC's side first."""

    EXTRA = (field(900, "text"), field(901, 7), b"\x8d\x3c1234", b"\x89\x3c12345678")

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("extra", EXTRA, ids=["text", "varint", "four bytes", "eight bytes"])
    def test_fields_that_the_schema_lacks_are_counted_and_skipped(self, kind: str, extra: bytes) -> None:
        """Beside the body, and before everything else."""
        assert list(events(push(kind) + extra)) == list(events(extra + push(kind))) == list(events(push(kind)))
        assert (read(push(kind)).unknown, read(push(kind) + extra).unknown, read(extra + push(kind) + extra).unknown) == (0, 1, 2)

    @pytest.mark.parametrize("extra", EXTRA, ids=["text", "varint", "four bytes", "eight bytes"])
    def test_fields_inside_a_body_are_counted_too(self, extra: bytes) -> None:
        """MEXC added three of them in 2026. A second body of the same number is merged into the first, as protobuf has it."""
        grown = push("publicAggreBookTicker") + field(315, extra)

        assert list(events(grown)) == list(events(push("publicAggreBookTicker")))
        assert read(grown).unknown == 1

    def test_fields_inside_a_row_are_skipped(self) -> None:
        """And not counted: looking into every row would cost as much as reading it."""
        row = field(1, "92878.00") + field(2, "1.5") + field(3, "new")
        frame = push("publicAggreDepths", asks=[]) + field(313, field(1, row))

        assert list(events(frame)) == list(events(push("publicAggreDepths")))
        assert read(frame).unknown == 0

    @pytest.mark.parametrize("number", [300, 316, 999])
    def test_a_body_of_an_unknown_number_is_no_event(self, number: int) -> None:
        """It is an unknown field of the wrapper."""
        frame = push("publicAggreDeals", {"publicAggreDeals": ABSENT}) + field(number, b"\x0a\x01x")

        assert (read(frame).body, read(frame).unknown) == (None, 1)
        assert list(events(frame)) == []

    def test_an_empty_window_is_no_event(self, decoded: Decoded) -> None:
        """MEXC sends a wrapper without a body then."""
        assert list(decoded("publicAggreDeals", {"publicAggreDeals": ABSENT})) == []
        assert list(decoded("publicAggreDeals", deals=[])) == []

    def test_a_body_of_an_unknown_name_is_counted(self) -> None:
        """In the JSON form the name stands for the number."""
        frame = rendered("publicAggreDeals", {"publicAggreDeals": ABSENT}).replace(
            b'"sendTime"', b'"publicNews":{},"symbolId":"x","sendTime"'
        )

        assert (read(frame).body, read(frame).unknown) == (None, 1)


class TestBadBytes:
    @pytest.mark.parametrize("kind", KINDS)
    def test_half_a_frame_is_refused(self, kind: str) -> None:
        """Wherever it ends: the body is the last field and says how long it is."""
        frame = push(kind)
        for length in range(len(topic_of(kind)) + 30, len(frame)):
            with pytest.raises(DecodeError):
                read_binary(frame[:length])

    @pytest.mark.parametrize(
        "frame",
        [
            push("publicAggreDeals") + b"\x0a\xff\xff\xff\xff\x0f",
            push("publicAggreDeals") + b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            push("publicAggreDeals") + b"\xff" * 11,
            push("publicAggreDeals") + b"\x0b" * 100_000,
            push("publicAggreDeals") + b"\x07",
            push("publicAggreDeals") + b"\x00",
            push("publicAggreDeals") + field(3, b"\xff\xfe"),
            rendered("publicAggreDeals"),
        ],
        ids=["overrun", "overrun by far", "endless varint", "nested groups", "wire type 7", "field 0", "no UTF-8", "JSON"],
    )
    def test_what_is_no_protobuf_is_refused(self, frame: bytes) -> None:
        """With what the parser says, and the bytes."""
        with pytest.raises(DecodeError) as caught:
            read_binary(frame)

        assert "expected a PushDataV3ApiWrapper" in caught.value.reason
        assert caught.value.frame == frame[:65_536]

    def test_a_field_of_the_wrong_wire_type_counts_as_unknown(self) -> None:
        """So protobuf reads it. A body that lacks something by it is refused all the same."""
        frame = push("publicAggreDeals") + field(6, b"text") + field(314, 7)

        assert len(events(frame)) == 2
        assert read(frame).unknown == 2
        assert "fromVersion" in refusal(push("publicAggreDepths", fromVersion=7)).reason
