"""What ``exwire test`` does with a venue, and how each step went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final, final

from msgspec import Struct

from exwire.connector import Connector, Handle
from exwire.errors import ExwireError, UnknownNameError, VenueError
from exwire.lifecycle import Connected, Lifecycle
from exwire.model import Event, InstrumentStatus
from exwire.subscription import Channel
from exwire_cli.lines import event_line

__all__ = ["Report", "Step", "Trial"]

_USUAL_SYMBOL: Final = "BTC/USDT"
_BUSIEST_FIRST: Final = (Channel.BOOK_TICKER, Channel.TRADES, Channel.BOOK_SNAPSHOT, Channel.BOOK, Channel.TICKER, Channel.CANDLES)


class Step(Struct, frozen=True):
    """One step. ms: how long it took, 0 when it was not run; detail: what was seen, or what was expected, what came and what to try."""

    name: str
    ok: bool
    ms: float
    detail: str


class Report(Struct, frozen=True):
    """A whole trial. ok: every step is."""

    venue: str
    market: str
    ok: bool
    steps: tuple[Step, ...]


@final
class Trial:
    """A connector tried from end to end. A step whose ground is missing is not run and says so; the others are, whatever failed before.

    symbol, channel: what to subscribe, ``""`` and None for a busy one; show: called with each step as it ends.
    """

    def __init__(
        self, connector: Connector, *, symbol: str = "", channel: Channel | None = None, timeout_s: float, show: Callable[[Step], object]
    ) -> None:
        self._connector = connector
        self._symbol = symbol
        self._channel = channel
        self._timeout_s = timeout_s
        self._show = show
        self._steps: list[Step] = []
        self._failed: set[str] = set()
        self._subscribing: asyncio.Task[Handle] | None = None
        self._connected = asyncio.Event()
        self._url = ""
        self._event = asyncio.Event()
        self._first: Event | None = None
        self._seen = 0

    async def run(self) -> Report:
        """Take every step; nothing that a venue does comes out of here."""
        connector = self._connector
        connector.on_lifecycle = self._on_lifecycle
        venue, market = connector.venue, connector.market
        hosts = "its hosts from this machine (name resolution, proxy, firewall); --loopback leaves the network out"
        try:
            await self._step("start", "", self._start, "a connector that starts", f"exwire info {venue}")
            await self._step("instruments", "start", self._instruments, "a list with at least one instrument", hosts)
            await self._step("connect", "start", self._connect, "an open connection", hosts)
            topics = f"exwire instruments {venue}, exwire info {venue}: --symbol and --channel choose another topic"
            await self._step("subscribe", "connect", self._subscribe, "the venue's confirmation", topics)
            quiet = "a busier --symbol or --channel, or a longer --timeout"
            await self._step("first_event", "subscribe", self._first_event, f"an event of {self._symbol}", quiet)
            await self._step(
                "ping", "connect", self._ping, "an answer to a ping", "it again: a slow network and a busy venue look like this"
            )
            again = "it again; exwire watch shows what happens to the connection"
            await self._step("reconnect", "subscribe", self._reconnect, "every topic confirmed on a new connection", again)
            await self._step("close", "start", self._close, "everything closed in time", "it again with EXWIRE_TRANSPORT=websockets")
        finally:
            if self._subscribing is not None:
                self._subscribing.cancel()
                await asyncio.gather(self._subscribing, return_exceptions=True)
            await connector.close()
        return Report(venue, market, not self._failed, tuple(self._steps))

    async def _step(self, name: str, needs: str, work: Callable[[], Awaitable[str]], expected: str, advice: str) -> None:
        if needs in self._failed:
            self._end(Step(name, False, 0.0, f"not run, because {needs} failed"))
            return
        started = perf_counter()
        seen = came = ""
        try:
            async with asyncio.timeout(self._timeout_s):
                seen = await work()
        except TimeoutError:
            came = f"nothing within {self._timeout_s:g} s"
        except (ExwireError, OSError) as error:
            came = str(error)
        except Exception as error:  # noqa: BLE001  # a border: the plugin is what is being tried
            came = f"{type(error).__name__}: {error}"
        ms = round((perf_counter() - started) * 1000, 3)
        self._end(Step(name, not came, ms, f"expected {expected}; came: {came}; try {advice}" if came else seen))

    def _end(self, step: Step) -> None:
        self._steps.append(step)
        if not step.ok:
            self._failed.add(step.name)
        self._show(step)

    # The steps. Each returns what was seen.

    async def _start(self) -> str:
        await self._connector.__aenter__()
        served = self._connector.channels()
        self._channel = self._channel or next((each for each in _BUSIEST_FIRST if each in served), Channel.TRADES)
        return f"market {self._connector.market} with {', '.join(each.value for each in served)}"

    async def _instruments(self) -> str:
        listed = await self._connector.instruments(refresh=True)
        trading = [symbol for symbol, each in listed.items() if each.status is InstrumentStatus.TRADING]
        wanted, self._symbol = self._symbol, _USUAL_SYMBOL if _USUAL_SYMBOL in trading or not trading else trading[0]
        if wanted and wanted not in listed:
            raise UnknownNameError("symbol", wanted, listed)
        if not trading:
            raise VenueError(self._connector.venue, "", f"{len(listed)} instruments, none of which trades")
        self._symbol = wanted or self._symbol
        return f"{len(listed)} instruments, {len(trading)} of them trading"

    async def _connect(self) -> str:
        """Subscribe, as users do, and wait for the half of it that is the connection."""
        topic = (self._channel or Channel.TRADES, [self._symbol or _USUAL_SYMBOL])
        self._subscribing = asyncio.create_task(self._connector.subscribe(*topic, self._on_event))
        connected = asyncio.create_task(self._connected.wait())
        try:
            await asyncio.wait((self._subscribing, connected), return_when=asyncio.FIRST_COMPLETED)
        finally:
            connected.cancel()
        if not self._connected.is_set():
            await self._subscribing
        return self._url

    async def _subscribe(self) -> str:
        assert self._subscribing is not None
        handle = await asyncio.shield(self._subscribing)
        return "confirmed " + ", ".join(f"{sub.channel} {sub.symbol}" for sub in handle.subs)

    async def _first_event(self) -> str:
        await self._event.wait()
        return event_line(self._first) if self._first is not None else ""

    async def _ping(self) -> str:
        return f"answered after {await self._connector.ping() * 1000:.1f} ms"

    async def _reconnect(self) -> str:
        await self._connector.reconnect()
        if "first_event" in self._failed:
            return "confirmed again"
        self._event.clear()
        await self._event.wait()
        return "confirmed again, and events flow"

    async def _close(self) -> str:
        await self._connector.close()
        return f"{self._seen} events were seen"

    def _on_lifecycle(self, event: Lifecycle) -> None:
        if isinstance(event, Connected):
            self._url = event.url
            self._connected.set()

    def _on_event(self, event: Event) -> None:
        self._seen += 1
        self._first = self._first or event
        self._event.set()
