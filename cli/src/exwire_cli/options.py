"""The arguments that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import typer

from exwire.errors import ConfigError, UnknownNameError
from exwire.subscription import Channel

__all__ = ["Json", "Loopback", "Market", "Venue", "channels", "params"]

Venue: TypeAlias = Annotated[str, typer.Argument(metavar="VENUE", help="An installed venue; `exwire list` names them.", show_default=False)]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, one document or one a line.")]
Market: TypeAlias = Annotated[str, typer.Option("--market", help="Which of the venue's markets.")]
Loopback: TypeAlias = Annotated[
    bool, typer.Option("--loopback", help="Use the venue's exchange in a box on this machine instead of its real hosts.")
]


def channels(names: Sequence[str]) -> list[Channel]:
    """Return the channels of these names. Raises UnknownNameError, naming the nearest."""
    known = [each.value for each in Channel]
    for name in names:
        if name not in known:
            raise UnknownNameError("channel", name, known)
    return [Channel(name) for name in dict.fromkeys(names)]


def params(pairs: Sequence[str], channel: Channel) -> dict[str, str]:
    """Return what ``name=value`` and ``channel.name=value`` say for one channel. Raises ConfigError for another form."""
    chosen = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigError(f"--param {pair!r} is not name=value; an example: --param interval=1m")
        scope, dot, scoped = name.rpartition(".")
        if not dot or channels([scope]) == [channel]:
            chosen[scoped] = value
    return chosen
