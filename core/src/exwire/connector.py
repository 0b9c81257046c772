"""What users hold: one market of one venue, with as many connections as its topics need."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, final, overload

from exwire.config import Endpoints
from exwire.contracts import Delivery, SubscriptionMixin
from exwire.errors import ConfigError, DecodeError, ExwireError, SubscriptionError, TransportError, UnknownNameError, UsageError, VenueError
from exwire.handlers import PublicMessageHandler, ignore
from exwire.instruments import MAX_AGE_S, load_instruments
from exwire.interface import BaseWebSocketInterface
from exwire.lifecycle import Connected, Discarded, Disconnected, Gap, Lifecycle, Rejected
from exwire.model import BookDelta, BookSnapshot, BookTicker, Candle, Event, Instrument, Ticker, Trade
from exwire.router import Callback, Router
from exwire.stream import EventStream, Policy
from exwire.subscription import ALL, Channel, Demand, Refusal, Subscription

if TYPE_CHECKING:
    from exwire.rest import BaseRestClient

__all__ = ["Connector", "Handle", "Venue"]

_log = logging.getLogger("exwire")

_UNLIMITED: Final = 1_000_000
_NEAREST: Final = 3
_FRESH_S: Final = 60.0
"""A list that the venue gave so recently is not asked for again because of an unknown symbol."""

_DEFAULT_POLICIES: Final = {
    Channel.TICKER: Policy.LATEST,
    Channel.BOOK_TICKER: Policy.LATEST,
    Channel.BOOK_SNAPSHOT: Policy.LATEST,
}


class Venue(Protocol):
    """How a connector gets what it holds; the factory builds one from a plugin."""

    name: str
    market: str
    has_rest: bool

    def socket(self, endpoints: Endpoints) -> BaseWebSocketInterface:
        """Return a new public connection, not opened yet."""
        ...

    def rest(self, endpoints: Endpoints) -> BaseRestClient:
        """Return a REST client."""
        ...


@final
class Handle:
    """One ``Connector.subscribe`` call. subs: the topics it holds."""

    __slots__ = ("_callback", "_connector", "subs")

    def __init__(self, connector: Connector, callback: Callback) -> None:
        self.subs: tuple[Subscription, ...] = ()
        self._connector = connector
        self._callback = callback

    async def close(self) -> None:
        """Stop the callback; topics that nobody else holds are unsubscribed. Idempotent."""
        subs, self.subs = self.subs, ()
        await self._connector._release(self, self._callback, subs)  # noqa: SLF001 - a handle is the connector's own


class _Shard:
    """One connection and where its events go."""

    __slots__ = ("opening", "router", "socket")

    def __init__(self, socket: BaseWebSocketInterface) -> None:
        if not isinstance(socket.handler, PublicMessageHandler):
            raise ConfigError(f"{socket.venue}: {type(socket.handler).__name__} is no PublicMessageHandler, so it has no market data")
        self.socket = socket
        self.router = Router(socket.handler)
        self.opening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect once, whoever asks first; every caller sees the outcome, and one that is cancelled harms no other."""
        if self.opening is None:
            self.opening = asyncio.create_task(self.socket.connect(), name=f"exwire {self.socket.venue} open")
        await asyncio.shield(self.opening)

    async def close(self) -> None:
        if self.opening is not None:
            self.opening.cancel()
            await asyncio.gather(self.opening, return_exceptions=True)
        await self.socket.close()


class Connector:
    """One market of one venue. Made by :func:`exwire.connect`, used with ``async with``.

    on_lifecycle: called with what happens to connections and topics; venue, market: whose.
    """

    def __init__(self, venue: Venue, *, endpoints: Endpoints, box: AbstractAsyncContextManager[Endpoints] | None = None) -> None:
        self.venue = venue.name
        self.market = venue.market
        self.on_lifecycle: Callable[[Lifecycle], object] = ignore
        self._venue = venue
        self._endpoints = endpoints
        self._box = box
        self._stack = AsyncExitStack()
        self._entered = False
        self._closed = False
        self._rest: BaseRestClient | None = None
        self._instruments: Mapping[str, Instrument] | None = None
        self._instruments_at = 0.0
        self._asked_at = -inf
        self._loading = asyncio.Lock()
        self._shards: list[_Shard] = []
        self._demand: Demand[_Shard] = Demand()
        self._streams: dict[EventStream[Any], tuple[Subscription, ...]] = {}

    async def __aenter__(self) -> Self:
        if self._entered:
            raise UsageError(f"{self.venue}: a connector is entered once; call exwire.connect() again")
        self._entered = True
        if self._box is not None:
            self._endpoints = await self._stack.enter_async_context(self._box)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def rest(self) -> BaseRestClient:
        """The venue's REST client, for calls that the connector does not offer itself."""
        self._require_open()
        if self._rest is None:
            self._rest = self._venue.rest(self._endpoints)
        return self._rest

    def channels(self) -> tuple[Channel, ...]:
        """Return what can be subscribed."""
        return tuple(self._subscriptions().channels)

    async def instruments(self, *, refresh: bool = False) -> Mapping[str, Instrument]:
        """Return what is traded, by symbol: what was loaded less than a day ago, else (or with ``refresh``) the venue's answer.

        Raises what REST raises: TransportError, VenueError, DecodeError.
        """
        rest = self.rest
        async with self._loading:
            known = self._instruments
            if known is None or refresh or monotonic() - self._instruments_at > MAX_AGE_S:
                # an exchange in a box lives no longer than its connector, so what it lists is not kept on disk
                max_age_s = MAX_AGE_S if self._box is None else 0
                known = await load_instruments(rest, venue=self.venue, market=self.market, refresh=refresh, max_age_s=max_age_s)
                if refresh or self._box is not None:
                    self._asked_at = monotonic()
                self._instruments, self._instruments_at = known, monotonic()
        return known

    @overload
    async def subscribe(
        self, channel: Literal[Channel.TRADES], symbols: str | Sequence[str], callback: Callable[[Trade], object], **params: object
    ) -> Handle: ...
    @overload
    async def subscribe(
        self,
        channel: Literal[Channel.BOOK_TICKER],
        symbols: str | Sequence[str],
        callback: Callable[[BookTicker], object],
        **params: object,
    ) -> Handle: ...
    @overload
    async def subscribe(
        self,
        channel: Literal[Channel.BOOK],
        symbols: str | Sequence[str],
        callback: Callable[[BookSnapshot | BookDelta], object],
        **params: object,
    ) -> Handle: ...
    @overload
    async def subscribe(
        self,
        channel: Literal[Channel.BOOK_SNAPSHOT],
        symbols: str | Sequence[str],
        callback: Callable[[BookSnapshot], object],
        **params: object,
    ) -> Handle: ...
    @overload
    async def subscribe(
        self, channel: Literal[Channel.TICKER], symbols: str | Sequence[str], callback: Callable[[Ticker], object], **params: object
    ) -> Handle: ...
    @overload
    async def subscribe(
        self, channel: Literal[Channel.CANDLES], symbols: str | Sequence[str], callback: Callable[[Candle], object], **params: object
    ) -> Handle: ...
    @overload
    async def subscribe(
        self, channel: Channel, symbols: str | Sequence[str], callback: Callable[[Event], object], **params: object
    ) -> Handle: ...
    async def subscribe(self, channel: Channel, symbols: str | Sequence[str], callback: Callback, **params: object) -> Handle:
        """Call back with every event of these topics, in the frame path; returns when the venue has confirmed all of them.

        symbols: ``"*"`` for all of them, where the venue has one topic for that.
        params: the channel's variants (``interval="1m"``, ``depth=400``); ``exwire info VENUE`` lists them.

        Raises UnknownNameError for a channel, param or symbol that does not exist. Where only some symbols fail, the others are subscribed
        and SubscriptionError says which are not; its ``handle`` holds the good ones.
        """
        subs = self._resolve(channel, symbols, params)
        unknown = await self._unknown(subs)
        handle = Handle(self, callback)
        handle.subs = tuple(sub for sub in subs if sub not in unknown)
        try:
            rejected = [*unknown.values(), *await self._acquire(handle, callback)]
        except BaseException:
            try:
                await handle.close()
            except ExwireError as also:  # what went wrong first is what the caller has to hear
                _log.warning("%s: giving topics back failed too: %s", self.venue, also)
            raise
        if rejected:
            refused = {refusal.sub for refusal in rejected}
            bad = tuple(sub for sub in handle.subs if sub in refused)
            handle.subs = tuple(sub for sub in handle.subs if sub not in refused)
            await self._release(handle, callback, bad)
            error = SubscriptionError(self.venue, handle.subs, rejected)
            error.handle = handle
            raise error
        return handle

    @overload
    def stream(
        self,
        channel: Channel,
        symbols: str | Sequence[str],
        *,
        lifecycle: Literal[True],
        policy: Policy | None = None,
        maxlen: int | None = None,
        **params: object,
    ) -> EventStream[Event | Lifecycle]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.TRADES],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[Trade]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.BOOK_TICKER],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[BookTicker]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.BOOK],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[BookSnapshot | BookDelta]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.BOOK_SNAPSHOT],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[BookSnapshot]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.TICKER],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[Ticker]: ...
    @overload
    def stream(
        self,
        channel: Literal[Channel.CANDLES],
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: Literal[False] = False,
        **params: object,
    ) -> EventStream[Candle]: ...
    @overload
    def stream(
        self,
        channel: Channel,
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: bool = False,
        **params: object,
    ) -> EventStream[Any]: ...
    def stream(
        self,
        channel: Channel,
        symbols: str | Sequence[str],
        *,
        policy: Policy | None = None,
        maxlen: int | None = None,
        lifecycle: bool = False,
        **params: object,
    ) -> EventStream[Any]:
        """Return these topics for ``async for``; it subscribes when it is first read.

        policy: what to do when it is read too slowly; by default ``latest`` for tickers, best bid/ask and snapshots, ``fail`` for the rest.
        maxlen: places, 65,536 by default. lifecycle: yield what happens to the connection too; without it, lost events raise GapError.
        """
        subs = self._resolve(channel, symbols, params)
        policy = _DEFAULT_POLICIES.get(channel, Policy.FAIL) if policy is None else Policy(policy)
        if channel is Channel.BOOK and policy is Policy.LATEST:
            raise ConfigError("book deltas build on each other, so policy latest would lose some; choose fail, or channel book_snapshot")

        async def open_(stream: EventStream[Any]) -> Handle:
            self._streams[stream] = tuple(subs)
            return await self.subscribe(channel, symbols, stream.put, **params)

        return EventStream(
            self.venue, policy=policy, maxlen=maxlen, lifecycle=lifecycle, open_=open_, on_discard=self._announce, on_close=self._forget
        )

    async def ping(self) -> float:
        """Return the seconds of a round trip: the venue's own ping on an open connection, else its REST clock."""
        for shard in self._shards:
            if shard.socket.connected and shard.socket.context.keepalive.application:
                return await shard.socket.ping()
        return await self.rest.ping() / 1e9

    async def reconnect(self) -> None:
        """Replace every connection; returns when all topics are confirmed again. Raises SubscriptionError with those that are not."""
        outcomes = await asyncio.gather(
            *(shard.socket.reconnect() for shard in self._shards if shard.opening is not None), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def close(self, timeout_s: float = 5.0) -> None:
        """End everything: streams, connections, REST, the exchange in a box. Idempotent.

        timeout_s: for all of it together; what has not ended by then is abandoned with a TimeoutError.
        """
        if self._closed:
            return
        self._closed = True
        for stream in list(self._streams):
            stream.end()
        self._streams.clear()
        shards, self._shards = self._shards, []
        if self._rest is not None:
            self._stack.push_async_callback(self._rest.close)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(shard.close() for shard in shards))
        finally:
            await self._stack.aclose()

    # Who wants what, and where it is.

    def _require_open(self) -> None:
        if not self._entered or self._closed:
            state = "is closed" if self._closed else "has to be entered first: async with exwire.connect(…)"
            raise UsageError(f"{self.venue}: the connector {state}")

    def _subscriptions(self) -> SubscriptionMixin:
        self._require_open()
        socket = self._shards[0].socket if self._shards else self._new_shard().socket
        handler = socket.handler
        if not isinstance(handler, SubscriptionMixin):
            raise ConfigError(f"{self.venue}: {type(handler).__name__} lacks SubscriptionMixin")
        return handler

    def _resolve(self, channel: Channel, symbols: str | Sequence[str], params: Mapping[str, object]) -> list[Subscription]:
        venue = self._subscriptions()
        names = [symbols] if isinstance(symbols, str) else list(symbols)
        if not names:
            raise ConfigError(f"{self.venue}: no symbol was given for {channel}")
        try:
            channel = Channel(channel)
        except ValueError:
            raise UnknownNameError("channel", str(channel), [each.value for each in venue.channels], venue=self.venue) from None
        return list(dict.fromkeys(venue.resolve(Subscription.of(channel, name, params)) for name in names))

    async def _unknown(self, subs: Sequence[Subscription]) -> dict[Subscription, Refusal]:
        """Return a refusal for each symbol that the venue does not list; raises UnknownNameError when it lists none of them.

        A list older than a minute is refreshed before a symbol is called unknown. Without REST nothing is refused here: the venue will say.
        """
        if not self._venue.has_rest:
            return {}
        try:
            known = await self.instruments()
            subs = [sub for sub in subs if sub.symbol != ALL]
            if any(sub.symbol not in known for sub in subs) and monotonic() - self._asked_at > _FRESH_S:
                known = await self.instruments(refresh=True)
        except (TransportError, VenueError, DecodeError):
            return {}
        errors = {sub: UnknownNameError("symbol", sub.symbol, known, venue=self.venue) for sub in subs if sub.symbol not in known}
        if errors and len(errors) == len(subs):
            raise errors[subs[0]]
        return {
            sub: Refusal(sub, "unknown symbol", f"not listed; nearest: {', '.join(error.known[:_NEAREST])}")
            for sub, error in errors.items()
        }

    async def _acquire(self, handle: Handle, callback: Callback) -> list[Refusal]:
        """Place the handle's topics, open what has to be opened and wait for every answer; return the refusals."""
        self._require_open()  # it may have been closed while the instruments were awaited
        groups: dict[_Shard, list[Subscription]] = {}
        for sub in handle.subs:
            self._demand.add(sub, handle)
            shard = self._demand.place(sub, self._shards, self._room(), self._new_shard)
            shard.router.add(sub, callback, shard.socket.confirm)
            groups.setdefault(shard, []).append(sub)
        outcomes = await asyncio.gather(*(self._confirm(shard, subs) for shard, subs in groups.items()), return_exceptions=True)
        rejected: list[Refusal] = []
        for outcome in outcomes:
            if isinstance(outcome, SubscriptionError):
                rejected += outcome.rejected
            elif isinstance(outcome, BaseException):
                raise outcome
        return rejected

    async def _confirm(self, shard: _Shard, subs: Sequence[Subscription]) -> None:
        try:
            await shard.open()
        except ExwireError:
            self._discard(shard)
            raise
        if any(sub.symbol == ALL for sub in subs):
            listed = (await self.instruments()).values()
            shard.socket.handler.symbols.update({each.venue_symbol: each.symbol for each in listed})
        await shard.socket.subscribe(subs)

    def _room(self) -> int:
        return self._shards[0].socket.context.limits.topics or _UNLIMITED if self._shards else _UNLIMITED

    def _new_shard(self) -> _Shard:
        shard = _Shard(self._venue.socket(self._endpoints))
        shard.socket.on_lifecycle = lambda event: self._on_lifecycle(shard, event)
        self._shards.append(shard)
        return shard

    def _discard(self, shard: _Shard) -> None:
        """A connection that never opened leaves no trace; the next call tries afresh."""
        if shard in self._shards:
            self._shards.remove(shard)

    async def _release(self, handle: Handle, callback: Callback, subs: Iterable[Subscription]) -> None:
        """Take a handle's references back. Every connection is told, whatever another one answers; the first failure is raised."""
        leaving: dict[_Shard, list[Subscription]] = {}
        for sub in subs:
            shard = self._demand.at(sub)
            if not self._demand.held(sub, handle):
                continue  # refused after a reconnect, and perhaps somebody else's by now
            if shard is not None:
                shard.router.remove(sub, callback, shard.socket.confirm)
            if self._demand.remove(sub, handle) and shard is not None:
                leaving.setdefault(shard, []).append(sub)
        outcomes = await asyncio.gather(*(self._leave(shard, gone) for shard, gone in leaving.items()), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _leave(self, shard: _Shard, subs: Sequence[Subscription]) -> None:
        """Unsubscribe topics that nobody holds.

        Their places stay taken until the venue has answered: late data of one variant of a book must not reach a subscriber of another.
        """
        try:
            if shard in self._shards and shard.opening is not None and self._demand.load(shard) > len(subs):
                await shard.socket.unsubscribe(subs)
        finally:
            for sub in subs:
                if sub not in self._demand:
                    self._demand.release(sub)
            if not self._demand.load(shard) and shard in self._shards:
                self._shards.remove(shard)
                await shard.close()

    # What happened.

    def _on_lifecycle(self, shard: _Shard, event: Lifecycle) -> None:
        for stream, subs in list(self._streams.items()):
            mine = [sub for sub in subs if self._demand.at(sub) is shard]
            if not mine:
                continue
            if isinstance(event, Rejected):
                self._refuse(stream, event)
            else:
                stream.announce(event)
            if isinstance(event, Disconnected) and event.code and self._can_gap(mine[0].channel):
                stream.announce(Gap(self.venue, "*", f"the connection was replaced: {event.reason}"))
            if isinstance(event, Disconnected) and event.retry_in_s is None:
                stream.end(shard.socket.ended)
        if isinstance(event, Connected) and event.opens > 1:
            shard.router.rearm(shard.socket.confirm)
        elif isinstance(event, Rejected):
            self._lost(shard, [refusal.sub for refusal in event.refusals])
        elif isinstance(event, Disconnected) and event.retry_in_s is None:
            self._discard(shard)
            self._lost(shard, self._demand.topics(shard))
        self._announce(event)

    def _refuse(self, stream: EventStream[Any], event: Rejected) -> None:
        """Tell a stream which of its topics were refused; one that has none left ends."""
        theirs = tuple(refusal for refusal in event.refusals if refusal.sub in self._streams[stream])
        if theirs:
            stream.announce(Rejected(event.venue, theirs))
            gone = {refusal.sub for refusal in theirs}
            self._streams[stream] = left = tuple(sub for sub in self._streams[stream] if sub not in gone)
            if not left:
                stream.end()

    def _lost(self, shard: _Shard, subs: Iterable[Subscription]) -> None:
        """Topics that their connection will not carry any more: a new call may place them again."""
        for sub in subs:
            self._demand.forget(sub)
            shard.router.drop(sub)

    def _can_gap(self, channel: Channel) -> bool:
        spec = self._subscriptions().channels.get(channel)
        return spec is not None and spec.delivery is not Delivery.NEWEST

    def _forget(self, stream: EventStream[Any]) -> None:
        self._streams.pop(stream, None)

    def _announce(self, event: Lifecycle | Discarded) -> None:
        try:
            self.on_lifecycle(event)
        except Exception:  # noqa: BLE001 - the border to the user's callback
            _log.exception("%s: on_lifecycle raised on %s; the connector goes on", self.venue, type(event).__name__)
