"""From a frame to a callback: the template every venue's handler follows.

``feed`` counts, times a sample and contains errors; ``_handle_message`` is the venue's, synchronous and direct. A venue composes one of
these with its mixins::

    class AcmeSpotPublicHandler(AcmeConnectionMixin, NoAuthMixin, AcmeSubscriptionMixin, PublicMessageHandler): ...
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import ClassVar

from exwire.errors import DecodeError
from exwire.lifecycle import Notice
from exwire.metrics import Histogram
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Ticker, Trade
from exwire.subscription import Ack, Pong

__all__ = ["AnySymbol", "BaseMessageHandler", "PrivateMessageHandler", "PublicMessageHandler", "ignore"]

_log = logging.getLogger("exwire")

_SAMPLE_MASK = 63
"""One frame in 64 is timed: two clock reads and a histogram add cost 0.4 µs, as much as the rest of the template."""

_KEPT_ERRORS = 16


def ignore(_: object) -> None:
    """The callback that nobody set."""


class AnySymbol(dict[str, str]):
    """A symbol map that knows every symbol by its form: for reading frames without a subscription."""

    def __init__(self, symbol: Callable[[str], str]) -> None:
        super().__init__()
        self._symbol = symbol

    def __missing__(self, venue_symbol: str) -> str:
        try:
            return self._symbol(venue_symbol)
        except ValueError:
            raise KeyError(venue_symbol) from None


class BaseMessageHandler(ABC):
    """One kind of connection of one venue: what it does with a frame.

    symbols: the venue's spelling → unified symbol, of the topics subscribed on this connection; the interface keeps it. Rows of other
    symbols are counted in ``outside`` and dropped. errors: the last 16 frames that could not be understood.
    """

    __slots__ = (
        "callback_errors",
        "decode_errors",
        "errors",
        "frames",
        "handling",
        "on_ack",
        "on_error",
        "on_login",
        "on_notice",
        "on_pong",
        "outside",
        "symbols",
    )

    venue: ClassVar[str]
    market: ClassVar[str]

    def __init__(self) -> None:
        self.symbols: dict[str, str] = {}
        self.frames = 0
        self.outside = 0
        self.decode_errors = 0
        self.callback_errors = 0
        self.errors: deque[DecodeError] = deque(maxlen=_KEPT_ERRORS)
        self.handling = Histogram()
        self.on_ack: Callable[[Ack], object] = ignore
        self.on_login: Callable[[Ack], object] = ignore
        self.on_pong: Callable[[int], object] = ignore
        """Gets the venue's own time of the pong, ns, 0 when it has none."""
        self.on_notice: Callable[[Notice], object] = ignore
        self.on_error: Callable[[DecodeError], object] = ignore

    def feed(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        """Take one frame to its callback. Nothing comes out: what fails is counted, kept or logged, and the next frame is welcome."""
        self.frames = n = self.frames + 1
        started = 0 if n & _SAMPLE_MASK else perf_counter_ns()
        try:
            self._handle_message(frame, is_text, ts_recv)
        except DecodeError as error:
            self._undecodable(error)
        except Exception:  # noqa: BLE001 - the border to the user's callback
            self._callback_failed()
        if started:
            self.handling.add(perf_counter_ns() - started)

    @abstractmethod
    def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None:
        """Decode a frame and call back. ts_recv: ns. Raises DecodeError, and whatever the callback raises."""

    def hear(self, control: Ack | Pong | Notice) -> None:
        """Give a control message to the callback for it; a venue's ``_handle_message`` calls this for every frame that is no data."""
        if isinstance(control, Ack):
            self.on_ack(control)
        elif isinstance(control, Pong):
            self.on_pong(control.ts_event)
        else:
            self.on_notice(control)

    def _undecodable(self, error: DecodeError) -> None:
        self.decode_errors += 1
        error.__traceback__ = error.__cause__ = error.__context__ = None  # their frames would keep the whole message alive
        self.errors.append(error)
        self.on_error(error)

    def _callback_failed(self) -> None:
        """Report the exception being handled: the 1st, 2nd, 4th, 8th … time, so that a broken callback does not flood the log."""
        self.callback_errors = n = self.callback_errors + 1
        if not n & (n - 1):
            _log.exception("%s %s: a callback raised (%d so far); the stream goes on", self.venue, self.market, n)


class PublicMessageHandler(BaseMessageHandler):
    """Market data. Every callback is a plain function of one event and does nothing until it is set."""

    __slots__ = ("on_book_delta", "on_book_snapshot", "on_book_ticker", "on_candle", "on_ticker", "on_trade")

    def __init__(self) -> None:
        super().__init__()
        self.on_trade: Callable[[Trade], object] = ignore
        self.on_book_ticker: Callable[[BookTicker], object] = ignore
        self.on_book_snapshot: Callable[[BookSnapshot], object] = ignore
        self.on_book_delta: Callable[[BookDelta], object] = ignore
        self.on_ticker: Callable[[Ticker], object] = ignore
        self.on_candle: Callable[[Candle], object] = ignore


class PrivateMessageHandler(BaseMessageHandler):
    """The account's own orders, fills and balances. Its callbacks come with the venues' private streams."""

    __slots__ = ()
