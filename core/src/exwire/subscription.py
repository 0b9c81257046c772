"""What was asked for and what the venue confirmed.

``Ledger`` is one connection's wire state, ``Demand`` the whole connector's: who wants a topic and which connection carries it. Both are
pure: no clock, no socket, no task.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Generic, TypeVar, final

from msgspec import Struct

from exwire.errors import UsageError

__all__ = [
    "ALL",
    "Ack",
    "Answer",
    "Channel",
    "Demand",
    "Ledger",
    "Pong",
    "Refusal",
    "Request",
    "Route",
    "Subscription",
    "TopicState",
]


class Channel(StrEnum):
    """A kind of data."""

    TRADES = "trades"
    BOOK_TICKER = "book_ticker"
    BOOK = "book"
    BOOK_SNAPSHOT = "book_snapshot"
    TICKER = "ticker"
    CANDLES = "candles"
    ORDERS = "orders"
    EXECUTIONS = "executions"
    BALANCES = "balances"


ALL: Final = "*"
"""The symbol that stands for every symbol, where a venue has one topic for them all."""

Route = tuple[str, str, str]
"""What tells one topic's events from another's on one connection: (kind of event, symbol, candle interval)."""


class Subscription(Struct, frozen=True):
    """A channel of one symbol. params: the venue's variants, such as ``(("interval", "1m"),)``, sorted by name."""

    channel: Channel
    symbol: str
    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, channel: Channel, symbol: str, params: Mapping[str, object] | None = None) -> Subscription:
        """Return a subscription with its params as sorted text."""
        return cls(channel, symbol, tuple(sorted((name, str(value)) for name, value in (params or {}).items())))

    def param(self, name: str, default: str = "") -> str:
        """Return a param's value, ``default`` when it is not set."""
        return next((value for each, value in self.params if each == name), default)

    @property
    def route(self) -> Route:
        """Both book channels deliver snapshots, so they share one kind; candles are told apart by their interval."""
        kind = Channel.BOOK if self.channel is Channel.BOOK_SNAPSHOT else self.channel
        return (kind.value, self.symbol, self.param("interval") if self.channel is Channel.CANDLES else "")


class Request(Struct, frozen=True):
    """A frame to send, and what it asks.

    id: as written into the frame, unique on its connection; topics: the venue's string of each subscription in ``subs``, same order;
    subscribe: False when the frame unsubscribes.
    """

    id: int
    frame: bytes
    subs: tuple[Subscription, ...] = ()
    topics: tuple[str, ...] = ()
    subscribe: bool = True


class Ack(Struct, frozen=True):
    """A venue's answer to one request.

    id: the request's, None when the answer carries none; topics: those that the answer itself names as accepted or refused, ``()`` when
    it speaks of the request as a whole; code, message: the venue's words; leaving: it can only be the answer to an unsubscription.
    """

    id: int | None
    ok: bool
    topics: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    leaving: bool = False


class Pong(Struct, frozen=True):
    """A venue's answer to its own ping message. ts_event: its clock, ns, 0 when it does not say."""

    ts_event: int = 0


class Refusal(Struct, frozen=True):
    """One subscription that the venue did not confirm. code: the venue's, or ``timeout``, ``closed``."""

    sub: Subscription
    code: str
    message: str


class Answer(Struct, frozen=True):
    """What an ack settled.

    confirmed, rejected: subscriptions whose fate is now known; halves: batches to send again, because a venue refused a frame without
    saying which of its topics was bad; removed: subscriptions whose unsubscription is settled.
    """

    confirmed: tuple[Subscription, ...] = ()
    rejected: tuple[Refusal, ...] = ()
    halves: tuple[tuple[Subscription, ...], ...] = ()
    removed: tuple[Subscription, ...] = ()


class TopicState(StrEnum):
    """Where a wanted topic stands on its connection.

    wanted → sent → confirmed → live; data may overtake the ack (sent → live); a lost connection takes all back to wanted.
    """

    WANTED = "wanted"
    SENT = "sent"
    CONFIRMED = "confirmed"
    LIVE = "live"


_NOTHING = Answer()


@final
class Ledger:
    """The wire state of one connection's topics. Order of asking is kept: that is the order of a replay."""

    __slots__ = ("_pending", "_routes", "_states", "unmatched")

    def __init__(self) -> None:
        self._states: dict[Subscription, TopicState] = {}
        self._routes: dict[Route, Subscription] = {}
        self._pending: dict[int, _Pending] = {}
        self.unmatched = 0
        """Answers that belonged to no pending request: late, repeated or foreign ones."""

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, sub: Subscription) -> bool:
        return sub in self._states

    def state(self, sub: Subscription) -> TopicState | None:
        """Return where the topic stands, None when it is not wanted."""
        return self._states.get(sub)

    def states(self) -> Mapping[Subscription, TopicState]:
        """Return every wanted topic with its state, in the order they were asked for (a copy)."""
        return dict(self._states)

    def check(self, subs: Iterable[Subscription]) -> None:
        """Raise UsageError when the events of two variants could not be told apart on this connection (book depth 20 and 50)."""
        routes = dict(self._routes)
        for sub in subs:
            other = _clashing(sub, routes)
            routes[sub.route] = sub
            if other is not None and other != sub:
                raise UsageError(
                    f"{sub.symbol}: {sub.channel} {dict(sub.params)} cannot share a connection with {other.channel} {dict(other.params)}, "
                    "their events look alike; use a second connection"
                )

    def want(self, subs: Iterable[Subscription]) -> list[Subscription]:
        """Add topics; return those that are new and have to be sent."""
        subs = list(subs)
        self.check(subs)
        new = [sub for sub in dict.fromkeys(subs) if sub not in self._states]
        for sub in new:
            self._states[sub] = TopicState.WANTED
            self._routes[sub.route] = sub
        return new

    def drop(self, subs: Iterable[Subscription]) -> list[Subscription]:
        """Stop wanting topics; return those that the venue has to be told about."""
        told = []
        for sub in subs:
            state = self._states.pop(sub, None)
            if state is None:
                continue
            self._routes.pop(sub.route, None)
            if state is not TopicState.WANTED:
                told.append(sub)
        for pending in self._pending.values():
            if pending.request.subscribe:  # its answer, which may come late, must not settle a later question
                pending.open = {topic: sub for topic, sub in pending.open.items() if sub in self._states}
        return told

    def unsent(self) -> list[Subscription]:
        """Return the wanted topics that were not sent on this connection yet."""
        return [sub for sub, state in self._states.items() if state is TopicState.WANTED]

    def sent(self, request: Request) -> None:
        """Note that a request went out. Its answer is matched by id, or by the topics it names."""
        if request.subs:
            self._pending[request.id] = _Pending(request, dict(zip(request.topics, request.subs, strict=True)))
        if request.subscribe:
            for sub in request.subs:
                if sub in self._states:
                    self._states[sub] = TopicState.SENT

    def answer(self, ack: Ack) -> Answer:
        """Settle what the ack answers. An ack that matches nothing is counted in ``unmatched`` and settles nothing."""
        pending = self._match(ack)
        whole = not ack.topics
        named = [] if pending is None else [topic for topic in (ack.topics or pending.open) if topic in pending.open]
        if pending is None or (not named and not whole) or (ack.leaving and pending.request.subscribe):
            self.unmatched += 1
            return _NOTHING
        subs = [pending.open[topic] for topic in named]
        if not ack.ok and whole and len(subs) > 1 and pending.request.subscribe:
            del self._pending[pending.request.id]
            middle = len(subs) // 2
            return Answer(halves=tuple(self._rewant(half) for half in (subs[:middle], subs[middle:])))
        for topic in named:
            del pending.open[topic]
        if not pending.open:
            del self._pending[pending.request.id]
        if not pending.request.subscribe:
            return Answer(removed=tuple(subs))
        if ack.ok:
            return Answer(confirmed=tuple(sub for sub in subs if self._advance(sub, TopicState.CONFIRMED)))
        wanted = [sub for sub in subs if sub in self._states]
        self.drop(wanted)
        return Answer(rejected=tuple(Refusal(sub, ack.code, ack.message) for sub in wanted))

    def live(self, sub: Subscription) -> bool:
        """Note the first event of a topic; True when that also confirms it, because data overtook the ack."""
        before = self._states.get(sub)
        return self._advance(sub, TopicState.LIVE) and before is TopicState.SENT

    def lost(self) -> None:
        """Forget what the lost connection knew: every wanted topic has to be sent again, every pending answer is void."""
        self._pending.clear()
        for sub in self._states:
            self._states[sub] = TopicState.WANTED

    def _match(self, ack: Ack) -> _Pending | None:
        if ack.id is not None and ack.id in self._pending:
            return self._pending[ack.id]
        return next((each for each in self._pending.values() if any(topic in each.open for topic in ack.topics)), None)

    def _advance(self, sub: Subscription, state: TopicState) -> bool:
        """Move a wanted topic on; LIVE is never taken back to CONFIRMED by an ack that comes late."""
        if sub not in self._states:
            return False
        if self._states[sub] is not TopicState.LIVE:
            self._states[sub] = state
        return True

    def _rewant(self, subs: Sequence[Subscription]) -> tuple[Subscription, ...]:
        wanted = tuple(sub for sub in subs if sub in self._states)
        for sub in wanted:
            self._states[sub] = TopicState.WANTED
        return wanted


def _clashing(sub: Subscription, routes: Mapping[Route, Subscription]) -> Subscription | None:
    """Return a topic whose events could not be told from this one's."""
    kind, symbol, interval = sub.route
    if symbol == ALL:
        return next((other for (its_kind, _, _), other in routes.items() if its_kind == kind), None)
    return routes.get(sub.route) or routes.get((kind, ALL, interval))


class _Pending:
    """A request whose answer is awaited. open: the topics still to be settled."""

    __slots__ = ("open", "request")

    def __init__(self, request: Request, topics: dict[str, Subscription]) -> None:
        self.request = request
        self.open = topics


S = TypeVar("S", bound=Hashable)


@final
class Demand(Generic[S]):
    """Who wants a topic, and which connection (``S``) carries it. References are opaque; a topic lives while it has one."""

    __slots__ = ("_places", "_refs", "_used")

    def __init__(self) -> None:
        self._refs: dict[Subscription, set[Hashable]] = {}
        self._places: dict[Subscription, S] = {}
        self._used: dict[S, dict[Route, Subscription]] = {}

    def __len__(self) -> int:
        return len(self._refs)

    def __contains__(self, sub: Subscription) -> bool:
        return sub in self._refs

    def add(self, sub: Subscription, ref: Hashable) -> bool:
        """Add a reference; True when it is the topic's first."""
        refs = self._refs.setdefault(sub, set())
        refs.add(ref)
        return len(refs) == 1

    def remove(self, sub: Subscription, ref: Hashable) -> bool:
        """Take a reference back; True when it was the topic's last."""
        refs = self._refs.get(sub)
        if refs is None or ref not in refs:
            return False
        refs.remove(ref)
        if not refs:
            del self._refs[sub]
        return not refs

    def place(self, sub: Subscription, connections: Iterable[S], limit: int, new: Callable[[], S]) -> S:
        """Return the connection that carries the topic; a topic not placed yet goes to the first with room, else to ``new()``.

        limit: topics a connection. Topics whose events look alike never share one.
        """
        if sub in self._places:
            return self._places[sub]
        for connection in connections:
            used = self._used.setdefault(connection, {})
            if len(used) < limit and _clashing(sub, used) is None:
                break
        else:
            connection = new()
            used = self._used.setdefault(connection, {})
        used[sub.route] = sub
        self._places[sub] = connection
        return connection

    def at(self, sub: Subscription) -> S | None:
        """Return the connection that carries the topic, None when it is not placed."""
        return self._places.get(sub)

    def forget(self, sub: Subscription) -> None:
        """Take every reference back: the venue will not serve the topic any more."""
        self._refs.pop(sub, None)
        self.release(sub)

    def held(self, sub: Subscription, ref: Hashable) -> bool:
        """Return whether the reference is there."""
        return ref in self._refs.get(sub, ())

    def topics(self, connection: S) -> list[Subscription]:
        """Return the topics that a connection carries."""
        return list(self._used.get(connection, {}).values())

    def load(self, connection: S) -> int:
        """Return how many topics a connection carries."""
        return len(self._used.get(connection, {}))

    def release(self, sub: Subscription) -> None:
        """Give the topic's place back."""
        connection = self._places.pop(sub, None)
        if connection is not None:
            used = self._used[connection]
            del used[sub.route]
            if not used:
                del self._used[connection]
