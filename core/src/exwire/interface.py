"""One connection of one venue, kept alive: it opens, subscribes, pings, reconnects, and asks the handler how.

Frames go from the transport to the handler in one synchronous call; what is written here runs beside them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from itertools import count
from math import inf
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any, Final, final

from exwire.config import Sign
from exwire.contracts import AuthMixin, ConnectionContext, ConnectionMixin, ErrorKind, SubscriptionMixin
from exwire.discovery import check_handler
from exwire.errors import (
    ConfigError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    ExwireError,
    PluginBrokenError,
    SubscriptionError,
    UsageError,
)
from exwire.handlers import BaseMessageHandler, ignore
from exwire.lifecycle import Connected, Disconnected, Lifecycle, Notice, Rejected, Subscribed, Undecodable
from exwire.metrics import ConnectionMetrics
from exwire.pacing import TokenBucket
from exwire.reconnect import Backoff
from exwire.subscription import ALL, Ack, Ledger, Refusal, Request, Subscription, TopicState

if TYPE_CHECKING:
    from exwire.transport import Transport

__all__ = ["BaseWebSocketInterface"]

_log = logging.getLogger("exwire")

_RATE_LIMITED_PAUSE_S: Final = 5.0
"""The least pause after a refusal for being too fast, where the venue did not say how long."""

_SETTLED = (TopicState.CONFIRMED, TopicState.LIVE)


class BaseWebSocketInterface:
    """One supervised WebSocket connection.

    handler: says what to send and takes every frame; set its callbacks (``handler.on_trade = …``) before or after connecting.
    transport: the socket; urls: instead of the handler's own.

    on_lifecycle: called with every :data:`~exwire.lifecycle.Lifecycle` event, in order with the data.
    """

    def __init__(self, handler: BaseMessageHandler, *, transport: Transport, urls: Sequence[str] = (), sign: Sign | None = None) -> None:
        if not isinstance(handler, ConnectionMixin) or not isinstance(handler, AuthMixin) or not isinstance(handler, SubscriptionMixin):
            raise ConfigError(f"{type(handler).__name__} cannot be a connection: it {'; it '.join(check_handler(type(handler)))}")
        self.handler: BaseMessageHandler = handler
        self.venue = handler.venue
        self.on_lifecycle: Callable[[Lifecycle], object] = ignore
        self._connection: ConnectionMixin = handler
        self._subscriptions: SubscriptionMixin = handler
        self._transport = transport
        self._urls = tuple(urls)
        self._sign = sign
        self._context = self._ask_context()
        self._ledger = Ledger()
        self._ids = count(1)
        limits = self._context.limits
        self._bucket = TokenBucket(limits.frames_per_s, limits.burst)
        self._backoff = Backoff(handler.reconnection_policy())
        self._leaving: deque[Subscription] = deque()
        self._halves: deque[tuple[Subscription, ...]] = deque()
        self._wake = asyncio.Event()
        self._waiters: list[_Waiter] = []
        self._held: set[Subscription] = set()
        self._pongs: deque[asyncio.Future[None]] = deque()
        self._receiver: _Receiver | None = None
        self._task: asyncio.Task[None] | None = None
        self._terminal: ExwireError | None = None
        self._opens = 0
        self._closing = False
        handler.on_ack = self._on_ack
        handler.on_pong = self._on_pong
        handler.on_notice = self._on_notice
        handler.on_error = self._on_error

    @property
    def connected(self) -> bool:
        """Whether a socket is open now."""
        return self._receiver is not None

    @property
    def ended(self) -> ExwireError | None:
        """What ended the connection for good, None while it lives or after ``close``."""
        return self._terminal

    @property
    def context(self) -> ConnectionContext:
        """What the connection was opened with, or will be."""
        return self._context

    def states(self) -> dict[Subscription, TopicState]:
        """Return every wanted topic with its state, in the order they were asked for."""
        return dict(self._ledger.states())

    def metrics(self) -> ConnectionMetrics:
        """Return the counters as they stand."""
        handler = self.handler
        return ConnectionMetrics(
            frames=handler.frames,
            decode_errors=handler.decode_errors,
            callback_errors=handler.callback_errors,
            outside=handler.outside,
            unmatched_acks=self._ledger.unmatched,
            opens=self._opens,
            handling_p50_ns=handler.handling.quantile(0.5),
            handling_p99_ns=handler.handling.quantile(0.99),
        )

    async def connect(self) -> None:
        """Open the connection and keep it: from here on it reconnects by itself, until ``close``.

        Raises ConnectError when the first attempt fails, UsageError when called twice.
        """
        if self._task is not None or self._closing:
            raise UsageError(f"{self.venue}: this connection was opened or closed before; create another one")
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._supervise(opened), name=f"exwire {self.venue} connection")
        self._task.add_done_callback(lambda _: self._finish(opened))
        try:
            await asyncio.shield(opened)
        except BaseException:
            await self.close()
            raise

    async def run(self) -> None:
        """Wait until ``close``, connecting first if need be. Raises the error that ended the connection for good, if one did."""
        if self._task is None:
            await self.connect()
        task = self._task
        if task is not None:
            await asyncio.wait([task])
        if self._terminal is not None:
            raise self._terminal

    async def subscribe(self, subs: Sequence[Subscription], *, timeout_s: float = 10.0) -> None:
        """Ask for topics; returns when the venue has confirmed every one of them.

        Raises SubscriptionError naming those it refused or did not answer within ``timeout_s`` (they are no longer wanted; the others
        stay), ConfigError for what the venue does not offer, UsageError before ``connect`` or after the end. A lost connection does not
        fail the call: its topics are asked for again on the next one. For a topic of all symbols, fill ``handler.symbols`` first.
        """
        self._require_running()
        subs = list(dict.fromkeys(self._subscriptions.resolve(sub) for sub in subs))
        new = self._ledger.want(subs)
        for sub in new:
            if sub.symbol == ALL:
                continue  # which symbols there are, only the caller can know
            self.handler.symbols[self._subscriptions.venue_symbol(sub.symbol)] = sub.symbol
        waiter = _Waiter(sub for sub in subs if self._ledger.state(sub) not in _SETTLED)
        try:
            await self._settle(waiter, timeout_s)
        except BaseException:
            self._leave(self._unshared(sub for sub in new if sub in waiter.open))
            raise
        if waiter.open:
            self._leave(self._unshared(sub for sub in waiter.open if sub not in self._held))
            waiter.refused += [Refusal(sub, "timeout", f"no answer within {timeout_s:g} s") for sub in waiter.open]
        if waiter.refused:
            refused = {refusal.sub for refusal in waiter.refused}
            raise SubscriptionError(self.venue, [sub for sub in subs if sub not in refused], waiter.refused)

    async def unsubscribe(self, subs: Sequence[Subscription], *, timeout_s: float = 10.0) -> None:
        """Give topics up; returns when the venue has answered. Topics that were not subscribed are left out without a word.

        Raises SubscriptionError when the answer does not come within ``timeout_s``; the topics are not replayed in any case.
        """
        self._require_running()
        told = self._leave(self._subscriptions.resolve(sub) for sub in subs)
        waiter = _Waiter(told, leaving=True)
        await self._settle(waiter, timeout_s)
        if waiter.open:
            refusals = [Refusal(sub, "timeout", f"unsubscription not answered within {timeout_s:g} s") for sub in waiter.open]
            raise SubscriptionError(self.venue, [], refusals)

    async def ping(self, *, timeout_s: float = 10.0) -> float:
        """Send the venue's own ping; return the seconds until its answer.

        Raises ConnectionLostError without an answer in time, UsageError for a venue that has no ping message or while not connected.
        """
        self._require_running()
        request = self._connection.ping(time_ns())
        if request is None:
            raise UsageError(f"{self.venue}: this venue has no ping message of its own")
        receiver = self._receiver
        if receiver is None:
            raise UsageError(f"{self.venue}: no connection is open now")
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self._bucket.take(monotonic())
        sent = monotonic()
        self._transmit(receiver, request)
        try:
            async with asyncio.timeout(timeout_s):
                await pong
        except TimeoutError:
            raise ConnectionLostError(1006, f"{self.venue} did not answer a ping within {timeout_s:g} s") from None
        return monotonic() - sent

    async def reconnect(self, *, timeout_s: float = 30.0) -> None:
        """Give the present socket up; returns when a new one is open and every wanted topic is confirmed again.

        Raises SubscriptionError with the topics that were refused or not confirmed within ``timeout_s``.
        """
        self._require_running()
        waiter = _Waiter(self._ledger.states(), reopen=True)
        await self._settle(waiter, timeout_s, self._drop)
        if waiter.reopen:
            raise ConnectError(self._context.safe_url, f"not open again within {timeout_s:g} s")
        waiter.refused += [Refusal(sub, "timeout", f"not confirmed again within {timeout_s:g} s") for sub in waiter.open]
        if waiter.refused:
            refused = {refusal.sub for refusal in waiter.refused}
            raise SubscriptionError(self.venue, [sub for sub in self._ledger.states() if sub not in refused], waiter.refused)

    async def _drop(self) -> None:
        if self._receiver is not None:
            self._receiver.verdict = "reconnect was asked for"
            await self._transport.close()

    async def close(self) -> None:
        """End the connection for good. Idempotent; whoever still waits for an answer gets a UsageError."""
        self._closing = True
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    # The life of the connection: one task.

    async def _supervise(self, opened: asyncio.Future[None]) -> None:
        try:
            while True:
                failure = await self._attempt(opened)
                if not opened.done():
                    opened.set_exception(failure)
                    return
                delay = self._delay(failure)
                if delay is None:
                    self._terminal = failure
                self._announce_end(failure, delay)
                if delay is None:
                    return
                await asyncio.sleep(delay)
        except Exception as error:  # noqa: BLE001 - the plugin's own code failed; its owner has to hear, in run() and every waiting call
            self._terminal = broken = PluginBrokenError(self.venue, f"its connection failed with {type(error).__name__}: {error}")
            broken.__cause__ = error
            self._announce_end(broken, None)
            if not opened.done():
                opened.set_exception(broken)
        finally:
            self._receiver = None
            await self._transport.close()

    def _finish(self, opened: asyncio.Future[None]) -> None:
        """Let whoever still waits hear that it is over."""
        end = UsageError(f"{self.venue}: the connection was closed") if self._terminal is None else self._terminal
        for waiter in self._waiters:
            waiter.fail(end)
        if not opened.done():
            opened.set_exception(end)

    async def _attempt(self, opened: asyncio.Future[None]) -> ExwireError:
        """Open a connection and serve it; return what ended it."""
        self._context = context = self._ask_context()
        receiver = _Receiver(self.handler.feed)
        try:
            await self._transport.open(context, receiver)
        except ExwireError as error:
            return error
        self._receiver = receiver
        self._opens += 1
        self._announce(Connected(self.venue, context.safe_url, self._opens))
        if not opened.done():
            opened.set_result(None)
        for waiter in self._waiters:
            waiter.reopened()
        self._wake.set()
        try:
            return await self._serve(receiver)
        finally:
            self._receiver = None
            receiver.detach()
            self._backoff.flowed(receiver.flowed_s)
            self._lost()

    def _lost(self) -> None:
        """Take everything back to unsent. An unsubscription is settled by the loss; a subscription waits for the next connection."""
        self._ledger.lost()
        self._leaving.clear()
        self._halves.clear()
        for waiter in self._waiters:
            waiter.settle([sub for sub in waiter.open if waiter.leaving or sub not in self._ledger])
        for pong in self._pongs:
            if not pong.done():
                pong.set_exception(ConnectionLostError(1006, f"{self.venue}: the connection was lost before the pong came"))
        self._pongs.clear()

    async def _serve(self, receiver: _Receiver) -> ExwireError:
        tasks = [asyncio.create_task(job, name=f"exwire {self.venue} {name}") for name, job in self._jobs(receiver)]
        ends: list[asyncio.Future[Any]] = [receiver.closed, *tasks]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        code, reason = receiver.closed.result()
        return ConnectionLostError(code, receiver.verdict or reason)

    def _jobs(self, receiver: _Receiver) -> Iterable[tuple[str, Coroutine[object, object, None]]]:
        """What runs beside the frames of one connection. A job ends only by failing, which is a bug of the venue's and ends it all."""
        yield "sender", self._send_topics(receiver)
        if self._context.keepalive.application:
            yield "keepalive", self._keep_alive(receiver)

    async def _send_topics(self, receiver: _Receiver) -> None:
        """Send what is wanted and not sent, and what is no longer wanted, at the venue's pace, whenever that changes."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while requests := self._next_requests():
                for request in requests:
                    await asyncio.sleep(self._bucket.take(monotonic()))
                    if not self._still_meant(request):
                        break  # it changed while its turn was awaited: encode what is left again
                    if not self._transmit(receiver, request):
                        await _until_cancelled()
                    if not request.subscribe:
                        for sub in request.subs:
                            self._leaving.remove(sub)
                    self._ledger.sent(request)

    def _next_requests(self) -> list[Request]:
        """Encode what has to be sent. Unsubscriptions go first: a topic may be on its way out and in again."""
        if self._leaving:
            return self._subscriptions.encode_unsubscribe(list(self._leaving), self._ids, time_ns(), self._sign)
        while self._halves:
            half = [sub for sub in self._halves[0] if self._ledger.state(sub) is TopicState.WANTED]
            if half:
                return self._subscriptions.encode_subscribe(half, self._ids, time_ns(), self._sign)
            self._halves.popleft()
        unsent = self._ledger.unsent()
        return self._subscriptions.encode_subscribe(unsent, self._ids, time_ns(), self._sign) if unsent else []

    def _still_meant(self, request: Request) -> bool:
        if request.subscribe:
            return all(self._ledger.state(sub) is TopicState.WANTED for sub in request.subs)
        return all(sub in self._leaving for sub in request.subs)

    async def _keep_alive(self, receiver: _Receiver) -> None:
        keepalive, handler = self._context.keepalive, self.handler
        heard, silent_until, next_ping = handler.frames, inf, monotonic() + keepalive.interval_s
        while True:
            await asyncio.sleep(max(0.0, min(next_ping, silent_until) - monotonic()))
            now = monotonic()
            if handler.frames != heard:
                heard, silent_until = handler.frames, inf
            elif now >= silent_until:
                receiver.verdict = f"no frame within {keepalive.timeout_s:g} s after a ping"
                await self._transport.close()
                await _until_cancelled()
            if now >= next_ping:
                request = self._connection.ping(time_ns())
                if request is None:
                    raise ConfigError(f"{self.venue}: its keep-alive is by application messages, but ping() returns none")
                self._bucket.take(now)  # it counts against the venue's pace and does not wait for it
                self._transmit(receiver, request)
                next_ping = now + keepalive.interval_s
                silent_until = min(silent_until, now + keepalive.timeout_s)

    def _transmit(self, receiver: _Receiver, request: Request) -> bool:
        """Send a frame; False when the connection is ending and will say so itself."""
        if receiver.verdict or receiver.closed.done():
            return False
        try:
            self._transport.send(request.frame)
        except (ConnectionLostError, UsageError):
            return False
        return True

    def _ask_context(self) -> ConnectionContext:
        context = self._connection.connection_context()
        if not self._urls:
            return context
        return ConnectionContext(
            urls=self._urls,
            headers=context.headers,
            compression=context.compression,
            keepalive=context.keepalive,
            limits=context.limits,
            max_message_bytes=context.max_message_bytes,
            open_timeout_s=context.open_timeout_s,
        )

    def _delay(self, failure: ExwireError) -> float | None:
        kind = self._connection.classify_error(failure)
        if not self._connection.should_reconnect(kind):
            return None
        at_least = 0.0
        if isinstance(failure, ConnectError) and failure.retry_after_s is not None:
            at_least = failure.retry_after_s
        elif kind is ErrorKind.RATE_LIMITED:
            at_least = _RATE_LIMITED_PAUSE_S
        spread = random.random()  # noqa: S311 - it spreads reconnects, it protects nothing
        return self._backoff.next_delay(spread, at_least_s=at_least, at_once=kind is ErrorKind.QUICK)

    # Waiting for answers.

    def _require_running(self) -> None:
        if self._terminal is not None:
            raise UsageError(f"{self.venue}: the connection ended: {self._terminal}") from self._terminal
        if self._task is None or self._closing:
            raise UsageError(f"{self.venue}: " + ("the connection was closed" if self._closing else "connect() first"))

    async def _settle(self, waiter: _Waiter, timeout_s: float, begin: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until the waiter's topics are settled or its time is up; what is then still open stays in ``waiter.open``.

        begin: what makes the venue answer, done while the waiter listens already.
        """
        self._waiters.append(waiter)
        self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                if begin is not None:
                    await begin()
                await waiter.done()
        except TimeoutError:
            pass
        finally:
            self._waiters.remove(waiter)

    def _unshared(self, subs: Iterable[Subscription]) -> list[Subscription]:
        """Return those that no other call is waiting for."""
        return [sub for sub in subs if not any(sub in waiter.open for waiter in self._waiters)]

    def _leave(self, subs: Iterable[Subscription]) -> list[Subscription]:
        """Stop wanting topics; return those that the venue will be told about."""
        subs = list(subs)
        told = self._ledger.drop(subs)
        self._held.difference_update(subs)
        given_up = [Refusal(sub, "closed", "given up while its answer was awaited") for sub in subs]
        for waiter in self._waiters:
            if waiter.reconnecting:
                waiter.forget(subs)
            elif not waiter.leaving:
                waiter.refuse(given_up)
        self._forget_symbols()
        if self._receiver is None:
            return []
        self._leaving.extend(told)
        self._wake.set()
        return told

    def _forget_symbols(self) -> None:
        wanted = {sub.symbol for sub in self._ledger.states()}
        if ALL in wanted:
            return
        for venue_symbol, symbol in list(self.handler.symbols.items()):
            if symbol not in wanted:
                del self.handler.symbols[venue_symbol]

    def confirm(self, sub: Subscription) -> None:
        """Note a topic's first event. The connector calls this; data may overtake the ack, and then confirms the topic."""
        if self._ledger.live(sub):
            self._confirmed((sub,))

    def _confirmed(self, subs: tuple[Subscription, ...]) -> None:
        self._held.update(subs)
        self._announce(Subscribed(self.venue, subs))
        for waiter in self._waiters:
            if not waiter.leaving:
                waiter.settle(subs)

    # What the handler hears.

    def _on_ack(self, ack: Ack) -> None:
        answer = self._ledger.answer(ack)
        if answer.confirmed:
            self._confirmed(answer.confirmed)
        for waiter in self._waiters:
            if waiter.leaving:
                waiter.settle(answer.removed)
        if answer.halves:
            self._halves.extend(answer.halves)
            self._wake.set()
        if answer.rejected:
            self._forget_symbols()
            asked = {sub for waiter in self._waiters if not waiter.leaving for sub in waiter.open}
            unheard = tuple(each for each in answer.rejected if each.sub in self._held or each.sub not in asked)
            self._held.difference_update(each.sub for each in answer.rejected)
            if unheard:
                self._announce(Rejected(self.venue, unheard))
            for waiter in self._waiters:
                if not waiter.leaving:
                    waiter.refuse(answer.rejected)

    def _on_pong(self, _: int) -> None:
        while self._pongs:
            pong = self._pongs.popleft()
            if not pong.done():
                pong.set_result(None)

    def _on_notice(self, notice: Notice) -> None:
        self._announce(notice)

    def _on_error(self, error: DecodeError) -> None:
        self._announce(Undecodable(self.venue, str(error), self.handler.decode_errors))

    def _announce_end(self, failure: ExwireError, delay: float | None) -> None:
        code = failure.code if isinstance(failure, ConnectionLostError) else 0
        self._announce(Disconnected(self.venue, code, str(failure), delay))

    def _announce(self, event: Lifecycle) -> None:
        try:
            self.on_lifecycle(event)
        except Exception:  # noqa: BLE001 - the border to the user's callback
            _log.exception("%s: on_lifecycle raised on %s; the connection goes on", self.venue, type(event).__name__)


@final
class _Receiver:
    """Takes the frames of one opened socket to the handler. verdict: why we ended it, ``""`` when the peer did."""

    __slots__ = ("_feed", "_last_ns", "_opened_ns", "closed", "verdict")

    def __init__(self, feed: Callable[[bytes, bool, int], None]) -> None:
        self._feed = feed
        self._opened_ns = time_ns()
        self._last_ns = self._opened_ns
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.verdict = ""

    def on_frame(self, frame: bytes, is_text: bool) -> None:
        self._last_ns = ts_recv = time_ns()
        self._feed(frame, is_text, ts_recv)

    def on_close(self, code: int, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_result((code, reason))

    def detach(self) -> None:
        """Frames that a dead socket still had in its buffers go nowhere."""
        self._feed = _drop

    @property
    def flowed_s(self) -> float:
        """How long frames came, s."""
        return (self._last_ns - self._opened_ns) / 1e9


async def _until_cancelled() -> None:
    await asyncio.get_running_loop().create_future()


def _drop(_frame: bytes, _is_text: bool, _ts_recv: int) -> None:
    pass


@final
class _Waiter:
    """A call that waits for topics. open: those without an answer; refused: those the venue said no to.

    leaving: it waits for unsubscriptions; reopen: a new connection has to open first, and answers on the old one mean nothing.
    """

    __slots__ = ("_future", "leaving", "open", "reconnecting", "refused", "reopen")

    def __init__(self, subs: Iterable[Subscription], *, reopen: bool = False, leaving: bool = False) -> None:
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.open = dict.fromkeys(subs)
        self.refused: list[Refusal] = []
        self.reopen = self.reconnecting = reopen
        self.leaving = leaving
        self._check()

    async def done(self) -> None:
        await self._future

    def settle(self, subs: Iterable[Subscription]) -> None:
        if not self.reopen:
            self.forget(subs)

    def forget(self, subs: Iterable[Subscription]) -> None:
        for sub in subs:
            self.open.pop(sub, None)
        self._check()

    def refuse(self, refusals: Iterable[Refusal]) -> bool:
        """Take the refusals that concern this call; return whether any did."""
        mine = [refusal for refusal in refusals if refusal.sub in self.open]
        self.refused += mine
        self.settle([refusal.sub for refusal in mine])
        return bool(mine)

    def reopened(self) -> None:
        self.reopen = False
        self._check()

    def fail(self, error: Exception) -> None:
        if not self._future.done():
            self._future.set_exception(error)

    def _check(self) -> None:
        if not self.open and not self.reopen and not self._future.done():
            self._future.set_result(None)
