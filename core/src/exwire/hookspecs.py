"""What a plugin tells exwire: one hook, asked once, answered with data. Importing this loads nothing of asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pluggy
from msgspec import Struct

from exwire.subscription import Channel

__all__ = ["API", "PROJECT", "MarketSpec", "VenueSpec", "exwire_venue", "hookimpl", "hookspec"]

PROJECT: Final = "exwire"
"""Name of the entry-point group and of the pluggy project."""

API: Final = 1
"""The plugin API that this exwire speaks; ``VenueSpec.api`` has to equal it."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class MarketSpec(Struct, frozen=True):
    """One market of a venue, its classes named as ``"module:Class"`` so that listing venues imports none of them.

    public, private: handlers; rest: a ``BaseRestClient``; channels: what can be subscribed.
    """

    public: str
    private: str = ""
    rest: str = ""
    channels: tuple[Channel, ...] = ()


class VenueSpec(Struct, frozen=True):
    """A venue. name: equals the entry point's; api: the plugin API it was written for; loopback: its script for the exchange in a box
    (``"module:Class"``); flags, bench: contributed by later parts of exwire, empty when there are none.
    """

    name: str
    api: int
    markets: Mapping[str, MarketSpec]
    loopback: str = ""
    flags: tuple[str, ...] = ()
    bench: str = ""


@hookspec
def exwire_venue() -> VenueSpec:  # type: ignore[empty-body]  # a hook specification has no body
    """Return what the plugin provides. Called once, at discovery; it must not connect, read files or import its handlers."""
