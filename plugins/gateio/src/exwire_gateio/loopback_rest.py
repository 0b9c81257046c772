"""Gate.io's public spot REST endpoints in the box, as of the protocol notes (REST v4, read 2026-11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, final

from exwire.loopback.book import Rows
from exwire.loopback.market import CandleBar, SimInstrument, SimTrade
from exwire.loopback.script import RateWindow, RefusedError, Reply, RestHandler, RestRequest, Route
from exwire.loopback.topics import months, windows_of

__all__ = ["LENGTHS_S", "PublicRest", "ticker", "windows"]

LENGTHS_S: Final = {
    "1s": 1, "10s": 10, "30s": 30, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14_400,
    "6h": 21_600, "8h": 28_800, "12h": 43_200, "1d": 86_400, "7d": 604_800, "30d": 2_592_000,
}  # fmt: skip
"""Candle intervals of WebSocket and REST together, in seconds; ``30d`` stands for a calendar month."""

_INTERVALS: Final = frozenset({"1s", "10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d", "7d", "30d"})
_MAX_ROWS: Final = 1_000
_MAX_CANDLES_BACK: Final = 10_000
_LISTED_SINCE_S: Final = 1_516_378_650


def windows(interval: str) -> Callable[[int], tuple[int, int]]:
    """Return the function from a second to the candle window that it lies in."""
    return months if interval == "30d" else windows_of(LENGTHS_S[interval])


def ticker(instrument: SimInstrument, now_ns: int) -> dict[str, str]:
    """Return the fields that the WebSocket and the REST ticker share."""
    book, day = instrument.book, instrument.day(now_ns)
    bid, ask = book.bids.best, book.asks.best
    change = f"{day.change * 100:.4f}".rstrip("0").rstrip(".")
    return {
        "currency_pair": _pair(instrument),
        "last": instrument.price_text(day.last),
        "lowest_ask": "" if ask is None else instrument.price_text(ask),
        "highest_bid": "" if bid is None else instrument.price_text(bid),
        "change_percentage": "0" if change == "-0" else change,
        "base_volume": instrument.qty_text(day.lots),
        "quote_volume": instrument.notional_text(day.notional),
        "high_24h": instrument.price_text(day.high),
        "low_24h": instrument.price_text(day.low),
    }


@final
class PublicRest:
    """The endpoints without authentication. Every one allows 200 requests in 10 s."""

    def __init__(self, pairs: Mapping[str, SimInstrument], trace_id: Callable[[], str]) -> None:
        """pairs: by the venue's spelling; trace_id: makes a new one."""
        self._pairs = pairs
        self._trace_id = trace_id
        self._rates = RateWindow(200, 10.0)

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        table: dict[str, RestHandler] = {
            "/spot/time": self._time,
            "/spot/currencies": self._currencies,
            "/spot/currencies/{currency}": self._currency,
            "/spot/currency_pairs": self._currency_pairs,
            "/spot/currency_pairs/{pair}": self._currency_pair,
            "/spot/tickers": self._tickers,
            "/spot/order_book": self._order_book,
            "/spot/trades": self._trades,
            "/spot/candlesticks": self._candlesticks,
            # Clients that load all markets ask for these too; this venue has no such instruments.
            "/margin/currency_pairs": _nothing,
            "/futures/{settle}/contracts": _nothing,
            "/delivery/{settle}/contracts": _nothing,
            "/options/underlyings": _nothing,
        }
        return [Route("GET", template, handler) for template, handler in table.items()]

    def admit(self, request: RestRequest) -> Reply | None:
        """Return the refusal of a request over the limit."""
        if self._rates.spend(request.template, request.now_ns).allowed:
            return None
        return Reply({"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded (200/10s)"}, 429)

    def unknown(self, request: RestRequest, status: int) -> Reply:
        """Return the answer to an unknown path or method."""
        label = "NOT_FOUND" if status == 404 else "METHOD_NOT_ALLOWED"
        return Reply({"label": label, "message": f"{request.method} {request.path} is not known"}, status)

    def finish(self, request: RestRequest, reply: Reply) -> Reply:
        """Return the reply with the headers that all have: rate limits, times in µs, a trace id."""
        budget = self._rates.spend(request.template, request.now_ns, 0)
        now_s = request.now_ns // 1_000_000_000
        headers = {
            "X-Gate-RateLimit-Requests-Remain": str(budget.remaining),
            "X-Gate-RateLimit-Limit": str(budget.limit),
            "X-Gate-RateLimit-Reset-Timestamp": str(now_s if reply.status != 429 else budget.reset_s),
            "X-In-Time": str(request.now_ns // 1_000),
            "X-Out-Time": str(request.now_ns // 1_000 + 90),
            "X-Gate-Trace-ID": self._trace_id(),
        }
        return Reply(reply.body, reply.status, {**headers, **reply.headers})

    def _time(self, request: RestRequest) -> Reply:
        return Reply({"server_time": request.now_ns // 1_000_000})

    def _currencies(self, request: RestRequest) -> Reply:
        return Reply([_currency(name) for name in self._names()])

    def _currency(self, request: RestRequest) -> Reply:
        name = request.parts["currency"]
        if name not in self._names():
            raise _refused("INVALID_CURRENCY", f"Invalid currency {name}")
        return Reply(_currency(name))

    def _currency_pairs(self, request: RestRequest) -> Reply:
        return Reply([_rules(each) for each in self._pairs.values()])

    def _currency_pair(self, request: RestRequest) -> Reply:
        return Reply(_rules(self._listed(request.parts["pair"])))

    def _tickers(self, request: RestRequest) -> Reply:
        name = request.query.get("currency_pair")
        if name is None:
            return Reply([ticker(each, request.now_ns) for each in self._pairs.values()])
        instrument = self._listed(name)
        row = ticker(instrument, request.now_ns)
        for side, ladder in (("lowest_size", instrument.book.asks), ("highest_size", instrument.book.bids)):
            row[side] = instrument.qty_text(ladder.lots[ladder.best]) if ladder.best is not None else ""
        return Reply([row])

    def _order_book(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 10, _MAX_ROWS)
        book, step = instrument.book, _aggregation(request, instrument)
        answer: dict[str, object] = {"id": book.update_id} if request.query.get("with_id") == "true" else {}
        return Reply(
            answer
            | {
                "current": request.now_ns // 1_000_000,
                "update": book.time_ns // 1_000_000,
                "asks": instrument.rows_text(_aggregated(book.asks.top(), step, up=True)[:limit]),
                "bids": instrument.rows_text(_aggregated(book.bids.top(), step, up=False)[:limit]),
            }
        )

    def _trades(self, request: RestRequest) -> Reply:
        instrument, limit = self._required(request), _number(request, "limit", 100, _MAX_ROWS)
        page = _number(request, "page", 1, 100_000)
        first_s, last_s = _number(request, "from", 0, None), _number(request, "to", 2**62, None)
        last_id, smaller = _number(request, "last_id", 0, None), request.query.get("reverse") == "true"
        rows = [each for each in reversed(instrument.trades) if first_s <= each.ts_ns // 1_000_000_000 <= last_s]
        if last_id:
            rows = [each for each in rows if (each.id < last_id if smaller else each.id > last_id)]
        return Reply([_trade(instrument, each) for each in rows[(page - 1) * limit : page * limit]])

    def _candlesticks(self, request: RestRequest) -> Reply:
        instrument, interval = self._required(request), request.query.get("interval", "30m")
        if interval not in _INTERVALS:
            raise _invalid("interval", interval)
        length_s, now_s = LENGTHS_S[interval], request.now_ns // 1_000_000_000
        if "from" in request.query or "to" in request.query:
            if "limit" in request.query:
                raise _refused("INVALID_PARAM_VALUE", "`limit` cannot be specified together with `from` or `to`")
            to_s = _number(request, "to", now_s, None)
            from_s = _number(request, "from", to_s - 99 * length_s, None)
        else:
            to_s, limit = now_s, _number(request, "limit", 100, _MAX_ROWS)
            from_s = windows(interval)(to_s)[0] - (limit - 1) * length_s
        if to_s < from_s:
            raise _refused("INVALID_PARAM_VALUE", "`to` must not be earlier than `from`")
        if (to_s - from_s) // length_s >= _MAX_ROWS:
            message = f"Candlestick range too broad. Maximum {_MAX_ROWS} data points are allowed per query"
            raise _refused("INVALID_PARAM_VALUE", message)
        if from_s < now_s - _MAX_CANDLES_BACK * length_s:
            message = f"Candlestick too long ago. Maximum {_MAX_CANDLES_BACK} points ago are allowed"
            raise _refused("INVALID_PARAM_VALUE", message)
        return Reply(_candles(instrument, windows(interval), from_s, min(to_s, now_s), request.now_ns))

    def _names(self) -> list[str]:
        listed = [each.listing for each in self._pairs.values()]
        return sorted({each.base for each in listed} | {each.quote for each in listed})

    def _required(self, request: RestRequest) -> SimInstrument:
        name = request.query.get("currency_pair")
        if not name:
            raise _refused("MISSING_REQUIRED_PARAM", "Missing required parameter: currency_pair")
        return self._listed(name)

    def _listed(self, name: str) -> SimInstrument:
        instrument = self._pairs.get(name)
        if instrument is None:
            raise _refused("INVALID_CURRENCY_PAIR", f"Invalid currency pair {name}")
        return instrument


def _nothing(request: RestRequest) -> Reply:
    return Reply([])


def _refused(label: str, message: str) -> RefusedError:
    return RefusedError(Reply({"label": label, "message": message}, 400))


def _pair(instrument: SimInstrument) -> str:
    return instrument.listing.symbol.replace("/", "_")


def _invalid(name: str, value: str) -> RefusedError:
    return _refused("INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value: {value}")


def _number(request: RestRequest, name: str, default: int, largest: int | None) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or (largest is not None and not 1 <= int(text) <= largest):
        raise _invalid(name, text)
    return int(text)


def _aggregation(request: RestRequest, instrument: SimInstrument) -> int:
    """Return the query's price interval in ticks, 1 for none."""
    text = request.query.get("interval", "0")
    try:
        step = Decimal(text).scaleb(instrument.listing.price_decimals)
    except InvalidOperation:
        raise _invalid("interval", text) from None
    if not step.is_finite() or step < 0 or step != int(step):
        raise _invalid("interval", text)
    return max(1, int(step))


def _aggregated(rows: Rows, step: int, *, up: bool) -> Rows:
    """Add levels up to multiples of a step: asks upwards, bids downwards, so that nothing looks better than it is."""
    if step == 1:
        return rows
    merged: dict[int, int] = {}
    for price, lots in rows:
        price = (-(-price // step) if up else price // step) * step
        merged[price] = merged.get(price, 0) + lots
    return list(merged.items())


def _currency(name: str) -> dict[str, object]:
    chain = {"name": name, "addr": "", "withdraw_disabled": False, "withdraw_delayed": False, "deposit_disabled": False}
    return {
        "currency": name, "name": name, "delisted": False, "withdraw_disabled": False, "withdraw_delayed": False,
        "deposit_disabled": False, "trade_disabled": False, "chain": name, "chains": [chain],
    }  # fmt: skip


def _rules(instrument: SimInstrument) -> dict[str, object]:
    listing, pair = instrument.listing, _pair(instrument)
    return {
        "id": pair, "base": listing.base, "base_name": listing.base, "quote": listing.quote, "quote_name": listing.quote, "fee": "0.2",
        "min_base_amount": instrument.qty_text(1), "min_quote_amount": listing.min_notional, "max_quote_amount": "5000000",
        "amount_precision": listing.qty_decimals, "precision": listing.price_decimals, "trade_status": "tradable",
        "sell_start": _LISTED_SINCE_S, "buy_start": _LISTED_SINCE_S, "delisting_time": 0, "type": "normal",
        "trade_url": f"https://www.gate.io/trade/{pair}", "st_tag": False, "up_rate": "0.05", "down_rate": "0.02", "slippage": "0.03",
        "market_order_max_stock": "0", "market_order_max_money": "0",
    }  # fmt: skip


def _trade(instrument: SimInstrument, trade: SimTrade) -> dict[str, str]:
    micros = trade.ts_ns // 1_000
    return {
        "id": str(trade.id), "create_time": str(micros // 1_000_000), "create_time_ms": f"{micros // 1_000}.{micros % 1_000:03d}",
        "currency_pair": _pair(instrument), "side": trade.side.value, "amount": instrument.qty_text(trade.lots),
        "price": instrument.price_text(trade.price), "sequence_id": str(trade.market_id),
    }  # fmt: skip


def _candles(
    instrument: SimInstrument, window: Callable[[int], tuple[int, int]], from_s: int, to_s: int, now_ns: int
) -> Sequence[list[str]]:
    rows, (start, end) = [], window(from_s)
    if start < from_s:  # both ends are inclusive, and they mean the time at which a candle opens
        start, end = window(end)
    while start <= to_s:
        candle = instrument.candle(start, end, now_ns)
        if candle is not None:
            rows.append(_candle(instrument, candle))
        start, end = window(end)
    return rows


def _candle(instrument: SimInstrument, candle: CandleBar) -> list[str]:
    bar, price = candle.bar, instrument.price_text
    return [
        str(candle.start_s), instrument.notional_text(bar.notional), price(bar.close), price(bar.high), price(bar.low), price(bar.open),
        instrument.qty_text(bar.lots), "true" if candle.closed else "false",
    ]  # fmt: skip
