"""The simulated market of the box: repeatable, deep, uncrossed, with statistics that follow from its trades."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exwire.loopback.book import Window
from exwire.loopback.listings import LISTINGS, Listing
from exwire.loopback.market import CATCH_UP_NS, Market, decimal_text
from exwire.model import Side

START = 1_790_000_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS
FEW = tuple(each for each in LISTINGS if each.symbol in {"BTC/USDT", "PEPE/USDT", "ETH/BTC"})
BUSY = (Listing("BTC/USDT", "91250.3", 1, 6, events_per_s=400),)


def run(market: Market, seconds: float, step_ms: int = 100) -> Market:
    for n in range(1, int(seconds * 1000 / step_ms) + 1):
        market.step(START + n * step_ms * MS)
    return market


def state(market: Market) -> list[object]:
    return [
        (symbol, each.book.update_id, each.book.time_ns, each.book.bids.top(), each.book.asks.top(), list(each.trades))
        for symbol, each in market.instruments.items()
    ]


def test_same_seed_and_clock_give_the_same_market_in_any_steps() -> None:
    assert state(run(Market(7, START, FEW), 2, step_ms=10)) == state(run(Market(7, START, FEW), 2, step_ms=500))


def test_another_seed_gives_another_market() -> None:
    assert state(Market(7, START, FEW)) != state(Market(8, START, FEW))


def test_asking_for_history_does_not_disturb_the_future() -> None:
    """The invented past draws from random numbers of its own."""
    asked, silent = Market(7, START, FEW), Market(7, START, FEW)
    asked.instruments["BTC/USDT"].day(START)

    assert state(run(asked, 1)) == state(run(silent, 1))


def test_at_least_twenty_instruments_with_plausible_prices() -> None:
    market = run(Market(1, START), 3)

    assert len(market.instruments) >= 20
    for symbol, each in market.instruments.items():
        bid, ask = each.book.bids.best, each.book.asks.best
        assert bid is not None, symbol
        assert ask is not None, symbol
        assert bid < ask, symbol
        assert (ask - bid) / bid < 0.005, symbol
        assert abs(Decimal(each.price_text(bid)) / Decimal(each.listing.price) - 1) < Decimal("0.05"), symbol
        assert len(each.book.bids) >= 400, symbol
        assert len(each.book.asks) >= 400, symbol
        assert each.trade_count > 0, symbol


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_books_stay_deep_and_uncrossed_for_any_seed(seed: int) -> None:
    market = Market(seed, START, FEW)
    for n in range(1, 31):
        market.step(START + n * SECOND)

        for each in market.instruments.values():
            bids, asks = each.book.bids.top(), each.book.asks.top()
            assert bids[0][0] < asks[0][0]
            assert bids == sorted(bids, reverse=True)
            assert asks == sorted(asks)
            assert min(len(bids), len(asks)) >= 400
            assert all(price > 0 and lots > 0 for price, lots in bids + asks)
            assert each.book.order_count < 5_000


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 900), min_size=1, max_size=25), st.sampled_from([20, 50, 100, 400]))
def test_windowed_streams_lead_to_the_true_book_at_any_read_point(seed: int, gaps_ms: list[int], depth: int) -> None:
    market = Market(seed, START, BUSY)
    book = market.instruments["BTC/USDT"].book
    window = Window(book, depth)
    sides = [dict(rows) for rows in window.top()]
    now, last_id = START, book.update_id
    for gap_ms in gaps_ms:
        now += gap_ms * MS
        market.step(now)
        changes = book.changes_since(last_id)
        assert changes is not None
        assert len(changes) == book.update_id - last_id
        last_id = book.update_id
        window.apply(changes)
        for side, rows in zip(sides, window.flush(), strict=True):
            side.update(rows)
            for price in [price for price, lots in side.items() if not lots]:
                del side[price]

        assert sorted(sides[0].items(), reverse=True) == book.bids.top(depth)
        assert sorted(sides[1].items()) == book.asks.top(depth)


def test_trades_have_rising_ids_and_contiguous_market_ids() -> None:
    market = run(Market(3, START), 5)
    everything = sorted((trade for each in market.instruments.values() for trade in each.trades), key=lambda trade: trade.id)

    assert all(after.id == before.id + 1 and after.ts_ns >= before.ts_ns for before, after in pairwise(everything))
    for each in market.instruments.values():
        assert [trade.market_id - each.first_trade_id for trade in each.trades] == list(range(each.trade_count))
    assert {trade.side for trade in everything} == {Side.BUY, Side.SELL}


def test_trades_since_counts_from_any_point() -> None:
    each = run(Market(3, START, FEW), 5).instruments["BTC/USDT"]

    assert each.trades_since(each.trade_count) == []
    assert each.trades_since(each.trade_count - 2) == list(each.trades)[-2:]
    assert each.trades_since(0) == list(each.trades)


def test_candle_adds_up_the_trades_of_its_window() -> None:
    each = run(Market(5, START, BUSY), 20).instruments["BTC/USDT"]
    start_s = START // SECOND + 10
    inside = [trade for trade in each.trades if start_s <= trade.ts_ns // SECOND < start_s + 10]
    before = [trade for trade in each.trades if trade.ts_ns // SECOND < start_s]

    candle = each.candle(start_s, start_s + 10, START + 20 * SECOND)

    assert candle is not None
    assert candle.closed
    assert candle.bar.lots == sum(trade.lots for trade in inside)
    assert candle.bar.notional == sum(trade.lots * trade.price for trade in inside)
    assert candle.bar.close == inside[-1].price
    assert candle.bar.open == before[-1].price
    assert candle.bar.high == max(candle.bar.open, *(trade.price for trade in inside))
    assert candle.bar.low == min(candle.bar.open, *(trade.price for trade in inside))


def test_candle_of_an_hour_adds_up_its_minutes() -> None:
    each = Market(5, START, FEW).instruments["BTC/USDT"]
    hour = START // SECOND // 3600 * 3600 - 3600
    each.day(START)

    whole = each.candle(hour, hour + 3600, START)
    minutes = [each.candle(start, start + 60, START) for start in range(hour, hour + 3600, 60)]

    assert whole is not None
    bars = [candle.bar for candle in minutes if candle is not None]
    assert len(bars) == 60
    assert all(after.open == before.close for before, after in pairwise(bars))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert (whole.bar.open, whole.bar.close, whole.bar.lots) == (bars[0].open, bars[-1].close, sum(bar.lots for bar in bars))
    assert (whole.bar.high, whole.bar.low) == (max(bar.high for bar in bars), min(bar.low for bar in bars))


def test_time_before_the_known_past_and_after_now_has_no_candle() -> None:
    each = Market(5, START, FEW).instruments["BTC/USDT"]
    minute = START // SECOND // 60 * 60

    assert each.candle(minute - 30 * 86_400, minute - 29 * 86_400, START) is None
    assert each.candle(minute + 60, minute + 120, START) is None


def test_running_candle_is_not_closed_and_a_quiet_one_is_flat() -> None:
    each = Market(5, START, FEW, activity=0).instruments["BTC/USDT"]
    now = START + 7_200 * SECOND
    minute = now // SECOND // 60 * 60

    candle = each.candle(minute, minute + 60, now)

    assert candle is not None
    assert not candle.closed
    assert candle.bar.open == candle.bar.high == candle.bar.low == candle.bar.close == each.day(now).last
    assert candle.bar.lots == 0


def test_day_covers_every_trade_and_forgets_after_24_hours() -> None:
    market = run(Market(5, START, FEW), 5)
    each = market.instruments["BTC/USDT"]
    day = each.day(market.now_ns)

    assert day.low <= min(trade.price for trade in each.trades) <= max(trade.price for trade in each.trades) <= day.high
    assert day.last == each.trades[-1].price
    assert day.change == pytest.approx(day.last / day.open - 1)
    assert day.lots > sum(trade.lots for trade in each.trades)
    assert each.day(market.now_ns + 25 * 3_600 * SECOND).lots == 0


def test_bars_of_a_box_that_runs_for_months_are_bounded() -> None:
    each = Market(5, START, FEW, activity=0).instruments["BTC/USDT"]
    day = 86_400
    now_s = START // SECOND // day * day + 90 * day
    last = each.day(START).last
    for passed in (10, 20, 30, 90):
        each.day(START + passed * day * SECOND)

    candle = each.candle(now_s - day, now_s, START + 90 * day * SECOND)
    assert candle is not None
    assert (candle.bar.open, candle.bar.close, candle.bar.lots) == (last, last, 0)
    assert each.candle(now_s - 60 * day, now_s - 59 * day, START + 90 * day * SECOND) is None


def test_long_absence_is_a_closed_market_and_not_a_burst() -> None:
    """A laptop that slept must not replay hours of orders."""
    market = Market(5, START, FEW)
    book = market.instruments["BTC/USDT"].book
    before = book.update_id
    market.step(START + 3_600 * SECOND)

    assert 0 < book.update_id - before < 1_000
    assert book.time_ns > START + 3_600 * SECOND - CATCH_UP_NS
    market.step(START)
    assert market.now_ns == START + 3_600 * SECOND


def test_market_without_activity_stands_still() -> None:
    market = Market(5, START, FEW, activity=0)
    before = state(market)

    assert state(run(market, 2)) == before


def test_crowd_fills_a_side_that_was_swept_clean() -> None:
    """Somebody's own large order may do that."""
    market = Market(5, START, BUSY)
    book = market.instruments["BTC/USDT"].book
    book.market(Side.BUY, 10**15, START)
    book.market(Side.SELL, 10**15, START)
    run(market, 5)

    assert book.bids.best is not None
    assert book.asks.best is not None
    assert book.bids.best < book.asks.best
    assert min(len(book.bids), len(book.asks)) > 20


@given(st.integers(0, 10**18), st.integers(0, 15))
def test_decimal_text_is_exact_and_plain(value: int, decimals: int) -> None:
    text = decimal_text(value, decimals)

    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))
