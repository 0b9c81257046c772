"""The transport without a socket, which other tests and plugin authors lean on: it has to keep the rules of the real ones."""

from __future__ import annotations

import asyncio

import pytest

from core.raw_peer import Recorder
from exwire.contracts import ConnectionContext
from exwire.errors import ConfigError, ConnectError, ConnectionLostError, UsageError
from exwire.transport import ScriptedTransport, Transport

CONTEXT = ConnectionContext(urls=("wss://venue.test/ws",))
REFUSED = ConnectError("wss://venue.test/ws", "refused", status=429, retry_after_s=1.0)


async def opened(transport: ScriptedTransport) -> Recorder:
    recorder = Recorder()
    await transport.open(CONTEXT, recorder)
    return recorder


async def test_opens_go_by_the_script_and_then_succeed() -> None:
    transport = ScriptedTransport([REFUSED, None, OSError("no route")])
    with pytest.raises(ConnectError) as first:
        await transport.open(CONTEXT, Recorder())
    await opened(transport)
    await transport.close()
    with pytest.raises(ConnectError, match="no route"):
        await transport.open(CONTEXT, Recorder())
    await opened(transport)

    assert first.value is REFUSED
    assert transport.is_open
    assert transport.contexts == [CONTEXT] * 4


async def test_it_is_a_transport() -> None:
    """Checked by mypy as well: the annotation is the claim."""
    transport: Transport = ScriptedTransport()
    await transport.open(CONTEXT, Recorder())
    await transport.close()


async def test_what_is_delivered_reaches_the_receiver_at_once() -> None:
    transport = ScriptedTransport()
    recorder = await opened(transport)
    transport.deliver(b"{}")
    transport.deliver(b"\x08", is_text=False)

    assert recorder.frames == [(b"{}", True), (b"\x08", False)]


async def test_what_is_delivered_late_goes_nowhere() -> None:
    """Neither after the end, nor to the receiver of the connection before."""
    transport = ScriptedTransport()
    old = await opened(transport)
    transport.drop(1001, "restart")
    transport.deliver(b"late")
    new = await opened(transport)
    transport.deliver(b"1")
    await transport.close(4000)
    transport.deliver(b"later")

    assert (old.frames, old.closes) == ([], [(1001, "restart")])
    assert (new.frames, new.closes) == ([(b"1", True)], [(4000, "")])
    assert not transport.is_open


async def test_a_drop_is_told_once() -> None:
    transport = ScriptedTransport()
    recorder = await opened(transport)
    transport.drop()
    transport.drop(1001)
    await transport.close()

    assert recorder.closes == [(1006, "")]


async def test_delivering_to_a_transport_that_was_never_opened_is_a_usage_error() -> None:
    """A test that does so waits for an event that cannot come."""
    with pytest.raises(UsageError):
        ScriptedTransport().deliver(b"{}")


async def test_sending_follows_the_rules_of_the_real_transports() -> None:
    transport = ScriptedTransport()
    with pytest.raises(UsageError):
        transport.send(b"1")
    await opened(transport)
    with pytest.raises(UsageError):
        await transport.open(CONTEXT, Recorder())
    transport.drop(1005)
    with pytest.raises(ConnectionLostError) as lost:
        transport.send(b"2")
    await opened(transport)
    with pytest.raises(ConfigError):
        await transport.close(1006)
    await transport.close()
    with pytest.raises(UsageError):
        transport.send(b"3")

    assert lost.value.code == 1005
    assert transport.sent == []


async def test_frames_sent_are_kept_and_waited_for() -> None:
    transport = ScriptedTransport()
    await opened(transport)
    third = asyncio.create_task(transport.wait_sent(3))
    pings = asyncio.create_task(transport.wait_sent(lambda data: data.startswith(b"ping")))
    transport.send(b"sub")
    transport.send(b"\x01", is_text=False)
    transport.send(b"ping 1")

    assert await third == [b"sub", b"\x01", b"ping 1"]
    assert await pings == [b"ping 1"]
    assert await transport.wait_sent() == [b"sub", b"\x01", b"ping 1"]
    assert transport.sent == [(b"sub", True), (b"\x01", False), (b"ping 1", True)]


async def test_waiting_in_vain_says_what_was_sent_instead() -> None:
    transport = ScriptedTransport()
    await opened(transport)
    transport.send(b"sub")

    with pytest.raises(TimeoutError, match=r"\[b'sub'\]"):
        await transport.wait_sent(2, timeout_s=0.01)


async def test_replies_are_delivered_at_the_next_step_of_the_loop() -> None:
    """Not inside send: an ack that overtakes the bookkeeping of its own request exists on no wire."""
    transport = ScriptedTransport(reply=lambda data: [b"ack " + data, (b"\x02", False)])
    recorder = await opened(transport)
    transport.send(b"1")
    before = list(recorder.frames)

    assert await recorder.heard(2) == [(b"ack 1", True), (b"\x02", False)]
    assert before == []


async def test_a_reply_to_a_dropped_connection_goes_nowhere() -> None:
    transport = ScriptedTransport(reply=lambda data: [data])
    old = await opened(transport)
    transport.send(b"1")
    transport.drop()
    new = await opened(transport)
    transport.send(b"2")

    assert await new.heard() == [(b"2", True)]
    assert old.frames == []


async def test_what_the_receiver_raises_comes_out_of_deliver() -> None:
    """A test wants to see it; the real transports log it and close with 1011."""

    def fail(_: bytes) -> None:
        raise LookupError("a bug")

    transport = ScriptedTransport()
    await transport.open(CONTEXT, Recorder(fail))

    with pytest.raises(LookupError):
        transport.deliver(b"{}")
