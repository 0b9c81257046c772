"""MEXC spot over HTTP: what is asked, what its answers become, and what its refusals mean."""

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
from exwire_mexc.instruments import read_instrument, read_order_rules
from exwire_mexc.loopback import MexcScript
from exwire_mexc.spot.rest import INTERVALS, MexcSpotRest
from http_site import Site, answers, open_site
from samples import Sample, needs_samples, read, select


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def mexc(site: Site) -> AsyncIterator[MexcSpotRest]:
    async with MexcSpotRest(base_url=site.url) as client:
        yield client


def says(site: Site, body: object) -> None:
    """Let the site answer this to everything."""
    site.answers = [answers(body if isinstance(body, bytes) else msgspec.json.encode(body))]


def asked(site: Site) -> tuple[str, dict[str, str]]:
    """Return path and parameters of the only request."""
    (request,) = site.requests
    return request.path, dict(request.query)


async def test_the_time_comes_in_nanoseconds(site: Site, mexc: MexcSpotRest) -> None:
    """MEXC says milliseconds."""
    says(site, {"serverTime": 1645539742000})

    assert await mexc.server_time() == 1_645_539_742_000_000_000
    assert asked(site) == ("/api/v3/time", {})


async def test_a_ping_has_an_endpoint_of_its_own(site: Site, mexc: MexcSpotRest) -> None:
    """Its answer is empty."""
    says(site, {})

    assert await mexc.ping() > 0
    assert asked(site) == ("/api/v3/ping", {})


SYMBOL: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "status": "1",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 2,
    "quoteAssetPrecision": 2,
    "baseCommissionPrecision": 8,
    "quoteCommissionPrecision": 2,
    "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "quoteAmountPrecision": "1",
    "baseSizePrecision": "0.000001",
    "permissions": ["SPOT"],
    "filters": [{"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "0.005", "askMultiplierDown": "0.004"}],
    "maxQuoteAmount": "4000000",
    "makerCommission": "0",
    "takerCommission": "0.0005",
    "quoteAmountPrecisionMarket": "5",
    "maxQuoteAmountMarket": "2000000",
    "fullName": "Bitcoin",
    "tradeSideType": 1,
    "contractAddress": "",
    "conceptPlateIds": [50, 5, 39, 12],
    "st": False,
}


def info(*symbols: object) -> dict[str, object]:
    """An answer about these symbols."""
    return {"timezone": "CST", "serverTime": 1645539742000, "rateLimits": [], "exchangeFilters": [], "symbols": symbols}


async def test_symbols_become_instruments(site: Site, mexc: MexcSpotRest) -> None:
    """Every rule that the model has, exact; two of MEXC's precisions are none, and mean the least quantity and the least value."""
    says(site, info(SYMBOL))
    (instrument,) = await mexc.instruments()

    assert asked(site) == ("/api/v3/exchangeInfo", {})
    assert (instrument.venue, instrument.symbol, instrument.venue_symbol) == ("mexc", "BTC/USDT", "BTCUSDT")
    assert (instrument.base, instrument.quote, instrument.status) == ("BTC", "USDT", InstrumentStatus.TRADING)
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal("0.00000001"))
    assert (instrument.min_qty, instrument.max_qty) == (Decimal("0.000001"), None)
    assert (instrument.min_notional, instrument.max_notional) == (Decimal(1), Decimal(4_000_000))
    assert instrument.contract_multiplier == 1


async def test_what_an_instrument_has_no_place_for_has_a_call_of_its_own(site: Site, mexc: MexcSpotRest) -> None:
    """An order may need it: its type, the limits of market orders, how far its price may be off."""
    says(site, info(SYMBOL, SYMBOL | {"symbol": "ETHUSDT", "baseAsset": "ETH", "filters": None, "maxQuoteAmountMarket": "0"}))
    bitcoin, ether = await mexc.order_rules()

    assert (bitcoin.symbol, bitcoin.order_types) == ("BTC/USDT", ("LIMIT", "MARKET", "LIMIT_MAKER"))
    assert (bitcoin.min_notional_market, bitcoin.max_notional_market) == (Decimal(5), Decimal(2_000_000))
    assert (bitcoin.price_up, bitcoin.price_down) == (Decimal("0.005"), Decimal("0.004"))
    assert (ether.max_notional_market, ether.price_up, ether.price_down) == (None, None, None)


async def test_a_symbol_that_cannot_be_read_does_not_hide_the_others(
    site: Site, mexc: MexcSpotRest, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out, and the log says so."""
    says(site, info(SYMBOL, SYMBOL | {"quotePrecision": "many"}, SYMBOL | {"symbol": "BTC_USDT"}, SYMBOL | {"maxQuoteAmount": "NaN"}))
    with caplog.at_level(logging.WARNING):
        instruments = await mexc.instruments()

    assert [each.symbol for each in instruments] == ["BTC/USDT"]
    assert "left out 3 of 4 symbols" in caplog.text


async def test_a_list_of_which_nothing_can_be_read_is_an_error(site: Site, mexc: MexcSpotRest) -> None:
    """MEXC speaks another language now; an empty list would hide that."""
    says(site, info({"pair": "BTCUSDT"}))

    with pytest.raises(DecodeError, match="none of the 1 symbols") as caught:
        await mexc.instruments()
    assert caught.value.frame == b'{"pair":"BTCUSDT"}'


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, InstrumentStatus.TRADING),
        ({"status": 1}, InstrumentStatus.TRADING),
        ({"status": "ENABLED"}, InstrumentStatus.TRADING),
        ({"status": "2"}, InstrumentStatus.HALTED),
        ({"status": "3"}, InstrumentStatus.HALTED),
        ({"status": "4"}, InstrumentStatus.UNKNOWN),
        ({"status": ""}, InstrumentStatus.UNKNOWN),
        ({"isSpotTradingAllowed": False}, InstrumentStatus.HALTED),
        ({"permissions": ["MARGIN"]}, InstrumentStatus.HALTED),
        ({"permissions": []}, InstrumentStatus.TRADING),
        ({"permissions": None}, InstrumentStatus.TRADING),
        ({"tradeSideType": "2"}, InstrumentStatus.BUY_ONLY),
        ({"tradeSideType": 3}, InstrumentStatus.SELL_ONLY),
        ({"tradeSideType": 4}, InstrumentStatus.HALTED),
        ({"tradeSideType": None}, InstrumentStatus.TRADING),
        ({"tradeSideType": 9}, InstrumentStatus.UNKNOWN),
        ({"tradeSideType": 2, "isSpotTradingAllowed": False}, InstrumentStatus.HALTED),
    ],
)
def test_the_status_says_what_the_api_may_do_now(fields: dict[str, object], status: InstrumentStatus) -> None:
    """Three fields have a say; some pairs trade for people only."""
    assert read_instrument(msgspec.json.encode(SYMBOL | fields)).status is status


@pytest.mark.parametrize("absent", [None, "", "0", "0.000"])
def test_a_minimum_of_nothing_is_no_rule(absent: str | None) -> None:
    """MEXC says "0" to many of its pairs."""
    names = ("quoteAmountPrecision", "baseSizePrecision", "maxQuoteAmount")
    spelt = read_instrument(msgspec.json.encode(SYMBOL | dict.fromkeys(names, absent)))
    left_out = read_instrument(msgspec.json.encode({name: value for name, value in SYMBOL.items() if name not in names}))

    assert (spelt.min_qty, spelt.max_qty, spelt.min_notional, spelt.max_notional) == (None, None, None, None)
    assert spelt == left_out


def test_of_two_price_precisions_the_coarser_counts() -> None:
    """A price on its grid is on the other's too."""
    assert read_instrument(msgspec.json.encode(SYMBOL | {"quotePrecision": 4})).tick_size == Decimal("0.01")
    assert read_instrument(msgspec.json.encode(SYMBOL | {"quoteAssetPrecision": 1})).tick_size == Decimal("0.1")
    assert read_instrument(msgspec.json.encode(SYMBOL | {"quoteAssetPrecision": None})).tick_size == Decimal("0.01")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", " 1", "1_0", "1e999", "٣", "1\n", "0x1", "."])
def test_a_rule_that_is_no_amount_is_refused(text: str) -> None:
    """Decimal itself would take most of these."""
    with pytest.raises(DecodeError, match="symbol"):
        read_instrument(msgspec.json.encode(SYMBOL | {"baseSizePrecision": text}))
    with pytest.raises(DecodeError, match="symbol"):
        read_order_rules(msgspec.json.encode(SYMBOL | {"quoteAmountPrecisionMarket": text}))


@pytest.mark.parametrize("fields", [{"symbol": "USDTBTC"}, {"baseAsset": ""}, {"quoteAsset": "usdt", "symbol": "BTCusdt"}])
def test_a_symbol_is_its_two_assets_in_one_word(fields: dict[str, str]) -> None:
    """Otherwise what is subscribed under its unified name would be another pair."""
    with pytest.raises(DecodeError, match="symbol"):
        read_instrument(msgspec.json.encode(SYMBOL | fields))


@given(
    places=st.integers(0, 40),
    base_places=st.integers(0, 40),
    least=st.decimals(min_value=0, max_value=10**12, places=8),
    most=st.decimals(min_value=0, max_value=10**12, places=8),
)
def test_every_rule_is_exact(places: int, base_places: int, least: Decimal, most: Decimal) -> None:
    """Whatever the decimals: an order rounded by a rule that is off by one digit is refused."""
    rules = {
        "quotePrecision": places,
        "quoteAssetPrecision": places,
        "baseAssetPrecision": base_places,
        "baseSizePrecision": str(least),
        "maxQuoteAmount": f"{most:f}",
    }
    instrument = read_instrument(msgspec.json.encode(SYMBOL | rules))

    assert instrument.tick_size * 10**places == 1
    assert instrument.lot_size * 10**base_places == 1
    assert instrument.min_qty == (least or None)
    assert instrument.max_notional == (most or None)


@given(
    st.one_of(
        st.binary(),
        st.fixed_dictionaries(
            {},
            optional={
                name: st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.lists(st.text(), max_size=2)) for name in SYMBOL
            },
        ).map(lambda fields: msgspec.json.encode(SYMBOL | fields)),
    )
)
def test_no_symbol_breaks_anything_but_itself(row: bytes) -> None:
    """An instrument, or a DecodeError that keeps the bytes."""
    refused = b""
    rules: list[Decimal | None] = []
    try:
        instrument = read_instrument(row)
        rules = [instrument.tick_size, instrument.lot_size, instrument.min_qty, instrument.min_notional, instrument.max_notional]
    except DecodeError as exc:
        refused = exc.frame

    assert rules or refused == row
    assert all(each is None or each > 0 for each in rules)


async def test_the_symbols_that_the_api_may_trade(site: Site, mexc: MexcSpotRest) -> None:
    """In our spelling."""
    says(site, {"data": ["SNTUSDT", "ETHBTC"], "code": 0, "msg": "success", "timestamp": 1737623243056})

    assert await mexc.api_symbols() == ["SNT/USDT", "ETH/BTC"]
    assert asked(site) == ("/api/v3/defaultSymbols", {})


BOOK: dict[str, Any] = {
    "lastUpdateId": 10589632359,
    "bids": [["92877.58", "0.15"], ["92877.00", "1"]],
    "asks": [["92878.00", "1.5"], ["92879.10", "2"]],
    "timestamp": 1736411507002,
}


async def test_a_book_comes_with_the_id_that_joins_it_to_the_stream(site: Site, mexc: MexcSpotRest) -> None:
    """All 5,000 levels unless fewer are asked for; the time is a newer field."""
    says(site, BOOK)
    book = await mexc.book_snapshot("BTC/USDT")

    assert asked(site) == ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "5000"})
    assert (book.venue, book.symbol, book.last_id, book.ts_event) == ("mexc", "BTC/USDT", 10589632359, 1_736_411_507_002_000_000)
    assert book.bids == ((92877.58, 0.15), (92877.0, 1.0))
    assert book.asks == ((92878.0, 1.5), (92879.1, 2.0))
    assert book.ts_recv > book.ts_event


async def test_the_levels_of_a_book_are_in_order_and_not_empty(site: Site, mexc: MexcSpotRest) -> None:
    """Best first, as the model promises, whatever order they came in; an id may be text."""
    says(site, {"lastUpdateId": "1", "asks": [["3", "1"], ["2", "1"], ["4", "0"]], "bids": [["0.5", "1"], ["1", "1"], ["0.9", "0"]]})
    book = await mexc.book_snapshot("ETH/BTC", 20)

    assert book.bids == ((1.0, 1.0), (0.5, 1.0))
    assert book.asks == ((2.0, 1.0), (3.0, 1.0))
    assert (book.last_id, book.ts_event) == (1, book.ts_recv)


@pytest.mark.parametrize(
    "change", [{"lastUpdateId": None}, {"lastUpdateId": -1}, {"bids": [["0", "1"]]}, {"asks": [["NaN", "1"]]}, {"bids": 1}]
)
async def test_a_book_that_is_none_is_refused(site: Site, mexc: MexcSpotRest, change: dict[str, object]) -> None:
    """Without an id it could not be joined to any stream."""
    says(site, BOOK | change)

    with pytest.raises(DecodeError):
        await mexc.book_snapshot("BTC/USDT")


def trade(time: object = 1737623988881, **fields: object) -> dict[str, object]:
    """One print of the documentation, with some fields changed."""
    documented = {
        "id": None,
        "price": "3219.58",
        "qty": "0.04757",
        "quoteQty": "153.1554206",
        "time": time,
        "isBuyerMaker": False,
        "isBestMatch": True,
        "tradeType": "BID",
    }
    return documented | fields


async def test_trades_come_oldest_first_and_without_ids(site: Site, mexc: MexcSpotRest) -> None:
    """As the stream would have brought them; MEXC answers newest first. A buyer who made the price was sold to."""
    says(site, [trade(3), trade(2, price="2"), trade(2, price="1", isBuyerMaker=True), trade(1, id="x7"), trade(4, id=5)])
    trades = await mexc.trades("ETH/USDT", 5)

    assert asked(site) == ("/api/v3/trades", {"symbol": "ETHUSDT", "limit": "5"})
    assert [each.ts_event for each in trades] == [1_000_000, 2_000_000, 2_000_000, 3_000_000, 4_000_000]
    assert [each.price for each in trades] == [3219.58, 1.0, 2.0, 3219.58, 3219.58]
    assert [each.side for each in trades] == [Side.BUY, Side.SELL, Side.BUY, Side.BUY, Side.BUY]
    assert [each.trade_id for each in trades] == ["x7", "", "", "", "5"]
    assert (trades[0].symbol, trades[0].qty) == ("ETH/USDT", 0.04757)


@pytest.mark.parametrize("fields", [{"isBuyerMaker": None}, {"price": "NaN"}, {"price": "0"}, {"qty": "-1"}, {"time": "soon"}, {"time": 0}])
async def test_a_trade_that_is_none_is_refused(site: Site, mexc: MexcSpotRest, fields: dict[str, object]) -> None:
    """An unknown side is never guessed."""
    says(site, [trade(**fields)])

    with pytest.raises(DecodeError):
        await mexc.trades("ETH/USDT")


AGGREGATED = {"a": None, "f": None, "l": None, "p": "46782.67", "q": "0.0038", "T": 1641380483000, "m": False, "M": True}


async def test_aggregated_trades_are_trades(site: Site, mexc: MexcSpotRest) -> None:
    """In a span of time, or the latest."""
    says(site, [AGGREGATED | {"T": 1641380483001, "m": True, "a": 12}, AGGREGATED])
    first, second = await mexc.agg_trades("BTC/USDT", 2, start_ns=1_641_380_483_000_999_999, end_ns=1_641_380_484_000_000_000)

    query = {"symbol": "BTCUSDT", "startTime": "1641380483000", "endTime": "1641380484000", "limit": "2"}
    assert asked(site) == ("/api/v3/aggTrades", query)
    assert (first.price, first.qty, first.side, first.trade_id) == (46782.67, 0.0038, Side.BUY, "")
    assert (second.ts_event, second.side, second.trade_id) == (1_641_380_483_001_000_000, Side.SELL, "12")
    await mexc.agg_trades("BTC/USDT", 2)
    assert dict(site.requests[1].query) == {"symbol": "BTCUSDT", "limit": "2"}


async def test_a_span_of_time_has_two_ends(site: Site, mexc: MexcSpotRest) -> None:
    """MEXC would refuse one of them alone."""
    with pytest.raises(ConfigError, match="both"):
        await mexc.agg_trades("BTC/USDT", start_ns=1)
    with pytest.raises(ConfigError, match="both"):
        await mexc.agg_trades("BTC/USDT", end_ns=1)
    assert not site.requests


def kline(open_time: int, *more: object) -> list[object]:
    """One candle of the documentation."""
    return [open_time, "47482.36", "47483", "47416.57", "47436.1", "3.550717", open_time + 60_000, *(more or ("168387.3",))]


async def test_candles_come_oldest_first_and_the_newest_may_be_open(site: Site, mexc: MexcSpotRest) -> None:
    """MEXC does not say which are closed; one that another follows is."""
    says(site, [kline(1640804940000), kline(1640804880000)])
    closed, open_ = await mexc.candles("BTC/USDT", "1h", limit=2)

    assert asked(site) == ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "60m", "limit": "2"})
    assert (closed.open, closed.high, closed.low, closed.close) == (47482.36, 47483.0, 47416.57, 47436.1)
    assert (closed.base_volume, closed.quote_volume) == (3.550717, 168387.3)
    assert (closed.ts_open, closed.interval, closed.closed) == (1_640_804_880_000_000_000, "1h", True)
    assert (open_.ts_open, open_.closed) == (1_640_804_940_000_000_000, False)


async def test_a_candle_may_be_shorter_or_longer(site: Site, mexc: MexcSpotRest) -> None:
    """Without turnover, or with a field of a later version."""
    says(site, [kline(60_000)[:7], kline(120_000, None), kline(180_000, ""), kline(240_000, "1", "later")])

    assert [each.quote_volume for each in await mexc.candles("BTC/USDT", "1m")] == [None, None, None, 1.0]


async def test_no_candles_are_no_error(site: Site, mexc: MexcSpotRest) -> None:
    """A pair that opens today."""
    says(site, [])

    assert await mexc.candles("BTC/USDT", "1m") == []


async def test_what_mexc_does_not_serve_is_refused_here(site: Site, mexc: MexcSpotRest) -> None:
    """Eight hours exist in the stream only."""
    with pytest.raises(UnknownNameError) as interval:
        await mexc.candles("BTC/USDT", "8h")
    for depth in (0, -1, 5001):
        with pytest.raises(ConfigError, match="from 1 to 5000"):
            await mexc.book_snapshot("BTC/USDT", depth)
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        await mexc.candles("BTC/USDT", "1m", limit=1001)
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        await mexc.trades("BTC/USDT", 0)
    with pytest.raises(ConfigError, match="from 1 to 1000"):
        await mexc.agg_trades("BTC/USDT", 1001)
    with pytest.raises(ConfigError, match="BTC/USDT"):
        await mexc.trades("BTCUSDT")

    assert set(interval.value.known) == set(INTERVALS)
    assert not site.requests


TICKER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "priceChange": "184.34",
    "priceChangePercent": "0.00400048",
    "prevClosePrice": "46079.37",
    "lastPrice": "46263.71",
    "bidPrice": "46260.38",
    "bidQty": "",
    "askPrice": "46260.41",
    "askQty": "",
    "openPrice": "46079.37",
    "highPrice": "47550.01",
    "lowPrice": "45555.5",
    "volume": "1732.461487",
    "quoteVolume": "80150000.5",
    "openTime": 1641349500000,
    "closeTime": 1641349582808,
    "count": None,
}


async def test_one_ticker_is_an_object_and_all_are_a_list(site: Site, mexc: MexcSpotRest) -> None:
    """The percentage is a ratio already."""
    site.answers = [answers(msgspec.json.encode(TICKER)), answers(msgspec.json.encode([TICKER, TICKER | {"symbol": "ETHBTC"}]))]
    (one,) = await mexc.tickers("BTC/USDT")
    every = await mexc.tickers()

    assert [dict(request.query) for request in site.requests] == [{"symbol": "BTCUSDT"}, {}]
    assert [each.symbol for each in every] == ["BTC/USDT", "ETH/BTC"]
    assert (one.symbol, one.last, one.change, one.high, one.low) == ("BTC/USDT", 46263.71, 0.00400048, 47550.01, 45555.5)
    assert (one.base_volume, one.quote_volume) == (1732.461487, 80150000.5)
    assert (one.bid_price, one.ask_price) == (46260.38, 46260.41)
    assert one.ts_event == 1_641_349_582_808_000_000 < one.ts_recv


async def test_a_ticker_without_a_time_or_a_turnover(site: Site, mexc: MexcSpotRest) -> None:
    """A side without orders has no price."""
    says(site, TICKER | {"closeTime": None, "quoteVolume": None, "bidPrice": "", "askPrice": "0"})
    (ticker,) = await mexc.tickers("BTC/USDT")

    assert ticker.ts_event == ticker.ts_recv
    assert (ticker.quote_volume, ticker.bid_price, ticker.ask_price) == (None, None, None)


async def test_a_ticker_that_cannot_be_read_does_not_hide_the_others(site: Site, mexc: MexcSpotRest) -> None:
    """Thousands come in one answer; asked for alone it is an error."""
    site.answers = [
        answers(msgspec.json.encode([TICKER | {"lastPrice": None}, TICKER, TICKER | {"symbol": "?"}])),
        answers(msgspec.json.encode(TICKER | {"lastPrice": None})),
    ]

    assert len(await mexc.tickers()) == 1
    with pytest.raises(DecodeError, match="lastPrice"):
        await mexc.tickers("BTC/USDT")


async def test_how_a_name_is_split_is_learnt_from_the_instruments(site: Site, mexc: MexcSpotRest) -> None:
    """By form alone only pairs in well-known quote currencies can be split, and some of those wrongly."""
    odd = [SYMBOL | {"symbol": "XYZNEWUSD", "baseAsset": "XYZ", "quoteAsset": "NEWUSD"}, SYMBOL]
    site.answers = [
        answers(msgspec.json.encode([TICKER, TICKER | {"symbol": "XYZNEWUSD"}])),
        answers(msgspec.json.encode(info(*odd))),
        answers(msgspec.json.encode([TICKER, TICKER | {"symbol": "XYZNEWUSD"}])),
    ]

    assert [each.symbol for each in await mexc.tickers()] == ["BTC/USDT"]
    await mexc.instruments()
    assert [each.symbol for each in await mexc.tickers()] == ["BTC/USDT", "XYZ/NEWUSD"]


async def test_book_tickers(site: Site, mexc: MexcSpotRest) -> None:
    """Best bid and ask, one or all; MEXC gives no time and no id."""
    row = {"symbol": "AEUSDT", "bidPrice": "0.11001", "bidQty": "115.59", "askPrice": "0.11127", "askQty": "215.48"}
    site.answers = [
        answers(msgspec.json.encode(row)),
        answers(msgspec.json.encode([row | {"askPrice": "", "askQty": ""}, row | {"bidPrice": None, "bidQty": None}])),
    ]
    (one,) = await mexc.book_tickers("AE/USDT")
    no_ask, no_bid = await mexc.book_tickers()

    assert [(request.path, dict(request.query)) for request in site.requests] == [
        ("/api/v3/ticker/bookTicker", {"symbol": "AEUSDT"}),
        ("/api/v3/ticker/bookTicker", {}),
    ]
    assert (one.symbol, one.bid_price, one.bid_qty, one.ask_price, one.ask_qty) == ("AE/USDT", 0.11001, 115.59, 0.11127, 215.48)
    assert (one.update_id, one.ts_event) == (0, one.ts_recv)
    assert (no_ask.ask_price, no_ask.ask_qty, no_bid.bid_price, no_bid.bid_qty) == (None, 0.0, None, 0.0)


async def test_prices(site: Site, mexc: MexcSpotRest) -> None:
    """By symbol."""
    site.answers = [
        answers(b'{"symbol":"BTCUSDT","price":"184.34"}'),
        answers(b'[{"symbol":"BTCUSDT","price":"184.34"},{"symbol":"ETHBTC","price":"0.03"}]'),
    ]

    assert await mexc.prices("BTC/USDT") == {"BTC/USDT": 184.34}
    assert await mexc.prices() == {"BTC/USDT": 184.34, "ETH/BTC": 0.03}


REFUSALS = [
    (400, b'{"code":-1121,"msg":"Invalid symbol."}', VenueError, "-1121"),
    (400, b'{"code":33333,"msg":"param error","_extend":null}', VenueError, "33333"),
    (400, b'{"code":"10007","msg":"bad symbol"}', VenueError, "10007"),
    (400, '{"code":30016,"msg":"交易关闭"}'.encode(), VenueError, "30016"),
    (400, b'{"code":700003,"msg":"Timestamp for this request is outside of the recvWindow."}', VenueError, "700003"),
    (400, b'{"code":400,"msg":" amount scale is invalid"}', VenueError, "400"),
    (400, b'{"code":400,"msg":"API key required"}', AuthError, "400"),
    (401, b'{"code":401,"msg":"No authority"}', AuthError, "401"),
    (400, b'{"code":602,"msg":"Signature verification failed"}', AuthError, "602"),
    (400, b'{"code":10072,"msg":"invalid access key"}', AuthError, "10072"),
    (400, b'{"code":700002,"msg":"Signature for this request is not valid."}', AuthError, "700002"),
    (400, b'{"code":700006,"msg":"IP is not in the white list"}', AuthError, "700006"),
    (403, b'{"code":403,"msg":"Access denied"}', AuthError, "403"),
    (403, b'{"code":700007,"msg":"No permission"}', AuthError, "700007"),
    (401, b"", AuthError, ""),
    (403, b"<html>Request blocked.</html>", RateLimitError, ""),
    (403, b"", RateLimitError, ""),
    (429, b'{"code":429,"msg":"Too many requests"}', RateLimitError, "429"),
    (400, b'{"code":429,"msg":"Too many requests"}', RateLimitError, "429"),
    (429, b"<html>", RateLimitError, ""),
    (418, b'{"code":429,"msg":"banned"}', RateLimitError, "429"),
    (418, b"", RateLimitError, ""),
    (502, b"<html>Bad Gateway</html>", VenueError, ""),
    (500, b'{"code":500,"msg":"Internal error"}', VenueError, "500"),
    (500, b'{"code":null,"msg":null}', VenueError, ""),
    (500, b"[" * 100_000, VenueError, ""),
    (500, b"\xff\xfe", VenueError, ""),
    (400, b'{"code":[]}', VenueError, ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), REFUSALS)
def test_a_refusal_is_known_by_its_code(status: int, body: bytes, kind: type[VenueError], code: str) -> None:
    """What stands before MEXC answers without one, and then the status decides; a 403 there is its firewall's limit."""
    error = MexcSpotRest().error(status, body, {})

    assert type(error) is kind
    assert (error.venue, error.code, error.status) == ("mexc", code, status)
    assert len(error.message) <= 200


def test_the_words_of_a_refusal_are_kept() -> None:
    """A proxy's page is shown by its beginning."""
    client = MexcSpotRest()

    assert client.error(400, b'{"code":1,"msg":"words"}', {}).message == "words"
    assert client.error(502, b"<html>Bad Gateway</html>", {}).message == "<html>Bad Gateway</html>"


async def test_a_ban_that_ends_after_the_deadline_is_told(site: Site, mexc: MexcSpotRest) -> None:
    """With the time that MEXC gave, and without asking again, anywhere."""
    site.answers = [answers(b'{"code":429,"msg":"slower"}', 418, Retry_After="120")]

    with pytest.raises(RateLimitError, match="slower") as caught:
        await mexc.server_time()
    with pytest.raises(RateLimitError, match="not sent"):
        await mexc.ping()
    assert caught.value.retry_after_s == 120.0
    assert len(site.requests) == 1


def test_the_pace_stays_below_the_documented_limit() -> None:
    """A weight of 500 in any 10 s, for each endpoint; one answer about all tickers costs 40 of it."""
    limit = MexcSpotRest.limits[EACH_ENDPOINT]

    assert limit.burst + limit.rate * 10 <= 500
    assert limit.burst >= 40


def test_mexc_is_reached_at_its_own_host() -> None:
    """Unless endpoints name another."""
    assert MexcSpotRest().base_url == "https://api.mexc.com"


PUBLIC = r"GET /api/v3/(time|defaultSymbols|exchangeInfo|depth|trades|klines|ticker/\w+)"
ANSWERS = [each for each in select("mexc", "spot", "rest_response") if re.fullmatch(PUBLIC, each.channel)]


@needs_samples
@pytest.mark.parametrize("sample", ANSWERS, ids=lambda sample: sample.id)
async def test_real_answers_become_what_the_index_expects(site: Site, mexc: MexcSpotRest, sample: Sample) -> None:
    """Documented and captured ones, as they lie in the shared samples."""
    says(site, read(sample))
    raw: Any = msgspec.json.decode(read(sample))
    match sample.channel.removeprefix("GET /api/v3/"):
        case "time":
            assert await mexc.server_time() == raw["serverTime"] * 1_000_000
        case "defaultSymbols":
            assert [each.replace("/", "") for each in await mexc.api_symbols()] == raw["data"]
        case "exchangeInfo":  # the entry of one symbol
            says(site, info(raw))
            (instrument,) = await mexc.instruments()
            assert (instrument.venue_symbol, instrument.tick_size) == (raw["symbol"], Decimal(1).scaleb(-raw["quotePrecision"]))
            assert (instrument.min_notional, instrument.min_qty) == (
                Decimal(raw["quoteAmountPrecision"]),
                Decimal(raw["baseSizePrecision"]),
            )
        case "depth":
            book = await mexc.book_snapshot("BTC/USDT")
            assert book.last_id == int(sample.expected.get("lastUpdateId", raw["lastUpdateId"]))
            assert [len(book.bids), len(book.asks)] == sample.expected.get("levels", [len(raw["bids"]), len(raw["asks"])])
            assert [list(row) for row in book.bids] == [[float(price), float(qty)] for price, qty in raw["bids"]]
            assert [list(row) for row in book.asks] == [[float(price), float(qty)] for price, qty in raw["asks"]]
            assert "timestamp" not in raw or book.ts_event == raw["timestamp"] * 1_000_000
        case "trades":
            expected = {(row["time"] * 1_000_000, float(row["price"]), row["tradeType"] == "BID") for row in raw}
            assert {(each.ts_event, each.price, each.side is Side.BUY) for each in await mexc.trades("ETH/USDT")} == expected
        case "klines":
            candles = await mexc.candles("BTC/USDT", "1m")
            assert [(each.ts_open, each.close, each.quote_volume) for each in candles] == [
                (row[0] * 1_000_000, float(row[4]), float(row[7])) for row in raw
            ]
        case "ticker/24hr":
            assert [each.last for each in await mexc.tickers()] == [float(row["lastPrice"]) for row in raw]
        case "ticker/price":
            assert await mexc.prices("BTC/USDT") == {"BTC/USDT": float(raw["price"])}
        case "ticker/bookTicker":
            assert [(each.bid_price, each.ask_qty) for each in await mexc.book_tickers()] == [
                (float(row["bidPrice"]), float(row["askQty"])) for row in raw
            ]
        case other:
            pytest.fail(f"no call for {other}")


@needs_samples
def test_every_public_call_has_a_real_answer() -> None:
    """Should a folder be renamed, the test above would pass by testing nothing."""
    assert {sample.channel.removeprefix("GET /api/v3/") for sample in ANSWERS} == {
        "time",
        "defaultSymbols",
        "exchangeInfo",
        "depth",
        "trades",
        "klines",
        "ticker/24hr",
        "ticker/price",
        "ticker/bookTicker",
    }


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    """MEXC in a box, its market having lived for twenty seconds."""
    async with Loopback(MexcScript(), manual=True) as opened:
        await opened.tick(1_000)
        yield opened


@pytest.fixture
async def boxed(box: Loopback) -> AsyncIterator[MexcSpotRest]:
    async with MexcSpotRest(base_url=box.endpoints.rest) as client:
        yield client


async def test_every_call_understands_the_exchange_in_a_box(box: Loopback, boxed: MexcSpotRest) -> None:
    """It was written from the protocol notes, not from this client."""
    instruments = {each.symbol: each for each in await boxed.instruments()}
    rules = instruments["BTC/USDT"]
    book = await boxed.book_snapshot("BTC/USDT", 20)
    (ticker,) = await boxed.tickers("BTC/USDT")
    (top,) = await boxed.book_tickers("BTC/USDT")
    trades = await boxed.trades("BTC/USDT", 10)
    merged = await boxed.agg_trades("BTC/USDT", 10)
    candles = await boxed.candles("BTC/USDT", "1m", limit=5)

    assert await boxed.server_time() // 1_000_000 == box.now_ns // 1_000_000
    assert await boxed.ping() > 0
    assert len(instruments) >= 20
    assert rules.status is InstrumentStatus.TRADING
    assert (len(book.bids), len(book.asks)) == (20, 20)
    assert all(
        Decimal(str(price)) % rules.tick_size == 0 and Decimal(str(qty)) % rules.lot_size == 0 for price, qty in book.bids + book.asks
    )
    assert (top.bid_price, top.bid_qty) == book.bids[0]
    assert (top.ask_price, top.ask_qty) == book.asks[0]
    assert (ticker.bid_price, ticker.ask_price, ticker.last) == (book.bids[0][0], book.asks[0][0], trades[-1].price)
    assert [each.ts_event for each in trades] == sorted(each.ts_event for each in trades)
    assert (merged[-1].price, merged[-1].side, merged[-1].ts_event) == (trades[-1].price, trades[-1].side, trades[-1].ts_event)
    assert 0 < len(candles) <= 5
    assert (candles[-1].close, candles[-1].closed) == (ticker.last, False)
    assert {each.symbol for each in await boxed.tickers()} == set(instruments)
    assert set(await boxed.prices()) == set(await boxed.api_symbols()) == set(instruments)
    assert {each.symbol for each in await boxed.order_rules()} == set(instruments)
    assert not box.unknown_paths


async def test_every_interval_is_one_that_mexc_serves(boxed: MexcSpotRest) -> None:
    """MEXC refuses others."""
    for interval in INTERVALS:
        candles = await boxed.candles("ETH/USDT", interval, limit=3)

        assert {each.interval for each in candles} == {interval}


async def test_an_unknown_symbol_is_refused_in_mexcs_words(boxed: MexcSpotRest) -> None:
    """Its form was right, so MEXC was asked."""
    with pytest.raises(VenueError, match="Invalid symbol") as caught:
        await boxed.trades("NOPE/USDT")
    assert (caught.value.code, caught.value.status) == ("-1121", 400)
