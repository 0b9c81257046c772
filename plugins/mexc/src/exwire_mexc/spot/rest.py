"""MEXC spot over HTTP: public calls. Its answers stand here in MEXC's own words, each above the call that asks for it.

Source: MEXC API v3, "Market Data Endpoints", read 2026-11. Fields that nothing needs are left out, the decoder skips them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Final, TypeAlias, TypeVar, final

import msgspec
from msgspec import Raw, Struct

from exwire.errors import ConfigError, UnknownNameError
from exwire.model import BookSnapshot, BookTicker, Candle, Instrument, Side, Ticker, Trade, sorted_asks, sorted_bids
from exwire.rest import QueryValue
from exwire.wire import Empty, Id, Milliseconds, Number, Price, Rows, Signed
from exwire_mexc.instruments import OrderRules, read_instrument, read_order_rules
from exwire_mexc.names import VENUE, spot_pair, spot_symbol
from exwire_mexc.rest_base import MexcRest

__all__ = ["INTERVALS", "MAX_DEPTH", "MexcSpotRest"]

MAX_DEPTH: Final = 5000
MAX_ROWS: Final = 1000

INTERVALS: Final = {
    "1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "60m", "4h": "4h", "1d": "1d", "1w": "1W", "1M": "1M",
}  # fmt: skip
"""Of candles, and MEXC's words for them here; ``1M`` is a calendar month. The stream has 8 hours besides, and other words."""

Nothing: TypeAlias = Empty | None
"""What stands for a number that MEXC does not give."""
TradeId: TypeAlias = int | str | None

T = TypeVar("T")


class Pong(Struct):
    """``{}``."""


class ServerTime(Struct, rename="camel"):
    """``{"serverTime":1645539742000}``."""

    server_time: Milliseconds


class ExchangeInfo(Struct):
    """``{"timezone":"CST","serverTime":1645539742000,"rateLimits":[],"exchangeFilters":[],"symbols":[…]}``."""

    symbols: list[Raw]


class ApiSymbols(Struct):
    """``{"code":0,"data":["SNTUSDT","CGPTUSDT"],"msg":"success","timestamp":1737623243056}``."""

    data: list[Raw]


class Depth(Struct, rename="camel"):
    """The book, bids from the highest, asks from the lowest.

    {"lastUpdateId":10589632359,"bids":[["92877.58","0.15"]],"asks":[["92878.00","1.5"]],"timestamp":1736411507002}
    """

    last_update_id: Id
    bids: Rows
    asks: Rows
    timestamp: Milliseconds | None = None


class PublicTrade(Struct, rename="camel"):
    """A print. The buyer was the maker: the taker sold. ``id`` is null in all that was seen.

    {"id":null,"price":"3219.58","qty":"0.04757","quoteQty":"153.1554206","time":1737623988881,"isBuyerMaker":false,"isBestMatch":true,
     "tradeType":"BID"}
    """

    price: Price
    qty: Number
    time: Milliseconds
    is_buyer_maker: bool
    id: TradeId = None


class AggTrade(Struct):
    """Prints of one taker at one price. ``a`` and the ids of the first and last print are null in all that was seen.

    {"a":null,"f":null,"l":null,"p":"46782.67","q":"0.0038","T":1641380483000,"m":false,"M":true}
    """

    p: Price
    q: Number
    T: Milliseconds
    m: bool
    a: TradeId = None


class Kline(Struct, array_like=True):
    """One candle. close_time is where the next one begins; turnover: in quote units.

    [1640804880000,"47482.36","47482.36","47416.57","47436.1","3.550717",1640804940000,"168387.3"]
    """

    open_time: Milliseconds
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Number
    close_time: int = 0
    turnover: Number | Nothing = None


class Ticker24h(Struct, rename="camel"):
    """Statistics. price_change_percent is a ratio in spite of its name; volume: in base units.

    {"symbol":"BTCUSDT","priceChange":"184.34","priceChangePercent":"0.00400048","prevClosePrice":"46079.37","lastPrice":"46263.71",
     "bidPrice":"46260.38","bidQty":"","askPrice":"46260.41","askQty":"","openPrice":"46079.37","highPrice":"47550.01",
     "lowPrice":"45555.5","volume":"1732.461487","quoteVolume":null,"openTime":1641349500000,"closeTime":1641349582808,"count":null}
    """

    symbol: str
    last_price: Number
    price_change_percent: Signed
    high_price: Number
    low_price: Number
    volume: Number
    quote_volume: Number | Nothing = None
    bid_price: Number | Nothing = None
    ask_price: Number | Nothing = None
    close_time: Milliseconds | None = None


class TickerPrice(Struct):
    """``{"symbol":"BTCUSDT","price":"184.34"}``."""

    symbol: str
    price: Price


class TickerBook(Struct, rename="camel"):
    """``{"symbol":"AEUSDT","bidPrice":"0.11001","bidQty":"115.59","askPrice":"0.11127","askQty":"215.48"}``."""

    symbol: str
    bid_price: Number | Nothing
    bid_qty: Number | Nothing
    ask_price: Number | Nothing
    ask_qty: Number | Nothing


_decode_text: Final = msgspec.json.Decoder(str).decode
_decode_ticker: Final = msgspec.json.Decoder(Ticker24h, strict=False).decode
_decode_price: Final = msgspec.json.Decoder(TickerPrice, strict=False).decode
_decode_book: Final = msgspec.json.Decoder(TickerBook, strict=False).decode


@final
class MexcSpotRest(MexcRest):
    """MEXC spot: every call takes and returns unified symbols (``BTC/USDT``).

    An answer about all symbols names them in MEXC's spelling, which nothing separates. ``instruments`` remembers how each is split; before
    its first call they are split by the quote currencies known here, and what ends with none of those is left out and logged.
    """

    def __init__(self, *, base_url: str = "", timeout_s: float = 10.0) -> None:
        super().__init__(base_url=base_url, timeout_s=timeout_s)
        self._symbols: dict[str, str] = {}

    async def ping(self) -> int:
        """Return how long one round trip takes, ns; the first one of a client includes opening a connection."""
        began = perf_counter_ns()
        await self.get("/api/v3/ping", Pong)
        return perf_counter_ns() - began

    async def server_time(self) -> int:
        """Return MEXC's clock, ns since the epoch, exact to the millisecond."""
        answer = await self.get("/api/v3/time", ServerTime)
        return answer.server_time * 1_000_000

    async def instruments(self) -> list[Instrument]:
        """Return every symbol, whether the API may trade it or not; one that cannot be read is left out and logged."""
        instruments = await self._exchange_info(read_instrument)
        self._symbols = {each.venue_symbol: each.symbol for each in instruments}
        return instruments

    async def order_rules(self) -> list[OrderRules]:
        """Return the rules that an instrument has no place for: order types, limits of market orders, how far a price may be off."""
        return await self._exchange_info(read_order_rules)

    async def api_symbols(self) -> list[str]:
        """Return what MEXC lets the API trade, which may be less than its instruments say."""
        answer = await self.get("/api/v3/defaultSymbols", ApiSymbols)
        return self.readable(
            [Raw(msgspec.json.encode(pair)) for pair in answer.data], "symbols", lambda raw: self._symbol(msgspec.json.decode(raw))
        )

    async def book_snapshot(self, symbol: str, depth: int = MAX_DEPTH) -> BookSnapshot:
        """Return the best ``depth`` levels of each side, 1 to 5000. ``last_id`` counts with the versions of the ``aggre.depth`` stream."""
        self.require("depth", depth, MAX_DEPTH)
        book, ts_recv = await self.get_stamped("/api/v3/depth", Depth, {"symbol": spot_pair(symbol), "limit": depth})
        return BookSnapshot(
            venue=VENUE,
            symbol=symbol,
            ts_event=book.timestamp * 1_000_000 if book.timestamp else ts_recv,
            ts_recv=ts_recv,
            last_id=book.last_update_id,
            bids=sorted_bids(book.bids),
            asks=sorted_asks(book.asks),
        )

    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        """Return the latest trades, oldest first, 1 to 1000 of them. MEXC gives no ids here."""
        self.require("limit", limit, MAX_ROWS)
        asked: dict[str, QueryValue] = {"symbol": spot_pair(symbol), "limit": limit}
        rows, ts_recv = await self.get_stamped("/api/v3/trades", list[PublicTrade], asked, weight=5)
        return _oldest_first([_trade(symbol, ts_recv, row.id, row.time, row.price, row.qty, row.is_buyer_maker) for row in rows])

    async def agg_trades(self, symbol: str, limit: int = 100, *, start_ns: int | None = None, end_ns: int | None = None) -> list[Trade]:
        """Return trades with the prints of one taker at one price added up, oldest first, 1 to 1000 of them.

        start_ns, end_ns: inclusive, exact to the millisecond; the latest trades without them. MEXC wants both or neither.
        """
        self.require("limit", limit, MAX_ROWS)
        if (start_ns is None) != (end_ns is None):
            raise ConfigError(f"{VENUE}: aggregated trades are asked for with both of start_ns and end_ns, or with neither")
        asked: dict[str, QueryValue] = {
            "symbol": spot_pair(symbol), "startTime": _milliseconds(start_ns), "endTime": _milliseconds(end_ns), "limit": limit,
        }  # fmt: skip
        rows, ts_recv = await self.get_stamped("/api/v3/aggTrades", list[AggTrade], asked)
        return _oldest_first([_trade(symbol, ts_recv, row.a, row.T, row.p, row.q, row.m) for row in rows])

    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        """Return the latest candles, oldest first, 1 to 1000 of them.

        MEXC gives no time beside that of the window, and does not say whether that is over: ``ts_event`` is ``ts_recv``, and a candle is
        closed if a newer one follows.
        """
        self.require("limit", limit, MAX_ROWS)
        if interval not in INTERVALS:
            raise UnknownNameError("interval of candles over REST", interval, INTERVALS, venue=VENUE)
        asked: dict[str, QueryValue] = {"symbol": spot_pair(symbol), "interval": INTERVALS[interval], "limit": limit}
        rows, ts_recv = await self.get_stamped("/api/v3/klines", list[Kline], asked)
        rows.sort(key=lambda row: row.open_time)
        newest = rows[-1].open_time if rows else 0
        return [_candle(row, symbol, interval, ts_recv, closed=row.open_time < newest) for row in rows]

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        """Return the statistics of one symbol, or of all; of all, one that cannot be read is left out and logged."""
        return await self._rows("/api/v3/ticker/24hr", symbol, "tickers", self._ticker, weight_of_all=40)

    async def book_tickers(self, symbol: str | None = None) -> list[BookTicker]:
        """Return best bid and ask of one symbol, or of all. MEXC gives neither a time nor an id: ``ts_event`` is ``ts_recv``."""
        return await self._rows("/api/v3/ticker/bookTicker", symbol, "book tickers", self._book_ticker)

    async def prices(self, symbol: str | None = None) -> dict[str, float]:
        """Return the last price of one symbol, or of all, by symbol."""
        return dict(await self._rows("/api/v3/ticker/price", symbol, "prices", self._price, weight_of_all=2))

    async def _exchange_info(self, read: Callable[[Raw], T]) -> list[T]:
        answer = await self.get("/api/v3/exchangeInfo", ExchangeInfo, weight=10)
        return self.readable(answer.symbols, "symbols", read)

    async def _rows(self, path: str, symbol: str | None, what: str, read: Callable[[Raw, int], T], *, weight_of_all: int = 1) -> list[T]:
        """Ask for one symbol, answered with one object, or for all, answered with a list."""
        if symbol is None:
            rows, ts_recv = await self.get_stamped(path, list[Raw], weight=weight_of_all)
        else:
            row, ts_recv = await self.get_stamped(path, Raw, {"symbol": spot_pair(symbol)})
            rows = [row]
        return self.readable(rows, what, partial(_stamped, read=read, ts_recv=ts_recv))

    def _symbol(self, pair: str) -> str:
        return self._symbols.get(pair) or spot_symbol(pair)

    def _ticker(self, row: Raw, ts_recv: int) -> Ticker:
        ticker = _decode_ticker(row)
        return Ticker(
            venue=VENUE,
            symbol=self._symbol(ticker.symbol),
            ts_event=ticker.close_time * 1_000_000 if ticker.close_time else ts_recv,
            ts_recv=ts_recv,
            last=ticker.last_price,
            change=ticker.price_change_percent,
            high=ticker.high_price,
            low=ticker.low_price,
            base_volume=ticker.volume,
            quote_volume=ticker.quote_volume if isinstance(ticker.quote_volume, float) else None,
            bid_price=ticker.bid_price or None,
            ask_price=ticker.ask_price or None,
        )

    def _book_ticker(self, row: Raw, ts_recv: int) -> BookTicker:
        book = _decode_book(row)
        return BookTicker(
            venue=VENUE,
            symbol=self._symbol(book.symbol),
            ts_event=ts_recv,
            ts_recv=ts_recv,
            update_id=0,
            bid_price=book.bid_price or None,
            bid_qty=book.bid_qty or 0.0,
            ask_price=book.ask_price or None,
            ask_qty=book.ask_qty or 0.0,
        )

    def _price(self, row: Raw, ts_recv: int) -> tuple[str, float]:
        price = _decode_price(row)
        return self._symbol(price.symbol), price.price


def _stamped(row: Raw, read: Callable[[Raw, int], T], ts_recv: int) -> T:
    return read(row, ts_recv)


def _milliseconds(ns: int | None) -> int | None:
    return None if ns is None else ns // 1_000_000


def _trade(symbol: str, ts_recv: int, id: TradeId, time: int, price: float, qty: float, buyer_is_maker: bool) -> Trade:
    side = Side.SELL if buyer_is_maker else Side.BUY
    return Trade(VENUE, symbol, time * 1_000_000, ts_recv, "" if id is None else str(id), side, price, qty)


def _oldest_first(trades: list[Trade]) -> list[Trade]:
    """MEXC answers newest first; what happened in one millisecond stays in the order that this implies."""
    trades.reverse()
    return sorted(trades, key=lambda trade: trade.ts_event)


def _candle(row: Kline, symbol: str, interval: str, ts_recv: int, *, closed: bool) -> Candle:
    return Candle(
        venue=VENUE,
        symbol=symbol,
        ts_event=ts_recv,
        ts_recv=ts_recv,
        interval=interval,
        ts_open=row.open_time * 1_000_000,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        base_volume=row.volume,
        quote_volume=row.turnover if isinstance(row.turnover, float) else None,
        closed=closed,
    )
