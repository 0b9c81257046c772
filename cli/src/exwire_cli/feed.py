"""What ``exwire watch`` does: subscribes, and prints events until there were enough."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import final

from exwire.connector import Connector
from exwire.errors import ConnectionLostError, SubscriptionError
from exwire.lifecycle import Disconnected, Lifecycle, Rejected, Subscribed, Undecodable
from exwire.model import Event
from exwire.subscription import Channel, Subscription
from exwire_cli.lines import event_line, lifecycle_line
from exwire_cli.output import emit, say, warn

__all__ = ["Printer", "watch"]


async def watch(connector: Connector, symbols: Sequence[str], channels: Mapping[Channel, Mapping[str, str]], printer: Printer) -> None:
    """Print the channels of these symbols until the printer is done. A refused topic is reported while another is confirmed."""
    async with connector:
        connector.on_lifecycle = printer.on_lifecycle
        for channel, params in channels.items():
            try:
                await connector.subscribe(channel, symbols, printer.on_event, **params)
            except SubscriptionError as error:
                if not error.confirmed:
                    raise
                warn(str(error))
        await printer.done.wait()
    if printer.failure is not None:
        raise printer.failure


@final
class Printer:
    """Prints events and reports what happens to the connection.

    done: set when there were enough, when nobody reads them any more or when no more can come; failure: why, None when there were enough.
    """

    def __init__(self, count: int, *, json: bool) -> None:
        self.done = asyncio.Event()
        self.failure: Exception | None = None
        self._held: set[Subscription] = set()
        self._left = count or -1
        self._json = json

    def on_event(self, event: Event) -> None:
        """Print an event on stdout."""
        if self.done.is_set():
            return
        try:
            if self._json:
                emit(event)
            else:
                say(event_line(event))
        except OSError as error:  # the pipe is closed; the connection would take this for a bug of its callback
            self._end(error)
        self._left -= 1
        if not self._left:
            self._end(None)

    def on_lifecycle(self, event: Lifecycle) -> None:
        """Say on stderr what happened; of frames that could not be understood the 1st, 2nd, 4th, 8th …"""
        if isinstance(event, Undecodable) and event.count & (event.count - 1):
            return
        warn(lifecycle_line(event))
        if isinstance(event, Disconnected) and event.retry_in_s is None:
            self._end(ConnectionLostError(event.code, event.reason))
        elif isinstance(event, Subscribed):
            self._held.update(event.subs)
        elif isinstance(event, Rejected):
            self._held.difference_update(refusal.sub for refusal in event.refusals)
            if not self._held:
                self._end(SubscriptionError(event.venue, (), event.refusals))

    def _end(self, failure: Exception | None) -> None:
        self.failure = self.failure or failure
        self.done.set()
