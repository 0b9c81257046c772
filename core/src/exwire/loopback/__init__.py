"""The exchange in a box: a WebSocket and REST server on 127.0.0.1 that speaks a venue's protocol from a market simulation.

This is the table of contents; every name is loaded when it is first used, so that a venue's script does not load the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exwire.loopback.book import Book as Book
    from exwire.loopback.market import Listing as Listing
    from exwire.loopback.market import Market as Market
    from exwire.loopback.market import SimInstrument as SimInstrument
    from exwire.loopback.script import RateWindow as RateWindow
    from exwire.loopback.script import RefusedError as RefusedError
    from exwire.loopback.script import Reply as Reply
    from exwire.loopback.script import RestRequest as RestRequest
    from exwire.loopback.script import Route as Route
    from exwire.loopback.script import VenueScript as VenueScript
    from exwire.loopback.script import sample_frames as sample_frames
    from exwire.loopback.server import Loopback as Loopback
    from exwire.loopback.session import Lifetimes as Lifetimes
    from exwire.loopback.session import Session as Session

_HOMES = {
    "Book": "book",
    "Lifetimes": "session",
    "Listing": "market",
    "Loopback": "server",
    "Market": "market",
    "RateWindow": "script",
    "RefusedError": "script",
    "Reply": "script",
    "RestRequest": "script",
    "Route": "script",
    "Session": "session",
    "SimInstrument": "market",
    "VenueScript": "script",
    "sample_frames": "script",
}

__all__ = [
    "Book",
    "Lifetimes",
    "Listing",
    "Loopback",
    "Market",
    "RateWindow",
    "RefusedError",
    "Reply",
    "RestRequest",
    "Route",
    "Session",
    "SimInstrument",
    "VenueScript",
    "sample_frames",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
