"""``exwire info``: one venue, with the classes behind it imported and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from exwire_cli.options import Json, Venue
from exwire_cli.output import emit, say, table

if TYPE_CHECKING:
    from exwire.inspection import ChannelReport, VenueReport

__all__ = ["command"]


def command(venue: Venue, json: Json = False) -> None:
    """Show a venue's markets, channels and options, and what is wrong with its plugin. Exit status 1 when something is."""
    from exwire.inspection import inspect_venue  # noqa: PLC0415  # imports REST and handlers, which help texts do not need

    report = inspect_venue(venue)
    if json:
        emit(report)
    else:
        _show(report)
    if report.problems:
        raise typer.Exit(1)


def _show(report: VenueReport) -> None:
    info = report.info
    say(f"{info.venue}: {info.status.value}, plugin API {info.api}, from {info.distribution} {info.version}")
    for market in report.markets:
        say("")
        rows = [
            (each.channel.value, _cadence(each), each.delivery.value if each.delivery else "", _params(each)) for each in market.channels
        ]
        table((f"channels of {market.market}", "speaks", "delivery", "params, default first"), rows)
        say("")
        table((f"classes of {market.market}", "", ""), [(each.role, each.ref, _verdict(each.problems)) for each in market.classes])
    if report.loopback is not None:
        say("")
        say(f"exchange in a box: {report.loopback.ref} ({_verdict(report.loopback.problems)})")
    for problem in report.problems:
        say(f"problem: {problem}")


def _cadence(channel: ChannelReport) -> str:
    return f"every {channel.cadence_s:g} s" if channel.cadence_s else "on change"


def _params(channel: ChannelReport) -> str:
    return "; ".join(f"{param.name}={'|'.join(param.values)}" for param in channel.params)


def _verdict(problems: tuple[str, ...]) -> str:
    return "ok" if not problems else f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
