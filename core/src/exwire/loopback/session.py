"""Who is connected and what each was promised. Pure: frames go into an outbox, the server carries them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeAlias, final

from msgspec import Struct

from exwire.loopback.topics import Frame, Topic

__all__ = ["Hub", "Key", "Lifetimes", "Session"]

Key: TypeAlias = Hashable
"""How a script names a topic: the venue's own string, or a tuple of what tells it apart."""


class Lifetimes(Struct, frozen=True):
    """When a venue ends a connection; 0: never.

    unsubscribed_s: without a topic; silent_s: with no frame in either direction; total_s: since it was opened; talk_counts: whether a
    frame, a ping too, begins ``unsubscribed_s`` anew; code: of the close frame, 1005 for an empty one, None to abort TCP.
    """

    unsubscribed_s: float = 30.0
    silent_s: float = 60.0
    total_s: float = 0.0
    talk_counts: bool = True
    code: int | None = None


@final
class Session:
    """One client's connection.

    id: 16 hex digits, unique in its box; market: the key of ``VenueScript.ws_paths`` that it came in by; query, headers: of the upgrade
    request; topics: what it is subscribed to, oldest first; notes: the script's own memory of this client; opened_ns, heard_ns, said_ns,
    wanted_ns: since when, when a frame last came in, or went out, and when it was last seen to have a topic.
    """

    def __init__(
        self,
        hub: Hub,
        id: str,
        market: str,
        now_ns: int,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_unread_bytes: int = 4 * 1024 * 1024,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """max_unread_bytes: with more than this waiting, the client is dropped; wake: called when there is something to carry."""
        self.id = id
        self.market = market
        self.query = query or {}
        self.headers = headers or {}
        self.topics: dict[Key, None] = {}
        self.notes: dict[str, object] = {}
        self.opened_ns = self.heard_ns = self.said_ns = self.wanted_ns = now_ns
        self.outbox: deque[Frame] = deque()
        self.closing = False
        self.close_code: int | None = None
        self._hub = hub
        self._max_unread = max_unread_bytes
        self._unread = 0
        self._wake = wake
        hub.sessions[self] = None

    def send(self, frame: Frame, now_ns: int | None = None) -> None:
        """Queue a message; a client that leaves too much unread loses its connection without a word."""
        if self.closing:
            return
        self.said_ns = self.said_ns if now_ns is None else now_ns
        self._unread += len(frame)
        if self._unread > self._max_unread:
            self.close(None)
            return
        self.outbox.append(frame)
        self._wake()

    def next_frame(self) -> Frame | None:
        """Take the next message to carry; None when there is none."""
        if not self.outbox:
            return None
        frame = self.outbox.popleft()
        self._unread -= len(frame)
        return frame

    def subscribe(self, key: Key, now_ns: int) -> bool:
        """Join a topic, which may greet; False when it is subscribed already."""
        return self._hub.join(self, key, now_ns)

    def unsubscribe(self, key: Key) -> bool:
        """Leave a topic; False when it was not subscribed."""
        return self._hub.leave(self, key)

    def close(self, code: int | None) -> None:
        """End the connection: with a close frame after what is queued, or for None by aborting TCP at once."""
        if self.closing and (code is not None or self.close_code is None):
            return
        self.closing, self.close_code = True, code
        if code is None:
            self.outbox.clear()
        self._hub.drop(self)
        self._wake()

    def end(self) -> None:
        """Forget the client: its connection is gone."""
        self.closing = True
        self._hub.drop(self)


class _Stream:
    """A topic that somebody listens to."""

    __slots__ = ("due_ns", "interval_ns", "sessions", "topic")

    def __init__(self, topic: Topic, now_ns: int) -> None:
        self.topic = topic
        self.interval_ns = topic.interval_ms * 1_000_000
        self.due_ns = now_ns + self.interval_ns
        self.sessions: dict[Session, None] = {}


@final
class Hub:
    """All sessions, and the topics that they share. sessions: the open ones, oldest first."""

    def __init__(self, make_topic: Callable[[Key, int], Topic | None]) -> None:
        """make_topic: (key, now_ns) to a topic, None when nothing is ever sent under that key."""
        self.sessions: dict[Session, None] = {}
        self._make_topic = make_topic
        self._streams: dict[Key, _Stream] = {}

    @property
    def keys(self) -> list[Key]:
        """The topics that somebody listens to."""
        return list(self._streams)

    def join(self, session: Session, key: Key, now_ns: int) -> bool:
        """Make a session a subscriber; False when it is one."""
        if key in session.topics:
            return False
        session.topics[key] = None
        stream = self._streams.get(key)
        if stream is None:
            topic = self._make_topic(key, now_ns)
            if topic is None:
                return True
            stream = self._streams[key] = _Stream(topic, now_ns)
        stream.sessions[session] = None
        self._deliver((session,), stream.topic.greet(now_ns), now_ns)
        return True

    def leave(self, session: Session, key: Key) -> bool:
        """Make a session a subscriber no more; False when it was none. A topic without subscribers is forgotten."""
        if key not in session.topics:
            return False
        del session.topics[key]
        stream = self._streams.get(key)
        if stream is not None:
            stream.sessions.pop(session, None)
            if not stream.sessions:
                del self._streams[key]
        return True

    def drop(self, session: Session) -> None:
        """Forget a session and its subscriptions."""
        self.sessions.pop(session, None)
        for key in list(session.topics):
            self.leave(session, key)

    def push(self, now_ns: int) -> None:
        """Let every topic that is due speak."""
        for stream in list(self._streams.values()):
            if now_ns >= stream.due_ns:
                stream.due_ns = max(stream.due_ns + stream.interval_ns, now_ns + stream.interval_ns // 2)
                self._deliver(tuple(stream.sessions), stream.topic.push(now_ns), now_ns)

    def broadcast(self, frame: Frame, now_ns: int, market: str | None = None) -> None:
        """Send to everybody, or to those of one market."""
        for session in tuple(self.sessions):
            if market is None or session.market == market:
                session.send(frame, now_ns)

    def close_overdue(self, now_ns: int, lifetimes: Lifetimes) -> None:
        """End the connections whose time is over."""
        for session in tuple(self.sessions):
            spoken_ns = max(session.heard_ns, session.said_ns)
            if session.topics:
                session.wanted_ns = now_ns
            wanted_ns = max(session.wanted_ns, spoken_ns) if lifetimes.talk_counts else session.wanted_ns
            limits = ((wanted_ns, lifetimes.unsubscribed_s), (spoken_ns, lifetimes.silent_s), (session.opened_ns, lifetimes.total_s))
            if any(0 < limit_s <= (now_ns - since_ns) / 1e9 for since_ns, limit_s in limits):
                session.close(lifetimes.code)

    @staticmethod
    def _deliver(sessions: Iterable[Session], frames: Iterable[Frame], now_ns: int) -> None:
        for frame in frames:
            for session in sessions:
                session.send(frame, now_ns)
