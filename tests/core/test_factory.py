"""The front door: names in, connectors out, and errors that say what was meant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import exwire
from exwire import Channel, ConfigError, Credentials, Endpoints, PluginNotFoundError, Secret, Subscription, UnknownNameError
from exwire.connector import Connector
from exwire.interface import BaseWebSocketInterface
from exwire.loopback import Loopback


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    async with exwire.create_loopback("gateio") as box:
        yield box


async def test_a_venue_is_connected_by_its_name() -> None:
    async with exwire.connect("gateio", loopback=True) as gate:
        assert isinstance(gate, Connector)
        assert (gate.venue, gate.market) == ("gateio", "spot")
        assert Channel.TRADES in gate.channels()


@pytest.mark.parametrize("transport", ["websockets", "picows"])
async def test_a_box_can_be_shared(box: Loopback, transport: str) -> None:
    async with exwire.connect("gateio", loopback=box, transport=transport) as gate, gate.stream(Channel.TICKER, "BTC/USDT") as tickers:
        assert (await anext(tickers)).symbol == "BTC/USDT"
        assert len(box.sessions) == 1


async def test_a_connection_can_be_had_without_a_connector(box: Loopback) -> None:
    socket = exwire.create_websocket("gateio", endpoints=box.endpoints)
    assert isinstance(socket, BaseWebSocketInterface)
    await socket.connect()
    await socket.subscribe([Subscription(Channel.TRADES, "BTC/USDT")])
    await socket.close()

    assert socket.metrics().opens == 1


def test_an_unknown_venue_names_the_nearest() -> None:
    with pytest.raises(PluginNotFoundError, match=r"no such venue is installed; nearest known: gateio"):
        exwire.connect("gateoi")
    with pytest.raises(PluginNotFoundError):
        exwire.create_loopback("gateoi")


def test_an_unknown_market_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"gateio: unknown market 'spott'; nearest known: spot"):
        exwire.create_websocket("gateio", market="spott")


def test_an_unknown_transport_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="picows"):
        exwire.connect("gateio", transport="picow")


def test_credentials_for_a_market_without_private_streams_are_refused() -> None:
    """Better than to stream public data to somebody who believes to be logged in."""
    with pytest.raises(ConfigError, match="no private streams"):
        exwire.connect("gateio", credentials=Credentials("key", Secret("secret")))
    with pytest.raises(ConfigError, match="no private streams"):
        exwire.create_websocket("gateio", private=True)


def test_endpoints_without_the_market_are_refused() -> None:
    """Else the exchange itself would be reached by somebody who meant a test server."""
    with pytest.raises(UnknownNameError, match="market of endpoints"):
        exwire.create_websocket("gateio", endpoints=Endpoints(ws={"futures": "ws://127.0.0.1:1/"}))
