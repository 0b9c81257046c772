"""Which callbacks an event goes to: one table a kind of event, keyed by symbol.

A handler has one callback for each kind; a connector has many subscribers. A lookup costs 0.1 µs, and nothing else is done per event: a
topic's first event is noticed by an entry that replaces itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from exwire.handlers import PublicMessageHandler, ignore
from exwire.model import Candle
from exwire.subscription import ALL, Channel, Subscription

__all__ = ["Callback", "Router"]

Callback = Callable[[Any], object]
"""Takes one event of its channel."""


class _Routes(dict[Any, Callback]):
    def __missing__(self, key: object) -> Callback:
        """A topic of all symbols takes what no other one does; events of a topic that was given up a moment ago may still arrive."""
        return self.get(ALL, ignore)


@final
class Router:
    """The callbacks of one connection's topics."""

    __slots__ = ("_callbacks", "_tables")

    def __init__(self, handler: PublicMessageHandler) -> None:
        self._callbacks: dict[Subscription, tuple[Callback, ...]] = {}
        self._tables = {channel: _Routes() for channel in Channel}
        self._tables[Channel.BOOK_SNAPSHOT] = self._tables[Channel.BOOK]
        handler.on_trade = _by_symbol(self._tables[Channel.TRADES])
        handler.on_book_ticker = _by_symbol(self._tables[Channel.BOOK_TICKER])
        handler.on_book_snapshot = handler.on_book_delta = _by_symbol(self._tables[Channel.BOOK])
        handler.on_ticker = _by_symbol(self._tables[Channel.TICKER])
        handler.on_candle = _by_interval(self._tables[Channel.CANDLES])

    def add(self, sub: Subscription, callback: Callback, first: Callable[[Subscription], object]) -> None:
        """Send a topic's events to one more callback; ``first`` is told of its next event, once."""
        self._callbacks[sub] = (*self._callbacks.get(sub, ()), callback)
        self._probe(sub, first)

    def rearm(self, first: Callable[[Subscription], object]) -> None:
        """Have ``first`` told of the next event of every topic: after a reconnect data may overtake the acks again."""
        for sub in self._callbacks:
            self._probe(sub, first)

    def remove(self, sub: Subscription, callback: Callback, first: Callable[[Subscription], object]) -> None:
        """Send a topic's events to this callback no more."""
        left = list(self._callbacks.get(sub, ()))
        if callback in left:
            left.remove(callback)
        if left:
            self._callbacks[sub] = tuple(left)
            self._probe(sub, first)
        else:
            self.drop(sub)

    def _probe(self, sub: Subscription, first: Callable[[Subscription], object]) -> None:
        table, key, target = self._tables[sub.channel], _key(sub), _fan_out(self._callbacks[sub])

        def probe(event: object) -> None:
            table[key] = target
            first(sub)
            target(event)

        table[key] = probe

    def drop(self, sub: Subscription) -> None:
        """Send a topic's events nowhere."""
        self._callbacks.pop(sub, None)
        self._tables[sub.channel].pop(_key(sub), None)


def _key(sub: Subscription) -> object:
    return (sub.symbol, sub.param("interval")) if sub.channel is Channel.CANDLES else sub.symbol


def _by_symbol(table: _Routes) -> Callback:
    def route(event: Any) -> None:
        table[event.symbol](event)

    return route


def _by_interval(table: _Routes) -> Callback:
    def route(event: Candle) -> None:
        table[event.symbol, event.interval](event)

    return route


def _fan_out(callbacks: tuple[Callback, ...]) -> Callback:
    """Return one callback for several: each gets the event even if another raises, and the first exception is passed on."""
    if len(callbacks) == 1:
        return callbacks[0]

    def call_all(event: object) -> None:
        failure: Exception | None = None
        for callback in callbacks:
            try:
                callback(event)
            except Exception as error:  # noqa: BLE001 - the border to the user's callback: its neighbours must not suffer
                failure = failure or error
        if failure is not None:
            raise failure

    return call_all
