"""``exwire test``: a venue tried from end to end, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exwire_cli.options import Json, Loopback, Market, Venue, channels
from exwire_cli.output import emit, say

if TYPE_CHECKING:
    from exwire_cli.trial import Step

__all__ = ["command"]


def command(
    venue: Venue,
    symbol: Annotated[str, typer.Option("--symbol", help="By default BTC/USDT, or the first one that trades.", show_default=False)] = "",
    channel: Annotated[
        str, typer.Option("--channel", help="By default the first of book_ticker, trades … that it has.", show_default=False)
    ] = "",
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="For each step, s.")] = 15.0,
    market: Market = "spot",
    loopback: Loopback = False,
    json: Json = False,
) -> None:
    """Try a venue: instruments, connect, subscribe, first event, ping, reconnect, close. Exit status 1 when a step fails."""
    import exwire  # noqa: PLC0415  # asyncio, which help texts do not need
    from exwire_cli.running import run  # noqa: PLC0415  # as above
    from exwire_cli.trial import Trial  # noqa: PLC0415  # as above

    connector = exwire.connect(venue, market=market, loopback=loopback)
    chosen = channels([channel])[0] if channel else None
    report = run(Trial(connector, symbol=symbol, channel=chosen, timeout_s=timeout, show=_ignore if json else _show).run())
    if json:
        emit(report)
    else:
        say(f"{venue} {market}: {'every step passed' if report.ok else 'failed'}")
    if not report.ok:
        raise typer.Exit(1)


def _show(step: Step) -> None:
    say(f"{'ok    ' if step.ok else 'FAILED'}  {step.name:<11}  {step.ms:9.1f} ms  {step.detail}")


def _ignore(_: Step) -> None:
    pass
