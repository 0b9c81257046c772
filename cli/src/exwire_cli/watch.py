"""``exwire watch``: market data as it comes, one event a line."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from exwire_cli.options import Json, Loopback, Market, Venue, channels, params

__all__ = ["command"]

_CHANNELS: Final = ["trades"]
_PARAMS: Final[list[str]] = []


def command(
    venue: Venue,
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Such as BTC/USDT.", show_default=False)],
    channel: Annotated[
        list[str],
        typer.Option("--channel", metavar="CHANNEL", help="trades, book_ticker, book, book_snapshot, ticker or candles; repeatable."),
    ] = _CHANNELS,
    param: Annotated[
        list[str],
        typer.Option("--param", metavar="NAME=VALUE", help="An option of the channels, or CHANNEL.NAME=VALUE for one; repeatable."),
    ] = _PARAMS,
    count: Annotated[int, typer.Option("--count", min=0, help="End after so many events; 0: never.")] = 0,
    market: Market = "spot",
    loopback: Loopback = False,
    json: Json = False,
) -> None:
    """Print market data until Ctrl-C. What happens to the connection is said on stderr."""
    import exwire  # noqa: PLC0415  # asyncio, which help texts do not need
    from exwire_cli.feed import Printer, watch  # noqa: PLC0415  # as above
    from exwire_cli.running import run  # noqa: PLC0415  # as above

    chosen = {each: params(param, each) for each in channels(channel)}
    connector = exwire.connect(venue, market=market, loopback=loopback)
    run(watch(connector, symbols, chosen, Printer(count, json=json)))
