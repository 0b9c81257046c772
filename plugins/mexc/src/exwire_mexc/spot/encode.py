"""Turn subscriptions into MEXC spot frames, and topics into subscriptions. Pure.

Source: MEXC spot v3 WebSocket, "Subscribe", "Unsubscribe", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from exwire.errors import ConfigError
from exwire.subscription import ALL, Channel, Request, Subscription
from exwire_mexc.names import VENUE, spot_pair, spot_symbol

__all__ = [
    "BATCH",
    "FRAME_BYTES",
    "INTERVALS",
    "INTERVALS_MS",
    "PING",
    "SNAPSHOT_DEPTHS",
    "TOP_INTERVALS_MS",
    "ZONES",
    "requests",
    "subscription",
    "topic",
]

INTERVALS: Final = {
    "1m": "Min1",
    "5m": "Min5",
    "15m": "Min15",
    "30m": "Min30",
    "1h": "Min60",
    "4h": "Hour4",
    "8h": "Hour8",
    "1d": "Day1",
    "1w": "Week1",
    "1M": "Month1",
}
"""Candle intervals, ours and MEXC's, the default first; so below."""
INTERVALS_MS: Final = ("100", "10")
TOP_INTERVALS_MS: Final = ("100", "10", "0")
"""0 stands for ``bookTicker.batch``, for which MEXC states no interval."""
SNAPSHOT_DEPTHS: Final = ("20", "10", "5")
ZONES: Final = (
    *("24H", "UTC-10", "UTC-8", "UTC-7", "UTC-6", "UTC-5", "UTC-4", "UTC-3", "UTC+0", "UTC+1", "UTC+2", "UTC+3", "UTC+4", "UTC+4:30"),
    *("UTC+5", "UTC+5:30", "UTC+6", "UTC+7", "UTC+8", "UTC+9", "UTC+10", "UTC+11", "UTC+12", "UTC+12:45", "UTC+13"),
)
"""Where a day begins for a ticker's change; 24H: the last 24 hours, which is what a ticker's other figures cover."""

PING: Final = b'{"method":"PING"}'
FRAME_BYTES: Final = 1024
"""A longer frame has never been seen to be answered. A topic that alone is longer goes alone."""
BATCH: Final = 12
"""Topics a frame; thirty of them would not fit into its bytes."""


def requests(method: str, subs: Sequence[Subscription], ids: Iterator[int]) -> list[Request]:
    """Return the frames that subscribe or unsubscribe.

    method: ``SUBSCRIPTION``, ``UNSUBSCRIPTION``; ids: one is taken for each frame and written into it. A frame has topics of one channel,
    because what becomes of the good ones beside a bad one is not documented. Raises ConfigError for what MEXC does not serve.
    """
    by_channel: dict[str, list[tuple[Subscription, str]]] = {}
    for sub in subs:
        name = topic(sub)
        by_channel.setdefault(name.split("@")[1], []).append((sub, name))
    made = []
    for asked in by_channel.values():
        while asked:
            request_id, size = next(ids), BATCH
            while len(frame := _frame(method, asked[:size], request_id)) > FRAME_BYTES and size > 1:
                size -= 1
            batch, asked = asked[:size], asked[size:]
            names = tuple(name for _, name in batch)
            made.append(Request(request_id, frame, tuple(sub for sub, _ in batch), names, subscribe=method == "SUBSCRIPTION"))
    return made


def topic(sub: Subscription) -> str:
    """Return MEXC's name of a subscription. Raises ConfigError for what MEXC does not serve."""
    if sub.symbol == ALL and sub.channel is Channel.TICKER:
        return f"spot@public.miniTickers.v3.api.pb@{_chosen(sub, 'timezone', ZONES)}"
    pair = spot_pair(sub.symbol)
    match sub.channel:
        case Channel.TRADES:
            return f"spot@public.aggre.deals.v3.api.pb@{_chosen(sub, 'interval_ms', INTERVALS_MS)}ms@{pair}"
        case Channel.BOOK:
            return f"spot@public.aggre.depth.v3.api.pb@{_chosen(sub, 'interval_ms', INTERVALS_MS)}ms@{pair}"
        case Channel.BOOK_TICKER:
            interval = _chosen(sub, "interval_ms", TOP_INTERVALS_MS)
            if interval == "0":
                return f"spot@public.bookTicker.batch.v3.api.pb@{pair}"
            return f"spot@public.aggre.bookTicker.v3.api.pb@{interval}ms@{pair}"
        case Channel.BOOK_SNAPSHOT:
            return f"spot@public.limit.depth.v3.api.pb@{pair}@{_chosen(sub, 'depth', SNAPSHOT_DEPTHS)}"
        case Channel.CANDLES:
            return f"spot@public.kline.v3.api.pb@{pair}@{INTERVALS[_chosen(sub, 'interval', tuple(INTERVALS))]}"
        case Channel.TICKER:
            return f"spot@public.miniTicker.v3.api.pb@{pair}@{_chosen(sub, 'timezone', ZONES)}"
    raise ConfigError(f"{VENUE}: public spot has no channel {sub.channel.value}")


def subscription(topic_name: str) -> Subscription:
    """Return what a topic stands for, every param set, its pair split by form. Raises ConfigError when it stands for nothing."""
    match topic_name.split("@")[1:]:
        case ["public.aggre.deals.v3.api.pb", interval, pair]:
            sub = _sub(Channel.TRADES, pair, "interval_ms", interval.removesuffix("ms"))
        case ["public.aggre.depth.v3.api.pb", interval, pair]:
            sub = _sub(Channel.BOOK, pair, "interval_ms", interval.removesuffix("ms"))
        case ["public.aggre.bookTicker.v3.api.pb", interval, pair]:
            sub = _sub(Channel.BOOK_TICKER, pair, "interval_ms", interval.removesuffix("ms"))
        case ["public.bookTicker.batch.v3.api.pb", pair]:
            sub = _sub(Channel.BOOK_TICKER, pair, "interval_ms", "0")
        case ["public.limit.depth.v3.api.pb", pair, depth]:
            sub = _sub(Channel.BOOK_SNAPSHOT, pair, "depth", depth)
        case ["public.kline.v3.api.pb", pair, interval]:
            unified = next((ours for ours, theirs in INTERVALS.items() if theirs == interval), interval)
            sub = _sub(Channel.CANDLES, pair, "interval", unified)
        case ["public.miniTicker.v3.api.pb", pair, zone]:
            sub = _sub(Channel.TICKER, pair, "timezone", zone)
        case ["public.miniTickers.v3.api.pb", zone]:
            sub = Subscription.of(Channel.TICKER, ALL, {"timezone": zone})
        case _:
            raise ConfigError(f"{VENUE}: {topic_name!r} is no topic of public spot")
    # Encoding it again is the whole check: whatever is not spelt as we would spell it stands for nothing.
    if topic(sub) != topic_name:
        raise ConfigError(f"{VENUE}: {topic_name!r} is no topic of public spot")
    return sub


def _frame(method: str, asked: Sequence[tuple[Subscription, str]], request_id: int) -> bytes:
    return msgspec.json.encode({"method": method, "params": [name for _, name in asked], "id": request_id})


def _sub(channel: Channel, pair: str, param: str, value: str) -> Subscription:
    return Subscription.of(channel, spot_symbol(pair), {param: value})


def _chosen(sub: Subscription, name: str, values: tuple[str, ...]) -> str:
    value = sub.param(name, values[0])
    if value not in values:
        raise ConfigError(f"{VENUE}: {name} of {sub.channel.value} is one of {', '.join(values)}, not {value!r}")
    return value
