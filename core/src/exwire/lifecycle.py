"""What happens to connections and topics, as data, in order with the events themselves."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from exwire.book import BookState
from exwire.subscription import Refusal, Subscription

__all__ = [
    "BookInvalid",
    "BookLive",
    "Connected",
    "Discarded",
    "Disconnected",
    "Gap",
    "Lifecycle",
    "Notice",
    "Rejected",
    "Subscribed",
    "Undecodable",
]


class Connected(Struct, frozen=True, tag_field="type", tag="connected"):
    """A connection is open and, where the venue wants it, logged in. url: without its query; opens: 1 for the first time."""

    venue: str
    url: str
    opens: int


class Subscribed(Struct, frozen=True, tag_field="type", tag="subscribed"):
    """The venue confirmed topics, for the first time or again after a reconnect."""

    venue: str
    subs: tuple[Subscription, ...]


class Rejected(Struct, frozen=True, tag_field="type", tag="rejected"):
    """The venue refused topics that it had confirmed before a reconnect; nobody receives them any more."""

    venue: str
    refusals: tuple[Refusal, ...]


class Gap(Struct, frozen=True, tag_field="type", tag="gap"):
    """Events of a symbol may be missing between the one before and the one after. symbol ``"*"``: of every symbol on the stream.

    from_id, to_id: the update ids of a book that are missing, both inclusive, 0 where no ids tell.
    """

    venue: str
    symbol: str
    reason: str
    from_id: int = 0
    to_id: int = 0


class BookInvalid(Struct, frozen=True, tag_field="type", tag="book_invalid"):
    """A book may not be read any more, or could not be built.

    state: ``syncing``: it is being repaired; ``invalid``: that does not succeed and is tried more and more rarely; last_id: the venue's
    update id that it stood at when it was LIVE; live_s: how long it had been LIVE, 0.0 when it was not.
    """

    venue: str
    symbol: str
    state: BookState
    reason: str
    last_id: int
    live_s: float


class BookLive(Struct, frozen=True, tag_field="type", tag="book_live"):
    """A book may be read, for the first time or again. last_id: the venue's update id that it is at; not_live_s: how long it could not."""

    venue: str
    symbol: str
    last_id: int
    not_live_s: float


class Discarded(Struct, frozen=True, tag_field="type", tag="discarded"):
    """A stream was read more slowly than it filled and threw away older events, by its policy. count: since it last said so."""

    venue: str
    count: int


class Undecodable(Struct, frozen=True, tag_field="type", tag="undecodable"):
    """A frame could not be understood and was dropped. reason: what was expected and what came; count: of this connection so far."""

    venue: str
    reason: str
    count: int


class Notice(Struct, frozen=True, tag_field="type", tag="notice"):
    """The venue announced something. kind: its word (``upgrade``); message: its text."""

    venue: str
    kind: str
    message: str


class Disconnected(Struct, frozen=True, tag_field="type", tag="disconnected"):
    """A connection ended or did not open. code: WebSocket close code, 0 when it never opened; retry_in_s: None: it stays down."""

    venue: str
    code: int
    reason: str
    retry_in_s: float | None


Lifecycle: TypeAlias = Connected | Subscribed | Rejected | Gap | BookInvalid | BookLive | Discarded | Undecodable | Notice | Disconnected
