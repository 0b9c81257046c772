"""What asking for many topics costs. It is not in the frame path; these are figures to see that nothing grows with the square."""

from __future__ import annotations

import asyncio
from itertools import count
from time import perf_counter

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.gateio_tape import handler
from benchmarks.meter import Meter
from benchmarks.report import new_event_loop
from exwire.interface import BaseWebSocketInterface
from exwire.subscription import Ack, Channel, Ledger, Subscription
from exwire.transport import create_transport

TOPICS = [Subscription(Channel.TRADES, f"C{number}/USDT") for number in range(1_000)]


def test_ledger(meter: Meter) -> None:
    """1,000 topics wanted, encoded in ten frames, sent, confirmed, live: the pure part."""
    venue = handler()

    def confirm_all() -> None:
        ledger = Ledger()
        requests = venue.encode_subscribe(ledger.want(TOPICS), count(1), 1)
        for request in requests:
            ledger.sent(request)
        for request in requests:
            ledger.answer(Ack(request.id, ok=True))
        for sub in TOPICS:
            ledger.live(sub)
        assert not ledger.unsent()

    meter.time("topics: 1,000 through the ledger", confirm_all, rounds=50, unit="ms")


@pytest.mark.parametrize("asked", [100, 1_000])
def test_subscribe(meter: Meter, asked: int) -> None:
    """``subscribe`` of so many topics on an open connection until all are confirmed; the peer, in this process, acks at once."""

    async def answer(connection: ServerConnection) -> None:
        async for text in connection:
            request = msgspec.json.decode(text)
            reply = {"id": request["id"], "channel": request["channel"], "event": request["event"], "result": {"status": "success"}}
            await connection.send(msgspec.json.encode(reply), text=True)

    rounds = 10 if meter.enabled else 1
    seconds: list[float] = []

    async def measure() -> None:
        async with serve(answer, "127.0.0.1", 0, compression=None) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
            for _ in range(rounds):
                socket = BaseWebSocketInterface(handler(), transport=create_transport(), urls=(url,))
                await socket.connect()
                started = perf_counter()
                await socket.subscribe(TOPICS[:asked])
                seconds.append(perf_counter() - started)
                await socket.close()

    with asyncio.Runner(loop_factory=new_event_loop()) as runner:
        meter.run(lambda: runner.run(measure()))

    meter.add(f"topics: {asked:,} subscribed and confirmed", [each * 1e3 for each in seconds], unit="ms")
