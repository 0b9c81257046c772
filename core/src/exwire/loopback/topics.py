"""What a venue pushes under a subscription: trades, quotes, books, tickers, candles.

A topic is shared by all its subscribers. It decides when there is something to say; the venue's encoders, functions that it is given, say
it. Core calls ``greet`` for a new subscriber and ``push`` when the topic is due.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeAlias, final

from msgspec import Struct

from exwire.loopback.book import Rows, Window
from exwire.loopback.market import CandleBar, SimInstrument, SimTrade

__all__ = ["BookDeltas", "BookState", "BookTops", "Candles", "Delta", "Frame", "Tickers", "Topic", "Trades", "months", "windows_of"]

Frame: TypeAlias = str | bytes
"""A WebSocket message: ``str`` goes out as text, ``bytes`` as binary."""


class BookState(Struct, frozen=True):
    """A book's best levels. last_id: of the book they are of; time_ns: of its last change; bids, asks: best first."""

    instrument: SimInstrument
    last_id: int
    time_ns: int
    bids: Rows
    asks: Rows


class Delta(Struct, frozen=True):
    """Everything that happened to a window. first_id, last_id: inclusive; bids, asks: new totals in no order, 0 lots: gone or outside."""

    instrument: SimInstrument
    first_id: int
    last_id: int
    time_ns: int
    bids: Rows
    asks: Rows


class Topic(ABC):
    """One stream. interval_ms: how often ``push`` is called at most, 0: at every step of the box."""

    def __init__(self, interval_ms: int = 0) -> None:
        self.interval_ms = interval_ms

    def greet(self, now_ns: int) -> Iterable[Frame]:
        """Return what a new subscriber is sent at once; it continues with the next ``push``."""
        return ()

    @abstractmethod
    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return what all subscribers are sent now."""


@final
class Trades(Topic):
    """Every trade since the last push, oldest first. encode: (instrument, trades, now_ns), at least one trade, to frames."""

    def __init__(
        self, instrument: SimInstrument, encode: Callable[[SimInstrument, list[SimTrade], int], Iterable[Frame]], *, interval_ms: int = 0
    ) -> None:
        super().__init__(interval_ms)
        self._instrument = instrument
        self._encode = encode
        self._seen = instrument.trade_count

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the trades since the last push."""
        trades = self._instrument.trades_since(self._seen)
        self._seen = self._instrument.trade_count
        return self._encode(self._instrument, trades, now_ns) if trades else ()


@final
class BookTops(Topic):
    """The best levels whole, whenever one of them changed; a new subscriber gets them at once if ``greets``.

    Best bid and ask are the case ``depth=1``. encode: (state, now_ns) to a frame.
    """

    def __init__(
        self,
        instrument: SimInstrument,
        depth: int,
        encode: Callable[[BookState, int], Frame],
        *,
        interval_ms: int = 0,
        greets: bool = True,
    ) -> None:
        super().__init__(interval_ms)
        self._instrument = instrument
        self._depth = depth
        self._encode = encode
        self._greets = greets
        self._state = self._read()

    def greet(self, now_ns: int) -> Iterable[Frame]:
        """Return the levels as they were at the last push."""
        return [self._encode(self._state, now_ns)] if self._greets else ()

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the levels if one of them is another than at the last push."""
        if self._instrument.book.update_id == self._state.last_id:
            return ()
        before, self._state = self._state, self._read()
        if (before.bids, before.asks) == (self._state.bids, self._state.asks):
            return ()
        return [self._encode(self._state, now_ns)]

    def _read(self) -> BookState:
        book = self._instrument.book
        return BookState(self._instrument, book.update_id, book.time_ns, book.bids.top(self._depth), book.asks.top(self._depth))


@final
class BookDeltas(Topic):
    """Changes to the best ``depth`` levels (None: all), ids without a hole, also when none of them is inside the window.

    encode: (delta, now_ns) to a frame; encode_full: (state, now_ns) to the frame a new subscriber gets, of the state from which the next
    delta continues; None when clients have to fetch their first book over REST.
    """

    def __init__(
        self,
        instrument: SimInstrument,
        depth: int | None,
        encode: Callable[[Delta, int], Frame],
        *,
        interval_ms: int,
        encode_full: Callable[[BookState, int], Frame] | None = None,
    ) -> None:
        super().__init__(interval_ms)
        self._instrument = instrument
        self._depth = depth
        self._encode = encode
        self._encode_full = encode_full
        self._last_id = self._time_ns = 0
        self._restart()

    def greet(self, now_ns: int) -> Iterable[Frame]:
        """Return the window whole, as of the last delta."""
        if self._encode_full is None:
            return ()
        bids, asks = self._window.top()
        return [self._encode_full(BookState(self._instrument, self._last_id, self._time_ns, bids, asks), now_ns)]

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the delta since the last push, if the book moved."""
        book = self._instrument.book
        if book.update_id == self._last_id:
            return ()
        changes = book.changes_since(self._last_id)
        if changes is None:  # more happened since than the book remembers: subscribers see a hole, or a new start
            self._restart()
            return self.greet(now_ns)
        self._window.apply(changes)
        first_id, self._last_id, self._time_ns = self._last_id + 1, book.update_id, book.time_ns
        bids, asks = self._window.flush()
        return [self._encode(Delta(self._instrument, first_id, self._last_id, self._time_ns, bids, asks), now_ns)]

    def _restart(self) -> None:
        book = self._instrument.book
        self._window = Window(book, self._depth)
        self._last_id, self._time_ns = book.update_id, book.time_ns


@final
class Tickers(Topic):
    """24-hour statistics at a fixed cadence, changed or not. encode: (instrument, now_ns) to a frame."""

    def __init__(self, instrument: SimInstrument, encode: Callable[[SimInstrument, int], Frame], *, interval_ms: int) -> None:
        super().__init__(interval_ms)
        self._instrument = instrument
        self._encode = encode

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the statistics of now."""
        return [self._encode(self._instrument, now_ns)]


@final
class Candles(Topic):
    """The candle of the running window every ``every_ms``, and once more when it has closed.

    window: (second) to the (start, end) that it lies in, end exclusive; encode: (instrument, candle, now_ns) to a frame.
    """

    def __init__(
        self,
        instrument: SimInstrument,
        window: Callable[[int], tuple[int, int]],
        encode: Callable[[SimInstrument, CandleBar, int], Frame],
        *,
        every_ms: int,
        now_ns: int,
    ) -> None:
        super().__init__(0)
        self._instrument = instrument
        self._window_of = window
        self._encode = encode
        self._every_ns = every_ms * 1_000_000
        self._due_ns = now_ns
        self._window = window(now_ns // 1_000_000_000)

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the candles that closed, and the running one when it is due."""
        frames: list[Frame | None] = []
        window = self._window_of(now_ns // 1_000_000_000)
        if window != self._window:
            frames.append(self._frame(self._window, now_ns))
            self._window = window
        if frames or now_ns >= self._due_ns:
            self._due_ns = now_ns + self._every_ns
            frames.append(self._frame(window, now_ns))
        return [frame for frame in frames if frame is not None]

    def _frame(self, window: tuple[int, int], now_ns: int) -> Frame | None:
        candle = self._instrument.candle(*window, now_ns)
        return None if candle is None else self._encode(self._instrument, candle, now_ns)


def windows_of(length_s: int, first_s: int = 0) -> Callable[[int], tuple[int, int]]:
    """Return the function from a second to its (start, end) in a grid of such lengths. first_s: where one begins; 0 is a Thursday."""

    def window(second: int) -> tuple[int, int]:
        start = (second - first_s) // length_s * length_s + first_s
        return start, start + length_s

    return window


def months(second: int) -> tuple[int, int]:
    """Return the (start, end) of the calendar month, UTC."""
    start = datetime.fromtimestamp(second, UTC).replace(day=1, hour=0, minute=0, second=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return int(start.timestamp()), int(end.timestamp())
