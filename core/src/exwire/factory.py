"""The front door: from a venue's name to a connector or a connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import final

from exwire import discovery
from exwire.config import Credentials, Endpoints
from exwire.connector import Connector
from exwire.errors import ConfigError, PluginBrokenError, UnknownNameError
from exwire.handlers import BaseMessageHandler
from exwire.hookspecs import MarketSpec, VenueSpec
from exwire.interface import BaseWebSocketInterface
from exwire.loopback import Loopback, VenueScript
from exwire.rest import BaseRestClient
from exwire.transport import create_transport

__all__ = ["connect", "create_loopback", "create_websocket"]


def connect(
    venue: str,
    *,
    market: str = "spot",
    credentials: Credentials | None = None,
    endpoints: Endpoints | None = None,
    loopback: bool | Loopback = False,
    transport: str | None = None,
) -> Connector:
    """Return a connector to one market of a venue; nothing is opened before ``async with``.

    endpoints: where to reach the venue instead of its own hosts. loopback: True for an exchange in a box of the connector's own, or one
    that runs already. transport: ``auto``, ``websockets`` or ``picows`` instead of ``EXWIRE_TRANSPORT``.

    Raises PluginError for a venue that is not installed or broken, UnknownNameError for a market it does not have.
    """
    plugin = _Plugin(venue, market, transport)
    if credentials is not None:
        plugin.require_private()
    box: AbstractAsyncContextManager[Endpoints] | None = None
    if isinstance(loopback, Loopback):
        endpoints = loopback.endpoints
    elif loopback:
        box = _boxed(create_loopback(venue))
    return Connector(plugin, endpoints=endpoints or Endpoints(), box=box)


def create_websocket(
    venue: str,
    *,
    market: str = "spot",
    private: bool = False,
    credentials: Credentials | None = None,
    endpoints: Endpoints | None = None,
    transport: str | None = None,
) -> BaseWebSocketInterface:
    """Return one connection, not opened yet: set its handler's callbacks, then ``connect``, ``subscribe``, ``run``, ``close``.

    The arguments are those of :func:`connect`. Raises the same errors.
    """
    plugin = _Plugin(venue, market, transport)
    if private or credentials is not None:
        plugin.require_private()
    return plugin.socket(endpoints or Endpoints())


def create_loopback(venue: str, *, seed: int = 1, port: int = 0) -> Loopback:
    """Return the exchange in a box of a venue, not started yet. port 0: any free one. Raises ConfigError for a venue that ships none."""
    spec = discovery.find(venue)
    if not spec.loopback:
        raise ConfigError(f"{venue}: this plugin ships no script for the exchange in a box")
    script: type[VenueScript] = discovery.load_class(venue, spec.loopback, VenueScript)
    return Loopback(script(), seed=seed, port=port)


@final
class _Plugin:
    """A discovered venue's market, as a connector wants to see it."""

    __slots__ = ("_handler", "_rest", "_spec", "_transport", "has_rest", "market", "name")

    def __init__(self, venue: str, market: str, transport: str | None) -> None:
        spec = discovery.find(venue)
        self.name = venue
        self.market = market
        self._spec = _market(spec, market)
        self._transport = transport
        create_transport(transport)
        self._handler: type[BaseMessageHandler] = discovery.load_class(venue, self._spec.public, BaseMessageHandler)
        problems = discovery.check_handler(self._handler, self._spec.channels)
        if problems:
            raise PluginBrokenError(venue, f"{self._spec.public} cannot be used: {'; '.join(problems)}")
        self._rest: type[BaseRestClient] | None = None
        self.has_rest = bool(self._spec.rest)
        if self.has_rest:
            self._rest = discovery.load_class(venue, self._spec.rest, BaseRestClient)

    def require_private(self) -> None:
        """Raise ConfigError unless the market has private streams."""
        if not self._spec.private:
            raise ConfigError(f"{self.name} {self.market}: this plugin has no private streams, so it takes no credentials")

    def socket(self, endpoints: Endpoints) -> BaseWebSocketInterface:
        url = endpoints.ws.get(self.market, "")
        if endpoints.ws and not url:
            raise UnknownNameError("market of endpoints.ws", self.market, endpoints.ws, venue=self.name)
        return BaseWebSocketInterface(self._handler(), transport=create_transport(self._transport), urls=(url,) if url else ())

    def rest(self, endpoints: Endpoints) -> BaseRestClient:
        if self._rest is None:
            raise ConfigError(f"{self.name} {self.market}: this plugin has no REST client")
        return self._rest(base_url=endpoints.rest)


def _market(spec: VenueSpec, market: str) -> MarketSpec:
    found = spec.markets.get(market)
    if found is None:
        raise UnknownNameError("market", market, spec.markets, venue=spec.name)
    return found


@asynccontextmanager
async def _boxed(loopback: Loopback) -> AsyncIterator[Endpoints]:
    """An exchange in a box that lives as long as its connector."""
    async with loopback:
        yield loopback.endpoints
