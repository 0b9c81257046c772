"""``exwire instruments``: what a market trades, and the rules for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

import exwire
from exwire.errors import UnknownNameError
from exwire.model import Instrument
from exwire_cli.options import Json, Loopback, Market, Venue
from exwire_cli.output import emit, table

__all__ = ["command"]

_COLUMNS = ("symbol", "venue symbol", "status", "tick", "lot", "min qty", "min notional")


def command(
    venue: Venue,
    wanted: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only symbols that contain this, in any case.", show_default=False)] = "",
    market: Market = "spot",
    loopback: Loopback = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the venue even if the list on disk is fresh.")] = False,
    json: Json = False,
) -> None:
    """List what is traded: tick and lot sizes, least and largest orders."""
    from exwire_cli.running import run  # noqa: PLC0415  # asyncio, which help texts do not need

    listed = run(_load(venue, market, loopback=loopback, refresh=refresh))
    found = [each for symbol, each in sorted(listed.items()) if wanted.casefold() in symbol.casefold()]
    if wanted and not found:
        raise UnknownNameError("symbol", wanted, listed, venue=venue)
    if json:
        emit(found)
    else:
        table(_COLUMNS, [_row(each) for each in found])


async def _load(venue: str, market: str, *, loopback: bool, refresh: bool) -> Mapping[str, Instrument]:
    async with exwire.connect(venue, market=market, loopback=loopback) as connector:
        return await connector.instruments(refresh=refresh)


def _row(each: Instrument) -> tuple[str, ...]:
    rules = (each.tick_size, each.lot_size, each.min_qty, each.min_notional)
    return (each.symbol, each.venue_symbol, each.status.value, *("" if rule is None else f"{rule:f}" for rule in rules))
