"""``exwire doctor``: what exwire runs on, and what is wrong with it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from msgspec import Struct

from exwire_cli.options import Json
from exwire_cli.output import emit, say, table

if TYPE_CHECKING:
    from exwire.inspection import VenueReport

__all__ = ["command"]

_LIBRARIES: Final = ("exwire", "exwire-cli", "msgspec", "pluggy", "aiohttp", "websockets", "picows", "uvloop", "typer", "rich")


class Transport(Struct, frozen=True):
    """choice: what ``EXWIRE_TRANSPORT`` says; used: the class that a connection gets, ``""`` when that is impossible."""

    choice: str
    used: str


class Cache(Struct, frozen=True):
    """Where instruments are kept. usable: whether it is there and can be written, or can be made."""

    path: str
    usable: bool


class Diagnosis(Struct, frozen=True):
    """What was found. versions: null for what is not installed; event_loop: the command line's; problems: all of them, in sentences."""

    python: str
    platform: str
    versions: dict[str, str | None]
    transport: Transport
    event_loop: str
    cache: Cache
    venues: tuple[Any, ...]
    problems: tuple[str, ...]


def command(json: Json = False) -> None:
    """Examine this installation: versions, transport, cache and every plugin's classes. Exit status 1 when something is wrong."""
    diagnosis = _examine()
    if json:
        emit(diagnosis)
    else:
        _show(diagnosis)
    if diagnosis.problems:
        raise typer.Exit(1)


def _examine() -> Diagnosis:
    from exwire.discovery import venues  # noqa: PLC0415  # as below
    from exwire.inspection import inspect_venue  # noqa: PLC0415  # imports REST and handlers, which help texts do not need

    problems: list[str] = []
    transport = _transport(problems)
    cache = _cache(problems)
    reports = tuple(inspect_venue(name) for name in dict.fromkeys(each.venue for each in venues()))
    if not reports:
        problems.append("no venue is installed; an example: pip install exwire-gateio")
    problems += [f"{report.info.venue}: {problem}" for report in reports for problem in report.problems]
    return Diagnosis(
        python=f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        platform=platform.platform(),
        versions={name: _version(name) for name in _LIBRARIES},
        transport=transport,
        event_loop="uvloop" if _version("uvloop") else "asyncio",
        cache=cache,
        venues=reports,
        problems=tuple(problems),
    )


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _transport(problems: list[str]) -> Transport:
    from exwire.errors import ConfigError  # noqa: PLC0415  # as above
    from exwire.transport import create_transport  # noqa: PLC0415  # as above

    choice = os.environ.get("EXWIRE_TRANSPORT", "") or "auto"
    try:
        return Transport(choice, type(create_transport()).__name__)
    except ConfigError as error:
        problems.append(f"no connection can be opened: {error}")
        return Transport(choice, "")


def _cache(problems: list[str]) -> Cache:
    from exwire.config import cache_dir  # noqa: PLC0415  # as above

    try:
        path = cache_dir()
    except RuntimeError as error:  # Path.home() where there is none
        problems.append(f"instruments cannot be kept: {error}; set EXWIRE_CACHE_DIR")
        return Cache("", usable=False)
    usable = _writable(path)
    if not usable:
        problems.append(f"instruments cannot be kept: {path} cannot be written; set EXWIRE_CACHE_DIR to another folder")
    return Cache(str(path), usable)


def _writable(path: Path) -> bool:
    there = next(each for each in (path, *path.parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _show(diagnosis: Diagnosis) -> None:
    transport, cache = diagnosis.transport, diagnosis.cache
    facts = [
        ("python", diagnosis.python),
        ("platform", diagnosis.platform),
        *((name, found or "not installed") for name, found in diagnosis.versions.items()),
        ("transport", f"{transport.used or 'none'} (EXWIRE_TRANSPORT: {transport.choice})"),
        ("event loop", diagnosis.event_loop),
        ("cache", cache.path if cache.usable else f"{cache.path} (not usable)"),
    ]
    table(("what", "found"), facts)
    if diagnosis.venues:
        say("")
        table(("venue", "status", "class", "verdict"), list(_classes(diagnosis.venues)))
    say("")
    for problem in diagnosis.problems:
        say(f"problem: {problem}")
    if not diagnosis.problems:
        say("no problem was found")


def _classes(reports: Sequence[VenueReport]) -> Iterator[tuple[str, str, str, str]]:
    for report in reports:
        named = [*(each for market in report.markets for each in market.classes), *([report.loopback] if report.loopback else [])]
        if not named:
            yield report.info.venue, report.info.status.value, "", report.info.reason
        for each in named:
            yield report.info.venue, report.info.status.value, each.ref, "; ".join(each.problems) or "ok"
