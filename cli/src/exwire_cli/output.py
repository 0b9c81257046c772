"""What commands print: JSON lines for programs, tables and plain lines for people, one line on stderr when something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

__all__ = ["emit", "is_terminal", "say", "table", "warn"]


def emit(value: object) -> None:
    """Print a value as one line of JSON, at once."""
    say(msgspec.json.encode(value).decode())


def say(line: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def warn(line: str) -> None:
    """Print a line on stderr."""
    sys.stderr.write(f"exwire: {line}\n")
    sys.stderr.flush()


def is_terminal() -> bool:
    """Return whether a person watches stdout."""
    return sys.stdout.isatty()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings: drawn on a terminal, aligned by spaces elsewhere."""
    if is_terminal():
        _drawn(columns, rows)
        return
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415  # 60 ms, only where it is seen
    from rich.table import Table  # noqa: PLC0415  # as above

    grid = Table(*columns)
    for row in rows:
        grid.add_row(*row)
    Console(markup=False, emoji=False, highlight=False).print(grid)
