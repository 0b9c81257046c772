"""``exwire list``: every installed venue and its state."""

from __future__ import annotations

from exwire.discovery import venues
from exwire_cli.options import Json
from exwire_cli.output import emit, say, table

__all__ = ["command"]


def command(json: Json = False) -> None:
    """List the installed venues. Their handlers are not imported; `info` and `doctor` do that."""
    found = venues()
    if json:
        emit(found)
    elif found:
        rows = [
            (
                each.venue,
                each.status.value,
                ", ".join(each.markets),
                f"{each.distribution} {each.version}",
                f"{each.load_ms:.1f}",
                each.reason,
            )
            for each in found
        ]
        table(("venue", "status", "markets", "distribution", "ms", "reason"), rows)
    else:
        say("no venue is installed; an example: pip install exwire-gateio")
