"""Gate.io spot frames become exwire events."""

from __future__ import annotations

from typing import Any

import pytest

from exwire.errors import DecodeError
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Side, Ticker, Trade
from exwire_gateio.spot.decode import decode
from gateio_frames import ABSENT, RESULTS, push

SYMBOLS = {"BTC_USDT": "BTC/USDT"}
RECV = 1_790_134_391_000_000_000


def decoded(channel: str, *, envelope: dict[str, Any] | None = None, **changes: Any) -> Event:
    return decode(push(channel, envelope=envelope, **changes), SYMBOLS, RECV)


def refusal(frame: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(frame, SYMBOLS, RECV)
    return caught.value


class TestTrades:
    def test_every_field_is_filled_from_the_wire(self) -> None:
        """The side is the taker's, the id is text because other venues have no numbers."""
        trade = decoded("spot.trades")

        assert trade == Trade(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_606_292_218_213_457_800,
            ts_recv=RECV,
            trade_id="309143071",
            side=Side.SELL,
            price=0.4705,
            qty=16.47,
        )

    def test_an_id_may_have_63_bits(self) -> None:
        """Beyond 2^53 a float would change it."""
        trade = decoded("spot.trades", id=2**63 - 1)

        assert isinstance(trade, Trade)
        assert trade.trade_id == "9223372036854775807"

    def test_the_deprecated_twin_channel_is_the_same(self) -> None:
        """Some older stacks still push spot.trades_v2."""
        assert decoded("spot.trades_v2") == decoded("spot.trades")

    @pytest.mark.parametrize(
        ("text", "ns"),
        [
            ("1606292218213.4578", 1_606_292_218_213_457_800),
            ("1786539953309.174000", 1_786_539_953_309_174_000),
            ("1786539953309.000001", 1_786_539_953_309_000_001),
            ("1786539953309", 1_786_539_953_309_000_000),
            ("1786539953309.1234569", 1_786_539_953_309_123_456),
        ],
    )
    def test_the_fraction_of_a_millisecond_is_kept_to_the_nanosecond(self, text: str, ns: int) -> None:
        """A float of this size tells 244 ns apart; what is below 1 ns is cut off."""
        assert decoded("spot.trades", create_time_ms=text).ts_event == ns

    @pytest.mark.parametrize(
        ("changes", "envelope", "ns"),
        [
            ({"create_time_ms": ABSENT}, {}, 1_606_292_218_000_000_000),
            ({"create_time_ms": ABSENT, "create_time": ABSENT}, {}, 1_790_134_390_863_000_000),
            ({"create_time_ms": ABSENT, "create_time": ABSENT}, {"time_ms": ABSENT}, 1_790_134_390_000_000_000),
        ],
    )
    def test_frames_without_the_best_timestamp_fall_back_to_the_next(
        self, changes: dict[str, Any], envelope: dict[str, Any], ns: int
    ) -> None:
        """create_time_ms, create_time, then the time of sending."""
        assert decoded("spot.trades", envelope=envelope, **changes).ts_event == ns

    @pytest.mark.parametrize(
        "text", ["-1", "0", "1.2.3", "abc", "1606292218213.45x", " 1606292218213", "1_606", "9" * 20, "9" * 5000, "٣" * 20]
    )
    def test_a_time_that_cannot_be_is_refused(self, text: str) -> None:
        """Beyond the year 2262 nanoseconds leave 63 bits."""
        assert "create_time_ms" in refusal(push("spot.trades", create_time_ms=text)).reason

    @pytest.mark.parametrize("side", ["SELL", "Buy", "", "none", None, 1, True])
    def test_an_unknown_side_is_never_guessed(self, side: object) -> None:
        """Side decides what a trade means."""
        assert "$.result.side" in refusal(push("spot.trades", side=side)).reason

    @pytest.mark.parametrize("price", ["0", "-0", "0.0000", "-1", "1e-400"])
    def test_a_price_of_zero_or_less_is_refused(self, price: str) -> None:
        """Nobody traded there."""
        assert "$.result.price" in refusal(push("spot.trades", price=price)).reason


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"), [("1e-7", 1e-7), ("1E+2", 100.0), (1e-7, 1e-7), ("0.00000000", 0.0), ("-0", 0.0), (0, 0.0), (12, 12.0)]
    )
    def test_a_quantity_may_be_written_in_any_json_way(self, text: object, value: float) -> None:
        """Gate writes text; numbers and exponents are read too. -0 is 0."""
        assert decoded("spot.trades", amount=text).qty == value  # type: ignore[union-attr]  # a trade

    @pytest.mark.parametrize(
        "text", ["NaN", "nan", "Infinity", "-Infinity", "inf", "-1", "", " 1", "1_0", "0x10", "1,5", "1e400", "1e301", True, None, [], {}]
    )
    @pytest.mark.parametrize(
        ("channel", "field"),
        [("spot.trades", "amount"), ("spot.book_ticker", "A"), ("spot.tickers", "quote_volume"), ("spot.candlesticks", "v")],
    )
    def test_what_is_no_finite_number_is_refused(self, channel: str, field: str, text: Any) -> None:
        """NaN and infinity never enter: every comparison with them is a lie."""
        changes: dict[str, Any] = {field: text}

        assert refusal(push(channel, **changes)).reason

    @pytest.mark.parametrize("text", ["NaN", "-NaN", "Infinity", "-inf", "1e301", "-1e301", "", None])
    def test_a_change_may_be_negative_and_nothing_else(self, text: object) -> None:
        """It has a number type of its own, which must not let NaN in either."""
        assert "change_percentage" in refusal(push("spot.tickers", change_percentage=text)).reason


class TestBookTicker:
    def test_every_field_is_filled_from_the_wire(self) -> None:
        """The time is the book's, not that of sending."""
        assert decoded("spot.book_ticker") == BookTicker(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_790_134_391_753_000_000,
            ts_recv=RECV,
            update_id=48123156,
            bid_price=118.91,
            bid_qty=13.548,
            ask_price=118.99,
            ask_qty=65.556,
        )

    @pytest.mark.parametrize("amount", ["0", "", 0, "0.0"])
    def test_an_empty_side_has_no_price_and_no_quantity(self, amount: object) -> None:
        """Gate documents the empty text for futures; the amount beside it may be zero or empty."""
        no_bid = decoded("spot.book_ticker", b="", B=amount)
        no_ask = decoded("spot.book_ticker", a="", A=amount)

        assert isinstance(no_bid, BookTicker)
        assert isinstance(no_ask, BookTicker)
        assert (no_bid.bid_price, no_bid.bid_qty, no_bid.ask_price) == (None, 0.0, 118.99)
        assert (no_ask.ask_price, no_ask.ask_qty, no_ask.bid_price) == (None, 0.0, 118.91)

    @pytest.mark.parametrize("changes", [{"b": "0"}, {"a": "-1"}, {"b": None}, {"A": ""}, {"s": 1}, {"t": 0}, {"t": -5}, {"u": -1}])
    def test_nonsense_is_refused(self, changes: dict[str, Any]) -> None:
        """A price of zero is not an empty side, and a price has an amount."""
        assert refusal(push("spot.book_ticker", **changes)).reason


class TestBooks:
    def test_a_snapshot_carries_the_top_of_the_book(self) -> None:
        """spot.order_book replaces what was known."""
        assert decoded("spot.order_book") == BookSnapshot(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_790_134_390_437_000_000,
            ts_recv=RECV,
            last_id=48123154,
            bids=((118.91, 13.548), (118.90, 2.0)),
            asks=((118.99, 43.704), (119.0, 1.0)),
        )

    def test_a_delta_carries_its_ids_and_absolute_quantities(self) -> None:
        """Both ids are inclusive; an empty side says that nothing changed there."""
        assert decoded("spot.order_book_update") == BookDelta(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_790_134_390_805_000_000,
            ts_recv=RECV,
            first_id=474334686,
            last_id=474334687,
            bids=((2765.2, 1.4816),),
            asks=(),
        )

    def test_a_zero_quantity_in_a_delta_removes_the_level(self) -> None:
        """So it has to arrive."""
        delta = decoded("spot.order_book_update", a=[["1.5", "0"], ["1.6", "-0"]])

        assert isinstance(delta, BookDelta)
        assert delta.asks == ((1.5, 0.0), (1.6, 0.0))

    def test_an_order_book_v2_delta_may_lack_a_side(self) -> None:
        """Its stream name is ob.BTC_USDT.50."""
        delta = decoded("spot.obu")

        assert delta == BookDelta(
            "gateio", "BTC/USDT", 1_757_377_580_073_000_000, RECV, 27053258982, 27053258987, bids=((111665.9, 0.0),), asks=()
        )

    def test_an_order_book_v2_delta_of_ids_alone_still_advances(self) -> None:
        """A quarter and more of them were seen to carry nothing else."""
        delta = decoded("spot.obu", b=ABSENT)

        assert isinstance(delta, BookDelta)
        assert (delta.first_id, delta.last_id, delta.bids, delta.asks) == (27053258982, 27053258987, (), ())

    def test_a_full_order_book_v2_frame_is_a_snapshot(self) -> None:
        """It has no U; it may come before the ack and again at any time."""
        snapshot = decoded("spot.obu", full=True, U=ABSENT, a=[["111666.1", "0.79"]], b=[["111666", "0.14"]])

        assert snapshot == BookSnapshot(
            "gateio", "BTC/USDT", 1_757_377_580_073_000_000, RECV, 27053258987, bids=((111666.0, 0.14),), asks=((111666.1, 0.79),)
        )

    def test_the_documented_full_frame_has_neither_event_nor_time(self) -> None:
        """All that is needed stands in its result."""
        bare = {"event": ABSENT, "time": ABSENT, "time_ms": ABSENT}

        assert isinstance(decoded("spot.obu", envelope=bare, full=True, U=ABSENT), BookSnapshot)

    def test_a_full_update_frame_is_a_snapshot(self) -> None:
        """Rare, and never seen live, but documented."""
        snapshot = decoded("spot.order_book_update", full=True)

        assert isinstance(snapshot, BookSnapshot)
        assert (snapshot.last_id, snapshot.bids, snapshot.asks) == (474334687, ((2765.2, 1.4816),), ())

    @pytest.mark.parametrize(
        ("channel", "bids", "asks", "changes"),
        [
            ("spot.order_book", "bids", "asks", {}),
            ("spot.order_book_update", "b", "a", {"full": True}),
            ("spot.obu", "b", "a", {"full": True}),
        ],
    )
    def test_a_snapshot_is_sorted_and_has_no_empty_levels(self, channel: str, bids: str, asks: str, changes: dict[str, Any]) -> None:
        """Best first on both sides, whatever order the venue used; a row of quantity zero is no level and is left out."""
        rows = [["2", "1"], ["3", "0"], ["5", "2"], ["4", "3"]]
        snapshot = decoded(channel, **(changes | {bids: rows, asks: rows}))

        assert isinstance(snapshot, BookSnapshot)
        assert snapshot.bids == ((5.0, 2.0), (4.0, 3.0), (2.0, 1.0))
        assert snapshot.asks == ((2.0, 1.0), (4.0, 3.0), (5.0, 2.0))

    @pytest.mark.parametrize(
        "row", [["0", "1"], ["-1", "1"], ["1", "-1"], ["1"], ["1", "1", "1"], ["1", "NaN"], ["", "1"], "1", {"p": "1", "s": "1"}, None]
    )
    @pytest.mark.parametrize(("channel", "side"), [("spot.order_book", "bids"), ("spot.order_book_update", "a"), ("spot.obu", "b")])
    def test_a_level_that_is_none_costs_the_frame(self, channel: str, side: str, row: object) -> None:
        """Half a frame would be a wrong book."""
        changes: dict[str, Any] = {side: [["1", "1"], row]}

        assert f"$.result.{side}" in refusal(push(channel, **changes)).reason

    @pytest.mark.parametrize("channel", ["spot.order_book_update", "spot.obu"])
    @pytest.mark.parametrize("ids", [{"U": 8, "u": 7}, {"u": ABSENT}, {"U": ABSENT}, {"U": "x"}, {"U": -1}, {"u": 2**63}, {"u": 1.5}])
    def test_ids_that_cannot_be_are_refused(self, channel: str, ids: dict[str, Any]) -> None:
        """They are what gaps are found with."""
        assert refusal(push(channel, **ids)).reason

    def test_a_stream_that_is_not_spelt_as_one_is_refused(self) -> None:
        """The pair stands between ``ob.`` and the last dot."""
        assert "ob.BTC_USDT.50" in refusal(push("spot.obu", s="BTC_USDT")).reason


class TestTicker:
    def test_every_field_is_filled_from_the_wire(self) -> None:
        """Percent becomes a ratio; a ticker has no time of its own, so it is that of sending."""
        ticker = decoded("spot.tickers")

        assert ticker == Ticker(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_790_134_390_863_000_000,
            ts_recv=RECV,
            last=86695.3,
            change=1.3401 / 100,
            high=86835.7,
            low=85121.6,
            base_volume=0.211442,
            quote_volume=18239.3197469,
            bid_price=86690.0,
            ask_price=86691.6,
        )

    def test_the_price_may_have_fallen(self) -> None:
        """The only number of a push that may be negative."""
        ticker = decoded("spot.tickers", change_percentage="-8.0501")

        assert isinstance(ticker, Ticker)
        assert ticker.change == pytest.approx(-0.080501)

    @pytest.mark.parametrize("price", ["", "0"])
    def test_a_side_without_orders_has_no_price(self, price: str) -> None:
        """A pair that nobody offers still has a ticker."""
        ticker = decoded("spot.tickers", lowest_ask=price, highest_bid=price)

        assert isinstance(ticker, Ticker)
        assert (ticker.bid_price, ticker.ask_price) == (None, None)

    def test_frames_from_before_2022_have_seconds_only(self) -> None:
        """time_ms was added then."""
        assert decoded("spot.tickers", envelope={"time_ms": ABSENT}).ts_event == 1_790_134_390_000_000_000

    @pytest.mark.parametrize(
        "times",
        [{"time": ABSENT, "time_ms": ABSENT}, {"time_ms": 0}, {"time_ms": -1}, {"time_ms": 2**63}, {"time": 10**10}, {"time": None}],
    )
    def test_a_push_without_a_sane_time_is_refused(self, times: dict[str, Any]) -> None:
        """Every event has a time, and it fits 63 bits of nanoseconds."""
        assert "time" in refusal(push("spot.tickers", envelope=times)).reason


class TestCandles:
    def test_every_field_is_filled_from_the_wire(self) -> None:
        """v is the quote volume and a the base volume in every captured frame that has both."""
        assert decoded("spot.candlesticks") == Candle(
            venue="gateio",
            symbol="BTC/USDT",
            ts_event=1_790_134_390_863_000_000,
            ts_recv=RECV,
            interval="1m",
            ts_open=1_606_292_580_000_000_000,
            open=19128.1,
            high=19131.0,
            low=19127.0,
            close=19130.1,
            base_volume=3.8286,
            quote_volume=73241.17,
            closed=True,
        )

    @pytest.mark.parametrize(
        ("v", "a", "base", "quote"),
        [
            ("73241.17", "3.8286", 3.8286, 73241.17),
            ("3.8286", "73241.17", 3.8286, 73241.17),
            ("0", "0", 0.0, 0.0),
            ("5", "0", 0.0, 5.0),
            ("12", "34", 34.0, 12.0),
        ],
    )
    def test_volumes_are_told_apart_by_the_price(self, v: str, a: str, base: float, quote: float) -> None:
        """The sources disagree on v and a; what fits neither way round is read as captured frames are."""
        candle = decoded("spot.candlesticks", v=v, a=a)

        assert isinstance(candle, Candle)
        assert (candle.base_volume, candle.quote_volume) == (base, quote)

    def test_at_a_price_of_one_both_ways_fit_and_the_usual_one_is_taken(self) -> None:
        """A pair of two stable coins."""
        candle = decoded("spot.candlesticks", o="1", h="1.0002", l="0.9998", c="1", v="100.0", a="100.01")

        assert isinstance(candle, Candle)
        assert (candle.base_volume, candle.quote_volume) == (100.01, 100.0)

    def test_frames_of_2021_have_no_base_volume_and_never_close(self) -> None:
        """a and w came later."""
        candle = decoded("spot.candlesticks", a=ABSENT, w=ABSENT)

        assert isinstance(candle, Candle)
        assert (candle.base_volume, candle.quote_volume, candle.closed) == (None, 73241.17, False)

    @pytest.mark.parametrize("name", ["BTC_USDT", "_BTC_USDT", "1m", "", None, 5])
    def test_a_name_without_interval_or_pair_gives_no_candle(self, name: object) -> None:
        """It says which candle it is: 1m_BTC_USDT."""
        with pytest.raises((DecodeError, KeyError)):
            decoded("spot.candlesticks", n=name)

    @pytest.mark.parametrize("changes", [{"t": "0"}, {"t": "-60"}, {"t": "x"}, {"t": 10**10}, {"l": "0"}, {"w": "yes"}, {"a": ""}])
    def test_nonsense_is_refused(self, changes: dict[str, Any]) -> None:
        """A candle opened at some time, at some price."""
        assert refusal(push("spot.candlesticks", **changes)).reason


@pytest.mark.parametrize("channel", RESULTS)
class TestEveryChannel:
    def test_a_symbol_that_is_not_subscribed_is_a_key_error(self, channel: str) -> None:
        """The handler counts it as outside; it is no fault of the frame."""
        with pytest.raises(KeyError):
            decode(push(channel), {}, RECV)

    def test_an_update_that_looks_like_an_ack_is_refused(self, channel: str) -> None:
        """Neither may be taken for the other."""
        assert refusal(push(channel, envelope={"result": {"status": "success"}})).reason

    @pytest.mark.parametrize("event", ["subscribe", "unsubscribe", "all", "", "UPDATE", None, 1])
    def test_only_an_update_is_an_event(self, channel: str, event: object) -> None:
        """A whole and valid result under another event is not data."""
        assert "$.event" in refusal(push(channel, envelope={"event": event})).reason

    @pytest.mark.parametrize("result", [None, [], {}, "", 0, "success", [[]]])
    def test_an_empty_or_foreign_result_is_refused(self, channel: str, result: object) -> None:
        """Futures send lists where spot sends objects."""
        assert "result" in refusal(push(channel, envelope={"result": result})).reason

    def test_a_truncated_frame_is_refused_wherever_it_was_cut(self, channel: str) -> None:
        """And the error keeps the bytes."""
        whole = push(channel)
        for length in range(len(whole)):
            assert refusal(whole[:length]).frame == whole[:length]

    def test_unknown_fields_are_skipped(self, channel: str) -> None:
        """Gate adds fields without notice."""
        novel = push(channel, envelope={"shard": {"deep": [1, None]}}, novelty=[[["x"]]])

        assert decode(novel, SYMBOLS, RECV) == decode(push(channel), SYMBOLS, RECV)

    def test_the_order_of_fields_does_not_matter(self, channel: str) -> None:
        """The channel may come last."""
        last = push(channel, envelope={"channel": ABSENT})[:-1] + b',"channel":"' + channel.encode() + b'"}'

        assert decode(last, SYMBOLS, RECV) == decode(push(channel), SYMBOLS, RECV)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"channel":"\xff"}',
        b'{"channel":"spot.trades\\ud800"}',
        b"\xef\xbb\xbf" + push("spot.trades"),
        push("spot.trades") + b"}",
        push("spot.trades") * 2,
        push("spot.trades").decode().encode("utf-16"),
        push("spot.trades", envelope={"channel": "spot.nope"}),
        push("spot.trades", envelope={"channel": "futures.trades"}),
        push("spot.trades", envelope={"channel": None}),
        push("spot.trades").replace(b"309143071", b"9" * 5000),
        b"[" * 1_000_000,
        b'{"channel":"spot.trades","x":' + b"[" * 1_000_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda frame: repr(frame[:24]),
)
def test_only_a_decode_error_comes_out_of_bad_bytes(frame: bytes) -> None:
    """msgspec's own errors, Unicode and recursion errors among them, stay inside; the bytes are kept, up to 64 KiB."""
    error = refusal(frame)

    assert error.venue == "gateio"
    assert error.frame == frame[:65_536]
    assert error.size == len(frame)


def test_an_error_names_the_field_and_what_came() -> None:
    """Enough to see the fault without the frame."""
    error = refusal(push("spot.order_book", bids=[["1", "1"], ["x", "1"]]))

    assert error.reason == "Expected `float`, got `str` - at `$.result.bids[1][0]`"
