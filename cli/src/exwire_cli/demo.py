"""``exwire demo``: every installed venue side by side, each against its exchange in a box."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from exwire.discovery import Status, find, venues
from exwire.errors import ConfigError
from exwire_cli.options import Json, Market

__all__ = ["command"]

_SYMBOLS: Final = ["BTC/USDT", "ETH/USDT"]


def command(
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long.")] = 10.0,
    symbol: Annotated[list[str], typer.Option("--symbol", help="What to show of each venue that has it; repeatable.")] = _SYMBOLS,
    market: Market = "spot",
    json: Json = False,
) -> None:
    """Show trades, best bid and ask and book updates of every installed venue, simulated on this machine."""
    from exwire_cli.board import show  # noqa: PLC0415  # asyncio, which help texts do not need
    from exwire_cli.running import run  # noqa: PLC0415  # as above

    shown = [each.venue for each in venues() if each.status is Status.OK and market in each.markets and find(each.venue).loopback]
    if not shown:
        raise ConfigError(f"no installed venue has market {market} and an exchange in a box; exwire list shows what is installed")
    run(show(shown, symbol, market, seconds=seconds, json=json))
