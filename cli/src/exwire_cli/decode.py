"""``exwire decode``: raw frames from files, as the events that a venue's handler makes of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, structs

from exwire.contracts import SubscriptionMixin
from exwire.discovery import check_handler, contained, find, load_class
from exwire.errors import DecodeError, PluginBrokenError, UnknownNameError
from exwire.handlers import AnySymbol, PublicMessageHandler
from exwire.model import Event
from exwire_cli.lines import event_line
from exwire_cli.options import Json, Market, Venue
from exwire_cli.output import emit, say

__all__ = ["command"]


class Kind(StrEnum):
    """What a frame turned out to be. control: an answer, a pong or a notice."""

    EVENT = "event"
    CONTROL = "control"
    ERROR = "error"


class Decoded(Struct, frozen=True):
    """One file. error: why it could not be decoded, ``""`` when it could."""

    file: str
    kind: Kind
    events: list[Event] = []
    error: str = ""


def command(
    venue: Venue,
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="One frame each: .json is text, .bin binary.", show_default=False)],
    market: Market = "spot",
    json: Json = False,
) -> None:
    """Decode frames. Every symbol of the venue's form is accepted. Exit status 1 when one could not be decoded."""
    handler = _handler(venue, market)
    failed = False
    for file in files:
        # a name that is not UTF-8 cannot be printed as it is
        decoded = structs.replace(_decode(handler, file), file=os.fsencode(file).decode(errors="backslashreplace"))
        failed = failed or decoded.kind is Kind.ERROR
        if json:
            emit(decoded)
        else:
            say(f"{decoded.file}: {decoded.kind}" + (f": {decoded.error}" if decoded.error else ""))
            for event in decoded.events:
                say(f"  {event_line(event)}")
    if failed:
        raise typer.Exit(1)


def _handler(venue: str, market: str) -> PublicMessageHandler:
    spec = find(venue)
    if market not in spec.markets:
        raise UnknownNameError("market", market, spec.markets, venue=venue)
    cls = load_class(venue, spec.markets[market].public, PublicMessageHandler)
    problems = check_handler(cls)
    if problems:
        raise PluginBrokenError(venue, f"{spec.markets[market].public} cannot be used: {'; '.join(problems)}")
    with contained(venue, f"making a {cls.__name__}"):
        handler: PublicMessageHandler = cls()
    return handler


def _decode(handler: PublicMessageHandler, file: str) -> Decoded:
    try:
        frame = Path(file).read_bytes()
    except OSError as error:
        return Decoded(file, Kind.ERROR, error=f"cannot be read: {error.strerror or error}")
    events: list[Event] = []
    errors: list[DecodeError] = []
    _listen(handler, events, errors)
    outside, broken = handler.outside, handler.callback_errors
    with _quiet():
        handler.feed(frame, not file.endswith(".bin"), 0)
    if handler.callback_errors > broken:  # nothing else can raise here: every callback only appends
        return Decoded(
            file, Kind.ERROR, error=f"the decoder of {handler.venue} raised something else than a DecodeError: a bug in the plugin"
        )
    if errors:
        return Decoded(file, Kind.ERROR, error=str(errors[0]))
    if handler.outside > outside:
        return Decoded(file, Kind.ERROR, events, f"{handler.outside - outside} rows name a symbol that {handler.venue} cannot have")
    return Decoded(file, Kind.EVENT if events else Kind.CONTROL, events)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a plugin's traceback off stderr: what went wrong is the answer, on stdout."""
    log = logging.getLogger("exwire")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)


def _listen(handler: PublicMessageHandler, events: list[Event], errors: list[DecodeError]) -> None:
    if isinstance(handler, SubscriptionMixin):
        handler.symbols = AnySymbol(handler.symbol)
    handler.on_trade = handler.on_book_ticker = handler.on_ticker = handler.on_candle = events.append
    handler.on_book_snapshot = handler.on_book_delta = events.append
    handler.on_error = errors.append
