"""Bounded hand-over from the frame path to ``async for``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Final, Generic, Protocol, Self, TypeVar, final, get_args

from exwire.errors import ConfigError, ExwireError, GapError, OverflowedError, SubscriptionError
from exwire.lifecycle import Discarded, Gap, Lifecycle, Rejected
from exwire.model import Event

__all__ = ["EventStream", "Policy"]

_EVENTS: Final = frozenset(get_args(Event))

DEFAULT_PLACES: Final = 65_536


class Policy(StrEnum):
    """What a stream does when events come faster than they are read.

    latest: keeps one event a symbol, the newest; drop_oldest: forgets the oldest; fail: ends with OverflowedError.
    """

    LATEST = "latest"
    DROP_OLDEST = "drop_oldest"
    FAIL = "fail"


E_co = TypeVar("E_co", bound=Event | Lifecycle, covariant=True)


class _Handle(Protocol):
    async def close(self) -> None: ...


@final
class EventStream(Generic[E_co]):
    """Events of one ``Connector.stream`` call, in order. Iterate it once, in one task; end it with ``aclose`` or ``async with``.

    It subscribes when it is first read. After events may have been lost (a reconnect), the next step raises GapError once and the one
    after goes on; with ``lifecycle=True`` it yields lifecycle events in their place instead (with policy ``latest``: before the data).

    discarded: events thrown away by the policy so far.
    """

    def __init__(
        self,
        venue: str,
        *,
        policy: Policy,
        maxlen: int | None = None,
        lifecycle: bool = False,
        open_: Callable[[EventStream[E_co]], Awaitable[_Handle]],
        on_discard: Callable[[Discarded], object],
        on_close: Callable[[EventStream[E_co]], object],
    ) -> None:
        if maxlen is not None and maxlen < 1:
            raise ConfigError(f"a stream needs at least one place, not maxlen={maxlen}")
        self.venue = venue
        self.policy = policy
        self.maxlen = maxlen or DEFAULT_PLACES
        self.discarded = 0
        self._lifecycle = lifecycle
        self._open = open_
        self._on_discard = on_discard
        self._on_close = on_close
        self._announced = 0
        self._handle: _Handle | None = None
        self._items: deque[Event | Lifecycle | ExwireError] = deque()
        self._latest: dict[str, Event] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._ended: ExwireError | None = None
        self._closed = False
        self.put: Callable[[Event], None] = {
            Policy.LATEST: self._put_latest,
            Policy.DROP_OLDEST: self._put_drop_oldest,
            Policy.FAIL: self._put_or_fail,
        }[policy]
        """Hands an event over; the frame path calls it."""

    def __len__(self) -> int:
        """Return how many items wait to be read."""
        return len(self._items) + len(self._latest)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E_co:
        await self._subscribe()
        while True:
            if self._discarded_since():
                notice = Discarded(self.venue, self.discarded - self._announced)
                self._announced = self.discarded
                self._on_discard(notice)
                if self._lifecycle:
                    return notice  # type: ignore[return-value]  # lifecycle=True is typed as yielding both
            if self._items:
                item = self._items.popleft()
                if isinstance(item, ExwireError):
                    raise item
                return item  # type: ignore[return-value]  # the stream was opened for this kind of event
            if self._latest:
                return self._latest.pop(next(iter(self._latest)))  # type: ignore[return-value]  # as above
            if self._ended is not None:
                error, self._ended = self._ended, None
                await self.aclose()
                raise error
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    async def __aenter__(self) -> Self:
        await self._subscribe()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream and give its topics back. What waits to be read can still be read; then iteration ends."""
        self._closed = True
        self._wake()
        self._on_close(self)
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.close()

    async def _subscribe(self) -> None:
        """Open the stream once. Where some topics are refused the error says which; read on, and the others come."""
        if self._handle is not None or self._closed:
            return
        try:
            self._handle = await self._open(self)
            if self._closed:
                await self.aclose()
        except SubscriptionError as error:
            self._handle = error.handle
            if not error.confirmed:
                await self.aclose()
            raise

    def announce(self, event: Lifecycle) -> None:
        """Put a lifecycle event in its place among the data: as itself, or, a gap or refusal, as the error that the reader gets once."""
        item: Lifecycle | ExwireError = event
        if not self._lifecycle:
            if isinstance(event, Rejected):
                item = SubscriptionError(event.venue, (), event.refusals)
            elif isinstance(event, Gap) and not (self._items and isinstance(self._items[-1], GapError)):
                item = GapError(event.venue, event.symbol, event.reason)
            else:
                return
        if len(self._items) >= self.maxlen:
            if self.policy is Policy.FAIL:
                self.end(OverflowedError(self.maxlen))
                return
            self._items.popleft()
            self.discarded += 1
        self._items.append(item)
        self._wake()

    def end(self, error: ExwireError | None = None) -> None:
        """End the stream once everything waiting is read: with the error, or normally."""
        self._ended = self._ended or error
        self._closed = True
        self._wake()

    def _put_latest(self, event: Event) -> None:
        if event.symbol in self._latest:
            self.discarded += 1
        self._latest[event.symbol] = event
        if self._waiter is not None:
            self._wake()

    def _put_drop_oldest(self, event: Event) -> None:
        if len(self._items) >= self.maxlen:
            if type(self._items[0]) in _EVENTS:  # 0.2 µs instead of 0.85: isinstance of a union is slow
                self._items.popleft()
            else:
                del self._items[next((place for place, item in enumerate(self._items) if type(item) in _EVENTS), 0)]  # a gap stays
            self.discarded += 1
        self._items.append(event)
        if self._waiter is not None:
            self._wake()

    def _put_or_fail(self, event: Event) -> None:
        if self._closed:
            return
        if len(self._items) >= self.maxlen:
            self.discarded += 1
            self.end(OverflowedError(self.maxlen))
            return
        self._items.append(event)
        if self._waiter is not None:
            self._wake()

    def _discarded_since(self) -> bool:
        return self.policy is not Policy.FAIL and self.discarded != self._announced

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
