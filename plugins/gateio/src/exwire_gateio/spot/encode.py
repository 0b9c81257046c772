"""Turn subscriptions into Gate.io spot frames. Pure.

Source: Gate.io WebSocket v4, "Spot", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from exwire.errors import ConfigError
from exwire.subscription import Channel, Request, Subscription
from exwire_gateio.envelope import carries_many, topic_name, wrap
from exwire_gateio.names import VENUE, pair_symbol, symbol_pair

__all__ = ["BOOK_DEPTHS", "INTERVALS", "SNAPSHOT_DEPTHS", "SNAPSHOT_INTERVALS_MS", "requests", "subscription", "topic"]

INTERVALS: Final = ("1m", "10s", "30s", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "7d", "30d")
"""Candle intervals, the default first; so below."""
BOOK_DEPTHS: Final = ("50", "400", "100", "20")
"""50 and 400 are streams of order book V2, which bring their own snapshot; 100 and 20 are ``order_book_update``, which needs REST's."""
SNAPSHOT_DEPTHS: Final = ("20", "5", "10", "50", "100")
"""Gate documents 30 too, and some of its hosts refuse it."""
SNAPSHOT_INTERVALS_MS: Final = ("100", "1000")

_UPDATE_INTERVAL: Final = {"100": "100ms", "20": "20ms"}
"""Of ``order_book_update``: the interval decides how deep it looks."""
_BATCH: Final = 100
"""Topics a frame. Up to 200 were seen to work; a refused batch is sent again in halves, so a smaller one is cheaper to refuse."""
_INT32: Final = 0x7FFF_FFFF
"""Gate echoes larger ids, but only those inside int32 are safe everywhere."""

_PLAIN: Final = {Channel.TRADES: "spot.trades", Channel.BOOK_TICKER: "spot.book_ticker", Channel.TICKER: "spot.tickers"}
_PLAIN_CHANNEL: Final = {wire: channel for channel, wire in _PLAIN.items()}


def requests(event: str, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int) -> list[Request]:
    """Return the frames that subscribe or unsubscribe.

    event: ``subscribe``, ``unsubscribe``; ids: one is taken for each frame and written into it as int32. Raises ConfigError for what Gate
    does not serve.
    """
    by_channel: dict[str, list[tuple[Subscription, tuple[str, ...]]]] = {}
    for sub in subs:
        channel, payload = _wire(sub)
        by_channel.setdefault(channel, []).append((sub, payload))
    made = []
    for channel, asked in by_channel.items():
        size = _BATCH if carries_many(channel) else 1
        for start in range(0, len(asked), size):
            batch = asked[start : start + size]
            request_id = next(ids) & _INT32
            frame = wrap(channel, event, [each for _, payload in batch for each in payload], request_id, now_ns)
            topics = tuple(topic_name(channel, payload) for _, payload in batch)
            made.append(Request(request_id, frame, tuple(sub for sub, _ in batch), topics, subscribe=event == "subscribe"))
    return made


def topic(sub: Subscription) -> str:
    """Return what names a subscription on a connection: its channel and payload. Raises ConfigError for what Gate does not serve."""
    return topic_name(*_wire(sub))


def subscription(topic: str) -> Subscription:
    """Return what a topic stands for, every param set. Raises ConfigError when it stands for nothing."""
    channel, *payload = topic.split(" ")
    match channel, payload:
        case ("spot.trades" | "spot.book_ticker" | "spot.tickers", [pair]):
            sub = Subscription.of(_PLAIN_CHANNEL[channel], pair_symbol(pair))
        case ("spot.candlesticks", [interval, pair]):
            sub = Subscription.of(Channel.CANDLES, pair_symbol(pair), {"interval": interval})
        case ("spot.order_book", [pair, depth, interval]):
            params = {"depth": depth, "interval_ms": interval.removesuffix("ms")}
            sub = Subscription.of(Channel.BOOK_SNAPSHOT, pair_symbol(pair), params)
        case ("spot.order_book_update", [pair, interval]):
            sub = Subscription.of(Channel.BOOK, pair_symbol(pair), {"depth": interval.removesuffix("ms")})
        case ("spot.obu", [stream]):
            pair, _, depth = stream.removeprefix("ob.").rpartition(".")
            sub = Subscription.of(Channel.BOOK, pair_symbol(pair), {"depth": depth})
        case _:
            raise ConfigError(f"{VENUE}: {topic!r} is no topic of public spot")
    # Encoding it again is the whole check: whatever is not spelt as we would spell it stands for nothing.
    if topic_name(*_wire(sub)) != topic:
        raise ConfigError(f"{VENUE}: {topic!r} is no topic of public spot")
    return sub


def _wire(sub: Subscription) -> tuple[str, tuple[str, ...]]:
    """Return Gate's channel and the payload of one topic."""
    pair = symbol_pair(sub.symbol)
    if sub.channel in _PLAIN:
        return _PLAIN[sub.channel], (pair,)
    if sub.channel is Channel.CANDLES:
        return "spot.candlesticks", (_chosen(sub, "interval", INTERVALS), pair)
    if sub.channel is Channel.BOOK_SNAPSHOT:
        interval = _chosen(sub, "interval_ms", SNAPSHOT_INTERVALS_MS)
        return "spot.order_book", (pair, _chosen(sub, "depth", SNAPSHOT_DEPTHS), f"{interval}ms")
    if sub.channel is Channel.BOOK:
        depth = _chosen(sub, "depth", BOOK_DEPTHS)
        if depth in _UPDATE_INTERVAL:
            return "spot.order_book_update", (pair, _UPDATE_INTERVAL[depth])
        return "spot.obu", (f"ob.{pair}.{depth}",)
    raise ConfigError(f"{VENUE}: public spot has no channel {sub.channel.value}")


def _chosen(sub: Subscription, name: str, values: tuple[str, ...]) -> str:
    value = sub.param(name, values[0])
    if value not in values:
        raise ConfigError(f"{VENUE}: {name} of {sub.channel.value} is one of {', '.join(values)}, not {value!r}")
    return value
