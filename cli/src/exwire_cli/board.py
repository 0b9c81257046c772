"""What ``exwire demo`` shows: one row for each venue and symbol, drawn live on a terminal, as lines once a second elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from decimal import Decimal
from time import monotonic
from typing import Final, final

import typer
from msgspec import Struct

import exwire
from exwire.connector import Connector
from exwire.errors import ExwireError
from exwire.metrics import Histogram
from exwire.model import BookDelta, BookSnapshot, BookTicker, Trade
from exwire.subscription import Channel
from exwire_cli.output import emit, is_terminal, say, warn

__all__ = ["Row", "Summary", "Tally", "show"]

_ROLL_S: Final = 1.0
_DRAW_S: Final = 0.25
_FALLBACK_SYMBOLS: Final = 2
_NAMES: Final = ("venue", "symbol")
_NUMBERS: Final = ("trade", "bid", "ask", "spread", "trades", "quotes", "books", "latency")


class Row(Struct, frozen=True, tag_field="type", tag="row"):
    """One symbol of one venue, as of now. Prices are None before the first one came.

    trades, quotes, books: events a second (trades, best bid and ask, book updates); latency_ms: from the
    venue's clock to ours, the median, None when nothing came.
    """

    venue: str
    symbol: str
    price: float | None
    bid: float | None
    ask: float | None
    spread: float | None
    trades: int
    quotes: int
    books: int
    latency_ms: float | None


class Summary(Struct, frozen=True, tag_field="type", tag="summary"):
    """All of it: how many events came."""

    seconds: float
    venues: tuple[str, ...]
    symbols: int
    trades: int
    quotes: int
    books: int


async def show(venues: Sequence[str], symbols: Sequence[str], market: str, *, seconds: float, json: bool) -> None:
    """Show the venues for so long. One that cannot be shown is reported and left out; none left is an exit status of 1."""
    async with AsyncExitStack() as stack:
        tallies: list[Tally] = []
        for venue in venues:
            try:
                connector = await stack.enter_async_context(exwire.connect(venue, market=market, loopback=True))
                tallies += await _follow(connector, symbols)
            except ExwireError as error:
                warn(f"{venue} is left out: {error}")
        if not tallies:
            raise typer.Exit(1)
        started = monotonic()
        with _display(tallies, json=json) as display:
            await _watch(tallies, display, started + seconds)
        summary = _summary(tallies, monotonic() - started)
    if json:
        emit(summary)
    else:
        say(
            f"{summary.seconds:.1f} s of {' and '.join(summary.venues)}, {summary.symbols} symbols: {summary.trades:,} trades, "
            f"{summary.quotes:,} best bids and asks, {summary.books:,} book updates"
        )
    if not summary.trades + summary.quotes + summary.books:
        raise typer.Exit(1)


async def _follow(connector: Connector, symbols: Sequence[str]) -> list[Tally]:
    listed = await connector.instruments()
    chosen = [each for each in symbols if each in listed] or list(listed)[:_FALLBACK_SYMBOLS]
    served = connector.channels()
    tallies = []
    for symbol in chosen:
        tally = Tally(connector.venue, symbol)
        for channel in (Channel.TRADES, Channel.BOOK_TICKER, Channel.BOOK):
            if channel in served:
                await connector.subscribe(channel, symbol, tally.on_event)
        tallies.append(tally)
    return tallies


async def _watch(tallies: Sequence[Tally], display: Callable[[bool], None], until: float) -> None:
    rolled = monotonic()
    while (left := until - monotonic()) > 0:
        await asyncio.sleep(min(_DRAW_S, left))
        now = monotonic()
        due = now - rolled >= _ROLL_S or now >= until
        if due:
            for tally in tallies:
                tally.roll(now - rolled)
            rolled = now
        display(due)


def _summary(tallies: Sequence[Tally], seconds: float) -> Summary:
    return Summary(
        seconds=round(seconds, 3),
        venues=tuple(dict.fromkeys(tally.venue for tally in tallies)),
        symbols=len(tallies),
        trades=sum(tally.total.trades for tally in tallies),
        quotes=sum(tally.total.quotes for tally in tallies),
        books=sum(tally.total.books for tally in tallies),
    )


class _Counts(Struct):
    trades: int = 0
    quotes: int = 0
    books: int = 0


@final
class Tally:
    """What came of one symbol: the newest values, and counts since the last roll."""

    def __init__(self, venue: str, symbol: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.total = _Counts()
        self._price: float | None = None
        self._quote: BookTicker | None = None
        self._counts = self._shown = _Counts()
        self._latency = Histogram()
        self._latency_ms: float | None = None

    def on_event(self, event: Trade | BookTicker | BookSnapshot | BookDelta) -> None:
        """Count an event and keep its values."""
        if isinstance(event, Trade):
            self._counts.trades += 1
            self._price = event.price
        elif isinstance(event, BookTicker):
            self._counts.quotes += 1
            self._quote = event
        else:
            self._counts.books += 1
        self._latency.add(event.ts_recv - event.ts_event)

    def roll(self, period_s: float) -> None:
        """Begin another period; the one that ends took so long."""
        counts = self._counts
        self.total = _Counts(self.total.trades + counts.trades, self.total.quotes + counts.quotes, self.total.books + counts.books)
        self._shown = _Counts(*(round(each / period_s) for each in (counts.trades, counts.quotes, counts.books)))
        self._counts = _Counts()
        self._latency_ms = round(self._latency.quantile(0.5) / 1e6, 3) if self._latency.count else None
        self._latency = Histogram()

    def row(self) -> Row:
        """Return how it stands."""
        bid, ask = (self._quote.bid_price, self._quote.ask_price) if self._quote else (None, None)
        spread = (
            None if bid is None or ask is None else float(Decimal(repr(ask)) - Decimal(repr(bid)))
        )  # as printed: 0.1, not 0.09999999999
        shown = self._shown
        return Row(self.venue, self.symbol, self._price, bid, ask, spread, shown.trades, shown.quotes, shown.books, self._latency_ms)


@contextmanager
def _display(tallies: Sequence[Tally], *, json: bool) -> Iterator[Callable[[bool], None]]:
    """Yield what shows the rows; its argument says whether a second is over."""
    if json or not is_terminal():

        def lines(due: bool) -> None:
            for tally in tallies if due else ():
                if json:
                    emit(tally.row())
                else:
                    say(_line(tally.row()))

        yield lines
        return
    from rich.console import Console  # noqa: PLC0415  # only where it is seen
    from rich.live import Live  # noqa: PLC0415  # as above
    from rich.table import Table  # noqa: PLC0415  # as above

    with Live(console=Console(markup=False, highlight=False), auto_refresh=False) as live:

        def draw(_: bool) -> None:
            grid = Table(*_NAMES, box=None, padding=(0, 1, 0, 0), caption="trades, quotes and books: a second; latency: venue to here")
            for name in _NUMBERS:
                grid.add_column(name, justify="right", no_wrap=True)
            for tally in tallies:
                grid.add_row(*_cells(tally.row()))
            live.update(grid, refresh=True)

        yield draw


def _cells(row: Row) -> tuple[str, ...]:
    latency = "" if row.latency_ms is None else f"{row.latency_ms:.1f} ms"
    prices = (row.price, row.bid, row.ask, row.spread)
    return (row.venue, row.symbol, *map(_number, prices), str(row.trades), str(row.quotes), str(row.books), latency)


def _line(row: Row) -> str:
    latency = "none" if row.latency_ms is None else f"{row.latency_ms:.2f} ms"
    return (
        f"{row.venue} {row.symbol}: trade {_number(row.price)}, "
        f"bid {_number(row.bid)}, ask {_number(row.ask)}, spread {_number(row.spread)}; "
        f"{row.trades} trades, {row.quotes} quotes, {row.books} book updates a second; latency {latency}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.12g}"
