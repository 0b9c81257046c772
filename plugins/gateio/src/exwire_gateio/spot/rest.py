"""Gate.io spot over HTTP: public calls. Its answers stand here in Gate's own words, each above the call that asks for it.

Source: Gate.io API v4, "Spot", read 2026-11. Fields that nothing needs are left out, the decoder skips them.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final, Literal, final

import msgspec
from msgspec import Meta, Raw, Struct

from exwire.errors import UnknownNameError
from exwire.model import BookSnapshot, Candle, Instrument, Side, Ticker, Trade, sorted_asks, sorted_bids
from exwire.rest import QueryValue
from exwire.wire import Id, Milliseconds, Number, Price, Rows, Seconds
from exwire_gateio.instruments import read_currency_pair
from exwire_gateio.names import VENUE, pair_symbol, symbol_pair
from exwire_gateio.rest_base import GateioRest
from exwire_gateio.spot.decode import exact_ns
from exwire_gateio.spot.wire import TickerResult

__all__ = ["INTERVALS", "MAX_DEPTH", "GateioSpotRest"]

MAX_DEPTH: Final = 100
"""Gate answers up to 1000 levels, but keeps deeper answers than this for tens of seconds: such a book is always older than the stream."""

MAX_ROWS: Final = 1000

INTERVALS: Final = ("1s", "10s", "1m", "5m", "15m", "30m", "1h", "4h", "8h", "1d", "7d", "30d")
"""Of candles; ``30d`` is a calendar month. The stream has other ones besides."""

ExactMs = Annotated[str, Meta(pattern=r"^(|[0-9]{1,13}(\.[0-9]{1,12})?)\Z")]
"""Milliseconds with a fraction, as text, to the year 2286; or nothing."""


class ServerTime(Struct):
    """``{"server_time":1597026383085}``."""

    server_time: Milliseconds


class OrderBook(Struct):
    """The top of the book, bids from the highest, asks from the lowest. update: when it last changed; current: when it was asked for.

    {"id":123456,"current":1623898993123,"update":1623898993121,"asks":[["1.52","1.151"]],"bids":[["1.17","201.863"]]}
    """

    id: Id
    asks: Rows
    bids: Rows
    current: Milliseconds | None = None
    update: Milliseconds | None = None


class PublicTrade(Struct):
    """A print. side: the taker's; ``id`` is the stream's ``id``, and ``sequence_id`` its ``id_market``.

    {"id":"1232893232","create_time":"1548000000","create_time_ms":"1548000000123.456","currency_pair":"ETH_BTC","side":"buy",
     "amount":"0.15","price":"0.03","sequence_id":"588018"}
    """

    id: Id
    create_time: Seconds
    side: Side
    amount: Number
    price: Price
    create_time_ms: ExactMs = ""


class Candlestick(Struct, array_like=True):
    """One candle. Older rows are shorter: without ``base_volume``, or without both of the last two.

    ["1539852480","971519.677","0.0021724","0.0021922","0.0021724","0.0021737","446913216.5","true"]
    ["1539852480","971519.677","0.0021724","0.0021922","0.0021724","0.0021737","true"]
    """

    t: Seconds
    quote_volume: Number
    close: Number
    high: Number
    low: Number
    open: Number
    base_volume_or_closed: Number | Literal["true", "false", ""] = ""
    closed: Literal["true", "false", ""] = ""


_decode_ticker: Final = msgspec.json.Decoder(TickerResult, strict=False).decode


@final
class GateioSpotRest(GateioRest):
    """Gate.io spot: every call takes and returns unified symbols (``BTC/USDT``)."""

    async def server_time(self) -> int:
        """Return Gate's clock, ns since the epoch, exact to the millisecond."""
        answer = await self.get("/spot/time", ServerTime)
        return answer.server_time * 1_000_000

    async def instruments(self) -> list[Instrument]:
        """Return every currency pair; one that cannot be read is left out and logged."""
        rows, ts_recv = await self.get_stamped("/spot/currency_pairs", list[Raw])
        return self.readable(rows, "currency pairs", partial(read_currency_pair, now_ns=ts_recv))

    async def book_snapshot(self, symbol: str, depth: int = MAX_DEPTH) -> BookSnapshot:
        """Return the best ``depth`` levels of each side, 1 to 100.

        ``last_id`` counts with the update ids of the stream; ``ts_event`` is when the book last changed, long ago if the pair is quiet.
        """
        self.require("depth", depth, MAX_DEPTH)
        pair = symbol_pair(symbol)
        book, ts_recv = await self.get_stamped("/spot/order_book", OrderBook, {"currency_pair": pair, "limit": depth, "with_id": True})
        changed = book.update or book.current
        return BookSnapshot(
            venue=VENUE,
            symbol=symbol,
            ts_event=changed * 1_000_000 if changed else ts_recv,
            ts_recv=ts_recv,
            last_id=book.id,
            bids=sorted_bids(book.bids),
            asks=sorted_asks(book.asks),
        )

    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        """Return the latest trades, oldest first, 1 to 1000 of them."""
        self.require("limit", limit, MAX_ROWS)
        pair = symbol_pair(symbol)
        rows, ts_recv = await self.get_stamped("/spot/trades", list[PublicTrade], {"currency_pair": pair, "limit": limit})
        trades = [Trade(VENUE, symbol, _traded_at(row), ts_recv, str(row.id), row.side, row.price, row.amount) for row in rows]
        return sorted(trades, key=lambda trade: (trade.ts_event, int(trade.trade_id)))  # Gate answers newest first

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        """Return the statistics of one pair, or of all; of all, one that cannot be read is left out and logged.

        Gate gives no time here: ``ts_event`` is ``ts_recv``.
        """
        pair = symbol_pair(symbol) if symbol is not None else None
        rows, ts_recv = await self.get_stamped("/spot/tickers", list[Raw], {"currency_pair": pair})
        return self.readable(rows, "tickers", partial(_ticker, ts_recv=ts_recv))

    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        """Return the latest candles, oldest first, 1 to 1000 of them.

        Gate gives no time beside that of the window: ``ts_event`` is ``ts_recv``. A row that does not say whether it is closed is, if a
        newer one follows.
        """
        self.require("limit", limit, MAX_ROWS)
        if interval not in INTERVALS:
            raise UnknownNameError("interval of candles over REST", interval, INTERVALS, venue=VENUE)
        asked: dict[str, QueryValue] = {"currency_pair": symbol_pair(symbol), "interval": interval, "limit": limit}
        rows, ts_recv = await self.get_stamped("/spot/candlesticks", list[Candlestick], asked)
        rows.sort(key=lambda row: row.t)
        newest = rows[-1].t if rows else 0
        return [_candle(row, symbol, interval, ts_recv, followed=row.t < newest) for row in rows]


def _traded_at(row: PublicTrade) -> int:
    return exact_ns(row.create_time_ms) if row.create_time_ms else row.create_time * 1_000_000_000


def _ticker(row: Raw, ts_recv: int) -> Ticker:
    ticker = _decode_ticker(row)
    return Ticker(
        venue=VENUE,
        symbol=pair_symbol(ticker.currency_pair),
        ts_event=ts_recv,
        ts_recv=ts_recv,
        last=ticker.last,
        change=ticker.change_percentage / 100,
        high=ticker.high_24h,
        low=ticker.low_24h,
        base_volume=ticker.base_volume,
        quote_volume=ticker.quote_volume,
        bid_price=ticker.highest_bid or None,
        ask_price=ticker.lowest_ask or None,
    )


def _candle(row: Candlestick, symbol: str, interval: str, ts_recv: int, *, followed: bool) -> Candle:
    base_volume = row.base_volume_or_closed if isinstance(row.base_volume_or_closed, float) else None
    said = row.closed if base_volume is not None else row.base_volume_or_closed
    return Candle(
        venue=VENUE,
        symbol=symbol,
        ts_event=ts_recv,
        ts_recv=ts_recv,
        interval=interval,
        ts_open=row.t * 1_000_000_000,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        base_volume=base_volume,
        quote_volume=row.quote_volume,
        closed=said == "true" if said else followed,
    )
