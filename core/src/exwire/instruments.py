"""What a venue lists, kept on disk for a day so that starting a program does not ask for it again.

One file for each venue, market and endpoint. Only rules are in it, nothing secret; an instrument's status is as of the time of asking.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import time_ns
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from exwire.config import cache_dir
from exwire.model import Instrument

__all__ = ["MAX_AGE_S", "InstrumentSource", "load_instruments"]

_log = logging.getLogger("exwire")

MAX_AGE_S: Final = 86_400.0

_FORMAT: Final = 1
"""Of the file; another number is another version's file, and not read."""

_FORGET_AFTER_S: Final = 7 * 86_400.0
_LARGEST_FILE: Final = 64 * 1024 * 1024


class InstrumentSource(Protocol):
    """What lists instruments: a :class:`~exwire.rest.BaseRestClient`."""

    base_url: str

    async def instruments(self) -> list[Instrument]:
        """Return everything listed."""
        ...


class _Stored(Struct, frozen=True):
    """A file's content. asked_at: ns since the epoch."""

    format: int
    venue: str
    market: str
    base_url: str
    asked_at: int
    instruments: list[Instrument]


_decode = msgspec.json.Decoder(_Stored).decode


async def load_instruments(
    rest: InstrumentSource, *, venue: str, market: str, refresh: bool = False, max_age_s: float = MAX_AGE_S
) -> Mapping[str, Instrument]:
    """Return what is listed, by unified symbol: from disk while younger than ``max_age_s``, else from the venue.

    refresh: ask the venue in any case, and keep the answer. max_age_s: 0 leaves the disk alone, for a venue that lives no longer than the
    program. A disk that fails, or a file that is damaged, too old or somebody else's, only means asking the venue; raises what that raises.
    """
    now_ns = time_ns()
    path = _path(venue, market, rest.base_url) if max_age_s > 0 else None
    if path is not None and not refresh:
        # in a thread, as is writing: a home directory may be on a network, and the loop may be serving a feed
        stored = await asyncio.to_thread(_read, path)
        if (
            stored is not None
            and (stored.venue, stored.market, stored.base_url) == (venue, market, rest.base_url)
            and 0 <= now_ns - stored.asked_at <= max_age_s * 1e9
        ):
            return {each.symbol: each for each in stored.instruments}
    instruments = await rest.instruments()
    if path is not None and instruments:
        await asyncio.to_thread(_write, path, _Stored(_FORMAT, venue, market, rest.base_url, now_ns, instruments))
    return {each.symbol: each for each in instruments}


def _path(venue: str, market: str, base_url: str) -> Path | None:
    """Return the file; the endpoint is part of its name, so that another host's rules are never taken for this one's."""
    endpoint = hashlib.sha256(base_url.encode()).hexdigest()[:16]
    try:
        return cache_dir() / "instruments" / f"{venue}-{market}-{endpoint}.json"
    except RuntimeError as exc:  # Path.home() where there is none
        _log.debug("instruments are not kept: %s", exc)
        return None


def _read(path: Path) -> _Stored | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE or not _is_ours(status):
            return None
        stored = _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        _log.debug("instruments are asked for again: %s: %s", path, exc)
        return None
    return stored if stored.format == _FORMAT else None


def _write(path: Path, stored: _Stored) -> None:
    """Replace the file in one step: a reader sees the old one or the new one, whatever stops us."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".new")  # readable by its owner only
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(stored))
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _forget(path.parent)
    except OSError as exc:
        _log.debug("instruments are not kept: %s", exc)


def _forget(folder: Path) -> None:
    """Remove what nobody has renewed for a week: every run of an exchange in a box has an endpoint of its own."""
    oldest_s = time_ns() / 1e9 - _FORGET_AFTER_S
    for file in folder.iterdir():
        with suppress(OSError):  # somebody else's, or already gone
            if file.suffix in {".json", ".new"} and file.stat().st_mtime < oldest_s:
                file.unlink()


def _is_ours(status: os.stat_result) -> bool:
    """Return whether nobody else could have written the file: orders will be rounded by what it says."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
