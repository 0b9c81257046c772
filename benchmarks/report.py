"""What was measured, and the table that says so."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from msgspec import Struct

__all__ = ["Bar", "Row", "lines", "machine", "new_event_loop", "quantile"]

_LIBRARIES: Final = ("uvloop", "msgspec", "picows", "websockets")
_HEADINGS: Final = ("best", "median", "mean", "p95")


class Bar(Struct, frozen=True):
    """What a row is held against: its figure ``of`` (one of the headings) has to stay below ``limit``, in the row's unit."""

    limit: float
    of: str = "p95"

    def __str__(self) -> str:
        return f"{self.of} < {self.limit:g}"


class Row(Struct, frozen=True):
    """One thing measured.

    samples: one a round, in ``unit``; baseline: samples of what it is compared with, where the row says how much longer (in ``unit``) or
    how many times as long (unit ``x``) it takes; bar: None where nothing is promised; note: said behind the figures.
    """

    name: str
    samples: Sequence[float]
    unit: str = "µs"
    bar: Bar | None = None
    note: str = ""
    baseline: Sequence[float] = ()

    def figures(self) -> dict[str, float]:
        """Return best, median, mean and p95; with a baseline, best compared with best, median with median, and so on."""
        own = _figures(self.samples)
        if not self.baseline:
            return own
        theirs = _figures(self.baseline)
        return {name: value / theirs[name] if self.unit == "x" else value - theirs[name] for name, value in own.items()}

    def verdict(self) -> str:
        """Return ``ok``, ``OVER``, or nothing where nothing is promised."""
        if self.bar is None:
            return ""
        return "ok" if self.figures()[self.bar.of] < self.bar.limit else "OVER"


def quantile(samples: Iterable[float], q: float) -> float:
    """Return the smallest sample that at least the share ``q`` of all does not exceed."""
    ranked = sorted(samples)
    return ranked[max(0, -int(-q * len(ranked) // 1) - 1)]


def lines(rows: Sequence[Row]) -> Iterator[tuple[str, bool]]:
    """Yield the table line by line, with whether a bar was missed in it."""
    width = max(len(row.name) for row in rows)
    heads = "".join(f"{each:>9}" for each in _HEADINGS)
    yield f"{'':{width}}{heads}   {'unit':<5}{'bar':<13}", False
    for row in rows:
        figures = "".join(f"{round(value, 2) + 0.0:9.2f}" for value in row.figures().values())
        bar = "" if row.bar is None else str(row.bar)
        verdict = row.verdict()
        yield f"{row.name:{width}}{figures}   {row.unit:<5}{bar:<13}{verdict:<6}{row.note}".rstrip(), verdict == "OVER"


def machine() -> str:
    """Return what the figures depend on: processor, Python, libraries, event loop."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} CPUs; {platform.system()} {platform.machine()}; {python}; {', '.join(found)}"


def new_event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the factory of the loop that sockets are measured on: uvloop's where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _figures(samples: Sequence[float]) -> dict[str, float]:
    values = (min(samples), statistics.median(samples), statistics.fmean(samples), quantile(samples, 0.95))
    return dict(zip(_HEADINGS, values, strict=True))


def _processor() -> str:
    if sys.platform == "linux":
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if found is not None:
            return found[1]
    return platform.processor() or platform.machine()
