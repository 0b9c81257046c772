"""The box itself: one port of 127.0.0.1 for WebSocket and REST, driven by a timer or by hand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self, final

import msgspec
from aiohttp import WSMsgType, web

from exwire.config import Endpoints
from exwire.errors import UsageError
from exwire.loopback.market import LISTINGS, Listing, Market
from exwire.loopback.script import RefusedError, Reply, RestRequest, Route, VenueScript
from exwire.loopback.session import Hub, Session
from exwire.loopback.topics import Frame

__all__ = ["HOST", "Loopback"]

HOST: Final = "127.0.0.1"

_CLOSE_S: Final = 0.5
"""How long a client may take to answer a close frame."""

_MAX_UNKNOWN: Final = 1_000
_UNWATCHED_STEP_S: Final = 0.1
"""How often the market moves while no socket is open; a REST request brings it up to date itself."""

_EMPTY_CLOSE: Final = 1005
_GOING_AWAY: Final = 1001


@final
class Loopback:
    """An exchange in a box, used with ``async with``.

    ::

        async with Loopback(script) as box, exwire.connect(script.venue, endpoints=box.endpoints) as connector:
            ...

    market: the simulation; script: the venue's; unknown_paths: ``"METHOD path"`` of requests that nothing answers to (the first 1,000).
    """

    def __init__(
        self,
        script: VenueScript,
        *,
        seed: int = 1,
        port: int = 0,
        step_ms: int = 20,
        manual: bool = False,
        clock: Callable[[], int] = time.time_ns,
        activity: float = 1.0,
        listings: Iterable[Listing] = LISTINGS,
        max_unread_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        """port: 0 for a free one; step_ms: how often the market moves and topics may speak, which costs 3 % of a core at 20 and 5 % at 10.

        manual: no timer; time stands still, begins at what ``clock`` (ns since the epoch) says now, and goes on with ``tick``. activity:
        multiplies the rate of orders; max_unread_bytes: a client that leaves more than this unread is dropped.
        """
        self.script = script
        self.unknown_paths: list[str] = []
        self._port = port
        self._step_ms = step_ms
        self._manual = manual
        self._clock = clock
        self._manual_ns = clock()
        self._max_unread = max_unread_bytes
        self._rng = random.Random(seed)  # noqa: S311  # connection names, to be told apart and not to be guarded
        self.market = Market(seed, self._manual_ns, listings, activity)
        script.attach(self.market)
        self._hub = Hub(script.topic)
        self._routes: tuple[Route, ...] = tuple(script.routes())
        self._ws_paths = {path.rstrip("/"): market for market, path in script.ws_paths.items()}
        self._paused = False
        self._runner: web.AppRunner | None = None
        self._timer: asyncio.Task[None] | None = None
        self._gone: dict[Session, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise UsageError("this box is open already")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self._port).start()
        except OSError:
            await self._runner.cleanup()
            self._runner = None
            raise
        self._port = int(self._runner.addresses[0][1])
        if not self._manual:
            self._timer = asyncio.create_task(self._run(), name=f"exwire box of {self.script.venue}")
        return self

    async def __aexit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """End every connection and the server. Raises what the timer failed with, if it did: a script's mistake."""
        runner, timer = self._runner, self._timer
        self._runner = self._timer = None
        if runner is None:
            return
        if timer is not None:
            timer.cancel()
            await asyncio.wait({timer})
        await self.drop_connections(_GOING_AWAY)
        await runner.cleanup()
        if timer is not None and not timer.cancelled():
            timer.result()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def endpoints(self) -> Endpoints:
        """The URLs to give to a client."""
        return Endpoints(
            rest=f"http://{HOST}:{self._port}{self.script.rest_base}",
            ws={market: f"ws://{HOST}:{self._port}{path}" for market, path in self.script.ws_paths.items()},
        )

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The open connections, oldest first."""
        return tuple(self._hub.sessions)

    @property
    def now_ns(self) -> int:
        """The venue's time."""
        return self._manual_ns if self._manual else self._clock()

    async def tick(self, steps: int = 1) -> None:
        """Let time go on by so many steps. Raises UsageError in a box that has a timer."""
        if not self._manual:
            raise UsageError("only a box made with manual=True is ticked by hand")
        for _ in range(steps):
            self._manual_ns += self._step_ms * 1_000_000
            self._step(self._manual_ns)
        await asyncio.sleep(0)

    def pause_market(self) -> None:
        """Let nothing happen in the market; time, connections and periodic topics go on."""
        self._paused = True

    def resume_market(self) -> None:
        """Let the market go on from where it was paused."""
        self._paused = False

    def broadcast(self, frame: Frame, market: str | None = None) -> None:
        """Send a message to every client, or to those of one market."""
        self._hub.broadcast(frame, self.now_ns, market)

    async def drop_connections(self, code: int | None = None) -> None:
        """End all connections and wait until they are gone. code: of the close frame, 1005 for an empty one, None to abort TCP."""
        gone = [asyncio.ensure_future(each.wait()) for each in self._gone.values()]
        for session in tuple(self._gone):
            session.close(code)
        if not gone:
            return
        _, late = await asyncio.wait(gone, timeout=2 * _CLOSE_S)
        if late:  # it neither reads nor answers
            for session in tuple(self._gone):
                session.close(None)
            await asyncio.wait(late)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while True:
                step_s = self._step_ms / 1000 if self._hub.sessions else max(self._step_ms / 1000, _UNWATCHED_STEP_S)
                due = max(due + step_s, loop.time())
                await asyncio.sleep(due - loop.time())
                self._step(self._clock())
        finally:  # clients of a box that failed are not left waiting
            for session in self.sessions:
                session.close(_GOING_AWAY)

    def _move_market(self, now_ns: int) -> None:
        if not self._paused:
            self.market.step(now_ns)

    def _step(self, now_ns: int) -> None:
        self._move_market(now_ns)
        self._hub.push(now_ns)
        self._hub.close_overdue(now_ns, self.script.lifetimes)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        market = self._ws_paths.get(request.path.rstrip("/"))
        if market is not None and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request, market)
        asked = await self._rest_request(request)
        self._move_market(asked.now_ns)
        reply = self.script.finish(asked, self._answer(asked))
        is_raw = isinstance(reply.body, bytes)
        return web.Response(
            body=reply.body if is_raw else msgspec.json.encode(reply.body),
            status=reply.status,
            headers=dict(reply.headers),
            content_type=None if is_raw or "Content-Type" in reply.headers else "application/json",
        )

    async def _rest_request(self, request: web.Request) -> RestRequest:
        base = self.script.rest_base
        inside = request.path.startswith(f"{base}/")
        path = request.path.removeprefix(base) if inside else request.path
        template, parts = "", {}
        for route in self._routes if inside else ():
            found = route.match(path)
            if found is not None:
                template, parts = route.template, found
                break
        query = {name: request.query[name] for name in request.query}
        return RestRequest(request.method, path, template, parts, query, request.headers, await request.read(), self.now_ns)

    def _answer(self, request: RestRequest) -> Reply:
        route = next((each for each in self._routes if each.template == request.template and each.method == request.method), None)
        if route is None:
            if len(self.unknown_paths) < _MAX_UNKNOWN:
                self.unknown_paths.append(f"{request.method} {request.path}")
            return self.script.unknown(request, 405 if request.template else 404)
        try:
            return self.script.admit(request) or route.handler(request)
        except RefusedError as exc:
            return exc.reply

    async def _serve_socket(self, request: web.Request, market: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=_CLOSE_S, autoping=False, compress=False)
        await socket.prepare(request)
        ready = asyncio.Event()
        transport = request.transport

        def wake() -> None:
            if session.closing and session.close_code is None and transport is not None:
                transport.abort()
            ready.set()

        session = Session(
            self._hub,
            f"{self._rng.getrandbits(64):016x}",
            market,
            self.now_ns,
            query={name: request.query[name] for name in request.query},
            headers=request.headers,
            max_unread_bytes=self._max_unread,
            wake=wake,
        )
        gone = self._gone[session] = asyncio.Event()
        carrier = asyncio.create_task(_carry(session, socket, ready))
        try:
            self.script.on_open(session, self.now_ns)
            await self._listen(session, socket)
        finally:
            if session.close_code is None:
                carrier.cancel()
            session.end()
            await asyncio.wait({carrier})
            del self._gone[session]
            gone.set()
        return socket

    async def _listen(self, session: Session, socket: web.WebSocketResponse) -> None:
        while True:
            message = await socket.receive()
            session.heard_ns = self.now_ns
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                if not session.closing:
                    self.script.on_message(session, message.data, session.heard_ns)
            elif message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                return


async def _carry(session: Session, socket: web.WebSocketResponse, ready: asyncio.Event) -> None:
    """Take messages from a session to its socket until it is closed."""
    try:
        while not session.closing or session.outbox:
            await ready.wait()
            ready.clear()
            while (frame := session.next_frame()) is not None:
                if isinstance(frame, str):
                    await socket.send_str(frame)
                else:
                    await socket.send_bytes(frame)
        if session.close_code == _EMPTY_CLOSE:
            await socket.send_frame(b"", WSMsgType.CLOSE)
        elif session.close_code is not None:
            await socket.close(code=session.close_code)
    except ConnectionError:
        return  # the client is gone; who listens to it learns that too
