"""Everything exwire raises, in one tree.

::

    ExwireError
    ├── ConfigError (ValueError)           fix it before connecting
    │   └── UnknownNameError               a market, symbol, channel or option nobody knows; names the nearest
    ├── PluginError                        one bad plugin never hides the good ones
    │   ├── PluginNotFoundError
    │   ├── PluginBrokenError
    │   ├── PluginConflictError
    │   └── PluginIncompatibleError
    ├── TransportError                     the network; trying again may help
    │   ├── ConnectError
    │   └── ConnectionLostError
    ├── ProtocolError                      the venue sent what we cannot honour
    │   ├── DecodeError
    │   └── GapError
    ├── VenueError                         the venue said no
    │   ├── AuthError
    │   ├── RateLimitError
    │   └── SubscriptionError
    └── UsageError (RuntimeError)          you called us in the wrong state
        ├── BookNotLiveError               you read a book that says it may not be read
        ├── BookChangedError               you kept a view of a book that has changed
        ├── OutsideBookError               you asked a book for more than is known
        └── OverflowedError                you read a stream more slowly than it fills
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exwire.book import BookState
    from exwire.connector import Handle
    from exwire.subscription import Refusal, Subscription

__all__ = [
    "KEPT_FRAME_BYTES",
    "AuthError",
    "BookChangedError",
    "BookNotLiveError",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "DecodeError",
    "ExwireError",
    "GapError",
    "OutsideBookError",
    "OverflowedError",
    "PluginBrokenError",
    "PluginConflictError",
    "PluginError",
    "PluginIncompatibleError",
    "PluginNotFoundError",
    "ProtocolError",
    "RateLimitError",
    "SubscriptionError",
    "TransportError",
    "UnknownNameError",
    "UsageError",
    "VenueError",
    "nearest",
]

KEPT_FRAME_BYTES = 65_536
"""How much of an undecodable frame a :class:`DecodeError` keeps."""

_SHOWN_BYTES = 120
_REASON_CHARS = 1_000
"""msgspec quotes a bad value whole, and a bad value may be megabytes."""


class ExwireError(Exception):
    """The root: catching it catches everything that exwire raises on purpose."""


class ConfigError(ExwireError, ValueError):
    """A setting or argument is wrong; nothing was sent."""


class UnknownNameError(ConfigError):
    """A name that is not known here.

    what: the kind of name (``"channel"``); name: as given; known: what is valid, nearest first.
    """

    def __init__(self, what: str, name: str, known: Iterable[str], *, venue: str = "") -> None:
        self.what = what
        self.name = name
        self.known = nearest(name, known)
        self.venue = venue
        super().__init__(what, name)

    def __str__(self) -> str:
        where = f"{self.venue}: " if self.venue else ""
        return f"{where}unknown {self.what} {self.name!r}; {_choices(self.known)}"


class PluginError(ExwireError):
    """A plugin could not be used. venue: its entry-point name."""

    def __init__(self, venue: str, reason: str) -> None:
        self.venue = venue
        self.reason = reason
        super().__init__(venue, reason)

    def __str__(self) -> str:
        return f"{self.venue}: {self.reason}"


class PluginNotFoundError(PluginError):
    """No installed plugin has that name. known: the installed venues, nearest first."""

    def __init__(self, venue: str, known: Iterable[str]) -> None:
        self.known = nearest(venue, known)
        super().__init__(venue, f"no such venue is installed; {_choices(self.known)}")


class PluginBrokenError(PluginError):
    """The plugin failed while it was loaded or asked; the reason says how."""


class PluginConflictError(PluginError):
    """Two distributions claim the same venue name; uninstall one of those that the reason names."""


class PluginIncompatibleError(PluginError):
    """The plugin was written for another version of the plugin API."""


class TransportError(ExwireError):
    """The network failed. retryable: whether trying again may help."""

    retryable = True


class ConnectError(TransportError):
    """A connection could not be opened.

    status: HTTP status of a refused upgrade, 0 when there was none; retry_after_s: what its Retry-After asked for, or None.
    """

    def __init__(self, url: str, reason: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        self.url = url
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(url, reason)

    def __str__(self) -> str:
        return f"cannot connect to {self.url}: {self.reason}"


class ConnectionLostError(TransportError):
    """An open connection ended. code: WebSocket close code (1006: no close frame came); reason: the peer's words."""

    def __init__(self, code: int, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(code, reason)

    def __str__(self) -> str:
        return f"connection lost with close code {self.code}" + (f": {self.reason}" if self.reason else "")


class ProtocolError(ExwireError):
    """The venue sent what we cannot honour."""


class DecodeError(ProtocolError):
    """A frame that could not be understood.

    venue: whose; reason: what was expected and what came; frame: a copy of its first 64 KiB; size: its full length in bytes.
    """

    def __init__(self, venue: str, reason: str, frame: bytes = b"") -> None:
        self.venue = venue
        self.reason = reason if len(reason) <= _REASON_CHARS else f"{reason[:_REASON_CHARS]}…"
        self.frame = bytes(frame[:KEPT_FRAME_BYTES])
        self.size = len(frame)
        super().__init__(venue, self.reason)

    def __str__(self) -> str:
        shown = repr(self.frame[:_SHOWN_BYTES])[2:-1]
        more = f"… ({self.size} bytes)" if self.size > _SHOWN_BYTES else ""
        return f"{self.venue}: {self.reason}; received {shown}{more}"


class GapError(ProtocolError):
    """Events between two that a stream delivered are missing.

    symbol: whose, ``"*"`` for all of the stream; reason: why (``"reconnected"``).
    """

    def __init__(self, venue: str, symbol: str, reason: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.reason = reason
        super().__init__(venue, symbol, reason)

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol}: events may be missing here: {self.reason}; read on, the stream continues"


class VenueError(ExwireError):
    """The venue said no. code: its code or label; message: its words; status: HTTP status, 0 for a WebSocket answer."""

    def __init__(self, venue: str, code: str, message: str, *, status: int = 0) -> None:
        self.venue = venue
        self.code = code
        self.message = message
        self.status = status
        super().__init__(venue, code, message)

    def __str__(self) -> str:
        http = f" (HTTP {self.status})" if self.status else ""
        return f"{self.venue} refused with {self.code or 'no code'}{http}: {self.message or 'no message'}"


class AuthError(VenueError):
    """The venue refused the credentials or the signature."""


class RateLimitError(VenueError):
    """The venue asked us to slow down. retry_after_s: how long, None when it did not say."""

    def __init__(self, venue: str, code: str, message: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(venue, code, message, status=status)


class SubscriptionError(VenueError):
    """Some topics were refused or not answered in time; the others stand.

    confirmed: the subscriptions of the call that the venue confirmed; rejected: one :class:`~exwire.subscription.Refusal` for each
    that it did not; handle: holds the confirmed ones when a connector raised this, and closes them.
    """

    handle: Handle | None = None

    def __init__(self, venue: str, confirmed: Sequence[Subscription], rejected: Sequence[Refusal]) -> None:
        self.confirmed = tuple(confirmed)
        self.rejected = tuple(rejected)
        first = self.rejected[0]
        super().__init__(venue, first.code, first.message)

    def __str__(self) -> str:
        listed = "; ".join(f"{r.sub.channel} {r.sub.symbol}: {r.code} {r.message}".rstrip() for r in self.rejected)
        return f"{self.venue}: {len(self.rejected)} refused, {len(self.confirmed)} confirmed: {listed}"


class UsageError(ExwireError, RuntimeError):
    """exwire was called in the wrong state or order."""


class BookNotLiveError(UsageError):
    """The levels of a book were read while it is not LIVE. state, reason: what it is instead, and why."""

    def __init__(self, venue: str, symbol: str, state: BookState, reason: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.state = state
        self.reason = reason
        super().__init__(venue, symbol, state, reason)

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol}: the book is {self.state} and cannot be read: {self.reason}"


class BookChangedError(UsageError):
    """A view of a book's levels was used after the book had changed."""

    def __init__(self, venue: str, symbol: str) -> None:
        self.venue = venue
        self.symbol = symbol
        super().__init__(venue, symbol)

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol}: the book changed since this view was taken; take bids or asks again, or copy with depth()"


class OutsideBookError(UsageError):
    """A book was asked for more than is known of it. reason: what was asked, and how far it is known."""

    def __init__(self, venue: str, symbol: str, reason: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.reason = reason
        super().__init__(venue, symbol, reason)

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol}: {self.reason}"


class OverflowedError(UsageError):
    """A stream with policy ``fail`` was read too slowly and is full; it has ended. maxlen: how many events it holds."""

    def __init__(self, maxlen: int) -> None:
        self.maxlen = maxlen
        super().__init__(maxlen)

    def __str__(self) -> str:
        return f"the stream overflowed its {self.maxlen} places; read faster, raise maxlen, or choose policy latest or drop_oldest"


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names, those most like ``name`` first, the others in alphabetical order."""
    folded: dict[str, list[str]] = {}
    for each in sorted(known):
        folded.setdefault(each.casefold(), []).append(each)  # "1m" and "1M" are two intervals
    close = difflib.get_close_matches(name.casefold(), folded, n=5, cutoff=0.4)
    return tuple(each for key in (*close, *(key for key in folded if key not in close)) for each in folded[key])


def _choices(known: Sequence[str]) -> str:
    if not known:
        return "none is known here"
    shown = ", ".join(known[:8])
    return f"nearest known: {shown}" + (f" and {len(known) - 8} more" if len(known) > 8 else "")
