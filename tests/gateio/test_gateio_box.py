"""Gate.io in the box: every claim of the protocol notes that a public spot client can observe, over real sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import pytest
import websockets

from exwire.loopback import Loopback, sample_frames
from exwire.loopback.listings import LISTINGS
from exwire.model import Side
from exwire_gateio.loopback import GateioScript

START = 1_790_000_000_123_456_789
START_S = START // 1_000_000_000
FEW = tuple(each for each in LISTINGS if each.symbol in {"BTC/USDT", "ETH/USDT", "PEPE/USDT", "ETH/BTC"})

Message = dict[str, Any]


class Client:
    """A connection that knows nothing of exwire."""

    def __init__(self, socket: websockets.ClientConnection, box: Loopback) -> None:
        self.socket = socket
        self.box = box
        self.waiting: list[Message] = []

    async def receive(self) -> Message:
        return self.waiting.pop(0) if self.waiting else msgspec.json.decode(await self.socket.recv())

    async def send(self, channel: str, event: str, payload: object, **more: object) -> None:
        request = {"time": self.box.now_ns // 1_000_000_000, "channel": channel, "event": event, "payload": payload, **more}
        await self.socket.send(msgspec.json.encode(request), text=True)

    async def ask(self, channel: str, payload: object, event: str = "subscribe", **more: object) -> Message:
        """Send a request and return its answer; pushes that overtake it wait."""
        await self.send(channel, event, payload, **more)
        early: list[Message] = []
        while True:
            message = await self.receive()
            if message["event"] == event:
                self.waiting = early + self.waiting
                return message
            early.append(message)

    async def drain(self) -> list[Message]:
        """Return every push that came so far: those before the answer to a ping."""
        await self.send("spot.ping", "", None)
        messages: list[Message] = []
        while (message := await self.receive())["channel"] != "spot.pong":
            messages.append(message)
        return messages

    async def results(self, ticks: int) -> list[Message]:
        """Return the results that so many ticks of 20 ms bring."""
        await self.box.tick(ticks)
        return [message["result"] for message in await self.drain()]


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    async with asyncio.timeout(20), Loopback(GateioScript(), manual=True, listings=FEW, seed=3, clock=lambda: START) as box:
        yield box


@pytest.fixture
async def client(box: Loopback) -> AsyncIterator[Client]:
    async with websockets.connect(box.endpoints.ws["spot"], max_queue=None) as socket:
        yield Client(socket, box)


# --- envelopes ----------------------------------------------------------------------------------------------------------------------


async def test_ack_has_the_fields_of_the_notes(client: Client) -> None:
    ack = await client.ask("spot.trades", ["BTC_USDT", "ETH_USDT"], id=12)

    assert list(ack) == ["time", "time_ms", "id", "conn_id", "trace_id", "channel", "event", "payload", "result", "requestId"]
    assert ack["time"] == START_S
    assert ack["time_ms"] == START // 1_000_000
    assert ack["id"] == 12
    assert re.fullmatch("[0-9a-f]{16}", ack["conn_id"])
    assert re.fullmatch("[0-9a-f]{32}", ack["trace_id"])
    assert ack["requestId"] == ack["trace_id"]
    assert (ack["channel"], ack["event"], ack["payload"]) == ("spot.trades", "subscribe", ["BTC_USDT", "ETH_USDT"])
    assert ack["result"] == {"status": "success"}


async def test_id_is_echoed_only_when_sent(client: Client) -> None:
    assert "id" not in await client.ask("spot.trades", ["BTC_USDT"])
    assert (await client.ask("spot.nope", [], id=0))["id"] == 0


async def test_ping_is_answered(client: Client) -> None:
    await client.socket.send('{"time":1,"channel":"spot.ping"}')
    pong = await client.receive()

    assert list(pong) == ["time", "time_ms", "conn_id", "channel", "event", "result", "requestId"]
    assert (pong["channel"], pong["event"], pong["result"]) == ("spot.pong", "", None)


@pytest.mark.parametrize(
    ("channel", "payload", "code", "message"),
    [
        ("spot.trades", ["BTC_USDT", "NOPE_USDT"], 2, "unknown currency pair: NOPE_USDT"),
        ("spot.tickers", ["btc_usdt"], 2, "unknown currency pair: btc_usdt"),
        ("spot.book_ticker", [], 1, "payload needs some elements, received 0"),
        ("spot.candlesticks", ["1m", "NOPE_USDT"], 2, "unknown currency pair: NOPE_USDT"),
        ("spot.candlesticks", ["2m", "BTC_USDT"], 2, "incorrect interval specified: 2m"),
        ("spot.candlesticks", ["1m"], 1, "payload needs 2 elements, received 1"),
        ("spot.order_book", ["BTC_USDT", "30", "100ms"], 2, "provided level not supported: 30"),
        ("spot.order_book", ["BTC_USDT", "20", "20ms"], 2, "incorrect update interval specified: 20ms"),
        ("spot.order_book_update", ["BTC_USDT", "1000ms"], 2, "incorrect update interval specified: 1000ms"),
        ("spot.order_book_update", ["NOPE_USDT", "100ms"], 2, "unknown currency pair: NOPE_USDT"),
        ("spot.nope", ["BTC_USDT"], 2, "Unknown channel spot.nope"),
        ("spot.trades", {"pair": "BTC_USDT"}, 1, "payload has to be a list of strings"),
        ("spot.orders", ["BTC_USDT"], 4, "authentication failed"),
    ],
)
async def test_refusals(client: Client, channel: str, payload: object, code: int, message: str) -> None:
    answer = await client.ask(channel, payload, id=5)

    assert answer["error"] == {"code": code, "message": message}
    assert answer["result"] == {"status": "fail"}
    assert (answer["id"], answer["channel"], answer["payload"]) == (5, channel, payload)
    assert client.box.sessions[0].topics == {}


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "",
        "[]",
        '{"time":1}',
        '{"time":"soon","channel":"spot.trades"}',
        '{"time":1,"channel":"spot.trades","payload":[1]}',
        b"\xff\xfe",
    ],
)
async def test_malformed_request_gets_code_1_and_the_connection_lives_on(client: Client, frame: str | bytes) -> None:
    await client.socket.send(frame)

    assert (await client.receive())["error"]["code"] == 1
    assert "error" not in await client.ask("spot.trades", ["BTC_USDT"])


async def test_unknown_event_is_malformed(client: Client) -> None:
    assert (await client.ask("spot.trades", ["BTC_USDT"], event="listen"))["error"]["code"] == 1


@pytest.mark.parametrize(("skew_s", "refused"), [(-61, True), (-60, False), (60, False), (61, True)])
async def test_time_has_to_be_within_a_minute(client: Client, skew_s: int, refused: bool) -> None:
    assert ("error" in await client.ask("spot.trades", ["BTC_USDT"], time=START_S + skew_s)) is refused


async def test_payload_is_atomic(client: Client) -> None:
    """One bad pair and nothing of the frame is subscribed."""
    await client.ask("spot.trades", ["BTC_USDT", "NOPE_USDT"])

    assert await client.results(100) == []


async def test_too_many_topics(client: Client) -> None:
    assert isinstance(client.box.script, GateioScript)
    client.box.script.max_topics = 2
    await client.ask("spot.trades", ["BTC_USDT"])

    assert (await client.ask("spot.trades", ["ETH_USDT", "PEPE_USDT"]))["error"]["code"] == 2
    assert "error" not in await client.ask("spot.trades", ["BTC_USDT", "ETH_USDT"])


async def test_order_entry_is_refused_in_its_own_envelope(client: Client) -> None:
    await client.send("spot.order_place", "api", {"req_id": "r-1", "req_param": {}})
    answer = await client.receive()

    assert answer["request_id"] == "r-1"
    assert (answer["header"]["status"], answer["header"]["channel"], answer["header"]["event"]) == ("401", "spot.order_place", "api")
    assert answer["data"]["errs"]["label"] == "INVALID_KEY"


async def test_unsubscribe_is_confirmed_and_ends_the_stream(client: Client) -> None:
    await client.ask("spot.trades", ["BTC_USDT", "ETH_USDT"])
    ack = await client.ask("spot.trades", ["BTC_USDT"], event="unsubscribe", id=3)

    assert (ack["id"], ack["event"], ack["result"]) == (3, "unsubscribe", {"status": "success"})
    assert {result["currency_pair"] for result in await client.results(100)} == {"ETH_USDT"}


async def test_upgrade_notice_needs_no_subscription(client: Client) -> None:
    await client.drain()
    assert isinstance(client.box.script, GateioScript)
    client.box.broadcast(client.box.script.upgrade_notice(client.box.now_ns))
    notice = await client.receive()

    assert (notice["channel"], notice["event"], notice["result"]["type"]) == ("spot.system", "update", "upgrade")
    assert notice["result"]["msg"]


# --- channels -----------------------------------------------------------------------------------------------------------------------


async def push(client: Client, channel: str, payload: list[str], ticks: int = 100) -> list[Message]:
    """Subscribe, tick, and return what was pushed, whole."""
    await client.ask(channel, payload)
    await client.box.tick(ticks)
    return await client.drain()


@pytest.mark.parametrize("channel", ["spot.trades", "spot.trades_v2"])
async def test_trades(client: Client, channel: str) -> None:
    bitcoin = client.box.market.instruments["BTC/USDT"]
    before = bitcoin.trade_count
    messages = await push(client, channel, ["BTC_USDT"])
    results = [message["result"] for message in messages]

    assert list(messages[0]) == ["time", "time_ms", "channel", "event", "result"]
    assert (messages[0]["channel"], messages[0]["event"]) == (channel, "update")
    assert [result["id"] for result in results] == [trade.id for trade in bitcoin.trades_since(before)]
    assert all(after["id_market"] == first["id_market"] + 1 for first, after in pairwise(results))
    for result in results:
        assert result["currency_pair"] == "BTC_USDT"
        assert result["side"] in {"buy", "sell"}
        assert re.fullmatch(r"\d{13}\.\d{6}", result["create_time_ms"])
        assert result["create_time_ms"].startswith(str(result["create_time"]))
        assert result["range"] == f"{result['id_market']}-{result['id_market']}"
        assert float(result["price"]) > 0 < float(result["amount"])


async def test_tickers_come_every_second(client: Client) -> None:
    messages = await push(client, "spot.tickers", ["BTC_USDT"], ticks=250)
    result = messages[-1]["result"]

    assert [message["time_ms"] - START // 1_000_000 for message in messages] == [1000, 2000, 3000, 4000, 5000]
    assert all(isinstance(value, str) for value in result.values())
    assert float(result["low_24h"]) <= float(result["last"]) <= float(result["high_24h"])
    assert float(result["highest_bid"]) < float(result["lowest_ask"])
    assert float(result["low_24h"]) < float(result["quote_volume"]) / float(result["base_volume"]) < float(result["high_24h"])


async def test_book_ticker_is_the_best_of_the_true_book(client: Client) -> None:
    bitcoin = client.box.market.instruments["BTC/USDT"]
    result = (await push(client, "spot.book_ticker", ["BTC_USDT"]))[-1]["result"]

    assert list(result) == ["t", "u", "s", "b", "B", "a", "A"]
    assert result["s"] == "BTC_USDT"
    assert [(result["b"], result["B"])] == bitcoin.rows_text(bitcoin.book.bids.top(1))
    assert [(result["a"], result["A"])] == bitcoin.rows_text(bitcoin.book.asks.top(1))
    assert result["u"] <= bitcoin.book.update_id


async def test_empty_side_of_a_book_ticker_is_an_empty_text(client: Client) -> None:
    await client.ask("spot.book_ticker", ["BTC_USDT"])
    client.box.pause_market()
    book = client.box.market.instruments["BTC/USDT"].book
    book.market(Side.BUY, 10**15, START)
    (result,) = await client.results(1)

    assert (result["a"], result["A"]) == ("", "")
    assert float(result["b"]) > 0


@pytest.mark.parametrize("level", ["5", "10", "20", "50", "100"])
async def test_order_book_is_whole_and_comes_at_once_and_on_change(client: Client, level: str) -> None:
    bitcoin = client.box.market.instruments["BTC/USDT"]
    await client.ask("spot.order_book", ["BTC_USDT", level, "100ms"])
    first = (await client.drain())[0]["result"]

    assert list(first) == ["t", "lastUpdateId", "s", "l", "bids", "asks"]
    assert (first["l"], len(first["bids"]), len(first["asks"])) == (level, int(level), int(level))
    assert first["lastUpdateId"] == bitcoin.book.update_id
    later = await client.results(100)
    assert 2 < len(later) <= 20
    assert all(after["lastUpdateId"] > before["lastUpdateId"] for before, after in pairwise([first, *later]))
    client.box.pause_market()
    await client.results(10)
    assert await client.results(100) == []


Row = tuple[str, str]


class Follower:
    """A book kept from text rows."""

    def __init__(self, bids: Iterable[Row], asks: Iterable[Row]) -> None:
        self.bids = dict(bids)
        self.asks = dict(asks)

    def apply(self, result: Message) -> None:
        for side, rows in ((self.bids, result.get("b", [])), (self.asks, result.get("a", []))):
            for price, amount in rows:
                if amount == "0":
                    side.pop(price, None)
                else:
                    side[price] = amount

    def top(self, depth: int) -> tuple[list[Row], list[Row]]:
        def price(row: Row) -> float:
            return float(row[0])

        return sorted(self.bids.items(), key=price, reverse=True)[:depth], sorted(self.asks.items(), key=price)[:depth]


def truth(box: Loopback, symbol: str, depth: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    each = box.market.instruments[symbol]
    return each.rows_text(each.book.bids.top(depth)), each.rows_text(each.book.asks.top(depth))


@pytest.mark.parametrize(("level", "ticks"), [(50, 1), (100, 5), (400, 5)])
@pytest.mark.parametrize(("symbol", "pair"), [("BTC/USDT", "BTC_USDT"), ("PEPE/USDT", "PEPE_USDT")])
async def test_obu_is_one_full_frame_and_then_deltas_without_a_hole(client: Client, symbol: str, pair: str, level: int, ticks: int) -> None:
    stream = f"ob.{pair}.{level}"
    await client.ask("spot.obu", [stream])
    (full,) = await client.drain()

    assert list(full) == ["channel", "time", "time_ms", "event", "result"]
    assert list(full["result"]) == ["t", "full", "s", "u", "b", "a"]
    assert (full["result"]["full"], full["result"]["s"]) == (True, stream)
    book, last_id = Follower(full["result"]["b"], full["result"]["a"]), full["result"]["u"]
    for _ in range(60):
        for result in await client.results(ticks):
            assert "full" not in result
            assert result["s"] == stream
            assert result["U"] == last_id + 1
            assert result["u"] >= result["U"]
            assert result.get("b") != []
            assert result.get("a") != []
            last_id = result["u"]
            book.apply(result)
        assert last_id == client.box.market.instruments[symbol].book.update_id
        assert (len(book.bids), len(book.asks)) == (level, level)
        assert book.top(level) == truth(client.box, symbol, level)
    assert last_id > full["result"]["u"]


async def test_obu_delta_may_carry_ids_only(client: Client) -> None:
    """A change below the window advances the ids all the same; a client that ignores the frame sees a hole."""
    await client.ask("spot.obu", ["ob.BTC_USDT.50"])
    await client.drain()
    results = await client.results(1)
    for _ in range(300):
        results += await client.results(1)

    assert any("a" not in result and "b" not in result for result in results)


async def test_obu_snapshot_may_come_before_the_ack(client: Client) -> None:
    order = []
    for stream in ("ob.BTC_USDT.50", "ob.ETH_USDT.50"):
        await client.send("spot.obu", "subscribe", [stream])
        order.append([(await client.receive())["event"] for _ in range(2)])

    assert order == [["update", "subscribe"], ["subscribe", "update"]]


async def test_second_subscriber_of_an_obu_stream_joins_where_the_deltas_are(client: Client, box: Loopback) -> None:
    """Between two deltas of 100 ms the snapshot is of the last delta, so that the next one fits."""
    await client.ask("spot.obu", ["ob.BTC_USDT.400"])
    await box.tick(7)
    async with websockets.connect(box.endpoints.ws["spot"], max_queue=None) as socket:
        other = Client(socket, box)
        await other.ask("spot.obu", ["ob.BTC_USDT.400"])
        full = (await other.drain())[0]["result"]
        first = (await other.results(5))[0]

        assert first["U"] == full["u"] + 1


async def test_duplicate_obu_stream_is_refused_while_the_first_flows(client: Client) -> None:
    await client.ask("spot.obu", ["ob.BTC_USDT.50"])
    answer = await client.ask("spot.obu", ["ob.BTC_USDT.50"])

    assert answer["error"] == {"code": 2, "message": "Alert sub ob.BTC_USDT.50"}
    assert len(await client.results(20)) > 3
    assert "error" in await client.ask("spot.obu", ["ob.ETH_USDT.50", "ob.ETH_USDT.50"])
    await client.ask("spot.obu", ["ob.BTC_USDT.50"], event="unsubscribe")
    assert "error" not in await client.ask("spot.obu", ["ob.BTC_USDT.50"])


@pytest.mark.parametrize("stream", ["ob.NOPE_USDT.50", "ob.BTC_USDT.20", "ob.BTC_USDT", "BTC_USDT.50", "ob.BTC_USDT.x"])
async def test_obu_of_what_does_not_exist_is_confirmed_and_silent(client: Client, stream: str) -> None:
    assert (await client.ask("spot.obu", [stream]))["result"] == {"status": "success"}
    assert await client.results(50) == []


@pytest.mark.parametrize(("interval", "depth"), [("20ms", 20), ("100ms", 100)])
async def test_order_book_update_with_a_rest_snapshot_gives_the_true_book(client: Client, interval: str, depth: int) -> None:
    """The rule of the notes: drop frames up to the snapshot's id, the first one used covers id + 1, then no hole; trim."""
    await client.ask("spot.order_book_update", ["BTC_USDT", interval])
    buffered = await client.results(8)
    async with aiohttp.ClientSession() as http:
        snapshot = await get(client.box, http, "spot/order_book", currency_pair="BTC_USDT", limit=depth, with_id="true")
    buffered += await client.results(100)

    assert list(buffered[0]) == ["t", "e", "E", "s", "l", "U", "u", "b", "a"]
    assert (buffered[0]["s"], buffered[0]["l"], buffered[0]["e"]) == ("BTC_USDT", str(depth), "depthUpdate")
    book, last_id = Follower(snapshot["bids"], snapshot["asks"]), snapshot["id"]
    usable = [result for result in buffered if result["u"] > last_id]
    assert usable[0]["U"] <= last_id + 1 <= usable[0]["u"]
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(buffered))
    for result in usable:
        book.apply(result)
        bids, asks = book.top(depth)
        book = Follower(bids, asks)
    client.box.pause_market()
    for result in await client.results(10):
        book.apply(result)
    assert book.top(depth) == truth(client.box, "BTC/USDT", depth)


async def test_candles_every_two_seconds_and_once_closed(client: Client) -> None:
    messages = await push(client, "spot.candlesticks", ["10s", "BTC_USDT"], ticks=700)
    results = [message["result"] for message in messages]

    assert list(results[0]) == ["t", "v", "c", "h", "l", "o", "n", "a", "w"]
    assert results[0]["n"] == "10s_BTC_USDT"
    assert results[0]["t"] == str(START_S // 10 * 10)
    assert [result["t"] for result in results if result["w"]] == [str(START_S // 10 * 10)]
    assert len([result for result in results if not result["w"]]) >= 6
    closed = next(result for result in results if result["w"])
    assert float(closed["l"]) <= float(closed["v"]) / float(closed["a"]) <= float(closed["h"])


async def test_small_prices_are_written_without_exponent(client: Client) -> None:
    result = (await push(client, "spot.book_ticker", ["PEPE_USDT"], ticks=300))[-1]["result"]

    assert re.fullmatch(r"0\.0000\d+", result["b"])
    assert re.fullmatch(r"\d+", result["B"])


# --- REST ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def get(box: Loopback, http: aiohttp.ClientSession, path: str, **query: str | int) -> Any:
    async with http.get(f"{box.endpoints.rest}/{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def refusal(box: Loopback, http: aiohttp.ClientSession, path: str, **query: str | int) -> tuple[int, str, str]:
    async with http.get(f"{box.endpoints.rest}/{path}", params=query) as response:
        body = await response.json()
        return response.status, body["label"], body["message"]


async def test_every_reply_has_the_venues_headers(box: Loopback, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{box.endpoints.rest}/spot/time") as response:
        assert await response.json() == {"server_time": START // 1_000_000}
        assert response.headers["X-Gate-RateLimit-Requests-Remain"] == "199"
        assert response.headers["X-Gate-RateLimit-Limit"] == "200"
        assert response.headers["X-Gate-RateLimit-Reset-Timestamp"] == str(START_S)
        assert response.headers["X-In-Time"] == str(START // 1_000)
        assert int(response.headers["X-Out-Time"]) > START // 1_000
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Gate-Trace-ID"])


async def test_too_many_requests_on_one_endpoint(box: Loopback, http: aiohttp.ClientSession) -> None:
    """200 in ten seconds, counted for each endpoint."""
    for _ in range(200):
        await get(box, http, "spot/time")

    assert (await refusal(box, http, "spot/time"))[:2] == (429, "TOO_MANY_REQUESTS")
    await get(box, http, "spot/currency_pairs")
    await box.tick(500)
    await get(box, http, "spot/time")


async def test_unknown_path_and_method(box: Loopback, http: aiohttp.ClientSession) -> None:
    assert (await refusal(box, http, "spot/nope"))[:2] == (404, "NOT_FOUND")
    async with http.post(f"{box.endpoints.rest}/spot/time") as response:
        assert (response.status, (await response.json())["label"]) == (405, "METHOD_NOT_ALLOWED")
    assert box.unknown_paths == ["GET /spot/nope", "POST /spot/time"]


async def test_currency_pairs_carry_the_rules(box: Loopback, http: aiohttp.ClientSession) -> None:
    pairs = {row["id"]: row for row in await get(box, http, "spot/currency_pairs")}

    assert set(pairs) == {"BTC_USDT", "ETH_USDT", "PEPE_USDT", "ETH_BTC"}
    assert (pairs["BTC_USDT"]["precision"], pairs["BTC_USDT"]["amount_precision"]) == (1, 6)
    assert (pairs["ETH_BTC"]["base"], pairs["ETH_BTC"]["quote"], pairs["ETH_BTC"]["min_quote_amount"]) == ("ETH", "BTC", "0.00001")
    assert {row["trade_status"] for row in pairs.values()} == {"tradable"}
    assert await get(box, http, "spot/currency_pairs/PEPE_USDT") == pairs["PEPE_USDT"]


async def test_currencies(box: Loopback, http: aiohttp.ClientSession) -> None:
    rows = await get(box, http, "spot/currencies")

    assert [row["currency"] for row in rows] == ["BTC", "ETH", "PEPE", "USDT"]
    assert await get(box, http, "spot/currencies/BTC") == rows[0]


async def test_tickers_have_sizes_only_for_one_pair(box: Loopback, http: aiohttp.ClientSession) -> None:
    rows = await get(box, http, "spot/tickers")
    (one,) = await get(box, http, "spot/tickers", currency_pair="BTC_USDT")

    assert len(rows) == 4
    assert "lowest_size" not in rows[0]
    assert (one["highest_bid"], one["highest_size"]) == truth(box, "BTC/USDT", 1)[0][0]
    assert (one["lowest_ask"], one["lowest_size"]) == truth(box, "BTC/USDT", 1)[1][0]


async def test_order_book(box: Loopback, http: aiohttp.ClientSession) -> None:
    bitcoin = box.market.instruments["BTC/USDT"]
    plain = await get(box, http, "spot/order_book", currency_pair="BTC_USDT")
    book = await get(box, http, "spot/order_book", currency_pair="BTC_USDT", limit=400, with_id="true", interval="0")

    assert "id" not in plain
    assert (len(plain["bids"]), len(plain["asks"])) == (10, 10)
    assert book["id"] == bitcoin.book.update_id
    assert book["current"] == START // 1_000_000
    assert book["update"] == bitcoin.book.time_ns // 1_000_000
    assert [[tuple(row) for row in book[side]] for side in ("bids", "asks")] == list(truth(box, "BTC/USDT", 400))


async def test_order_book_of_coarser_prices_adds_levels_up_and_never_looks_better(box: Loopback, http: aiohttp.ClientSession) -> None:
    bitcoin = box.market.instruments["BTC/USDT"]
    book = await get(box, http, "spot/order_book", currency_pair="BTC_USDT", limit=1000, interval="10")
    fine = bitcoin.book

    assert all(float(price) % 10 == 0 for price, _ in book["bids"] + book["asks"])
    assert float(book["bids"][0][0]) <= float(bitcoin.price_text(fine.bids.best or 0))
    assert float(book["asks"][0][0]) >= float(bitcoin.price_text(fine.asks.best or 0))
    assert sum(float(qty) for _, qty in book["bids"]) == pytest.approx(float(bitcoin.qty_text(sum(fine.bids.lots.values()))))


async def test_trades_newest_first_and_pages(box: Loopback, http: aiohttp.ClientSession) -> None:
    await box.tick(200)
    trades = list(reversed(box.market.instruments["BTC/USDT"].trades))
    rows = await get(box, http, "spot/trades", currency_pair="BTC_USDT", limit=20)

    assert [row["id"] for row in rows] == [str(trade.id) for trade in trades[:20]]
    assert rows[0]["sequence_id"] == str(trades[0].market_id)
    assert re.fullmatch(r"\d{13}\.\d{3}", rows[0]["create_time_ms"])
    assert await get(box, http, "spot/trades", currency_pair="BTC_USDT", limit=10, page=2) == rows[10:]
    newer = await get(box, http, "spot/trades", currency_pair="BTC_USDT", last_id=rows[5]["id"])
    older = await get(box, http, "spot/trades", currency_pair="BTC_USDT", last_id=rows[5]["id"], reverse="true", limit=3)
    assert newer == rows[:5]
    assert older == rows[6:9]
    second = trades[0].ts_ns // 1_000_000_000
    within = await get(box, http, "spot/trades", currency_pair="BTC_USDT", **{"from": second, "to": second})
    assert [row["id"] for row in within] == [str(trade.id) for trade in trades if trade.ts_ns // 1_000_000_000 == second]


async def test_candles_oldest_first_up_to_the_running_one(box: Loopback, http: aiohttp.ClientSession) -> None:
    rows = await get(box, http, "spot/candlesticks", currency_pair="BTC_USDT", interval="1m", limit=30)
    minute = START_S // 60 * 60

    assert [int(row[0]) for row in rows] == list(range(minute - 29 * 60, minute + 60, 60))
    assert [row[7] for row in rows] == ["true"] * 29 + ["false"]
    for _, quote_volume, close, high, low, opened, base_volume, _ in rows[:-1]:
        assert float(low) <= min(float(opened), float(close)) <= max(float(opened), float(close)) <= float(high)
        assert float(low) <= float(quote_volume) / float(base_volume) <= float(high)


async def test_candles_from_and_to_are_inclusive(box: Loopback, http: aiohttp.ClientSession) -> None:
    hour = START_S // 3600 * 3600
    rows = await get(box, http, "spot/candlesticks", currency_pair="BTC_USDT", interval="1h", **{"from": hour - 7200, "to": hour})

    assert [int(row[0]) for row in rows] == [hour - 7200, hour - 3600, hour]
    assert len(await get(box, http, "spot/candlesticks", currency_pair="BTC_USDT")) > 90
    assert len(await get(box, http, "spot/candlesticks", currency_pair="BTC_USDT", interval="30d", limit=2)) >= 1


@pytest.mark.parametrize(
    ("path", "query", "label", "message"),
    [
        ("spot/order_book", {}, "MISSING_REQUIRED_PARAM", "currency_pair"),
        ("spot/order_book", {"currency_pair": "NOPE_USDT"}, "INVALID_CURRENCY_PAIR", "NOPE_USDT"),
        (
            "spot/order_book",
            {"currency_pair": "BTC_USDT", "limit": 1001},
            "INVALID_PARAM_VALUE",
            "Invalid request parameter `limit` value: 1001",
        ),
        ("spot/order_book", {"currency_pair": "BTC_USDT", "limit": 0}, "INVALID_PARAM_VALUE", "value: 0"),
        ("spot/order_book", {"currency_pair": "BTC_USDT", "limit": "ten"}, "INVALID_PARAM_VALUE", "value: ten"),
        ("spot/order_book", {"currency_pair": "BTC_USDT", "interval": "0.05"}, "INVALID_PARAM_VALUE", "`interval`"),
        ("spot/order_book", {"currency_pair": "BTC_USDT", "interval": "x"}, "INVALID_PARAM_VALUE", "`interval`"),
        ("spot/tickers", {"currency_pair": "NOPE"}, "INVALID_CURRENCY_PAIR", "NOPE"),
        ("spot/currency_pairs/NOPE", {}, "INVALID_CURRENCY_PAIR", "NOPE"),
        ("spot/currencies/NOPE", {}, "INVALID_CURRENCY", "NOPE"),
        ("spot/candlesticks", {"currency_pair": "BTC_USDT", "interval": "30s"}, "INVALID_PARAM_VALUE", "`interval`"),
        ("spot/candlesticks", {"currency_pair": "BTC_USDT", "limit": 10, "from": START_S}, "INVALID_PARAM_VALUE", "limit"),
        ("spot/candlesticks", {"currency_pair": "BTC_USDT", "from": START_S, "to": START_S - 1}, "INVALID_PARAM_VALUE", "earlier"),
        (
            "spot/candlesticks",
            {"currency_pair": "BTC_USDT", "interval": "1m", "from": START_S - 60_000, "to": START_S},
            "INVALID_PARAM_VALUE",
            "Candlestick range too broad. Maximum 1000 data points",
        ),
        (
            "spot/candlesticks",
            {"currency_pair": "BTC_USDT", "interval": "1m", "from": START_S - 700_000, "to": START_S - 690_000},
            "INVALID_PARAM_VALUE",
            "Candlestick too long ago. Maximum 10000 points",
        ),
    ],
)
async def test_rest_refusals(
    box: Loopback, http: aiohttp.ClientSession, path: str, query: dict[str, str | int], label: str, message: str
) -> None:
    status, said_label, said = await refusal(box, http, path, **query)

    assert (status, said_label) == (400, label)
    assert message in said


@pytest.mark.parametrize("path", ["margin/currency_pairs", "futures/usdt/contracts", "delivery/usdt/contracts", "options/underlyings"])
async def test_markets_that_the_box_has_not_are_empty(box: Loopback, http: aiohttp.ClientSession, path: str) -> None:
    """ccxt asks for all of them before it does anything else."""
    assert await get(box, http, path) == []


async def test_rest_and_stream_share_one_counter(client: Client, http: aiohttp.ClientSession) -> None:
    await client.ask("spot.obu", ["ob.BTC_USDT.50"])
    last = (await client.results(10))[-1]
    book = await get(client.box, http, "spot/order_book", currency_pair="BTC_USDT", with_id="true")

    assert book["id"] == last["u"]


# --- samples ------------------------------------------------------------------------------------------------------------------------


def test_sample_frames_of_every_channel() -> None:
    """Benchmarks and fuzzers take them; they are the same in every run."""
    frames = sample_frames(GateioScript(), seconds=3.0)

    assert set(frames) == set(GateioScript.samples)
    assert all(len(each) >= 2 for each in frames.values()), {name: len(each) for name, each in frames.items()}
    assert frames == sample_frames(GateioScript(), seconds=3.0)
