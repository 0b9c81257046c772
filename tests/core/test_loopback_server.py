"""The box over real sockets, with the script of a venue that nobody knows."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from typing import ClassVar

import aiohttp
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from exwire.errors import UsageError
from exwire.loopback import Loopback, Reply, RestRequest, Route, Session, VenueScript
from exwire.loopback.listings import LISTINGS
from exwire.loopback.session import Key
from exwire.loopback.topics import Frame, Topic, Trades

FEW = LISTINGS[:2]


class Failing(Topic):
    """A script's mistake."""

    def push(self, now_ns: int) -> Iterable[Frame]:
        raise ZeroDivisionError("a mistake in a script")


class TinyScript(VenueScript):
    """Trades as ``["BTC/USDT", price]``; clients send ``+topic``, ``-topic``, ``flood``, or something that is sent back."""

    venue = "tiny"
    rest_base = "/api"
    ws_paths: ClassVar = {"spot": "/ws/", "futures": "/futures"}

    def routes(self) -> list[Route]:
        return [Route("GET", "/price/{base}/{quote}", self.price), Route("POST", "/echo", self.echo)]

    def price(self, request: RestRequest) -> Reply:
        each = self.market.instruments[f"{request.parts['base']}/{request.parts['quote']}"]
        return Reply({"last": each.price_text(each.trades[-1].price), "limit": request.query.get("limit")})

    def echo(self, request: RestRequest) -> Reply:
        return Reply(request.body, 201, {"X-Key": request.headers.get("x-key", "")})

    def admit(self, request: RestRequest) -> Reply | None:
        return Reply({"no": "entry"}, 403) if "banned" in request.query else None

    def unknown(self, request: RestRequest, status: int) -> Reply:
        return Reply({"unknown": request.path}, status)

    def finish(self, request: RestRequest, reply: Reply) -> Reply:
        return Reply(reply.body, reply.status, {**reply.headers, "X-Time": str(request.now_ns)})

    def on_open(self, session: Session, now_ns: int) -> None:
        session.send(f"welcome to {session.market} {session.query.get('key', '')}")

    def on_message(self, session: Session, frame: Frame, now_ns: int) -> None:
        if frame == "flood":
            for _ in range(100):
                session.send("x" * 65_536)
        elif isinstance(frame, str) and frame[:1] in {"+", "-"}:
            (session.subscribe(frame[1:], now_ns) if frame[0] == "+" else session.unsubscribe(frame[1:]))
            session.send(f"ack {frame}")
        else:
            session.send(frame)

    def topic(self, key: Key, now_ns: int) -> Topic | None:
        if key == "failing":
            return Failing()
        each = self.market.instruments[str(key)]
        return Trades(each, lambda of, trades, _: [json.dumps([of.listing.symbol, of.price_text(trade.price)]) for trade in trades])


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    async with asyncio.timeout(20), Loopback(TinyScript(), manual=True, listings=FEW) as box:
        yield box


@pytest.fixture
async def client(box: Loopback) -> AsyncIterator[ClientConnection]:
    async with websockets.connect(box.endpoints.ws["spot"], compression=None, max_queue=None) as client:
        assert await client.recv() == "welcome to spot "
        yield client


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def read_to_the_end(client: ClientConnection) -> None:
    try:
        while True:
            await client.recv()
    except websockets.ConnectionClosed:
        return


async def test_endpoints_are_on_this_machine_only(box: Loopback) -> None:
    assert box.endpoints.rest == f"http://127.0.0.1:{box.port}/api"
    assert box.endpoints.ws == {"spot": f"ws://127.0.0.1:{box.port}/ws/", "futures": f"ws://127.0.0.1:{box.port}/futures"}


async def test_rest_request_reaches_its_route(box: Loopback, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{box.endpoints.rest}/price/BTC/USDT?limit=5&limit=6") as response:
        answer = await response.json()

    assert response.status == 200
    assert float(answer["last"]) > 0
    assert answer["limit"] == "5"
    assert response.headers["X-Time"] == str(box.now_ns)


async def test_rest_body_status_and_headers_are_the_scripts(box: Loopback, http: aiohttp.ClientSession) -> None:
    async with http.post(f"{box.endpoints.rest}/echo", data=b"\x00\xff", headers={"X-KEY": "k"}) as response:
        assert (response.status, await response.read(), response.headers["X-Key"]) == (201, b"\x00\xff", "k")


async def test_script_may_refuse_before_the_route(box: Loopback, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{box.endpoints.rest}/price/BTC/USDT?banned=1") as response:
        assert (response.status, await response.json()) == (403, {"no": "entry"})


@pytest.mark.parametrize(
    ("method", "path", "status", "shown"),
    [
        ("GET", "/api/nope", 404, "/nope"),
        ("GET", "/price/BTC/USDT", 404, "/price/BTC/USDT"),
        ("DELETE", "/api/echo", 405, "/echo"),
        ("GET", "/ws/", 404, "/ws/"),
    ],
)
async def test_unknown_path_gets_the_venues_answer_and_is_listed(
    box: Loopback, http: aiohttp.ClientSession, method: str, path: str, status: int, shown: str
) -> None:
    """What a client asks for in vain is what its author wants to know."""
    async with http.request(method, f"http://127.0.0.1:{box.port}{path}") as response:
        assert (response.status, await response.json()) == (status, {"unknown": shown})

    assert box.unknown_paths == [f"{method} {shown}"]


async def test_list_of_unknown_paths_is_bounded(box: Loopback, http: aiohttp.ClientSession) -> None:
    box.unknown_paths[:] = ["GET /"] * 1_000
    async with http.get(f"{box.endpoints.rest}/nope"):
        pass

    assert len(box.unknown_paths) == 1_000


async def test_upgrade_on_an_unknown_path_is_refused(box: Loopback) -> None:
    with pytest.raises(websockets.InvalidStatus, match="404"):
        await websockets.connect(f"ws://127.0.0.1:{box.port}/nope")

    assert box.unknown_paths == ["GET /nope"]


async def test_slash_at_the_end_of_a_websocket_path_does_not_matter(box: Loopback) -> None:
    for path in ("ws", "ws/"):
        async with websockets.connect(f"ws://127.0.0.1:{box.port}/{path}?key=k1") as client:
            assert await client.recv() == "welcome to spot k1"


async def test_text_stays_text_and_binary_stays_binary(client: ClientConnection) -> None:
    for frame in ("täxt", b"\x00\x01"):
        await client.send(frame)
        assert await client.recv() == frame


async def test_ping_frames_are_answered(client: ClientConnection) -> None:
    await (await client.ping(b"are you there"))


async def test_compression_is_not_negotiated(box: Loopback) -> None:
    async with websockets.connect(box.endpoints.ws["spot"], compression="deflate") as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


async def test_ticks_move_the_market_and_bring_data(box: Loopback, client: ClientConnection) -> None:
    before = box.now_ns
    await client.send("+BTC/USDT")
    assert await client.recv() == "ack +BTC/USDT"
    await box.tick(100)

    symbol, price = json.loads(await client.recv())
    assert symbol == "BTC/USDT"
    assert float(price) > 0
    assert box.now_ns - before == 100 * 20_000_000


async def test_manual_boxes_of_one_seed_and_start_say_the_same() -> None:
    said: list[list[str | bytes]] = []
    for _ in range(2):
        async with (
            Loopback(TinyScript(), manual=True, listings=FEW, seed=9, clock=lambda: 10**18) as box,
            websockets.connect(box.endpoints.ws["spot"]) as client,
        ):
            await client.send("+BTC/USDT")
            assert [await client.recv(), await client.recv()] == ["welcome to spot ", "ack +BTC/USDT"]
            await box.tick(50)
            said.append([await client.recv() for _ in range(3)])

    assert said[0] == said[1]


async def test_paused_market_stands_still_while_time_goes_on(box: Loopback) -> None:
    book = box.market.instruments["BTC/USDT"].book
    box.pause_market()
    before = book.update_id
    await box.tick(50)
    assert book.update_id == before
    box.resume_market()
    await box.tick(50)

    assert book.update_id > before


async def test_broadcast_goes_to_one_market(box: Loopback, client: ClientConnection) -> None:
    async with websockets.connect(box.endpoints.ws["futures"]) as other:
        assert await other.recv() == "welcome to futures "
        box.broadcast("upgrade", "spot")
        box.broadcast("hello")

        assert [await client.recv(), await client.recv()] == ["upgrade", "hello"]
        assert await other.recv() == "hello"


@pytest.mark.parametrize(("code", "received"), [(None, 1006), (1000, 1000), (1012, 1012), (1005, 1005)])
async def test_dropped_connections_end_with_the_wanted_code(
    box: Loopback, client: ClientConnection, code: int | None, received: int
) -> None:
    assert len(box.sessions) == 1
    await box.drop_connections(code)

    with pytest.raises(websockets.ConnectionClosed):
        await client.recv()
    assert client.close_code == received
    assert not box.sessions
    await box.drop_connections(code)


async def test_client_that_leaves_is_forgotten(box: Loopback) -> None:
    async with websockets.connect(box.endpoints.ws["spot"]) as client:
        await client.send("+BTC/USDT")
        await client.recv()
        (session,) = box.sessions
    await box.drop_connections()

    assert session.closing
    assert box.sessions == ()


async def test_idle_connection_is_aborted_and_a_ping_keeps_one_alive() -> None:
    async with (
        Loopback(TinyScript(), manual=True, step_ms=10_000, listings=FEW, activity=0) as box,
        websockets.connect(box.endpoints.ws["spot"]) as idle,
        websockets.connect(box.endpoints.ws["spot"]) as pinging,
    ):
        assert [await idle.recv(), await pinging.recv()] == ["welcome to spot "] * 2
        for _ in range(4):
            await (await pinging.ping())
            await box.tick()

        with pytest.raises(websockets.ConnectionClosed):
            await idle.recv()
        assert idle.close_code == 1006
        assert len(box.sessions) == 1


async def test_client_that_does_not_read_is_dropped() -> None:
    """It costs a bounded buffer, not the server's memory."""
    async with (
        asyncio.timeout(20),
        Loopback(TinyScript(), manual=True, listings=FEW, max_unread_bytes=1024 * 1024) as box,
        websockets.connect(box.endpoints.ws["spot"], compression=None, max_queue=1) as client,
    ):
        await client.send("flood")
        await read_to_the_end(client)

        assert client.close_code == 1006
        assert box.sessions == ()


async def test_client_that_never_answers_a_close_frame_does_not_hold_up_the_end() -> None:
    async with Loopback(TinyScript(), manual=True, listings=FEW) as box:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        headers = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "x", "Sec-WebSocket-Version": "13", **upgrade}.items())
        writer.write(f"GET /ws HTTP/1.1\r\n{headers}\r\n".encode())
        await reader.readuntil(b"welcome to spot ")
    writer.close()

    assert box.sessions == ()


async def test_client_that_does_not_read_does_not_hold_up_the_end() -> None:
    async with asyncio.timeout(20), Loopback(TinyScript(), manual=True, listings=FEW, max_unread_bytes=2**30) as box:
        client = await websockets.connect(box.endpoints.ws["spot"], compression=None, max_queue=1)
        await client.send("flood")
        while not (box.sessions and box.sessions[0].outbox):
            await asyncio.sleep(0)
        await box.close()
        client.transport.abort()
        await client.wait_closed()

    assert not box.sessions


class PlainScript(TinyScript):
    """Only what a script has to say."""

    admit = VenueScript.admit
    unknown = VenueScript.unknown
    finish = VenueScript.finish
    on_open = VenueScript.on_open


async def test_script_needs_to_say_no_more_than_its_venue_does(http: aiohttp.ClientSession) -> None:
    async with Loopback(PlainScript(), manual=True, listings=FEW) as box, websockets.connect(box.endpoints.ws["spot"]) as client:
        await client.send("hello")
        assert await client.recv() == "hello"
        async with http.get(f"{box.endpoints.rest}/price/BTC/USDT") as found, http.get(f"{box.endpoints.rest}/nope") as missing:
            assert (found.status, missing.status, await missing.read()) == (200, 404, b"")


async def test_box_with_a_timer_runs_by_itself() -> None:
    async with (
        asyncio.timeout(20),
        Loopback(TinyScript(), listings=FEW) as box,
        websockets.connect(box.endpoints.ws["spot"], max_queue=None) as client,
    ):
        await client.send("+BTC/USDT")
        assert [await client.recv(), await client.recv()] == ["welcome to spot ", "ack +BTC/USDT"]

        assert json.loads(await client.recv())[0] == "BTC/USDT"


async def test_mistake_in_a_script_ends_the_connections_and_raises_at_the_end() -> None:
    box = Loopback(TinyScript(), listings=FEW)
    await box.__aenter__()
    async with asyncio.timeout(20), websockets.connect(box.endpoints.ws["spot"]) as client:
        await client.send("+failing")
        await read_to_the_end(client)

    assert client.close_code == 1001
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        await box.close()


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    box = Loopback(TinyScript(), listings=FEW)
    async with box:
        client = await websockets.connect(box.endpoints.ws["spot"])
        async with aiohttp.ClientSession() as http, http.get(f"{box.endpoints.rest}/price/BTC/USDT") as response:
            assert response.status == 200
    await client.wait_closed()
    assert client.close_code == 1001
    await box.close()

    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", box.port)


async def test_taken_port_is_an_error_and_leaves_nothing_behind() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        box = Loopback(TinyScript(), port=taken.getsockname()[1], listings=FEW)
        with pytest.raises(OSError, match="address"):
            await box.__aenter__()
    async with box:
        assert box.endpoints.rest


async def test_wrong_use_is_named(box: Loopback) -> None:
    with pytest.raises(UsageError, match="open already"):
        await box.__aenter__()
    async with Loopback(TinyScript(), listings=FEW) as timed:
        with pytest.raises(UsageError, match="manual=True"):
            await timed.tick()


def test_script_is_written_without_loading_a_server() -> None:
    """Plugins import their script for its sample frames too; aiohttp alone takes half a second."""
    code = "import sys, exwire.loopback as box; box.VenueScript; print({'aiohttp', 'asyncio', 'websockets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "set()"


def test_table_of_contents_is_complete() -> None:
    import exwire.loopback as contents

    assert dir(contents) == contents.__all__
    for name in contents.__all__:
        assert getattr(contents, name).__name__ == name
    with pytest.raises(AttributeError, match="nope"):
        contents.nope  # noqa: B018
