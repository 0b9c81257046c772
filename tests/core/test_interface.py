"""One supervised connection, against a small venue on a real socket, over every transport."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from typing import ClassVar, TypeVar

import pytest

from exwire.contracts import ErrorKind, Keepalive, Limits, NoAuthMixin
from exwire.errors import ConfigError, ConnectError, ConnectionLostError, PluginBrokenError, SubscriptionError, UnknownNameError, UsageError
from exwire.handlers import PublicMessageHandler
from exwire.interface import BaseWebSocketInterface
from exwire.lifecycle import Connected, Disconnected, Lifecycle, Notice, Rejected, Subscribed, Undecodable
from exwire.model import Trade
from exwire.subscription import Channel, Subscription, TopicState
from exwire.transport import create_transport
from toy import ToyConnectionMixin, ToyHandler, ToyServer, ToySubscriptionMixin, toy_server

T = TypeVar("T")

BTC = Subscription(Channel.TRADES, "BTC/USDT")
ETH = Subscription(Channel.TRADES, "ETH/USDT")
MANY = [Subscription(Channel.TRADES, f"C{number}/USDT") for number in range(25)]


class Watch:
    """What a connection said, to wait on."""

    def __init__(self, socket: BaseWebSocketInterface) -> None:
        self.lifecycle: list[Lifecycle] = []
        self.trades: list[Trade] = []
        self._changed = asyncio.Event()
        socket.on_lifecycle = lambda event: self._note(self.lifecycle, event)
        assert isinstance(socket.handler, PublicMessageHandler)
        socket.handler.on_trade = lambda trade: self._note(self.trades, trade)

    def _note(self, kept: list[T], item: T) -> None:
        kept.append(item)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type) -> list[Lifecycle]:
        return [event for event in self.lifecycle if isinstance(event, kind)]


@pytest.fixture
async def server() -> AsyncIterator[ToyServer]:
    async with toy_server() as server:
        yield server


@pytest.fixture(params=["websockets", "picows"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def new(server: ToyServer, transport: str, handler: ToyHandler | None = None) -> BaseWebSocketInterface:
    return BaseWebSocketInterface(handler or ToyHandler(), transport=create_transport(transport), urls=(server.url,))


@pytest.fixture
async def socket(server: ToyServer, transport: str) -> AsyncIterator[BaseWebSocketInterface]:
    """A connected interface."""
    socket = new(server, transport)
    await socket.connect()
    yield socket
    await socket.close()


@pytest.fixture
def watch(socket: BaseWebSocketInterface) -> Watch:
    return Watch(socket)


async def test_a_confirmed_topic_delivers_to_the_callback(socket: BaseWebSocketInterface, server: ToyServer, watch: Watch) -> None:
    await socket.subscribe([BTC])
    await server.push("trades BTC-USDT", 42.0)
    await watch.until(lambda: watch.trades)

    assert (watch.trades[0].symbol, watch.trades[0].price) == ("BTC/USDT", 42.0)
    assert watch.trades[0].ts_recv > 1_700_000_000_000_000_000
    assert watch.of(Subscribed) == [Subscribed("toy", (BTC,))]


async def test_topics_are_sent_in_the_venues_batches(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe(MANY)

    assert [len(request["topics"]) for request in server.requests] == [10, 10, 5]  # type: ignore[arg-type]
    assert set(socket.states().values()) == {TopicState.CONFIRMED}


@pytest.mark.parametrize("names_bad_topics", [True, False])
async def test_one_bad_symbol_never_costs_the_others(socket: BaseWebSocketInterface, server: ToyServer, names_bad_topics: bool) -> None:
    """Some venues name the bad topic of a batch, some refuse it whole: then it is halved until the bad one stands alone."""
    server.bad_topics = {"trades C3-USDT", "trades C17-USDT"}
    server.names_bad_topics = names_bad_topics

    with pytest.raises(SubscriptionError) as raised:
        await socket.subscribe(MANY)

    assert {refusal.sub.symbol for refusal in raised.value.rejected} == {"C3/USDT", "C17/USDT"}
    assert {refusal.code for refusal in raised.value.rejected} == {"404"}
    assert len(raised.value.confirmed) == 23
    assert len(socket.states()) == 23
    assert "C17/USDT: 404 the toy venue says no" in str(raised.value)


async def test_an_answer_that_does_not_come_is_an_error_with_names(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    """The topic is given up on both sides: the venue is told, in case it did subscribe."""
    server.mute_acks = True
    with pytest.raises(SubscriptionError) as raised:
        await socket.subscribe([BTC], timeout_s=0.05)

    assert raised.value.rejected[0].code == "timeout"
    assert socket.states() == {}
    await server.until(lambda: [request["op"] for request in server.requests] == ["sub", "unsub"])


async def test_a_second_subscriber_waits_for_the_same_answer(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await asyncio.gather(socket.subscribe([BTC, ETH]), socket.subscribe([BTC]))

    assert [request["topics"] for request in server.requests] == [["trades BTC-USDT", "trades ETH-USDT"]]


async def test_a_second_subscriber_that_waits_in_vain_does_not_cost_the_first_its_topic(
    socket: BaseWebSocketInterface, server: ToyServer
) -> None:
    """An outage longer than a second subscriber's patience must not unsubscribe the first one for good."""
    await socket.subscribe([BTC])
    server.mute_acks = True
    await server.drop()
    await server.until(lambda: [request["op"] for request in server.requests] == ["sub", "sub"])
    with pytest.raises(SubscriptionError):
        await socket.subscribe([BTC], timeout_s=0.05)

    assert list(socket.states()) == [BTC]


async def test_each_call_waits_for_the_answer_to_its_own_question(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    """The ack of an unsubscription says nothing of a subscription that was asked for meanwhile."""
    await socket.subscribe([BTC])
    leaving = asyncio.create_task(socket.unsubscribe([BTC]))
    await asyncio.sleep(0)
    server.bad_topics = {"trades BTC-USDT"}
    with pytest.raises(SubscriptionError, match="404"):
        await socket.subscribe([BTC])

    await leaving
    assert socket.states() == {}


async def test_a_topic_given_up_by_another_call_fails_whoever_waits_for_it(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    server.mute_acks = True
    waiting = asyncio.create_task(socket.subscribe([BTC]))
    await server.until(lambda: server.requests)
    server.mute_acks = False
    await socket.unsubscribe([BTC])

    with pytest.raises(SubscriptionError, match="closed"):
        await waiting


async def test_a_topic_given_up_during_a_reconnect_is_not_waited_for(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe([BTC, ETH])
    server.mute_acks = True
    reconnecting = asyncio.create_task(socket.reconnect())
    await server.until(lambda: server.opens == 2 and server.requests[-1]["op"] == "sub" and len(server.requests) == 2)
    server.mute_acks = False
    await socket.unsubscribe([BTC, ETH])

    async with asyncio.timeout(5):
        await reconnecting


async def test_pings_keep_their_interval_however_long_an_answer_may_take(server: ToyServer, transport: str) -> None:
    class Often(ToyHandler):
        __slots__ = ()
        keepalive: ClassVar[Keepalive] = Keepalive(interval_s=0.02, timeout_s=60.0)

    socket = new(server, transport, Often())
    await socket.connect()
    await server.until(lambda: [request["op"] for request in server.requests].count("ping") >= 3)
    await socket.close()


async def test_a_closed_interface_does_not_connect(server: ToyServer, transport: str) -> None:
    socket = new(server, transport)
    await socket.close()

    with pytest.raises(UsageError, match="closed before"):
        await socket.connect()


async def test_a_cancelled_call_gives_up_what_only_it_waited_for(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    server.mute_acks = True
    cancelled = asyncio.create_task(socket.subscribe([BTC, ETH]))
    await server.until(lambda: server.requests)
    other = asyncio.create_task(socket.subscribe([BTC]))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])

    assert list(socket.states()) == [BTC]
    await server.say('{"id":1,"ok":true}')
    async with asyncio.timeout(5):
        await other


async def test_unsubscribing_tells_the_venue_and_stops_the_data(socket: BaseWebSocketInterface, server: ToyServer, watch: Watch) -> None:
    await socket.subscribe([BTC, ETH])
    await socket.unsubscribe([BTC, Subscription(Channel.TRADES, "NEVER/USDT")])
    await server.push("trades BTC-USDT")
    await server.push("trades ETH-USDT")
    await watch.until(lambda: watch.trades)

    assert [trade.symbol for trade in watch.trades] == ["ETH/USDT"]
    assert socket.metrics().outside == 1, "a row of a topic that was given up is counted"
    assert next(iter(server.topics.values())) == {"trades ETH-USDT"}


async def test_an_unsubscription_without_an_answer_is_an_error(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe([BTC])
    server.mute_acks = True

    with pytest.raises(SubscriptionError, match="unsubscription not answered"):
        await socket.unsubscribe([BTC], timeout_s=0.05)
    assert socket.states() == {}


async def test_out_and_in_again_at_once_ends_subscribed(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe([BTC])
    await asyncio.gather(socket.unsubscribe([BTC]), socket.subscribe([BTC]))

    assert [request["op"] for request in server.requests] == ["sub", "unsub", "sub"]
    assert next(iter(server.topics.values())) == {"trades BTC-USDT"}


async def test_after_a_loss_every_topic_is_confirmed_again(socket: BaseWebSocketInterface, server: ToyServer, watch: Watch) -> None:
    await socket.subscribe(MANY)
    await server.drop()
    await watch.until(lambda: sum(len(event.subs) for event in watch.of(Subscribed) if isinstance(event, Subscribed)) == 50)

    assert [type(event) for event in watch.lifecycle[3:5]] == [Disconnected, Connected]
    assert set(socket.states().values()) == {TopicState.CONFIRMED}
    assert len(next(iter(server.topics.values()))) == 25
    assert socket.metrics().opens == 2


async def test_a_call_survives_the_loss_of_the_connection_under_it(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    server.mute_acks = True
    pending = asyncio.create_task(socket.subscribe([BTC]))
    await server.until(lambda: server.requests)
    server.mute_acks = False
    await server.drop()

    async with asyncio.timeout(5):
        await pending
    assert socket.states() == {BTC: TopicState.CONFIRMED}


async def test_a_topic_refused_on_replay_is_announced_with_its_name(
    socket: BaseWebSocketInterface, server: ToyServer, watch: Watch
) -> None:
    """Delisted while we were away: the program is told, and the other topics flow."""
    await socket.subscribe([BTC, ETH])
    server.bad_topics = {"trades ETH-USDT"}
    await server.drop()
    await watch.until(lambda: watch.of(Rejected) and len(watch.of(Subscribed)) == 2)

    rejected = watch.of(Rejected)[0]
    assert isinstance(rejected, Rejected)
    assert [refusal.sub for refusal in rejected.refusals] == [ETH]
    assert socket.states() == {BTC: TopicState.CONFIRMED}


async def test_reconnect_returns_when_all_is_confirmed_on_a_new_socket(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe(MANY)
    await socket.reconnect()

    assert server.opens == 2
    assert set(socket.states().values()) == {TopicState.CONFIRMED}


async def test_reconnect_says_what_was_refused(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    await socket.subscribe([BTC, ETH])
    server.bad_topics = {"trades BTC-USDT"}

    with pytest.raises(SubscriptionError) as raised:
        await socket.reconnect()
    assert (raised.value.confirmed, raised.value.rejected[0].sub) == ((ETH,), BTC)


async def test_data_before_the_ack_confirms_when_the_connector_says_so(
    socket: BaseWebSocketInterface, server: ToyServer, watch: Watch
) -> None:
    server.mute_acks = True
    pending = asyncio.create_task(socket.subscribe([BTC]))
    await server.until(lambda: server.requests)
    await server.push("trades BTC-USDT")
    await watch.until(lambda: watch.trades)
    socket.confirm(BTC)

    async with asyncio.timeout(5):
        await pending
    assert socket.states() == {BTC: TopicState.LIVE}


async def test_ping_is_a_round_trip(socket: BaseWebSocketInterface) -> None:
    assert 0 < await socket.ping() < 5


async def test_a_ping_without_an_answer_is_an_error(socket: BaseWebSocketInterface, server: ToyServer) -> None:
    server.mute_pongs = True

    with pytest.raises(ConnectionLostError, match="ping"):
        await socket.ping(timeout_s=0.05)


async def test_a_peer_that_says_nothing_after_a_ping_is_replaced(server: ToyServer, transport: str) -> None:
    """Half-open TCP looks alive for minutes; a ping finds out."""

    class Impatient(ToyHandler):
        __slots__ = ()
        keepalive: ClassVar[Keepalive] = Keepalive(interval_s=0.05, timeout_s=0.05)

    server.mute_pongs = True
    socket = new(server, transport, Impatient())
    watch = Watch(socket)
    await socket.connect()
    await watch.until(lambda: watch.of(Disconnected))
    server.mute_pongs = False
    await server.until(lambda: server.opens >= 2)
    await socket.close()

    lost = watch.of(Disconnected)[0]
    assert isinstance(lost, Disconnected)
    assert "no frame within 0.05 s after a ping" in lost.reason


async def test_outgoing_frames_keep_the_venues_pace(server: ToyServer, transport: str) -> None:
    """Ten topics a frame, at most one frame every 50 ms: the third cannot be there before the clock has moved 100 ms."""

    class Slow(ToyHandler):
        __slots__ = ()
        limits: ClassVar[Limits] = Limits(frames_per_s=20, burst=1)

    socket = new(server, transport, Slow())
    await socket.connect()
    loop = asyncio.get_running_loop()
    started = loop.time()
    await socket.subscribe(MANY)
    took = loop.time() - started
    await socket.close()

    assert took >= 0.1


async def test_a_broken_frame_is_counted_kept_and_announced_and_the_stream_lives_on(
    socket: BaseWebSocketInterface, server: ToyServer, watch: Watch
) -> None:
    await socket.subscribe([BTC])
    await server.say('{"topic":')
    await server.push("trades BTC-USDT")
    await watch.until(lambda: watch.trades)

    assert socket.metrics().decode_errors == 1
    assert socket.handler.errors[0].frame == b'{"topic":'
    assert [type(event) for event in watch.lifecycle][-1] is Undecodable


async def test_a_callback_that_raises_is_reported_and_the_stream_lives_on(
    socket: BaseWebSocketInterface, server: ToyServer, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Trade] = []
    done = asyncio.Event()

    def fragile(trade: Trade) -> None:
        seen.append(trade)
        if len(seen) == 1:
            raise ZeroDivisionError
        done.set()

    assert isinstance(socket.handler, PublicMessageHandler)
    socket.handler.on_trade = fragile
    await socket.subscribe([BTC])
    await server.push("trades BTC-USDT")
    await server.push("trades BTC-USDT")
    async with asyncio.timeout(5):
        await done.wait()

    assert socket.metrics().callback_errors == 1
    assert "ZeroDivisionError" in caplog.text


async def test_a_lifecycle_callback_that_raises_is_reported(
    socket: BaseWebSocketInterface, server: ToyServer, caplog: pytest.LogCaptureFixture
) -> None:
    def fragile(_: Lifecycle) -> None:
        raise ZeroDivisionError

    socket.on_lifecycle = fragile
    await socket.subscribe([BTC])

    assert "on_lifecycle raised on Subscribed" in caplog.text


async def test_a_notice_is_announced(socket: BaseWebSocketInterface, server: ToyServer, watch: Watch) -> None:
    await server.say('{"notice":"upgrade"}')
    await watch.until(lambda: watch.of(Notice))

    assert watch.of(Notice) == [Notice("toy", "upgrade", "")]


async def test_the_first_connection_must_succeed(transport: str) -> None:
    """A wrong address is the caller's to hear, not something to retry in silence."""
    socket = BaseWebSocketInterface(ToyHandler(), transport=create_transport(transport), urls=("ws://127.0.0.1:1/",))

    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1"):
        await socket.connect()
    with pytest.raises(UsageError):
        await socket.connect()


async def test_run_returns_after_close_and_close_is_idempotent(server: ToyServer, transport: str) -> None:
    socket = new(server, transport)
    await socket.connect()
    running = asyncio.create_task(socket.run())
    await socket.close()
    await socket.close()

    async with asyncio.timeout(5):
        await running
    with pytest.raises(UsageError, match="closed"):
        await socket.subscribe([BTC])


async def test_close_ends_a_connect_under_way(server: ToyServer, transport: str) -> None:
    socket = new(server, transport)
    connecting = asyncio.create_task(socket.connect())
    await asyncio.sleep(0)
    await socket.close()

    with pytest.raises(UsageError, match="closed"):
        await connecting


async def test_close_fails_whoever_still_waits(server: ToyServer, transport: str) -> None:
    server.mute_acks = True
    socket = new(server, transport)
    await socket.connect()
    pending = asyncio.create_task(socket.subscribe([BTC]))
    await server.until(lambda: server.requests)
    await socket.close()

    with pytest.raises(UsageError, match="closed"):
        await pending


async def test_a_failure_that_retrying_cannot_cure_ends_run_with_it(server: ToyServer, transport: str) -> None:
    class Final(ToyHandler):
        __slots__ = ()

        def classify_error(self, exc: Exception) -> ErrorKind:
            return ErrorKind.FATAL

    socket = new(server, transport, Final())
    watch = Watch(socket)
    await socket.connect()
    running = asyncio.create_task(socket.run())
    await server.until(lambda: server.connections)
    await server.drop()

    with pytest.raises(ConnectionLostError):
        await running
    assert isinstance(watch.lifecycle[-1], Disconnected)
    assert watch.lifecycle[-1].retry_in_s is None
    with pytest.raises(UsageError, match="ended"):
        await socket.subscribe([BTC])
    await socket.close()


async def test_an_encoder_that_fails_is_heard_by_everybody_who_waits(server: ToyServer, transport: str) -> None:
    """A bug in a plugin must not look like a venue that does not answer."""

    class Broken(ToyHandler):
        __slots__ = ()

        def encode_subscribe(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]  # it is broken on purpose
            raise LookupError("oops")

    socket = new(server, transport, Broken())
    await socket.connect()

    with pytest.raises(PluginBrokenError, match="LookupError: oops"):
        await socket.subscribe([BTC])
    with pytest.raises(PluginBrokenError):
        await socket.run()
    await socket.close()


async def test_a_keepalive_without_a_ping_message_is_the_plugins_fault(server: ToyServer, transport: str) -> None:
    class Mute(ToyHandler):
        __slots__ = ()
        keepalive: ClassVar[Keepalive] = Keepalive(interval_s=0.01)

        def ping(self, now_ns: int) -> None:
            return None

    socket = new(server, transport, Mute())
    await socket.connect()

    with pytest.raises(UsageError, match="no ping message"):
        await socket.ping()
    with pytest.raises(PluginBrokenError, match="ping"):
        await socket.run()
    await socket.close()


async def test_wrong_use_is_said(server: ToyServer, transport: str) -> None:
    socket = new(server, transport)
    with pytest.raises(UsageError, match=r"connect\(\) first"):
        await socket.subscribe([BTC])
    await socket.connect()
    with pytest.raises(UsageError, match="create another one"):
        await socket.connect()
    with pytest.raises(UnknownNameError, match="trades"):
        await socket.subscribe([Subscription(Channel.CANDLES, "BTC/USDT")])
    with pytest.raises(ConfigError, match="nonsense"):
        await socket.subscribe([Subscription(Channel.TRADES, "nonsense")])
    await socket.close()


def test_a_handler_that_lacks_contracts_is_refused_by_name() -> None:
    class Bare(PublicMessageHandler):
        __slots__ = ()

        def _handle_message(self, frame: bytes, is_text: bool, ts_recv: int) -> None: ...

    with pytest.raises(ConfigError, match=r"lacks ConnectionMixin .*; it lacks AuthMixin .*; it lacks SubscriptionMixin"):
        BaseWebSocketInterface(Bare(), transport=create_transport("websockets"))


def test_a_handler_composes_mixins_that_hold_no_state() -> None:
    assert not hasattr(ToyHandler(), "__dict__")
    assert all(mixin.__slots__ == () for mixin in (ToyConnectionMixin, NoAuthMixin, ToySubscriptionMixin))


async def test_nothing_is_left_after_close(server: ToyServer, transport: str) -> None:
    """No task, and no object of the connection once nobody holds it."""
    before = asyncio.all_tasks()
    socket = new(server, transport)
    await socket.connect()
    await socket.subscribe([BTC])
    await socket.reconnect()
    await socket.close()
    await server.until(lambda: not server.connections)
    left = {task for task in asyncio.all_tasks() - before if "exwire" in task.get_name()}
    alive = weakref.ref(socket)
    del socket
    gc.collect()

    assert not left
    assert alive() is None
