"""What ``import exwire`` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import exwire

PUBLIC = [
    "AuthError",
    "BookChangedError",
    "BookInvalid",
    "BookLive",
    "BookNotLiveError",
    "OutsideBookError",
    "BaseWebSocketInterface",
    "BookDelta",
    "BookSnapshot",
    "BookTicker",
    "Candle",
    "Channel",
    "ConfigError",
    "ConnectError",
    "Connected",
    "ConnectionLostError",
    "Connector",
    "Credentials",
    "DecodeError",
    "Discarded",
    "Disconnected",
    "Endpoints",
    "Event",
    "EventStream",
    "ExwireError",
    "Gap",
    "GapError",
    "Handle",
    "Instrument",
    "InstrumentStatus",
    "Level",
    "Lifecycle",
    "Loopback",
    "Notice",
    "OverflowedError",
    "PluginBrokenError",
    "PluginConflictError",
    "PluginError",
    "PluginIncompatibleError",
    "PluginNotFoundError",
    "Policy",
    "ProtocolError",
    "RateLimitError",
    "Refusal",
    "Rejected",
    "Secret",
    "Side",
    "Subscribed",
    "Subscription",
    "SubscriptionError",
    "Ticker",
    "Trade",
    "TransportError",
    "Undecodable",
    "UnknownNameError",
    "UsageError",
    "VenueError",
    "VenueInfo",
    "__version__",
    "connect",
    "create_loopback",
    "create_websocket",
    "venues",
]

HEAVY = {"asyncio", "aiohttp", "websockets", "picows", "ssl", "google.protobuf", "rich"}


def test_the_public_api_is_this_list() -> None:
    """Growing it is a decision."""
    assert sorted(exwire.__all__) == sorted(PUBLIC)
    assert dir(exwire) == exwire.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_can_be_loaded(name: str) -> None:
    assert getattr(exwire, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        exwire.conect  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import exwire; exwire.venues()",
        "import exwire.hookspecs, exwire_gateio.plugin",
        "import exwire; exwire.Channel, exwire.Trade, exwire.GapError",
        "import exwire_gateio.spot.decode, exwire_gateio.spot.encode, exwire.handlers, exwire.subscription, exwire.reconnect",
    ],
)
def test_what_needs_no_network_loads_none(code: str) -> None:
    """aiohttp alone costs half a second; listing venues and decoding frames must not pay for it."""
    program = f"import sys; {code}; print(*sorted(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == ""
