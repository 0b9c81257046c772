"""Gate.io spot over HTTP: what is asked, what its answers become, and what its refusals mean."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exwire.errors import AuthError, ConfigError, DecodeError, RateLimitError, UnknownNameError, VenueError
from exwire.loopback import Loopback
from exwire.model import InstrumentStatus, Side
from exwire.rest import EACH_ENDPOINT
from exwire_gateio.instruments import read_currency_pair
from exwire_gateio.loopback import GateioScript
from exwire_gateio.spot.rest import INTERVALS, GateioSpotRest
from http_site import Site, answers, open_site
from samples import Sample, needs_samples, read, select

NOW_NS = 1_790_134_390_000_000_000


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def gate(site: Site) -> AsyncIterator[GateioSpotRest]:
    async with GateioSpotRest(base_url=f"{site.url}/api/v4") as client:
        yield client


def says(site: Site, body: object) -> None:
    """Let the site answer this to everything."""
    site.answers = [answers(body if isinstance(body, bytes) else msgspec.json.encode(body))]


def asked(site: Site) -> tuple[str, dict[str, str]]:
    """Return path and parameters of the only request."""
    (request,) = site.requests
    return request.path, dict(request.query)


async def test_the_time_comes_in_nanoseconds(site: Site, gate: GateioSpotRest) -> None:
    """Gate says milliseconds."""
    says(site, {"server_time": 1597026383085})

    assert await gate.server_time() == 1_597_026_383_085_000_000
    assert asked(site) == ("/api/v4/spot/time", {})


PAIR: dict[str, Any] = {
    "id": "ETH_USDT",
    "base": "ETH",
    "base_name": "Ethereum",
    "quote": "USDT",
    "quote_name": "Tether",
    "fee": "0.2",
    "min_base_amount": "0.001",
    "min_quote_amount": "3",
    "max_base_amount": None,
    "max_quote_amount": "5000000",
    "amount_precision": 6,
    "precision": 2,
    "trade_status": "tradable",
    "sell_start": 1516378650,
    "buy_start": 1516378650,
    "delisting_time": 0,
    "type": "normal",
    "trade_url": "https://www.gate.io/trade/ETH_USDT",
    "st_tag": False,
}


async def test_currency_pairs_become_instruments(site: Site, gate: GateioSpotRest) -> None:
    """Every rule that the model has, exact."""
    says(site, [PAIR])
    (instrument,) = await gate.instruments()

    assert asked(site) == ("/api/v4/spot/currency_pairs", {})
    assert (instrument.venue, instrument.symbol, instrument.venue_symbol) == ("gateio", "ETH/USDT", "ETH_USDT")
    assert (instrument.base, instrument.quote, instrument.status) == ("ETH", "USDT", InstrumentStatus.TRADING)
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal("0.000001"))
    assert (instrument.min_qty, instrument.max_qty) == (Decimal("0.001"), None)
    assert (instrument.min_notional, instrument.max_notional) == (Decimal(3), Decimal(5_000_000))
    assert instrument.contract_multiplier == 1


async def test_a_pair_that_cannot_be_read_does_not_hide_the_others(
    site: Site, gate: GateioSpotRest, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out, and the log says so."""
    says(site, [PAIR, PAIR | {"precision": "many"}, PAIR | {"id": "nonsense"}, PAIR | {"min_base_amount": "NaN"}])
    with caplog.at_level(logging.WARNING):
        instruments = await gate.instruments()

    assert [each.symbol for each in instruments] == ["ETH/USDT"]
    assert "left out 3 of 4 currency pairs" in caplog.text


async def test_a_list_of_which_nothing_can_be_read_is_an_error(site: Site, gate: GateioSpotRest) -> None:
    """Gate speaks another language now; an empty list would hide that."""
    says(site, [{"symbol": "ETHUSDT"}])

    with pytest.raises(DecodeError, match="none of the 1 currency pairs") as caught:
        await gate.instruments()
    assert caught.value.frame == b'{"symbol":"ETHUSDT"}'


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, InstrumentStatus.TRADING),
        ({"trade_status": "buyable"}, InstrumentStatus.BUY_ONLY),
        ({"trade_status": "sellable"}, InstrumentStatus.SELL_ONLY),
        ({"trade_status": "untradable"}, InstrumentStatus.HALTED),
        ({"trade_status": "frozen"}, InstrumentStatus.UNKNOWN),
        ({"trade_status": ""}, InstrumentStatus.UNKNOWN),
        ({"buy_start": 1790134391}, InstrumentStatus.SELL_ONLY),
        ({"sell_start": 1790134391}, InstrumentStatus.BUY_ONLY),
        ({"buy_start": 1790134391, "sell_start": 1790134391}, InstrumentStatus.HALTED),
        ({"buy_start": 1790134390, "sell_start": None}, InstrumentStatus.TRADING),
        ({"delisting_time": 1790134391}, InstrumentStatus.TRADING),
        ({"delisting_time": 1790134390}, InstrumentStatus.HALTED),
        ({"trade_status": "frozen", "delisting_time": 1}, InstrumentStatus.UNKNOWN),
    ],
)
def test_the_status_says_what_may_be_done_now(fields: dict[str, object], status: InstrumentStatus) -> None:
    """Gate calls a pair tradable before it opens, one side at a time, and after it was delisted."""
    assert read_currency_pair(msgspec.json.encode(PAIR | fields), NOW_NS).status is status


@pytest.mark.parametrize("absent", [None, "", "0", "0.000"])
def test_a_minimum_of_nothing_is_no_rule(absent: str | None) -> None:
    """Gate writes that in several ways."""
    names = ("min_base_amount", "max_base_amount", "min_quote_amount", "max_quote_amount")
    spelt = read_currency_pair(msgspec.json.encode(PAIR | dict.fromkeys(names, absent)), NOW_NS)
    left_out = read_currency_pair(msgspec.json.encode({name: value for name, value in PAIR.items() if name not in names}), NOW_NS)

    assert (spelt.min_qty, spelt.max_qty, spelt.min_notional, spelt.max_notional) == (None, None, None, None)
    assert spelt == left_out


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", " 1", "1_0", "1e999", "٣", "1\n", "0x1", "."])
def test_a_rule_that_is_no_amount_is_refused(text: str) -> None:
    """Decimal itself would take most of these."""
    with pytest.raises(DecodeError, match="currency pair"):
        read_currency_pair(msgspec.json.encode(PAIR | {"min_quote_amount": text}), NOW_NS)


@given(
    precision=st.integers(0, 40),
    amount_precision=st.integers(0, 40),
    least=st.decimals(min_value=0, max_value=10**12, places=8),
    most=st.decimals(min_value=0, max_value=10**12, places=8),
)
def test_every_rule_is_exact(precision: int, amount_precision: int, least: Decimal, most: Decimal) -> None:
    """Whatever the decimals: an order rounded by a rule that is off by one digit is refused."""
    rules = {"precision": precision, "amount_precision": amount_precision, "min_base_amount": str(least), "max_quote_amount": f"{most:f}"}
    instrument = read_currency_pair(msgspec.json.encode(PAIR | rules), NOW_NS)

    assert instrument.tick_size * 10**precision == 1
    assert instrument.lot_size * 10**amount_precision == 1
    assert instrument.min_qty == (least or None)
    assert instrument.max_notional == (most or None)


@given(
    st.one_of(
        st.binary(),
        st.fixed_dictionaries(
            {},
            optional={name: st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.lists(st.text(), max_size=2)) for name in PAIR},
        ).map(lambda fields: msgspec.json.encode(PAIR | fields)),
    )
)
def test_no_pair_breaks_anything_but_itself(row: bytes) -> None:
    """An instrument, or a DecodeError that keeps the bytes."""
    refused = b""
    rules: list[Decimal | None] = []
    try:
        instrument = read_currency_pair(row, NOW_NS)
        rules = [instrument.tick_size, instrument.lot_size, instrument.min_qty, instrument.max_qty, instrument.min_notional]
    except DecodeError as exc:
        refused = exc.frame

    assert rules or refused == row
    assert all(each is None or each > 0 for each in rules)


BOOK = {
    "id": 123456,
    "current": 1623898993123,
    "update": 1623898993121,
    "asks": [["1.52", "1.151"], ["1.53", "1.218"]],
    "bids": [["1.17", "201.863"], ["1.16", "725.464"]],
}


async def test_a_book_comes_with_the_id_that_joins_it_to_the_stream(site: Site, gate: GateioSpotRest) -> None:
    """Gate leaves it out unless asked; its time is that of the last change."""
    says(site, BOOK)
    book = await gate.book_snapshot("ETH/BTC", 20)

    assert asked(site) == ("/api/v4/spot/order_book", {"currency_pair": "ETH_BTC", "limit": "20", "with_id": "true"})
    assert (book.venue, book.symbol, book.last_id, book.ts_event) == ("gateio", "ETH/BTC", 123456, 1_623_898_993_121_000_000)
    assert book.bids == ((1.17, 201.863), (1.16, 725.464))
    assert book.asks == ((1.52, 1.151), (1.53, 1.218))
    assert book.ts_recv > book.ts_event


async def test_the_levels_of_a_book_are_in_order_and_not_empty(site: Site, gate: GateioSpotRest) -> None:
    """Best first, as the model promises, whatever order they came in."""
    says(site, {"id": 1, "asks": [["3", "1"], ["2", "1"], ["4", "0"]], "bids": [["0.5", "1"], ["1", "1"], ["0.9", "0"]]})
    book = await gate.book_snapshot("ETH/BTC")

    assert book.bids == ((1.0, 1.0), (0.5, 1.0))
    assert book.asks == ((2.0, 1.0), (3.0, 1.0))
    assert book.ts_event == book.ts_recv


@pytest.mark.parametrize("depth", [0, -1, 101, 1000])
async def test_a_book_that_gate_would_answer_from_its_cache_is_not_asked_for(site: Site, gate: GateioSpotRest, depth: int) -> None:
    """Beyond 100 levels it is tens of seconds old, which its id does not tell."""
    with pytest.raises(ConfigError, match="from 1 to 100"):
        await gate.book_snapshot("ETH/BTC", depth)
    assert not site.requests


async def test_a_book_without_an_id_is_refused(site: Site, gate: GateioSpotRest) -> None:
    """It could not be joined to any stream."""
    says(site, {key: value for key, value in BOOK.items() if key != "id"})

    with pytest.raises(DecodeError, match="id"):
        await gate.book_snapshot("ETH/BTC")


def trade(id: str, **fields: object) -> dict[str, object]:
    """One print of the documentation, with some fields changed."""
    documented = {
        "id": id,
        "create_time": "1548000000",
        "create_time_ms": "1548000000123.456",
        "currency_pair": "ETH_BTC",
        "side": "buy",
        "amount": "0.15",
        "price": "0.03",
        "sequence_id": "588018",
    }
    return documented | fields


async def test_trades_come_oldest_first(site: Site, gate: GateioSpotRest) -> None:
    """As the stream would have brought them; Gate answers newest first, and within an instant the id decides."""
    says(site, [trade("12", create_time_ms="1548000000124"), trade("11"), trade("9"), trade("10", side="sell")])
    trades = await gate.trades("ETH/BTC", 4)

    assert asked(site) == ("/api/v4/spot/trades", {"currency_pair": "ETH_BTC", "limit": "4"})
    assert [each.trade_id for each in trades] == ["9", "10", "11", "12"]
    assert [each.side for each in trades] == [Side.BUY, Side.SELL, Side.BUY, Side.BUY]
    assert (trades[0].symbol, trades[0].price, trades[0].qty) == ("ETH/BTC", 0.03, 0.15)


@pytest.mark.parametrize(
    ("ms", "ns"),
    [
        ("1548000000123.456", 1_548_000_000_123_456_000),
        ("1548000000123.4567891", 1_548_000_000_123_456_789),
        ("1548000000123", 1_548_000_000_123_000_000),
        ("", 1_548_000_000_000_000_000),
    ],
)
async def test_the_time_of_a_trade_keeps_its_digits(site: Site, gate: GateioSpotRest, ms: str, ns: int) -> None:
    """A float would tell only 244 ns apart; without milliseconds the seconds have to do."""
    says(site, [trade("1", create_time_ms=ms)])
    (heard,) = await gate.trades("ETH/BTC")

    assert heard.ts_event == ns


@pytest.mark.parametrize("fields", [{"side": "both"}, {"price": "NaN"}, {"price": "0"}, {"amount": "-1"}, {"create_time_ms": "soon"}])
async def test_a_trade_that_is_none_is_refused(site: Site, gate: GateioSpotRest, fields: dict[str, object]) -> None:
    """An unknown side is never guessed."""
    says(site, [trade("1", **fields)])

    with pytest.raises(DecodeError):
        await gate.trades("ETH/BTC")


TICKER = {
    "currency_pair": "BTC3L_USDT",
    "last": "2.46140352",
    "lowest_ask": "2.477",
    "highest_bid": "2.4606821",
    "change_percentage": "-8.91",
    "change_utc0": "-8.91",
    "base_volume": "656614.0845820589",
    "quote_volume": "1602221.66468375534639404191",
    "high_24h": "2.7431",
    "low_24h": "1.9863",
}


async def test_one_ticker_or_all_of_them(site: Site, gate: GateioSpotRest) -> None:
    """The change is a ratio with us. Gate gives no time, so it is ours."""
    says(site, [TICKER])
    (all_of_them,) = await gate.tickers()
    (one,) = await gate.tickers("BTC3L/USDT")

    assert [dict(request.query) for request in site.requests] == [{}, {"currency_pair": "BTC3L_USDT"}]
    assert (one.symbol, one.last) == ("BTC3L/USDT", 2.46140352)
    assert one.change == pytest.approx(-0.0891)
    assert (one.high, one.low, one.base_volume) == (2.7431, 1.9863, 656614.0845820589)
    assert (one.bid_price, one.ask_price) == (2.4606821, 2.477)
    assert one.ts_event == one.ts_recv > all_of_them.ts_recv


async def test_a_side_without_orders_has_no_price(site: Site, gate: GateioSpotRest) -> None:
    """Zero would be a price."""
    says(site, [TICKER | {"lowest_ask": "", "highest_bid": "0"}])
    (ticker,) = await gate.tickers()

    assert (ticker.bid_price, ticker.ask_price) == (None, None)


async def test_a_ticker_that_cannot_be_read_does_not_hide_the_others(site: Site, gate: GateioSpotRest) -> None:
    """Thousands come in one answer."""
    says(site, [TICKER | {"last": "NaN"}, TICKER, TICKER | {"currency_pair": "?"}])

    assert len(await gate.tickers()) == 1


async def test_candles_come_oldest_first_and_say_whether_they_are_closed(site: Site, gate: GateioSpotRest) -> None:
    """Open, high, low and close stand in another order on the wire."""
    says(
        site,
        [
            ["1539852540", "10", "2", "2.5", "1.5", "1.75", "5", "false"],
            ["1539852480", "971519.677", "0.0021724", "0.0021922", "0.0021723", "0.0021737", "446913216.5", "true"],
        ],
    )
    closed, open_ = await gate.candles("ETH/BTC", "1m", limit=2)

    assert asked(site) == ("/api/v4/spot/candlesticks", {"currency_pair": "ETH_BTC", "interval": "1m", "limit": "2"})
    assert (closed.open, closed.high, closed.low, closed.close) == (0.0021737, 0.0021922, 0.0021723, 0.0021724)
    assert (closed.base_volume, closed.quote_volume) == (446913216.5, 971519.677)
    assert (closed.ts_open, closed.interval, closed.closed) == (1_539_852_480_000_000_000, "1m", True)
    assert (open_.ts_open, open_.closed) == (1_539_852_540_000_000_000, False)


async def test_older_candles_are_shorter(site: Site, gate: GateioSpotRest) -> None:
    """Without base volume, without the flag, or without both; then a newer candle closes the one before."""
    says(
        site,
        [
            ["1539852480", "1", "2", "3", "4", "5", "true"],
            ["1539852540", "1", "2", "3", "4", "5", "6"],
            ["1539852600", "1", "2", "3", "4", "5"],
            ["1539852660", "1", "2", "3", "4", "5", "6", "false", "of a later version"],
        ],
    )
    candles = await gate.candles("ETH/BTC", "1m")

    assert [(each.base_volume, each.closed) for each in candles] == [(None, True), (6.0, True), (None, True), (6.0, False)]


async def test_no_candles_are_no_error(site: Site, gate: GateioSpotRest) -> None:
    """A pair that opens today."""
    says(site, [])

    assert await gate.candles("ETH/BTC", "1m") == []


async def test_what_gate_does_not_serve_is_refused_here(site: Site, gate: GateioSpotRest) -> None:
    """With the nearest that it does."""
    with pytest.raises(UnknownNameError) as interval:
        await gate.candles("ETH/BTC", "2m")
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        await gate.candles("ETH/BTC", "1m", limit=1001)
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        await gate.trades("ETH/BTC", 0)
    with pytest.raises(ConfigError, match="BTC/USDT"):
        await gate.trades("ETHBTC")

    assert set(interval.value.known) == set(INTERVALS)
    assert not site.requests


REFUSALS = [
    (400, b'{"label":"INVALID_PARAM_VALUE","message":"Invalid request parameter `limit` value: 1001"}', VenueError, "INVALID_PARAM_VALUE"),
    (400, b'{"label":"INVALID_CURRENCY_PAIR","message":"no"}', VenueError, "INVALID_CURRENCY_PAIR"),
    (400, b'{"label":"CONTRACT_NOT_FOUND"}', VenueError, "CONTRACT_NOT_FOUND"),
    (400, b'{"label":"INVALID_PARAM_VALUE","detail":"invalid size"}', VenueError, "INVALID_PARAM_VALUE"),
    (400, b'{"label":"MISSING_REQUIRED_HEADER","message":null}', AuthError, "MISSING_REQUIRED_HEADER"),
    (401, b'{"label":"INVALID_KEY","message":"Invalid key provided"}', AuthError, "INVALID_KEY"),
    (401, b'{"label":"INVALID_SIGNATURE","message":"Signature mismatch"}', AuthError, "INVALID_SIGNATURE"),
    (403, b'{"label":"FORBIDDEN","message":"no"}', AuthError, "FORBIDDEN"),
    (
        403,
        b'{"label":"REQUEST_EXPIRED","message":"gap between request Timestamp and server time exceeds 60"}',
        VenueError,
        "REQUEST_EXPIRED",
    ),
    (403, b'{"label":"TOO_MANY_REQUESTS","message":"slower"}', RateLimitError, "TOO_MANY_REQUESTS"),
    (429, b'{"label":"TOO_MANY_REQUESTS","message":"slower"}', RateLimitError, "TOO_MANY_REQUESTS"),
    (429, b"<html>", RateLimitError, ""),
    (401, b"", AuthError, ""),
    (502, b"<html>Bad Gateway</html>", VenueError, ""),
    (500, b'{"label":"INTERNAL","message":"server error"}', VenueError, "INTERNAL"),
    (500, b"[" * 100_000, VenueError, ""),
    (500, b"\xff\xfe", VenueError, ""),
    (400, b'{"label":5}', VenueError, ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), REFUSALS)
def test_a_refusal_is_known_by_its_label(status: int, body: bytes, kind: type[VenueError], code: str) -> None:
    """What stands before Gate answers without one, and then the status decides."""
    error = GateioSpotRest().error(status, body, {})

    assert type(error) is kind
    assert (error.venue, error.code, error.status) == ("gateio", code, status)
    assert len(error.message) <= 200


def test_the_words_of_a_refusal_are_kept() -> None:
    """Futures say ``detail`` for ``message``; a proxy's page is shown by its beginning."""
    client = GateioSpotRest()

    assert client.error(400, b'{"label":"X","message":"words"}', {}).message == "words"
    assert client.error(400, b'{"label":"X","detail":"words"}', {}).message == "words"
    assert client.error(502, b"<html>Bad Gateway</html>", {}).message == "<html>Bad Gateway</html>"


@pytest.mark.parametrize(
    ("reset", "expected"),
    [("1790134395", 5.0), ("1790134390", None), ("1790134380", None), ("", None), ("soon", None), ("9790134390", None)],
)
def test_gate_says_when_its_limit_starts_afresh(reset: str, expected: float | None) -> None:
    """By its own clock, which ``Date`` tells; "now" and what is past tell nothing."""
    headers = {"X-Gate-RateLimit-Reset-Timestamp": reset, "Date": "Wed, 23 Sep 2026 03:33:10 GMT"}
    error = GateioSpotRest().error(429, b'{"label":"TOO_MANY_REQUESTS"}', headers)

    assert isinstance(error, RateLimitError)
    assert error.retry_after_s == expected


async def test_a_limit_that_ends_after_the_deadline_is_told(site: Site, gate: GateioSpotRest) -> None:
    """With the time that Gate gave, and without asking again."""
    headers = {"X_Gate_RateLimit_Reset_Timestamp": "1790134420", "Date": "Wed, 23 Sep 2026 03:33:10 GMT"}
    site.answers = [answers(b'{"label":"TOO_MANY_REQUESTS","message":"slower"}', 429, **headers)]

    with pytest.raises(RateLimitError, match="slower") as caught:
        await gate.server_time()
    assert caught.value.retry_after_s == 30.0
    assert len(site.requests) == 1


def test_the_pace_stays_below_the_documented_limit() -> None:
    """200 requests in any 10 s, for each endpoint."""
    limit = GateioSpotRest.limits[EACH_ENDPOINT]

    assert limit.burst + limit.rate * 10 <= 200


def test_gate_is_reached_at_its_own_host() -> None:
    """Unless endpoints name another."""
    assert GateioSpotRest().base_url == "https://api.gateio.ws/api/v4"


ANSWERS = [
    sample
    for sample in select("gate", "spot", "rest_response")
    if re.fullmatch(r"GET /spot/(time|currency_pairs.*|order_book|trades|tickers|candlesticks)", sample.channel)
]


@needs_samples
@pytest.mark.parametrize("sample", ANSWERS, ids=lambda sample: sample.id)
async def test_real_answers_become_what_the_index_expects(site: Site, gate: GateioSpotRest, sample: Sample) -> None:
    """Documented and captured ones, as they lie in the shared samples."""
    says(site, read(sample))
    raw: Any = msgspec.json.decode(read(sample))
    match sample.channel.removeprefix("GET /spot/"):
        case "time":
            assert await gate.server_time() == raw["server_time"] * 1_000_000
        case "currency_pairs":
            assert [each.venue_symbol for each in await gate.instruments()] == [row["id"] for row in raw]
        case "currency_pairs/{symbol}":
            assert read_currency_pair(read(sample), NOW_NS).tick_size == Decimal(1).scaleb(-raw["precision"])
        case "order_book":
            book = await gate.book_snapshot("ETH/BTC")
            expected = sample.expected or {"id": raw["id"], "levels": [len(raw["bids"]), len(raw["asks"])]}
            assert (book.last_id, [len(book.bids), len(book.asks)]) == (expected["id"], expected["levels"])
            assert [list(row) for row in book.bids] == [[float(price), float(qty)] for price, qty in raw["bids"]]
            assert [list(row) for row in book.asks] == [[float(price), float(qty)] for price, qty in raw["asks"]]
        case "trades":
            assert {each.trade_id for each in await gate.trades("ETH/BTC")} == {row["id"] for row in raw}
        case "tickers":
            assert [each.last for each in await gate.tickers()] == [float(row["last"]) for row in raw]
        case "candlesticks":
            candles = await gate.candles("ETH/BTC", "1m")
            assert [(each.quote_volume, each.closed) for each in candles] == [(float(row[1]), row[-1] == "true") for row in raw]
        case other:
            pytest.fail(f"no call for {other}")


@needs_samples
def test_every_public_call_has_a_real_answer() -> None:
    """Should a folder be renamed, the test above would pass by testing nothing."""
    assert {sample.channel.split("/")[2] for sample in ANSWERS} == {
        "time",
        "currency_pairs",
        "order_book",
        "trades",
        "tickers",
        "candlesticks",
    }


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    """Gate in a box, its market having lived for twenty seconds."""
    async with Loopback(GateioScript(), manual=True) as opened:
        await opened.tick(1_000)
        yield opened


@pytest.fixture
async def boxed(box: Loopback) -> AsyncIterator[GateioSpotRest]:
    async with GateioSpotRest(base_url=box.endpoints.rest) as client:
        yield client


async def test_every_call_understands_the_exchange_in_a_box(box: Loopback, boxed: GateioSpotRest) -> None:
    """It was written from the protocol notes, not from this client."""
    instruments = {each.symbol: each for each in await boxed.instruments()}
    rules = instruments["BTC/USDT"]
    book = await boxed.book_snapshot("BTC/USDT", 20)
    (ticker,) = await boxed.tickers("BTC/USDT")
    trades = await boxed.trades("BTC/USDT", 10)
    candles = await boxed.candles("BTC/USDT", "1m", limit=5)

    assert await boxed.server_time() // 1_000_000 == box.now_ns // 1_000_000
    assert len(instruments) >= 20
    assert rules.status is InstrumentStatus.TRADING
    assert book.bids[0][0] < book.asks[0][0]
    assert (len(book.bids), len(book.asks)) == (20, 20)
    assert all(
        Decimal(str(price)) % rules.tick_size == 0 and Decimal(str(qty)) % rules.lot_size == 0 for price, qty in book.bids + book.asks
    )
    assert (ticker.bid_price, ticker.ask_price, ticker.last) == (book.bids[0][0], book.asks[0][0], trades[-1].price)
    assert trades == sorted(trades, key=lambda each: int(each.trade_id))
    assert 0 < len(candles) <= 5
    assert (candles[-1].close, candles[-1].closed) == (ticker.last, False)
    assert {each.symbol for each in await boxed.tickers()} == set(instruments)
    assert not box.unknown_paths


async def test_every_interval_is_one_that_gate_serves(boxed: GateioSpotRest) -> None:
    """Gate refuses others."""
    for interval in INTERVALS:
        candles = await boxed.candles("ETH/USDT", interval, limit=3)

        assert {each.interval for each in candles} == {interval}


async def test_an_unknown_pair_is_refused_in_gates_words(boxed: GateioSpotRest) -> None:
    """Its form was right, so Gate was asked."""
    with pytest.raises(VenueError, match="NOPE_USDT") as caught:
        await boxed.trades("NOPE/USDT")
    assert (caught.value.code, caught.value.status) == ("INVALID_CURRENCY_PAIR", 400)
