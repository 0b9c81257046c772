"""MEXC in the box: every claim of the protocol notes that a public spot client can observe, over real sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import pytest
import websockets
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st

from exwire.loopback import Loopback, sample_frames
from exwire.loopback.listings import LISTINGS
from exwire.model import Side
from exwire_mexc.loopback import MexcScript
from exwire_mexc.loopback_frames import fixed, message
from exwire_mexc.loopback_rest import windows

START = 1_790_000_000_123_456_789
START_MS = START // 1_000_000
START_S = START // 1_000_000_000
FEW = tuple(each for each in LISTINGS if each.symbol in {"BTC/USDT", "ETH/USDT", "PEPE/USDT", "ETH/BTC"})

DEALS = "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"
DEPTH = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT"
TOP = "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT"

Answer = dict[str, Any]


def _wrapper() -> Any:
    """The class of the outermost message, from the schema that the plugin ships, in a pool that the plugin does not use."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(files("exwire_mexc.spot").joinpath("push.binpb").read_bytes()).file:
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("PushDataV3ApiWrapper"))


WRAPPER = _wrapper()


def parse(frame: bytes) -> Any:
    """Read a push; every field in it, at any depth, has to be one that the schema knows."""
    push = WRAPPER.FromString(frame)
    for part in _messages(push):
        assert len(UnknownFieldSet(part)) == 0
    return push


def _messages(part: Any) -> Iterator[Any]:
    yield part
    for field, value in part.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


class Client:
    """A connection that knows nothing of exwire."""

    def __init__(self, socket: websockets.ClientConnection, box: Loopback) -> None:
        self.socket = socket
        self.box = box
        self.waiting: list[str | bytes] = []

    async def say(self, method: str, params: object = None, **more: object) -> Answer:
        """Send a request and return its answer; pushes that overtake it wait."""
        request = {"method": method, **({} if params is None else {"params": params}), **more}
        return await self.send(msgspec.json.encode(request).decode())

    async def send(self, frame: str | bytes) -> Answer:
        await self.socket.send(frame)
        async with asyncio.timeout(10):
            while isinstance(said := await self.socket.recv(), bytes):
                self.waiting.append(said)
        answer: Answer = msgspec.json.decode(said)
        return answer

    async def subscribe(self, *topics: str) -> None:
        assert (await self.say("SUBSCRIPTION", list(topics)))["msg"] == ",".join(topics)

    async def drain(self) -> list[Any]:
        """Return every push that came so far: those before the answer to a ping."""
        assert (await self.say("PING"))["msg"] == "PONG"
        frames, self.waiting = self.waiting, []
        return [parse(frame) for frame in frames if isinstance(frame, bytes)]

    async def pushes(self, ticks: int) -> list[Any]:
        """Return what so many ticks of 10 ms bring."""
        await self.box.tick(ticks)
        return await self.drain()

    async def closed(self) -> int:
        """Return the code with which the connection ends."""
        async with asyncio.timeout(10):
            await self.socket.wait_closed()
        return self.socket.close_code or 0


@asynccontextmanager
async def opened(step_ms: int = 10, activity: float = 1.0) -> AsyncIterator[Loopback]:
    async with (
        asyncio.timeout(20),
        Loopback(MexcScript(), manual=True, listings=FEW, seed=3, clock=lambda: START, step_ms=step_ms, activity=activity) as box,
    ):
        yield box


@asynccontextmanager
async def connected(box: Loopback) -> AsyncIterator[Client]:
    async with websockets.connect(box.endpoints.ws["spot"], max_queue=None) as socket:
        yield Client(socket, box)


@pytest.fixture
async def box() -> AsyncIterator[Loopback]:
    async with opened() as box:
        yield box


@pytest.fixture
async def client(box: Loopback) -> AsyncIterator[Client]:
    async with connected(box) as client:
        yield client


def script_of(box: Loopback) -> MexcScript:
    assert isinstance(box.script, MexcScript)
    return box.script


# --- requests and answers -----------------------------------------------------------------------------------------------------------


async def test_subscribing_is_confirmed_with_the_topics_joined_by_commas(client: Client) -> None:
    """And the id of the request; without one the answer has 0."""
    assert await client.say("SUBSCRIPTION", [DEALS, DEPTH], id=7) == {"id": 7, "code": 0, "msg": f"{DEALS},{DEPTH}"}
    assert await client.say("SUBSCRIPTION", [DEALS]) == {"id": 0, "code": 0, "msg": DEALS}


async def test_unsubscribing_is_confirmed_and_ends_the_stream(client: Client) -> None:
    await client.subscribe(TOP, TOP.replace("BTC", "ETH"))
    assert await client.say("UNSUBSCRIPTION", [TOP], id=8) == {"id": 8, "code": 0, "msg": TOP}

    assert {push.symbol for push in await client.pushes(5)} == {"ETHUSDT"}


@pytest.mark.parametrize("method", ["PING", "ping"])
async def test_ping_is_answered(client: Client, method: str) -> None:
    """Other clients write it in lower case."""
    assert await client.say(method) == {"id": 0, "code": 0, "msg": "PONG"}


BLOCKED = [
    "spot@public.aggre.deals.v3.api.pb@100ms@NOPEUSDT",
    "spot@public.aggre.deals.v3.api.pb@100ms@btcusdt",
    "spot@public.aggre.deals.v3.api.pb@BTCUSDT",
    "spot@public.aggre.deals.v3.api@100ms@BTCUSDT",
    "spot@public.aggre.deals.v3.api.pb@50ms@BTCUSDT",
    "spot@public.aggre.deals.v3.api.pb@BTCUSDT@100ms",
    "spot@public.deals.v3.api@BTCUSDT",
    "spot@public.increase.depth.v3.api.pb@BTCUSDT",
    "spot@public.limit.depth.v3.api.pb@BTCUSDT@50",
    "spot@public.kline.v3.api.pb@BTCUSDT@Min3",
    "spot@public.kline.v3.api.pb@BTCUSDT",
    "spot@public.miniTicker.v3.api.pb@BTCUSDT",
    "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+14",
    "spot@public.miniTickers.v3.api.pb",
    "spot@private.orders.v3.api.pb",
    "futures@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
    "BTCUSDT",
    "",
]


@pytest.mark.parametrize("topic", BLOCKED)
async def test_a_topic_that_does_not_exist_is_blocked(client: Client, topic: str) -> None:
    """With code 0 and a full-width colon."""
    assert await client.say("SUBSCRIPTION", [topic], id=3) == {
        "id": 3,
        "code": 0,
        "msg": f"Not Subscribed successfully! [{topic}].  Reason： Blocked! ",
    }


async def test_one_bad_topic_does_not_cost_the_others(client: Client) -> None:
    """As captured in 2025-07: both lists are in the answer."""
    bad = DEALS.replace("BTC", "NOPE"), TOP.replace("10ms@", "")
    answer = await client.say("SUBSCRIPTION", [bad[0], TOP, bad[1]])

    assert answer["msg"] == f"Subscribed successful! [{TOP}]. Not Subscribed successfully! [{','.join(bad)}].  Reason： Blocked! "
    assert {push.channel for push in await client.pushes(3)} == {TOP}


async def test_thirty_topics_and_not_one_more(client: Client) -> None:
    """Whether in one request or in several; a topic that one has already costs nothing."""
    zones = ["24H", *(f"UTC{hours:+}" for hours in [-10, *range(-8, -2), *range(14)]), "UTC+4:30", "UTC+5:30", "UTC+12:45"]
    topics = [f"spot@public.miniTicker.v3.api.pb@BTCUSDT@{zone}" for zone in zones]
    topics += [f"spot@public.kline.v3.api.pb@BTCUSDT@{name}" for name in ("Min1", "Min5", "Min15", "Min30", "Min60")]
    await client.subscribe(*topics[:29])
    answer = await client.say("SUBSCRIPTION", [topics[0], *topics[29:], DEALS])

    assert len(topics) == 30
    assert answer["msg"] == (
        f"Subscribed successful! [{topics[0]},{topics[29]}]. Not Subscribed successfully! [{DEALS}].  Reason： Blocked! "
    )
    await client.say("UNSUBSCRIPTION", topics[:1])
    await client.subscribe(DEALS)


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "",
        "[]",
        "{}",
        '{"method":5}',
        '{"method":"SUBSCRIBE","params":["x"]}',
        '{"method":"SUBSCRIPTION"}',
        '{"method":"SUBSCRIPTION","params":[]}',
        '{"method":"SUBSCRIPTION","params":"x"}',
        '{"method":"SUBSCRIPTION","params":[1]}',
        b"\xff\xfe",
    ],
)
async def test_a_malformed_request_is_said_to_be_one(client: Client, frame: str | bytes) -> None:
    """And the connection lives on."""
    assert await client.send(frame) == {"id": 0, "code": 0, "msg": "msg format invalid"}
    await client.subscribe(DEALS)


async def test_frames_that_are_too_long_are_answered_and_counted(client: Client) -> None:
    """Whether MEXC takes them is not known for certain; a client of ours must not find out."""
    topics = [f"spot@public.kline.v3.api.pb@BTCUSDT@{name}" for name in ("Min1", "Min5", "Min15", "Min30", "Min60", "Hour4", "Hour8")]
    await client.subscribe(*topics)
    assert script_of(client.box).oversized == 0
    await client.subscribe(DEALS, DEPTH, *(topic.replace("BTC", name) for name in ("BTC", "ETH", "PEPE") for topic in topics))

    assert script_of(client.box).oversized == 1


async def test_more_than_a_hundred_messages_in_a_second_end_the_connection(client: Client) -> None:
    for _ in range(100):
        assert (await client.say("PING"))["msg"] == "PONG"
    await client.socket.send('{"method":"PING"}')

    assert await client.closed() == 1005


async def test_a_listen_key_that_nobody_gave_out_is_refused_in_plain_text(box: Loopback) -> None:
    """Not in JSON."""
    async with websockets.connect(box.endpoints.ws["spot"] + "?listenKey=abc") as socket:
        assert await socket.recv() == "Invalid listen key"


async def test_compression_is_not_negotiated(client: Client) -> None:
    """The client offered it."""
    assert client.socket.response is not None
    assert "Sec-WebSocket-Extensions" not in client.socket.response.headers


# --- the life of a connection -------------------------------------------------------------------------------------------------------


async def test_a_connection_without_topics_is_closed_after_thirty_seconds_whatever_it_says() -> None:
    """With an empty close frame, as are the others."""
    async with opened(step_ms=1000, activity=0) as box, connected(box) as client:
        await client.say("SUBSCRIPTION", ["spot@public.deals.v3.api@BTCUSDT"])
        for _ in range(29):
            await box.tick()
            assert (await client.say("PING"))["msg"] == "PONG"
        await box.tick()

        assert await client.closed() == 1005


async def test_the_thirty_seconds_begin_again_with_the_last_topic_given_up() -> None:
    async with opened(step_ms=1000, activity=0) as box, connected(box) as client:
        await client.subscribe(DEPTH)
        await box.tick(40)
        await client.say("UNSUBSCRIPTION", [DEPTH])
        await box.tick(29)
        assert (await client.say("PING"))["msg"] == "PONG"
        await box.tick(1)

        assert await client.closed() == 1005


async def test_a_connection_on_which_nothing_flows_is_closed_after_sixty_seconds() -> None:
    """A ping is flow enough."""
    async with opened(step_ms=1000, activity=0) as box, connected(box) as client:
        await client.subscribe(DEPTH)
        await box.tick(59)
        assert (await client.say("PING"))["msg"] == "PONG"
        await box.tick(59)
        assert (await client.say("PING"))["msg"] == "PONG"
        await box.tick(60)

        assert await client.closed() == 1005


async def test_no_connection_lives_longer_than_a_day() -> None:
    async with opened(step_ms=50_000, activity=0) as box, connected(box) as client:
        await client.subscribe(TOP)
        await box.tick(1727)
        assert len(await client.drain()) == 1727
        await box.tick()

        assert await client.closed() == 1005


# --- channels -----------------------------------------------------------------------------------------------------------------------


async def test_deals_are_all_the_trades_of_a_window_in_one_frame(client: Client) -> None:
    bitcoin = client.box.market.instruments["BTC/USDT"]
    before = bitcoin.trade_count
    await client.subscribe(DEALS)
    pushes = [push for push in await client.pushes(300) if push.WhichOneof("body")]
    deals = [deal for push in pushes for deal in push.publicAggreDeals.deals]

    assert {(push.channel, push.symbol, push.publicAggreDeals.eventType) for push in pushes} == {
        (DEALS, "BTCUSDT", "spot@public.aggre.deals.v3.api.pb@100ms")
    }
    assert max(len(push.publicAggreDeals.deals) for push in pushes) > 1
    assert [(deal.price, deal.quantity, deal.tradeType, deal.time) for deal in deals] == [
        (fixed(trade.price, 1), bitcoin.qty_text(trade.lots), 1 if trade.side is Side.BUY else 2, trade.ts_ns // 1_000_000)
        for trade in bitcoin.trades_since(before)[: len(deals)]
    ]
    assert len({deal.tradeId for deal in deals}) == len(deals)
    assert all(push.sendTime > START_MS and not push.HasField("createTime") for push in pushes)


async def test_an_empty_window_after_trades_is_a_frame_without_a_body(client: Client) -> None:
    """Captured in 2026; a client must not take it for a broken one."""
    await client.subscribe(DEALS)
    first = await client.pushes(300)
    client.box.pause_market()
    (last, *rest) = await client.pushes(300) or [first[-1]]

    assert (last.WhichOneof("body"), last.channel, last.symbol) == (None, DEALS, "BTCUSDT")
    assert last.sendTime > 0
    assert not rest


@pytest.mark.parametrize(("interval", "count"), [("10ms", 100), ("100ms", 10)])
async def test_the_book_ticker_comes_in_every_window_changed_or_not(client: Client, interval: str, count: int) -> None:
    """Nearly all of MEXC's are repetitions: 12,000 came in two minutes."""
    bitcoin = client.box.market.instruments["BTC/USDT"]
    client.box.pause_market()
    topic = f"spot@public.aggre.bookTicker.v3.api.pb@{interval}@BTCUSDT"
    await client.subscribe(topic)
    pushes = await client.pushes(100)
    ticker = pushes[-1].publicAggreBookTicker
    (bid, bid_lots), (ask, ask_lots) = bitcoin.book.bids.top(1)[0], bitcoin.book.asks.top(1)[0]

    assert len(pushes) == count
    assert {(push.channel, push.symbol) for push in pushes} == {(topic, "BTCUSDT")}
    assert (ticker.bidPrice, ticker.bidQuantity) == (fixed(bid, 1), bitcoin.qty_text(bid_lots))
    assert (ticker.askPrice, ticker.askQuantity) == (fixed(ask, 1), bitcoin.qty_text(ask_lots))
    assert ticker.version == str(bitcoin.book.update_id)
    assert ticker.lastOrderCreateTime == bitcoin.book.time_ns // 1_000_000


async def test_an_empty_side_of_a_book_ticker_is_not_there(client: Client) -> None:
    """Which protobuf reads as empty text."""
    client.box.pause_market()
    client.box.market.instruments["BTC/USDT"].book.market(Side.BUY, 10**15, START)
    await client.subscribe(TOP)
    (push,) = await client.pushes(1)

    assert (push.publicAggreBookTicker.askPrice, push.publicAggreBookTicker.askQuantity) == ("", "")
    assert float(push.publicAggreBookTicker.bidPrice) > 0


async def test_the_batched_book_ticker_comes_on_change(client: Client) -> None:
    """With one item; several topics of it are several topics."""
    topic = "spot@public.bookTicker.batch.v3.api.pb@BTCUSDT"
    await client.subscribe(topic)
    pushes = await client.pushes(200)
    items = [push.publicBookTickerBatch.items for push in pushes]

    assert 1 < len(pushes) <= 20
    assert {(push.channel, push.symbol, push.WhichOneof("body")) for push in pushes} == {(topic, "BTCUSDT", "publicBookTickerBatch")}
    assert all(len(each) == 1 for each in items)
    assert all(before[0] != after[0] for before, after in pairwise(items))
    assert all(float(each[0].bidPrice) < float(each[0].askPrice) for each in items)
    client.box.pause_market()
    await client.pushes(20)
    assert await client.pushes(100) == []


class Follower:
    """A book kept from text rows, as section 5 of the notes says."""

    def __init__(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        self.bids, self.asks = ({float(price): float(qty) for price, qty in rows} for rows in (bids, asks))

    def apply(self, depths: Any) -> None:
        for side, rows in ((self.bids, depths.bids), (self.asks, depths.asks)):
            for row in rows:
                if float(row.quantity):
                    side[float(row.price)] = float(row.quantity)
                else:
                    side.pop(float(row.price), None)


def truth(box: Loopback, symbol: str) -> tuple[dict[float, float], dict[float, float]]:
    each = box.market.instruments[symbol]
    bids, asks = ({float(price): float(qty) for price, qty in each.rows_text(side.top())} for side in (each.book.bids, each.book.asks))
    return bids, asks


@pytest.mark.parametrize(("interval", "ticks"), [("10ms", 1), ("100ms", 10)])
@pytest.mark.parametrize(("symbol", "pair"), [("BTC/USDT", "BTCUSDT"), ("PEPE/USDT", "PEPEUSDT")])
async def test_depth_and_a_rest_snapshot_give_the_true_book(
    client: Client, http: aiohttp.ClientSession, symbol: str, pair: str, interval: str, ticks: int
) -> None:
    """Push after push without a hole, and the snapshot's id counts with them."""
    await client.subscribe(f"spot@public.aggre.depth.v3.api.pb@{interval}@{pair}")
    pushes = await client.pushes(300)
    await client.box.tick(3)
    snapshot = await get(client.box, http, "depth", symbol=pair, limit=5000)
    pushes += await client.pushes(300)
    client.box.pause_market()
    pushes += await client.pushes(2 * ticks)
    depths = [push.publicAggreDepths for push in pushes]
    late = [each for each in depths if int(each.toVersion) > snapshot["lastUpdateId"]]
    book = Follower(snapshot["bids"], snapshot["asks"])
    for each in late:
        book.apply(each)

    assert all(int(after.fromVersion) == int(before.toVersion) + 1 for before, after in pairwise(depths))
    assert int(late[0].fromVersion) <= snapshot["lastUpdateId"] + 1 <= int(late[0].toVersion)
    assert int(depths[0].fromVersion) <= snapshot["lastUpdateId"]
    assert (book.bids, book.asks) == truth(client.box, symbol)
    assert int(depths[-1].toVersion) == client.box.market.instruments[symbol].book.update_id


async def test_depth_is_printed_with_every_decimal(client: Client) -> None:
    """A deleted level too; REST prints a quantity otherwise, so levels are to be told apart by value."""
    await client.subscribe(DEPTH)
    pushes = await client.pushes(300)
    rows = [row for push in pushes for row in (*push.publicAggreDepths.asks, *push.publicAggreDepths.bids)]

    assert all(re.fullmatch(r"\d+\.\d", row.price) and re.fullmatch(r"\d+\.\d{6}", row.quantity) for row in rows)
    assert "0.000000" in {row.quantity for row in rows}
    assert {push.publicAggreDepths.eventType for push in pushes} == {"spot@public.aggre.depth.v3.api.pb@100ms"}
    assert all(0 < push.publicAggreDepths.lastOrderCreateTime <= push.sendTime for push in pushes)


@pytest.mark.parametrize("depth", [5, 10, 20])
async def test_limited_depth_is_whole(client: Client, depth: int) -> None:
    """Its version counts, but not with that of the deltas."""
    topic = f"spot@public.limit.depth.v3.api.pb@BTCUSDT@{depth}"
    await client.subscribe(topic)
    pushes = await client.pushes(300)
    books = [push.publicLimitDepths for push in pushes]
    bids, asks = truth(client.box, "BTC/USDT")

    assert {(push.channel, push.symbol) for push in pushes} == {(topic, "BTCUSDT")}
    assert all(len(book.bids) == len(book.asks) == depth for book in books)
    assert all(int(before.version) < int(after.version) for before, after in pairwise(books))
    assert int(books[-1].version) > client.box.market.instruments["BTC/USDT"].book.update_id
    assert books[-1].eventType == "spot@public.limit.depth.v3.api.pb"
    client.box.pause_market()
    last = (await client.pushes(20) or pushes)[-1].publicLimitDepths
    bids, asks = truth(client.box, "BTC/USDT")
    assert [float(row.price) for row in last.bids] == sorted(bids, reverse=True)[:depth]
    assert [float(row.price) for row in last.asks] == sorted(asks)[:depth]


INTERVALS_S = {
    "Min1": 60, "Min5": 300, "Min15": 900, "Min30": 1800, "Min60": 3600, "Hour4": 14400, "Hour8": 28800, "Day1": 86400, "Week1": 604800,
}  # fmt: skip


@pytest.mark.parametrize("interval", [*INTERVALS_S, "Month1"])
async def test_a_kline_every_second_in_seconds(client: Client, interval: str) -> None:
    """It has another time field than the other frames, and a ``symbolId``."""
    topic = f"spot@public.kline.v3.api.pb@BTCUSDT@{interval}"
    await client.subscribe(topic)
    pushes = await client.pushes(300)
    candle = pushes[-1].publicSpotKline

    assert len(pushes) == 3
    assert {(push.channel, push.symbol, push.HasField("sendTime"), push.createTime > START_MS) for push in pushes} == {
        (topic, "BTCUSDT", False, True)
    }
    assert re.fullmatch("[0-9a-f]{32}", pushes[0].symbolId)
    assert candle.interval == interval
    assert candle.windowStart <= START_S < candle.windowEnd
    assert candle.windowEnd - candle.windowStart == INTERVALS_S.get(interval, 30 * 86400)
    assert float(candle.lowestPrice) <= float(candle.closingPrice) <= float(candle.highestPrice)
    assert float(candle.lowestPrice) <= float(candle.amount) / float(candle.volume) <= float(candle.highestPrice)


async def test_a_kline_is_final_when_the_next_one_comes(client: Client) -> None:
    """There is no flag that says so."""
    await client.subscribe("spot@public.kline.v3.api.pb@BTCUSDT@Min1")
    starts = [push.publicSpotKline.windowStart for push in await client.pushes(6200)]

    assert starts == sorted(starts)
    assert len(set(starts)) == 2


async def test_mini_tickers_come_every_three_seconds(client: Client) -> None:
    topic = "spot@public.miniTicker.v3.api.pb@BTCUSDT@24H"
    await client.subscribe(topic)
    pushes = await client.pushes(1000)
    ticker = pushes[-1].publicMiniTicker

    assert [push.sendTime - START_MS for push in pushes] == [3000, 6000, 9000]
    assert (pushes[-1].channel, pushes[-1].symbol, ticker.symbol) == (topic, "BTCUSDT", "BTCUSDT")
    assert float(ticker.low) <= float(ticker.price) <= float(ticker.high)
    assert float(ticker.low) <= float(ticker.volume) / float(ticker.quantity) <= float(ticker.high)  # volume is in quote units
    assert (ticker.lastCloseRate, ticker.lastCloseHigh) == (ticker.rate, ticker.high)


async def test_a_mini_tickers_rate_depends_on_where_the_day_begins(client: Client, http: aiohttp.ClientSession) -> None:
    """``rate`` does not: that is always of the day at UTC+8."""
    topics = [f"spot@public.miniTicker.v3.api.pb@BTCUSDT@{zone}" for zone in ("UTC-5", "UTC+0", "UTC+5:30", "UTC+8", "UTC+12:45")]
    await client.subscribe(*topics)
    tickers = [push.publicMiniTicker for push in await client.pushes(300)]
    ((_, opened_at_utc, *_),) = await get(client.box, http, "klines", symbol="BTCUSDT", interval="1d", limit=1)

    assert len(tickers) == 5
    assert float(tickers[1].zonedRate) == pytest.approx(float(tickers[1].price) / float(opened_at_utc) - 1, abs=0.00006)
    assert len({ticker.rate for ticker in tickers}) == 1
    assert tickers[3].zonedRate == tickers[3].rate
    assert len({ticker.zonedRate for ticker in tickers}) > 2
    assert all(abs(float(ticker.zonedRate)) < 0.1 for ticker in tickers)


async def test_the_mini_tickers_of_all_pairs_stand_in_one_frame(client: Client) -> None:
    """Which belongs to no symbol."""
    await client.subscribe("spot@public.miniTickers.v3.api.pb@UTC+8")
    (push,) = await client.pushes(300)

    assert not push.HasField("symbol")
    assert [item.symbol for item in push.publicMiniTickers.items] == ["BTCUSDT", "ETHUSDT", "PEPEUSDT", "ETHBTC"]


async def test_small_prices_are_written_without_exponent(client: Client) -> None:
    await client.subscribe("spot@public.aggre.bookTicker.v3.api.pb@10ms@PEPEUSDT")
    (push,) = await client.pushes(1)

    assert re.fullmatch(r"0\.0000\d{4}", push.publicAggreBookTicker.bidPrice)
    assert re.fullmatch(r"\d+", push.publicAggreBookTicker.bidQuantity)


# --- the writer ---------------------------------------------------------------------------------------------------------------------

DEPTH_HEX = """
0a2f73706f74407075626c69632e61676772652e64657074682e76332e6170692e7062403130306d7340425443555344541a0742
54435553445430bad2c3d1c432ca13730a0f0a0839323837382e30301203312e3512160a0839323837372e3538120a302e303030
30303030301a2773706f74407075626c69632e61676772652e64657074682e76332e6170692e7062403130306d73220b31303538
393633323335392a0b313035383936333233363130b7d2c3d1c432
"""
DEALS_HEX = """
0a2f73706f74407075626c69632e61676772652e6465616c732e76332e6170692e7062403130306d7340425443555344541a0742
54435553445430bca9d9d0c432d2134e0a230a0839333232302e3030120a302e3034343338323433180220bba9d9d0c4322a0254
31122773706f74407075626c69632e61676772652e6465616c732e76332e6170692e7062403130306d73
"""
KLINE_HEX = """
0a2973706f74407075626c69632e6b6c696e652e76332e6170692e70624042544355534454404d696e31351a0742544355534454
2220326662393432313534656634346134616232656639386338616662366134613728f3ec92d1c432a2134e0a054d696e313510
848bfebb061a053932393235220839333135382e34372a0839333135382e3437320539323830303a0b33362e3833383033323234
420a333432343831312e3035488892febb06
"""
TOP_HEX = """
0a3473706f74407075626c69632e61676772652e626f6f6b5469636b65722e76332e6170692e7062403130306d73404254435553
44541a07425443555344543091b0e7d1c432da13270a0839333338372e32381207332e37333438351a0839333338372e32392208
372e363639383735
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            message(
                (1, DEPTH),
                (3, "BTCUSDT"),
                (6, 1736411507002),
                (
                    313,
                    message(
                        (1, message((1, "92878.00"), (2, "1.5"))),
                        (2, message((1, "92877.58"), (2, "0.00000000"))),
                        (3, DEPTH.removesuffix("@BTCUSDT")),
                        (4, "10589632359"),
                        (5, "10589632361"),
                        (6, 1736411506999),
                    ),
                ),
            ),
            DEPTH_HEX,
        ),
        (
            message(
                (1, DEALS),
                (3, "BTCUSDT"),
                (6, 1736409765052),
                (
                    314,
                    message(
                        (1, message((1, "93220.00"), (2, "0.04438243"), (3, 2), (4, 1736409765051), (5, "T1"))),
                        (2, DEALS.removesuffix("@BTCUSDT")),
                    ),
                ),
            ),
            DEALS_HEX,
        ),
        (
            message(
                (1, "spot@public.kline.v3.api.pb@BTCUSDT@Min15"),
                (3, "BTCUSDT"),
                (4, "2fb942154ef44a4ab2ef98c8afb6a4a7"),
                (5, 1736410707571),
                (
                    308,
                    message(
                        (1, "Min15"),
                        (2, 1736410500),
                        (3, "92925"),
                        (4, "93158.47"),
                        (5, "93158.47"),
                        (6, "92800"),
                        (7, "36.83803224"),
                        (8, "3424811.05"),
                        (9, 1736411400),
                    ),
                ),
            ),
            KLINE_HEX,
        ),
        (
            message(
                (1, TOP.replace("10ms", "100ms")),
                (3, "BTCUSDT"),
                (6, 1736412092433),
                (315, message((1, "93387.28"), (2, "3.73485"), (3, "93387.29"), (4, "7.669875"))),
            ),
            TOP_HEX,
        ),
    ],
    ids=["depth", "deals", "kline", "book ticker"],
)
def test_the_writer_reproduces_the_vectors_of_the_notes(written: bytes, expected: str) -> None:
    """They were made by protobuf itself."""
    assert written.hex() == "".join(expected.split())


@given(
    channel=st.text(max_size=20),
    symbol=st.text(max_size=20),
    sent=st.integers(-(2**63), 2**63 - 1),
    deals=st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)), max_size=4),
)
def test_whatever_is_written_protobuf_reads(channel: str, symbol: str, sent: int, deals: list[tuple[str, int, int]]) -> None:
    """Defaults, empty messages and negative numbers too."""
    rows = [(1, message((1, price), (3, kind), (4, time))) for price, kind, time in deals]
    push = parse(message((1, channel), (3, symbol), (6, sent), (314, message(*rows))))

    assert (push.channel, push.symbol, push.sendTime, push.WhichOneof("body")) == (channel, symbol, sent, "publicAggreDeals")
    assert [(each.price, each.tradeType, each.time) for each in push.publicAggreDeals.deals] == deals


@pytest.mark.parametrize(("value", "decimals", "text"), [(0, 8, "0.00000000"), (5, 0, "5"), (5, 2, "0.05"), (120, 2, "1.20")])
def test_fixed_prints_every_decimal(value: int, decimals: int, text: str) -> None:
    assert fixed(value, decimals) == text


# --- REST ---------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def get(box: Loopback, http: aiohttp.ClientSession, path: str, **query: str | int) -> Any:
    async with http.get(f"{box.endpoints.rest}/api/v3/{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def refusal(box: Loopback, http: aiohttp.ClientSession, path: str, **query: str | int) -> tuple[int, int]:
    async with http.get(f"{box.endpoints.rest}/api/v3/{path}", params=query) as response:
        body = await response.json()
        assert body["msg"]
        return response.status, body["code"]


async def test_ping_and_time(box: Loopback, http: aiohttp.ClientSession) -> None:
    assert await get(box, http, "ping") == {}
    assert await get(box, http, "time") == {"serverTime": START_MS}


async def test_exchange_info_carries_the_rules(box: Loopback, http: aiohttp.ClientSession) -> None:
    info = await get(box, http, "exchangeInfo")
    rows = {row["symbol"]: row for row in info["symbols"]}

    assert (info["serverTime"], info["rateLimits"], info["exchangeFilters"]) == (START_MS, [], [])
    assert list(rows) == ["BTCUSDT", "ETHUSDT", "PEPEUSDT", "ETHBTC"]
    assert (rows["BTCUSDT"]["quotePrecision"], rows["BTCUSDT"]["baseAssetPrecision"]) == (1, 6)
    assert (rows["ETHBTC"]["baseAsset"], rows["ETHBTC"]["quoteAsset"], rows["ETHBTC"]["quoteAmountPrecision"]) == ("ETH", "BTC", "0.00001")
    assert rows["BTCUSDT"]["baseSizePrecision"] == "0.000001"
    assert {(row["status"], row["isSpotTradingAllowed"], *row["permissions"]) for row in rows.values()} == {("1", True, "SPOT")}
    assert (await get(box, http, "exchangeInfo", symbol="ETHBTC"))["symbols"] == [rows["ETHBTC"]]
    assert (await get(box, http, "exchangeInfo", symbols="ETHBTC,BTCUSDT"))["symbols"] == [rows["ETHBTC"], rows["BTCUSDT"]]
    assert (await get(box, http, "defaultSymbols"))["data"] == list(rows)


async def test_depth(box: Loopback, http: aiohttp.ClientSession) -> None:
    bitcoin = box.market.instruments["BTC/USDT"]
    plain = await get(box, http, "depth", symbol="BTCUSDT")
    whole = await get(box, http, "depth", symbol="BTCUSDT", limit=9999)

    assert (len(plain["bids"]), len(plain["asks"])) == (100, 100)
    assert whole["lastUpdateId"] == bitcoin.book.update_id
    assert whole["bids"] == [[fixed(price, 1), bitcoin.qty_text(lots)] for price, lots in bitcoin.book.bids.top()]
    assert whole["asks"][:100] == plain["asks"]
    assert whole["timestamp"] == START_MS


async def test_trades_have_no_ids(box: Loopback, http: aiohttp.ClientSession) -> None:
    """The newest is first."""
    await box.tick(500)
    newest = box.market.instruments["BTC/USDT"].trades[-1]
    rows = await get(box, http, "trades", symbol="BTCUSDT", limit=20)

    assert len(rows) == 20
    assert {row["id"] for row in rows} == {None}
    assert rows[0]["time"] == newest.ts_ns // 1_000_000
    assert rows[0]["price"] == fixed(newest.price, 1)
    assert all(row["isBuyerMaker"] is (row["tradeType"] == "ASK") for row in rows)
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)


async def test_aggregated_trades_add_up_to_the_trades(box: Loopback, http: aiohttp.ClientSession) -> None:
    await box.tick(500)
    trades = await get(box, http, "trades", symbol="BTCUSDT", limit=1000)
    merged = await get(box, http, "aggTrades", symbol="BTCUSDT", limit=1000)
    some = await get(box, http, "aggTrades", symbol="BTCUSDT", startTime=merged[9]["T"], endTime=merged[3]["T"])

    assert len(merged) < len(trades) < 1000
    assert sum(float(row["q"]) for row in merged) == pytest.approx(sum(float(row["qty"]) for row in trades))
    assert {(row["a"], row["f"], row["l"], row["M"]) for row in merged} == {(None, None, None, True)}
    assert {row["T"] for row in some} == {row["T"] for row in merged if merged[9]["T"] <= row["T"] <= merged[3]["T"]}


async def test_klines_have_eight_elements_and_end_where_the_next_begins(box: Loopback, http: aiohttp.ClientSession) -> None:
    minute = START_S // 60 * 60_000
    rows = await get(box, http, "klines", symbol="BTCUSDT", interval="1m", limit=30)

    assert [row[0] for row in rows] == list(range(minute - 29 * 60_000, minute + 60_000, 60_000))
    assert all(row[6] == row[0] + 60_000 for row in rows)
    for _, opened_, high, low, close, volume, _, turnover in rows[:-1]:
        assert float(low) <= min(float(opened_), float(close)) <= max(float(opened_), float(close)) <= float(high)
        assert float(low) <= float(turnover) / float(volume) <= float(high)
    some = await get(box, http, "klines", symbol="BTCUSDT", interval="1m", startTime=rows[3][0], endTime=rows[7][0])
    assert some == rows[3:8]
    assert await get(box, http, "klines", symbol="BTCUSDT", interval="1m", startTime=rows[3][0] - 5_000, limit=2) == rows[3:5]


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "60m", "4h", "1d", "1W", "1M"])
async def test_every_interval_that_rest_has(box: Loopback, http: aiohttp.ClientSession, interval: str) -> None:
    rows = await get(box, http, "klines", symbol="BTCUSDT", interval=interval, limit=2)

    assert 1 <= len(rows) <= 2
    assert rows[-1][0] <= START_MS < rows[-1][6]


async def test_tickers_of_one_symbol_are_an_object_and_of_all_a_list(box: Loopback, http: aiohttp.ClientSession) -> None:
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
        one, every = await get(box, http, path, symbol="ETHBTC"), await get(box, http, path)

        assert [row["symbol"] for row in every] == ["BTCUSDT", "ETHUSDT", "PEPEUSDT", "ETHBTC"]
        assert one == every[-1]


async def test_ticker_figures(box: Loopback, http: aiohttp.ClientSession) -> None:
    day = await get(box, http, "ticker/24hr", symbol="BTCUSDT")
    price = await get(box, http, "ticker/price", symbol="BTCUSDT")
    book = await get(box, http, "ticker/bookTicker", symbol="BTCUSDT")
    mean = await get(box, http, "avgPrice", symbol="BTCUSDT")

    assert float(day["priceChangePercent"]) == pytest.approx(float(day["priceChange"]) / float(day["openPrice"]), abs=1e-8)
    assert float(day["lowPrice"]) <= float(day["quoteVolume"]) / float(day["volume"]) <= float(day["highPrice"])
    assert (day["lastPrice"], day["count"], day["closeTime"]) == (price["price"], None, START_MS)
    assert {name: day[name] for name in book} == book
    assert float(book["bidPrice"]) < float(book["askPrice"])
    assert mean["mins"] == 5
    assert float(day["lowPrice"]) <= float(mean["price"]) <= float(day["highPrice"])


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("depth", {}, 400),
        ("depth", {"symbol": "NOPEUSDT"}, -1121),
        ("depth", {"symbol": "btcusdt"}, -1121),
        ("depth", {"symbol": "BTCUSDT", "limit": "ten"}, 33333),
        ("depth", {"symbol": "BTCUSDT", "limit": 0}, 33333),
        ("exchangeInfo", {"symbol": "NOPEUSDT"}, -1121),
        ("ticker/24hr", {"symbol": "NOPEUSDT"}, -1121),
        ("aggTrades", {"symbol": "BTCUSDT", "startTime": 1}, -1128),
        ("klines", {"symbol": "BTCUSDT"}, 33333),
        ("klines", {"symbol": "BTCUSDT", "interval": "1h"}, 33333),
    ],
)
async def test_rest_refusals(box: Loopback, http: aiohttp.ClientSession, path: str, query: dict[str, str | int], code: int) -> None:
    assert await refusal(box, http, path, **query) == (400, code)


async def test_unknown_path_and_method(box: Loopback, http: aiohttp.ClientSession) -> None:
    assert await refusal(box, http, "nope") == (404, 404)
    async with http.post(f"{box.endpoints.rest}/api/v3/time") as response:
        assert (response.status, (await response.json())["code"]) == (405, 405)
    assert box.unknown_paths == ["GET /api/v3/nope", "POST /api/v3/time"]


async def test_contracts_are_none(box: Loopback, http: aiohttp.ClientSession) -> None:
    """ccxt asks for them before it does anything else."""
    async with http.get(f"{box.endpoints.rest}/api/v1/contract/detail") as response:
        assert (await response.json())["data"] == []


async def test_weights_add_up_to_500_in_ten_seconds_for_each_endpoint(box: Loopback, http: aiohttp.ClientSession) -> None:
    """All tickers cost 40, one costs 1; who is refused is told when to come back."""
    for _ in range(12):
        await get(box, http, "ticker/24hr")
    for _ in range(20):
        await get(box, http, "ticker/24hr", symbol="BTCUSDT")
    async with http.get(f"{box.endpoints.rest}/api/v3/ticker/24hr?symbol=BTCUSDT") as response:
        assert (response.status, (await response.json())["code"]) == (429, 429)
        assert 0 < int(response.headers["Retry-After"]) <= 11
    await get(box, http, "time")
    await box.tick(1_000)
    await get(box, http, "ticker/24hr")


async def test_who_does_not_heed_is_banned_everywhere(box: Loopback, http: aiohttp.ClientSession) -> None:
    script = script_of(box)
    script._rest._rates.limit = 1
    script._rest._refusals.limit = 3
    await get(box, http, "time")
    answers = [(await refusal(box, http, "time"))[0] for _ in range(5)]
    async with http.get(f"{box.endpoints.rest}/api/v3/ping") as response:
        assert (response.status, response.headers["Retry-After"]) == (418, "120")
    await box.tick(12_000)

    assert answers == [429, 429, 429, 418, 418]
    await get(box, http, "ping")


# --- windows and samples ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 4_000_000_000))
def test_windows_hold_the_second_they_are_asked_for(second: int) -> None:
    """And each ends where the next begins."""
    for interval in (*INTERVALS_S, "Month1"):
        window: Callable[[int], tuple[int, int]] = windows(interval)
        start, end = window(second)

        assert start <= second < end
        assert window(end)[0] == end
        assert window(start) == window(end - 1) == (start, end)


def test_weeks_begin_on_monday() -> None:
    """2026-09-21 was one."""
    assert windows("Week1")(START_S) == (1_789_948_800, 1_790_553_600)


def test_sample_frames_of_every_channel() -> None:
    """Benchmarks and fuzzers take them; they are the same in every run."""
    frames = sample_frames(MexcScript(), seconds=7.0)

    assert set(frames) == set(MexcScript.samples)
    assert all(len(each) >= 2 for each in frames.values()), {name: len(each) for name, each in frames.items()}
    assert frames == sample_frames(MexcScript(), seconds=7.0)
    for each in frames.values():
        for frame in each:
            assert isinstance(frame, bytes)
            parse(frame)
