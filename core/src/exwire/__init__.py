"""exwire connects programs to crypto exchanges. This is the table of contents; every name is loaded when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exwire.config import Credentials as Credentials
    from exwire.config import Endpoints as Endpoints
    from exwire.config import Secret as Secret
    from exwire.connector import Connector as Connector
    from exwire.connector import Handle as Handle
    from exwire.discovery import VenueInfo as VenueInfo
    from exwire.discovery import venues as venues
    from exwire.errors import AuthError as AuthError
    from exwire.errors import BookChangedError as BookChangedError
    from exwire.errors import BookNotLiveError as BookNotLiveError
    from exwire.errors import ConfigError as ConfigError
    from exwire.errors import ConnectError as ConnectError
    from exwire.errors import ConnectionLostError as ConnectionLostError
    from exwire.errors import DecodeError as DecodeError
    from exwire.errors import ExwireError as ExwireError
    from exwire.errors import GapError as GapError
    from exwire.errors import OutsideBookError as OutsideBookError
    from exwire.errors import OverflowedError as OverflowedError
    from exwire.errors import PluginBrokenError as PluginBrokenError
    from exwire.errors import PluginConflictError as PluginConflictError
    from exwire.errors import PluginError as PluginError
    from exwire.errors import PluginIncompatibleError as PluginIncompatibleError
    from exwire.errors import PluginNotFoundError as PluginNotFoundError
    from exwire.errors import ProtocolError as ProtocolError
    from exwire.errors import RateLimitError as RateLimitError
    from exwire.errors import SubscriptionError as SubscriptionError
    from exwire.errors import TransportError as TransportError
    from exwire.errors import UnknownNameError as UnknownNameError
    from exwire.errors import UsageError as UsageError
    from exwire.errors import VenueError as VenueError
    from exwire.factory import connect as connect
    from exwire.factory import create_loopback as create_loopback
    from exwire.factory import create_websocket as create_websocket
    from exwire.interface import BaseWebSocketInterface as BaseWebSocketInterface
    from exwire.lifecycle import BookInvalid as BookInvalid
    from exwire.lifecycle import BookLive as BookLive
    from exwire.lifecycle import Connected as Connected
    from exwire.lifecycle import Discarded as Discarded
    from exwire.lifecycle import Disconnected as Disconnected
    from exwire.lifecycle import Gap as Gap
    from exwire.lifecycle import Lifecycle as Lifecycle
    from exwire.lifecycle import Notice as Notice
    from exwire.lifecycle import Rejected as Rejected
    from exwire.lifecycle import Subscribed as Subscribed
    from exwire.lifecycle import Undecodable as Undecodable
    from exwire.loopback import Loopback as Loopback
    from exwire.model import BookDelta as BookDelta
    from exwire.model import BookSnapshot as BookSnapshot
    from exwire.model import BookTicker as BookTicker
    from exwire.model import Candle as Candle
    from exwire.model import Event as Event
    from exwire.model import Instrument as Instrument
    from exwire.model import InstrumentStatus as InstrumentStatus
    from exwire.model import Level as Level
    from exwire.model import Side as Side
    from exwire.model import Ticker as Ticker
    from exwire.model import Trade as Trade
    from exwire.stream import EventStream as EventStream
    from exwire.stream import Policy as Policy
    from exwire.subscription import Channel as Channel
    from exwire.subscription import Refusal as Refusal
    from exwire.subscription import Subscription as Subscription

_CONTENTS = {
    "exwire.config": (
        "Credentials",
        "Endpoints",
        "Secret",
    ),
    "exwire.connector": (
        "Connector",
        "Handle",
    ),
    "exwire.discovery": (
        "VenueInfo",
        "venues",
    ),
    "exwire.errors": (
        "AuthError",
        "BookChangedError",
        "BookNotLiveError",
        "ConfigError",
        "ConnectError",
        "ConnectionLostError",
        "DecodeError",
        "ExwireError",
        "GapError",
        "OutsideBookError",
        "OverflowedError",
        "PluginBrokenError",
        "PluginConflictError",
        "PluginError",
        "PluginIncompatibleError",
        "PluginNotFoundError",
        "ProtocolError",
        "RateLimitError",
        "SubscriptionError",
        "TransportError",
        "UnknownNameError",
        "UsageError",
        "VenueError",
    ),
    "exwire.factory": (
        "connect",
        "create_loopback",
        "create_websocket",
    ),
    "exwire.interface": ("BaseWebSocketInterface",),
    "exwire.lifecycle": (
        "BookInvalid",
        "BookLive",
        "Connected",
        "Discarded",
        "Disconnected",
        "Gap",
        "Lifecycle",
        "Notice",
        "Rejected",
        "Subscribed",
        "Undecodable",
    ),
    "exwire.loopback": ("Loopback",),
    "exwire.model": (
        "BookDelta",
        "BookSnapshot",
        "BookTicker",
        "Candle",
        "Event",
        "Instrument",
        "InstrumentStatus",
        "Level",
        "Side",
        "Ticker",
        "Trade",
    ),
    "exwire.stream": (
        "EventStream",
        "Policy",
    ),
    "exwire.subscription": (
        "Channel",
        "Refusal",
        "Subscription",
    ),
}

_HOMES = {name: home for home, names in _CONTENTS.items() for name in names}

__all__ = sorted([*_HOMES, "__version__"])  # noqa: PLE0605 - built from the table above


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - it takes ten times as long as the rest of this module

        return version("exwire")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'exwire' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
