"""What a venue says in the box: its paths, its answers, its topics. Everything else about a box is core's."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final, TypeAlias, final

from msgspec import Struct

from exwire.errors import UsageError
from exwire.loopback.market import Market
from exwire.loopback.session import Hub, Key, Lifetimes, Session
from exwire.loopback.topics import Frame, Topic

__all__ = ["Budget", "RateWindow", "RefusedError", "Reply", "RestHandler", "RestRequest", "Route", "VenueScript", "sample_frames"]


class RestRequest(Struct, frozen=True):
    """An HTTP request.

    path: decoded, without ``rest_base``; parts: what the ``{names}`` of the route's template matched; query: first value of each name;
    headers: names in any case; template: of the route, ``""`` when none matched.
    """

    method: str
    path: str
    template: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now_ns: int


class Reply(Struct, frozen=True):
    """An HTTP answer. body: bytes as they are, anything else as JSON."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = {}


class RefusedError(Exception):
    """A REST request that is not honoured: a handler may raise it instead of returning. reply: what the client gets."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply)


RestHandler: TypeAlias = Callable[[RestRequest], Reply]


class Route(Struct, frozen=True):
    """An endpoint. template: path below ``rest_base``, such as ``/spot/currency_pairs/{pair}``."""

    method: str
    template: str
    handler: RestHandler

    def match(self, path: str) -> dict[str, str] | None:
        """Return the template's parts, None when the path is another's."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


class VenueScript(ABC):
    """One venue's protocol, from the server's side.

    venue: the plugin's name; rest_base: prefix of all REST paths; ws_paths: WebSocket path by market (a slash at its end does not matter);
    lifetimes: when the venue ends a connection; samples: topics worth measuring, by a name for each. market: given by the box before
    anything else is called.
    """

    venue: ClassVar[str]
    rest_base: ClassVar[str] = ""
    ws_paths: ClassVar[Mapping[str, str]]
    lifetimes: ClassVar[Lifetimes] = Lifetimes()
    samples: ClassVar[Mapping[str, Key]] = {}

    market: Market

    def attach(self, market: Market) -> None:
        """Take the market to speak of. Raises UsageError when there is one: each box needs a script of its own."""
        if hasattr(self, "market"):
            raise UsageError(f"this {type(self).__name__} serves another box already; give each box a script of its own")
        self.market = market

    @abstractmethod
    def routes(self) -> Sequence[Route]:
        """Return the REST endpoints; the first that matches wins."""

    @abstractmethod
    def on_message(self, session: Session, frame: Frame, now_ns: int) -> None:
        """Answer what a client sent: ``session.send``, ``subscribe``, ``unsubscribe``, ``close``. frame: ``str`` came as text."""

    @abstractmethod
    def topic(self, key: Key, now_ns: int) -> Topic | None:
        """Return a new topic for the key of a subscription, None when the venue accepts it and then says nothing."""

    def on_open(self, session: Session, now_ns: int) -> None:  # noqa: B027  # most venues say nothing first
        """Greet a client, or ``session.close`` on it."""

    def admit(self, request: RestRequest) -> Reply | None:
        """Return the refusal of a request that matched a route (rate limits, signatures), None to let it in."""
        return None

    def unknown(self, request: RestRequest, status: int) -> Reply:
        """Return the answer to a path nobody knows (404) or with another method (405)."""
        return Reply(b"", status)

    def finish(self, request: RestRequest, reply: Reply) -> Reply:
        """Return the reply with the headers that all have. Called last, refusals included."""
        return reply


class Budget(Struct, frozen=True):
    """What is left in a window. remaining: after this request, never below 0; reset_s: seconds since the epoch when it starts anew."""

    allowed: bool
    remaining: int
    limit: int
    reset_s: int


@final
class RateWindow:
    """So much weight in each window of time, counted apart for each key; a window begins with the first request in it."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self._window_ns = int(window_s * 1e9)
        self._windows: dict[str, tuple[int, int]] = {}

    def spend(self, key: str, now_ns: int, weight: int = 1) -> Budget:
        """Count a request; a refused one costs nothing."""
        start, spent = self._windows.get(key, (now_ns, 0))
        if now_ns - start >= self._window_ns:
            start, spent = now_ns, 0
        allowed = spent + weight <= self.limit
        if allowed:
            spent += weight
        self._windows[key] = (start, spent)
        reset_s = -(-(start + self._window_ns) // 1_000_000_000)
        return Budget(allowed, max(0, self.limit - spent), self.limit, reset_s)


_SAMPLES_START_NS: Final = 1_790_000_000_000_000_000


def sample_frames(script: VenueScript, *, seed: int = 1, seconds: float = 5.0, step_ms: int = 20) -> dict[str, list[Frame]]:
    """Return what each of the script's ``samples`` sends in so much simulated time, without a server: food for benchmarks and fuzzers.

    The same for the same seed. The script is spent: it belongs to the market made here.
    """
    script.attach(Market(seed, _SAMPLES_START_NS))
    hub = Hub(script.topic)
    sessions = {name: Session(hub, f"{n:016x}", "", _SAMPLES_START_NS) for n, name in enumerate(script.samples)}
    for name, key in script.samples.items():
        sessions[name].subscribe(key, _SAMPLES_START_NS)
    for now_ns in _steps(_SAMPLES_START_NS, seconds, step_ms):
        script.market.step(now_ns)
        hub.push(now_ns)
    return {name: list(session.outbox) for name, session in sessions.items()}


def _steps(start_ns: int, seconds: float, step_ms: int) -> Iterable[int]:
    return (start_ns + n * step_ms * 1_000_000 for n in range(1, int(seconds * 1000 / step_ms) + 1))
