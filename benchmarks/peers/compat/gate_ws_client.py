"""Use gate-ws, the venue's own SDK, against a box: ``python gate_ws_client.py ws://127.0.0.1:PORT/ws/v4/``.

Nothing but the host is changed. Exits with 1 when a channel does not deliver.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from typing import Any

from gate_ws import Configuration, Connection
from gate_ws.client import WebSocketResponse
from gate_ws.spot import (
    SpotBookTickerChannel,
    SpotCandlesticksChannel,
    SpotOrderBookChannel,
    SpotOrderBookUpdateChannel,
    SpotPublicTradeChannel,
    SpotTickerChannel,
)

DEADLINE_S = 20.0
CHANNELS = {
    SpotTickerChannel: ["BTC_USDT", "ETH_USDT"],
    SpotPublicTradeChannel: ["BTC_USDT"],
    SpotCandlesticksChannel: ["10s", "BTC_USDT"],
    SpotBookTickerChannel: ["BTC_USDT", "PEPE_USDT"],
    SpotOrderBookUpdateChannel: ["BTC_USDT", "100ms"],
    SpotOrderBookChannel: ["BTC_USDT", "20", "100ms"],
}


class Listener:
    """What came back."""

    def __init__(self) -> None:
        self.acks: Counter[str] = Counter()
        self.updates: Counter[str] = Counter()
        self.refusals: list[str] = []
        self.pongs = 0
        self.unsubscribed = 0
        self.heard = asyncio.Condition()

    async def hear(self, connection: Connection, response: WebSocketResponse) -> None:
        """Count a message."""
        if response.channel == "spot.pong":
            self.pongs += 1
        elif response.error:
            self.refusals.append(f"{response.channel}: {response.error}")
        elif response.event == "subscribe":
            self.acks[response.channel] += 1
        elif response.event == "unsubscribe":
            self.unsubscribed += 1
        else:
            self.updates[response.channel] += 1
        async with self.heard:
            self.heard.notify_all()

    def report(self) -> dict[str, bool]:
        """Return what was expected, and whether it came."""
        told = {f"{kind.name}: ack and updates": bool(self.acks[kind.name] and self.updates[kind.name]) for kind in CHANNELS}
        return told | {"pong": self.pongs > 0, "two refusals": len(self.refusals) == 2, "unsubscribe": self.unsubscribed == 1}


async def main(ws: str) -> int:
    """Subscribe to every public channel, twice wrongly; return the number of steps that failed."""
    listener = Listener()
    connection = Connection(Configuration(app="spot", host=ws, default_callback=listener.hear, ping_interval=1))
    running = asyncio.create_task(connection.run())
    channels: dict[type, Any] = {kind: kind(connection, listener.hear) for kind in CHANNELS}
    for kind, payload in CHANNELS.items():
        channels[kind].subscribe(payload)
    channels[SpotTickerChannel].subscribe(["NOPE_USDT"])
    channels[SpotOrderBookChannel].subscribe(["BTC_USDT", "30", "100ms"])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE_S), listener.heard:
            await listener.heard.wait_for(lambda: sum(listener.report().values()) == len(listener.report()) - 1)
            channels[SpotPublicTradeChannel].unsubscribe(["BTC_USDT"])
            await listener.heard.wait_for(lambda: all(listener.report().values()))
    running.cancel()
    for what, came in listener.report().items():
        print(f"{'ok  ' if came else 'FAIL'}  gate-ws {what}")
    print(*listener.refusals, sep="\n")
    return sum(not came for came in listener.report().values())


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(sys.argv[1])) else 0)
