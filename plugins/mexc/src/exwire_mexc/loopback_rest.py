"""MEXC's public spot REST endpoints in the box, as of the protocol notes (REST v3, read 2026-11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from exwire.loopback.book import Rows
from exwire.loopback.market import CandleBar, SimInstrument, SimTrade
from exwire.loopback.script import RateWindow, RefusedError, Reply, RestHandler, RestRequest, Route
from exwire.loopback.topics import months, windows_of
from exwire.model import Side
from exwire_mexc.loopback_frames import fixed, pair_of

__all__ = ["LENGTHS_S", "PublicRest", "windows"]

LENGTHS_S: Final = {
    "Min1": 60, "Min5": 300, "Min15": 900, "Min30": 1800, "Min60": 3600, "Hour4": 14_400, "Hour8": 28_800, "Day1": 86_400,
    "Week1": 604_800, "Month1": 2_592_000,
}  # fmt: skip
"""Candle intervals as the WebSocket calls them, in seconds; ``Month1`` stands for a calendar month."""

_INTERVALS: Final = {
    "1m": "Min1", "5m": "Min5", "15m": "Min15", "30m": "Min30", "60m": "Min60", "4h": "Hour4", "1d": "Day1", "1W": "Week1", "1M": "Month1",
}  # fmt: skip
"""What REST calls them; it has no 8 hours."""

_MONDAY_S: Final = 4 * 86_400
"""The first Monday after the epoch."""
_DAY_MS: Final = 86_400_000
_MAX_ROWS: Final = 1_000
_BAN_S: Final = 120

_BAD_SYMBOL, _BAD_COMBINATION, _BAD_PARAMETER = -1121, -1128, 33333


def windows(interval: str) -> Callable[[int], tuple[int, int]]:
    """Return the function from a second to the candle window that it lies in; weeks begin on Monday."""
    if interval == "Month1":
        return months
    return windows_of(LENGTHS_S[interval], _MONDAY_S if interval == "Week1" else 0)


@final
class PublicRest:
    """The endpoints without authentication. Every one allows a weight of 500 in 10 s."""

    def __init__(self, pairs: Mapping[str, SimInstrument]) -> None:
        """pairs: by MEXC's spelling."""
        self._pairs = pairs
        self._rates = RateWindow(500, 10.0)
        self._refusals = RateWindow(500, 10.0)
        self._banned_until_ns = 0

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        table: dict[str, RestHandler] = {
            "/api/v3/ping": lambda _: Reply({}),
            "/api/v3/time": lambda request: Reply({"serverTime": request.now_ns // 1_000_000}),
            "/api/v3/defaultSymbols": self._default_symbols,
            "/api/v3/symbol/offline": lambda _: Reply({"data": []}),
            "/api/v3/exchangeInfo": self._exchange_info,
            "/api/v3/depth": self._depth,
            "/api/v3/trades": self._trades,
            "/api/v3/aggTrades": self._agg_trades,
            "/api/v3/klines": self._klines,
            "/api/v3/avgPrice": self._avg_price,
            "/api/v3/ticker/24hr": self._one_or_all(_ticker),
            "/api/v3/ticker/price": self._one_or_all(_price),
            "/api/v3/ticker/bookTicker": self._one_or_all(_book_ticker),
            # Clients that load all markets ask for this too; this venue has no contracts.
            "/api/v1/contract/detail": lambda _: Reply({"success": True, "code": 0, "data": []}),
        }
        return [Route("GET", template, handler) for template, handler in table.items()]

    def admit(self, request: RestRequest) -> Reply | None:
        """Return the refusal of a request over the limit; who does not heed that is banned for two minutes."""
        budget = self._rates.spend(request.template, request.now_ns, _weight(request))
        wait_s = max(1, budget.reset_s - request.now_ns // 1_000_000_000)
        if request.now_ns >= self._banned_until_ns:
            if budget.allowed:
                return None
            if self._refusals.spend("", request.now_ns).allowed:
                return _refusal(429, "Too many requests", 429, wait_s)
            self._banned_until_ns = request.now_ns + _BAN_S * 1_000_000_000
        wait_s = -(-(self._banned_until_ns - request.now_ns) // 1_000_000_000)
        return _refusal(429, "Too many requests", 418, wait_s)

    def unknown(self, request: RestRequest, status: int) -> Reply:
        """Return the answer to an unknown path or method."""
        return _refusal(status, f"{request.method} {request.path} is not known", status)

    def _default_symbols(self, request: RestRequest) -> Reply:
        return Reply({"data": list(self._pairs), "code": 0, "msg": "success", "timestamp": request.now_ns // 1_000_000})

    def _exchange_info(self, request: RestRequest) -> Reply:
        asked = request.query.get("symbols") or request.query.get("symbol")
        listed = [self._listed(name) for name in asked.split(",")] if asked else self._pairs.values()
        about = {"timezone": "CST", "serverTime": request.now_ns // 1_000_000, "rateLimits": [], "exchangeFilters": []}
        return Reply({**about, "symbols": [_symbol(each) for each in listed]})

    def _depth(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 100, 5_000)
        book = instrument.book
        bids, asks = _rows(instrument, book.bids.top(limit)), _rows(instrument, book.asks.top(limit))
        return Reply({"lastUpdateId": book.update_id, "bids": bids, "asks": asks, "timestamp": request.now_ns // 1_000_000})

    def _trades(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 500, _MAX_ROWS)
        return Reply([_trade(instrument, each) for each in reversed(instrument.trades_since(instrument.trade_count - limit))])

    def _agg_trades(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 500, _MAX_ROWS)
        if ("startTime" in request.query) != ("endTime" in request.query):
            raise _refused(_BAD_COMBINATION, "Combination of optional parameters invalid.")
        since_ms, until_ms = _number(request, "startTime", 0), _number(request, "endTime", 2**62)
        merged: dict[tuple[int, int, Side], int] = {}
        for each in instrument.trades:
            if since_ms <= each.ts_ns // 1_000_000 <= until_ms:
                key = (each.ts_ns // 1_000_000, each.price, each.side)
                merged[key] = merged.get(key, 0) + each.lots
        rows = [_agg_trade(instrument, *key, lots) for key, lots in reversed(merged.items())]
        return Reply(rows[:limit])

    def _klines(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 500, _MAX_ROWS)
        name = _INTERVALS.get(request.query.get("interval", ""))
        if name is None:
            raise _refused(_BAD_PARAMETER, "Invalid interval.")
        window, length_s, now_s = windows(name), LENGTHS_S[name], request.now_ns // 1_000_000_000
        until_s = min(_number(request, "endTime", request.now_ns // 1_000_000) // 1000, now_s)
        earliest_s = window(until_s)[0] - (limit - 1) * length_s
        since_s = -(-_number(request, "startTime", earliest_s * 1000) // 1000)
        rows: list[list[object]] = []
        start, end = window(since_s)
        if start < since_s:
            start, end = window(end)
        while start <= until_s and len(rows) < limit:
            candle = instrument.candle(start, end, request.now_ns)
            if candle is not None:
                rows.append(_kline(instrument, candle))
            start, end = window(end)
        return Reply(rows)

    def _avg_price(self, request: RestRequest) -> Reply:
        instrument, now_s = self._required(request), request.now_ns // 1_000_000_000
        candle = instrument.candle(now_s - 300, now_s + 1, request.now_ns)
        ticks = instrument.day(request.now_ns).last
        if candle is not None and candle.bar.lots:
            ticks = candle.bar.notional // candle.bar.lots
        return Reply({"mins": 5, "price": instrument.price_text(ticks)})

    def _one_or_all(self, row: Callable[[SimInstrument, int], object]) -> RestHandler:
        def answer(request: RestRequest) -> Reply:
            if request.query.get("symbol"):
                return Reply(row(self._required(request), request.now_ns))
            return Reply([row(each, request.now_ns) for each in self._pairs.values()])

        return answer

    def _required(self, request: RestRequest) -> SimInstrument:
        name = request.query.get("symbol")
        if not name:
            raise _refused(400, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        return self._listed(name)

    def _listed(self, name: str) -> SimInstrument:
        instrument = self._pairs.get(name)
        if instrument is None:
            raise _refused(_BAD_SYMBOL, "Invalid symbol.")
        return instrument


def _refusal(code: int, message: str, status: int, wait_s: int | None = None) -> Reply:
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return Reply({"code": code, "msg": message}, status, headers)


def _refused(code: int, message: str) -> RefusedError:
    return RefusedError(_refusal(code, message, 400))


def _weight(request: RestRequest) -> int:
    """Return what a request costs (notes §8.3)."""
    match request.template:
        case "/api/v3/exchangeInfo" | "/api/v3/symbol/offline":
            return 10
        case "/api/v3/trades":
            return 5
        case "/api/v3/ticker/24hr" if "symbol" not in request.query:
            return 40
        case "/api/v3/ticker/price" if "symbol" not in request.query:
            return 2
    return 1


def _number(request: RestRequest, name: str, default: int, largest: int | None = None) -> int:
    """Return a parameter; one that is too large counts as the largest."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or (largest is not None and int(text) < 1):
        raise _refused(_BAD_PARAMETER, f"Parameter {name} is invalid.")
    return int(text) if largest is None else min(int(text), largest)


def _symbol(instrument: SimInstrument) -> dict[str, object]:
    listing = instrument.listing
    return {
        "symbol": pair_of(instrument), "status": "1", "baseAsset": listing.base, "baseAssetPrecision": listing.qty_decimals,
        "quoteAsset": listing.quote, "quotePrecision": listing.price_decimals, "quoteAssetPrecision": listing.price_decimals,
        "baseCommissionPrecision": listing.qty_decimals, "quoteCommissionPrecision": listing.price_decimals,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"], "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "quoteAmountPrecision": listing.min_notional, "baseSizePrecision": instrument.qty_text(1), "permissions": ["SPOT"],
        "filters": [{"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "0.2", "askMultiplierDown": "0.2"}],
        "maxQuoteAmount": "4000000", "makerCommission": "0", "takerCommission": "0.0005",
        "quoteAmountPrecisionMarket": listing.min_notional, "maxQuoteAmountMarket": "400000", "fullName": listing.base,
        "tradeSideType": 1, "contractAddress": "", "conceptPlateIds": [], "st": False,
    }  # fmt: skip


def _rows(instrument: SimInstrument, rows: Rows) -> list[tuple[str, str]]:
    """Prices with every decimal, quantities without zeros at their end, as MEXC prints them here."""
    return [(fixed(price, instrument.listing.price_decimals), instrument.qty_text(lots)) for price, lots in rows]


def _trade(instrument: SimInstrument, trade: SimTrade) -> dict[str, object]:
    sold = trade.side is Side.SELL
    return {
        "id": None, "price": fixed(trade.price, instrument.listing.price_decimals), "qty": instrument.qty_text(trade.lots),
        "quoteQty": instrument.notional_text(trade.price * trade.lots), "time": trade.ts_ns // 1_000_000, "isBuyerMaker": sold,
        "isBestMatch": True, "tradeType": "ASK" if sold else "BID",
    }  # fmt: skip


def _agg_trade(instrument: SimInstrument, time_ms: int, price: int, side: Side, lots: int) -> dict[str, object]:
    return {
        "a": None, "f": None, "l": None, "p": fixed(price, instrument.listing.price_decimals), "q": instrument.qty_text(lots),
        "T": time_ms, "m": side is Side.SELL, "M": True,
    }  # fmt: skip


def _kline(instrument: SimInstrument, candle: CandleBar) -> list[object]:
    bar, price = candle.bar, instrument.price_text
    return [
        candle.start_s * 1000, price(bar.open), price(bar.high), price(bar.low), price(bar.close), instrument.qty_text(bar.lots),
        candle.end_s * 1000, instrument.notional_text(bar.notional),
    ]  # fmt: skip


def _ticker(instrument: SimInstrument, now_ns: int) -> dict[str, object]:
    day, price = instrument.day(now_ns), instrument.price_text
    moved = day.last - day.open
    return {
        "symbol": pair_of(instrument), "priceChange": ("-" if moved < 0 else "") + price(abs(moved)),
        "priceChangePercent": f"{day.change:.8f}", "prevClosePrice": price(day.open), "lastPrice": price(day.last),
        **_sides(instrument), "openPrice": price(day.open), "highPrice": price(day.high), "lowPrice": price(day.low),
        "volume": instrument.qty_text(day.lots), "quoteVolume": instrument.notional_text(day.notional),
        "openTime": now_ns // 1_000_000 - _DAY_MS, "closeTime": now_ns // 1_000_000, "count": None,
    }  # fmt: skip


def _price(instrument: SimInstrument, now_ns: int) -> dict[str, object]:
    return {"symbol": pair_of(instrument), "price": instrument.price_text(instrument.day(now_ns).last)}


def _book_ticker(instrument: SimInstrument, now_ns: int) -> dict[str, object]:
    return {"symbol": pair_of(instrument), **_sides(instrument)}


def _sides(instrument: SimInstrument) -> dict[str, str]:
    fields = {}
    for name, ladder in (("bid", instrument.book.bids), ("ask", instrument.book.asks)):
        best = ladder.best
        fields[f"{name}Price"] = "" if best is None else fixed(best, instrument.listing.price_decimals)
        fields[f"{name}Qty"] = "" if best is None else instrument.qty_text(ladder.lots[best])
    return fields
