"""Both socket transports, against a peer that can say anything. Each test holds for either library."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import socket
import ssl
import subprocess
import sys
import time
import traceback
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.raw_peer import (
    BINARY,
    CLOSE,
    CONT,
    DEADLINE_S,
    PING,
    PONG,
    TEXT,
    ConnectProxy,
    RawConnection,
    RawPeer,
    Recorder,
    SocksProxy,
    close_frame,
    frame,
)
from core.tls_files import TlsFiles, make_tls_files
from exwire.contracts import ConnectionContext, Keepalive
from exwire.errors import ConfigError, ConnectError, ConnectionLostError, UnknownNameError, UsageError
from exwire.transport import Transport, create_transport, line, opening
from exwire.transport.base import BaseTransport
from exwire.transport.line import Line

LIBRARIES = ("websockets", "picows")
TOKEN = "q9-listen-key"


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def transport(library: str) -> AsyncIterator[Transport]:
    transport = create_transport(library)
    yield transport
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "CLOSE_GRACE_S", 0.02)  # most peers have nothing more to say
        await transport.close()


@pytest.fixture
async def peer() -> AsyncIterator[RawPeer]:
    async with RawPeer() as peer:
        yield peer


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine that runs the tests."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def brief_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that do not answer a closing handshake are given up at once."""
    monkeypatch.setattr(line, "CLOSE_GRACE_S", 0.02)


def context(url: str, **settings: object) -> ConnectionContext:
    return ConnectionContext(urls=(url,), **settings)  # type: ignore[arg-type]  # the fields' types are checked by their use


async def connected(
    peer: RawPeer, transport: Transport, recorder: Recorder | None = None, *, then: bytes = b"", **settings: object
) -> tuple[RawConnection, Recorder]:
    """Return an open connection's two ends."""
    recorder = recorder or Recorder()
    opening = asyncio.create_task(transport.open(context(peer.url, **settings), recorder))
    connection = await peer.accept()
    connection.upgrade(then=then)
    async with asyncio.timeout(DEADLINE_S):
        await opening
    return connection, recorder


async def refused(
    peer: RawPeer, transport: Transport, answer: Callable[[RawConnection], object], **settings: object
) -> tuple[ConnectError, Recorder]:
    """Return how an open failed whose request the peer answered so."""
    recorder = Recorder()
    opening = asyncio.create_task(transport.open(context(peer.url, **settings), recorder))
    connection = await peer.accept()
    answer(connection)
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(ConnectError) as caught:
            await opening
    assert caught.value.__cause__ is None
    return caught.value, recorder


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)


def sockets() -> set[str]:
    """Return the sockets that this process has open, where the system lists them."""
    gc.collect()
    found = set()
    for entry in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        try:
            found.add(str(entry.readlink()))
        except FileNotFoundError:  # the listing's own
            continue
    return {each for each in found if each.startswith("socket:")}


class TestOpening:
    async def test_the_first_url_is_asked_with_its_query_and_the_headers_of_the_context(self, peer: RawPeer, transport: Transport) -> None:
        """The interface chooses which URL is first; a venue may tell clients apart by a header."""
        url = f"{peer.url}?key={TOKEN}"
        opening = asyncio.create_task(
            transport.open(ConnectionContext(urls=(url, "wss://unused.test/"), headers=(("X-Gate-Size-Decimal", "1"),)), Recorder())
        )
        connection = await peer.accept()
        connection.upgrade()
        await opening

        assert connection.request_line == f"GET /ws/v4/?key={TOKEN} HTTP/1.1"
        assert connection.headers["x-gate-size-decimal"] == "1"
        assert connection.headers["host"] == f"127.0.0.1:{peer.port}"

    async def test_nothing_is_said_of_the_library_and_nothing_is_compressed_unless_asked(self, peer: RawPeer, transport: Transport) -> None:
        """MEXC wants minimal headers and no compression."""
        connection, _ = await connected(peer, transport)

        expected = {"host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"}
        assert set(connection.headers) == expected

    async def test_a_user_agent_of_the_context_is_sent_as_it_is(self, peer: RawPeer, transport: Transport) -> None:
        connection, _ = await connected(peer, transport, headers=(("User-Agent", "exwire"),))

        assert connection.headers["user-agent"] == "exwire"

    async def test_asking_for_compression_works_with_a_peer_that_declines(self, peer: RawPeer, transport: Transport, library: str) -> None:
        """picows cannot compress and does not offer it."""
        connection, recorder = await connected(peer, transport, compression=True)
        connection.write(frame(TEXT, b"{}"))

        assert ("sec-websocket-extensions" in connection.headers) is (library == "websockets")
        assert await recorder.heard() == [(b"{}", True)]

    async def test_messages_in_the_segment_of_the_upgrade_answer_are_not_lost(self, peer: RawPeer, transport: Transport) -> None:
        """A venue may greet before the client could possibly have subscribed."""
        _, recorder = await connected(peer, transport, then=frame(TEXT, b"first") + frame(BINARY, b"second"))

        assert await recorder.heard(2) == [(b"first", True), (b"second", False)]

    async def test_an_answer_and_a_message_may_come_byte_by_byte(self, peer: RawPeer, transport: Transport) -> None:
        recorder = Recorder()
        opening = asyncio.create_task(transport.open(context(peer.url), recorder))
        connection = await peer.accept()
        await connection.drip(connection.upgrade_answer() + frame(TEXT, b"x" * 300))
        await opening

        assert await recorder.heard() == [(b"x" * 300, True)]

    @pytest.mark.parametrize(
        "status", ["403 Forbidden", "404 Not Found", "503 Service Unavailable", "520 Web Server Returned an Unknown Error"]
    )
    async def test_a_refused_upgrade_names_the_status(self, peer: RawPeer, transport: Transport, status: str) -> None:
        """The interface decides by the status whether to try again; 520 is Cloudflare's own and not in HTTPStatus."""
        error, recorder = await refused(peer, transport, lambda connection: connection.refuse(status))

        assert error.status == int(status[:3])
        assert error.retry_after_s is None
        assert recorder.closes == []

    async def test_retry_after_is_read_as_seconds(self, peer: RawPeer, transport: Transport) -> None:
        error, _ = await refused(peer, transport, lambda connection: connection.refuse("429 Too Many Requests", "Retry-After: 17\r\n"))

        assert (error.status, error.retry_after_s) == (429, 17.0)

    async def test_retry_after_is_read_as_a_date(self, peer: RawPeer, transport: Transport) -> None:
        date = formatdate(time.time() + 3600, usegmt=True)
        error, _ = await refused(peer, transport, lambda connection: connection.refuse("429 Too Many Requests", f"retry-after: {date}\r\n"))

        assert error.retry_after_s == pytest.approx(3600, abs=60)

    @pytest.mark.parametrize("value", ["soon", "-5", "", "9" * 400, "Wed, 99 Foo 2026 99:99:99 GMT"])
    async def test_a_senseless_retry_after_is_none(self, peer: RawPeer, transport: Transport, value: str) -> None:
        error, _ = await refused(peer, transport, lambda connection: connection.refuse("503 Busy", f"Retry-After: {value}\r\n"))

        assert (error.status, error.retry_after_s) == (503, None)

    async def test_a_redirect_is_not_followed(self, peer: RawPeer, transport: Transport) -> None:
        """The headers and the token in the URL are for the host that was asked."""
        async with RawPeer() as other:
            error, _ = await refused(peer, transport, lambda connection: connection.refuse("302 Found", f"Location: {other.url}\r\n"))

            assert error.status == 302
            assert "redirect" in error.reason
            assert other.connections == []

    async def test_a_peer_that_never_answers_the_upgrade_is_given_up(self, peer: RawPeer, transport: Transport) -> None:
        error, _ = await refused(peer, transport, lambda _: None, open_timeout_s=0.5)

        assert "0.5 s" in str(error)
        await peer.connections[0].ended()

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(lambda c: c.abort(), id="end"),
            pytest.param(lambda c: c.reset(), id="reset"),
            pytest.param(lambda c: (c.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), c.half_close()), id="another protocol"),
            pytest.param(lambda c: (c.write(c.upgrade_answer()[:-20]), c.half_close()), id="half an answer"),
            pytest.param(lambda c: c.write(c.upgrade_answer().replace(b"Accept: ", b"Accept: x")), id="wrong accept key"),
            pytest.param(lambda c: c.write(c.upgrade_answer("Sec-WebSocket-Extensions: permessage-deflate\r\n")), id="unoffered extension"),
            pytest.param(lambda c: c.write(c.upgrade_answer().replace(b"Upgrade: websocket\r\n", b"")), id="no upgrade"),
        ],
    )
    async def test_what_is_no_upgrade_answer_is_a_connect_error(
        self, peer: RawPeer, transport: Transport, answer: Callable[[RawConnection], object]
    ) -> None:
        error, recorder = await refused(peer, transport, answer)

        assert error.status == 0
        assert recorder.closes == []
        await peer.connections[0].ended()

    async def test_a_connection_that_ends_with_the_upgrade_answer_is_a_connect_error(self, peer: RawPeer, transport: Transport) -> None:
        """Otherwise on_close would come before open has returned, to a caller that does not expect it yet."""
        error, recorder = await refused(peer, transport, lambda connection: connection.upgrade(then=close_frame(1013, b"busy")))

        assert "1013" in str(error)
        assert "busy" in str(error)
        assert recorder.closes == []

    async def test_a_refused_connection_is_a_connect_error(self, transport: Transport) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"ws://127.0.0.1:{closed.getsockname()[1]}/"

            with pytest.raises(ConnectError, match=r"cannot connect to ws://127\.0\.0\.1"):
                await transport.open(context(url), Recorder())

    async def test_an_unknown_host_is_a_connect_error(self, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        """The resolver is replaced, because asking a real one would leave this machine."""

        def unknown(*_: object, **__: object) -> object:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        with pytest.raises(ConnectError, match="could not be resolved"):
            await transport.open(context("wss://venue.test/"), Recorder())

    async def test_a_host_that_cannot_be_a_name_is_a_connect_error(self, transport: Transport) -> None:
        with pytest.raises(ConnectError):
            await transport.open(context(f"wss://{'x' * 80}.test/"), Recorder())

    async def test_another_address_of_the_host_is_tried(self, peer: RawPeer, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        """localhost often resolves to ::1 first, where nobody listens."""
        places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, peer.port)) for host in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
        opening = asyncio.create_task(transport.open(context(f"ws://localhost:{peer.port}/"), Recorder()))
        (await peer.accept()).upgrade()

        await opening

    async def test_a_connection_that_is_not_accepted_is_given_up(self, transport: Transport) -> None:
        """A listener whose queue is full answers nothing at all."""
        with socket.socket() as full, contextlib.ExitStack() as stack:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            before = sockets()

            with pytest.raises(ConnectError):
                await transport.open(context(f"ws://127.0.0.1:{full.getsockname()[1]}/", open_timeout_s=0.05), Recorder())
            await eventually(lambda: sockets() == before)

    async def test_a_password_in_the_url_is_refused(self, transport: Transport) -> None:
        """One library would send it, the other not; neither may do so quietly."""
        with pytest.raises(ConfigError, match="Authorization") as caught:
            await transport.open(context(f"wss://user:{TOKEN}@venue.test/"), Recorder())

        assert TOKEN not in str(caught.value)

    async def test_opening_twice_is_a_usage_error(self, peer: RawPeer, transport: Transport) -> None:
        await connected(peer, transport)

        with pytest.raises(UsageError, match="open"):
            await transport.open(context(peer.url), Recorder())

    async def test_a_cancelled_open_leaves_no_socket(self, peer: RawPeer, transport: Transport) -> None:
        """picows itself shields its wait for the upgrade answer, and would keep the connection."""
        recorder = Recorder()
        opening = asyncio.create_task(transport.open(context(peer.url), recorder))
        connection = await peer.accept()

        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

        await connection.ended()
        connection.upgrade(then=frame(TEXT, b"late"))
        await eventually(lambda: len(asyncio.all_tasks()) == 1)
        assert (recorder.frames, recorder.closes) == ([], [])

    async def test_close_ends_a_waiting_open(self, peer: RawPeer, transport: Transport) -> None:
        recorder = Recorder()
        opening = asyncio.create_task(transport.open(context(peer.url, open_timeout_s=10 * DEADLINE_S), recorder))
        connection = await peer.accept()

        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(transport.close(), transport.close())

        with pytest.raises(ConnectError, match="close"):
            await opening
        await connection.ended()
        assert recorder.closes == []

    async def test_close_in_the_step_that_completes_an_open_still_ends_it(self) -> None:
        """Otherwise close would wait for the end of a connection that nobody ends."""
        upgraded = asyncio.Event()

        class Slow(BaseTransport):
            async def _connect(self, context: ConnectionContext, line: Line) -> None:
                await upgraded.wait()

        transport = Slow()
        opening = asyncio.create_task(transport.open(context("wss://venue.test/"), Recorder()))
        await asyncio.sleep(0)
        upgraded.set()
        async with asyncio.timeout(DEADLINE_S):
            await transport.close()

        with pytest.raises(ConnectError, match="close"):
            await opening

    async def test_a_transport_can_be_opened_again(self, peer: RawPeer, transport: Transport) -> None:
        """Each open has its own receiver: what the first socket says late reaches nobody."""
        first, old = await connected(peer, transport)
        await asyncio.gather(transport.close(), first.read_close(), _answer_close(first))
        second, new = await connected(peer, transport)
        second.write(frame(TEXT, b"2"))

        assert await new.heard() == [(b"2", True)]
        assert (old.frames, old.closes) == ([], [(1000, "")])


async def _answer_close(connection: RawConnection) -> None:
    connection.write(close_frame(1000))
    connection.half_close()


class TestFrames:
    async def test_text_and_binary_are_told_apart_and_both_are_bytes(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport)
        connection.write(frame(TEXT, b'{"a":1}') + frame(BINARY, b"\x0a\x00\xff") + frame(TEXT) + frame(BINARY))

        frames = await recorder.heard(4)

        assert frames == [(b'{"a":1}', True), (b"\x0a\x00\xff", False), (b"", True), (b"", False)]
        assert {type(data) for data, _ in frames} == {bytes}

    @pytest.mark.parametrize("size", [125, 126, 127, 65_535, 65_536, 300_000])
    async def test_every_length_form_is_read(self, peer: RawPeer, transport: Transport, size: int) -> None:
        connection, recorder = await connected(peer, transport)
        payload = random.Random(size).randbytes(size)
        connection.write(frame(BINARY, payload))

        assert await recorder.heard() == [(payload, False)]

    async def test_text_that_is_not_utf8_is_passed_on(self, peer: RawPeer, transport: Transport) -> None:
        """The decoder refuses it and counts a DecodeError with the bytes; a closed connection would lose them, and the stream."""
        connection, recorder = await connected(peer, transport)
        connection.write(frame(TEXT, b'{"s":"\xff\xfe"}') + frame(TEXT, b"{}"))

        assert await recorder.heard(2) == [(b'{"s":"\xff\xfe"}', True), (b"{}", True)]

    async def test_fragments_are_joined_and_control_frames_in_between_answered(self, peer: RawPeer, transport: Transport) -> None:
        """RFC 6455, 5.4: control frames may be injected in the middle of a fragmented message."""
        connection, recorder = await connected(peer, transport)
        pieces = [frame(TEXT, b"one ", fin=False), frame(PING, b"a"), frame(CONT, b"", fin=False), frame(PONG, b"b"), frame(CONT, b"two")]
        connection.write(b"".join(pieces) + frame(BINARY, b"three", fin=False) + frame(CONT))

        assert await recorder.heard(2) == [(b"one two", True), (b"three", False)]
        assert await connection.read_frame() == (PONG, b"a", True)

    async def test_sent_messages_are_masked_and_whole(self, peer: RawPeer, transport: Transport) -> None:
        connection, _ = await connected(peer, transport)
        transport.send(b'{"id":1}')
        transport.send(b"\x08\x01", is_text=False)
        transport.send(b"y" * 70_000)

        assert await connection.read_frame() == (TEXT, b'{"id":1}', True)
        assert await connection.read_frame() == (BINARY, b"\x08\x01", True)
        assert await connection.read_frame() == (TEXT, b"y" * 70_000, True)

    async def test_a_receiver_may_send(self, peer: RawPeer, transport: Transport) -> None:
        """Answering a venue's ping happens inside on_frame; even inside the one that comes with the upgrade answer."""
        recorder = Recorder(lambda data: transport.send(b"pong " + data))
        connection, _ = await connected(peer, transport, recorder, then=frame(TEXT, b"1"))
        connection.write(frame(TEXT, b"2"))

        assert await connection.read_frame() == (TEXT, b"pong 1", True)
        assert await connection.read_frame() == (TEXT, b"pong 2", True)

    async def test_a_message_of_the_allowed_size_is_taken(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport, max_message_bytes=1000)
        joined = frame(TEXT, b"x" * 600, fin=False) + frame(CONT, b"x" * 400)
        connection.write(frame(TEXT, b"x" * 1000) + joined + joined)

        assert [len(data) for data, _ in await recorder.heard(3)] == [1000, 1000, 1000]

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param(frame(TEXT, b"x" * 1001), id="single"),
            pytest.param(frame(TEXT, b"x" * 600, fin=False) + frame(CONT, b"x" * 401), id="joined"),
            pytest.param(frame(BINARY, b"x", fin=False) + frame(CONT, b"x" * 500, fin=False) * 3, id="unfinished"),
            pytest.param(frame(TEXT, b"x" * 1001)[:4], id="announced"),
        ],
    )
    async def test_a_larger_message_closes_with_1009(self, peer: RawPeer, transport: Transport, message: bytes, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport, max_message_bytes=1000)
        connection.write(frame(TEXT, b"before") + message)

        assert await connection.read_close() == 1009
        assert (await recorder.closed())[0] == 1009
        assert recorder.frames == [(b"before", True)]

    async def test_compressed_messages_are_expanded_up_to_the_allowed_size(self, peer: RawPeer, brief_grace: None) -> None:
        """A few bytes can stand for gigabytes (permessage-deflate, RFC 7692; websockets alone offers it)."""
        transport, recorder = create_transport("websockets"), Recorder()
        opening = asyncio.create_task(transport.open(context(peer.url, compression=True, max_message_bytes=1000), recorder))
        connection = await peer.accept()
        connection.write(connection.upgrade_answer("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"))
        await opening
        connection.write(frame(TEXT, deflated(b"x" * 1000), rsv=4) + frame(TEXT, deflated(b"x" * 1_000_000), rsv=4))

        assert (await recorder.closed())[0] == 1009
        assert recorder.frames == [(b"x" * 1000, True)]

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(frame(TEXT, b"{}", masked=True), id="masked"),
            pytest.param(frame(TEXT, b"{}", rsv=4), id="rsv1 without compression"),
            pytest.param(frame(BINARY, b"{}", rsv=1), id="rsv3"),
            pytest.param(frame(PING, b"", rsv=2), id="rsv2 on a ping"),
            pytest.param(frame(CONT, b"{}"), id="continuation of nothing"),
            pytest.param(frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), id="message inside a message"),
            pytest.param(frame(0x3, b"{}"), id="unknown data opcode"),
            pytest.param(frame(0xF, b"{}"), id="unknown control opcode"),
            pytest.param(frame(PING, b"", fin=False), id="fragmented ping"),
            pytest.param(frame(PING, b"x" * 126), id="long ping"),
            pytest.param(b"HTTP/1.1 500 Internal Server Error\r\n" + b"Server: nginx\r\n" * 8, id="garbage"),
            pytest.param(frame(CLOSE, b"\x03"), id="half a close code"),
            *(pytest.param(close_frame(code), id=f"close code {code}") for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000)),
        ],
    )
    async def test_a_broken_protocol_closes_with_1002(self, peer: RawPeer, transport: Transport, broken: bytes, brief_grace: None) -> None:
        """What came before is delivered; what comes after a violation means nothing."""
        connection, recorder = await connected(peer, transport)
        connection.write(frame(TEXT, b"before") + broken + frame(TEXT, b"after"))

        assert await connection.read_close() == 1002
        assert (await recorder.closed())[0] == 1002
        assert recorder.frames == [(b"before", True)]
        await connection.ended()

    async def test_a_close_reason_that_is_not_utf8_closes_with_1007(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport)
        connection.write(close_frame(1000, b"\xff"))

        assert await connection.read_close() == 1007
        assert (await recorder.closed())[0] == 1007

    async def test_a_raising_receiver_closes_with_1011_and_is_logged(
        self, peer: RawPeer, transport: Transport, caplog: pytest.LogCaptureFixture, brief_grace: None
    ) -> None:
        """The interface contains errors itself; one that gets out is its bug, and must not look like a quiet market."""

        def fail(_: bytes) -> None:
            raise LookupError("a bug")

        connection, recorder = await connected(peer, transport, Recorder(fail))
        connection.write(frame(TEXT, b"1") + frame(TEXT, b"2"))

        assert await connection.read_close() == 1011
        assert (await recorder.closed())[0] == 1011
        assert recorder.frames == [(b"1", True)]
        assert [record.levelname for record in caplog.records if "receiver raised" in record.message] == ["ERROR"]


def deflated(data: bytes) -> bytes:
    """Return a message as permessage-deflate carries it, without the four bytes that end a flushed block."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


Message = tuple[bool, list[bytes]]
messages = st.lists(st.tuples(st.booleans(), st.lists(st.binary(max_size=200), min_size=1, max_size=4)), min_size=1, max_size=6)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=25, deadline=None)
@given(script=messages, cuts=st.lists(st.integers(1, 400), max_size=8))
def test_messages_survive_any_fragments_and_any_segments(library: str, script: list[Message], cuts: list[int]) -> None:
    """However a message is cut into frames, and the frames into packets, the receiver hears the message."""
    wire = b"".join(
        frame((TEXT if text else BINARY) if i == 0 else CONT, part, fin=i == len(parts) - 1)
        for text, parts in script
        for i, part in enumerate(parts)
    )

    async def play() -> list[tuple[bytes, bool]]:
        transport = create_transport(library)
        async with RawPeer() as peer:
            connection, recorder = await connected(peer, transport)
            rest = wire
            for cut in cuts:
                connection.write(rest[:cut])
                rest = rest[cut:]
                await asyncio.sleep(0)
            connection.write(rest + close_frame(1000))
            await recorder.closed()
        return recorder.frames

    assert asyncio.run(play()) == [(b"".join(parts), text) for text, parts in script]


class TestEnding:
    @pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "restart"), (1012, ""), (3000, ""), (4999, "größer")])
    async def test_the_peers_close_code_is_reported_and_answered(self, peer: RawPeer, transport: Transport, code: int, reason: str) -> None:
        connection, recorder = await connected(peer, transport)
        connection.write(frame(TEXT, b"last") + close_frame(code, reason.encode()) + frame(TEXT, b"after"))

        assert await connection.read_close() == code
        assert await recorder.closed() == (code, reason)
        assert recorder.frames == [(b"last", True)]
        await connection.ended()

    async def test_a_close_frame_without_a_code_is_1005(self, peer: RawPeer, transport: Transport) -> None:
        """MEXC ends connections so; it is the quick way back."""
        connection, recorder = await connected(peer, transport)
        connection.write(frame(CLOSE))

        assert await connection.read_close() in (1000, 1005)
        assert await recorder.closed() == (1005, "")

    async def test_a_close_frame_inside_a_fragmented_message_counts(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport)
        connection.write(frame(TEXT, b"half", fin=False) + close_frame(1001))

        assert (await recorder.closed())[0] == 1001

    @pytest.mark.parametrize(
        "end",
        [
            pytest.param(lambda c: c.reset(), id="RST"),
            pytest.param(lambda c: c.abort(), id="FIN"),
            pytest.param(lambda c: c.half_close(), id="half-close"),
            pytest.param(lambda c: (c.write(frame(TEXT, b"x" * 50)[:20]), c.half_close()), id="in a frame"),
        ],
    )
    async def test_an_end_without_a_close_frame_is_1006(
        self, peer: RawPeer, transport: Transport, end: Callable[[RawConnection], object]
    ) -> None:
        connection, recorder = await connected(peer, transport)
        end(connection)

        assert await recorder.closed() == (1006, "")
        assert recorder.frames == []
        await connection.ended()

    async def test_closing_tells_the_peer_and_then_the_receiver(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport)
        closing = asyncio.create_task(transport.close(4001))
        code = await connection.read_close()
        connection.write(close_frame(4001))
        await closing

        assert code == 4001
        assert recorder.closes == [(4001, "")]

    async def test_once_close_is_called_no_frame_is_delivered(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport)
        closing = asyncio.create_task(transport.close())
        await connection.read_close()
        connection.write(frame(TEXT, b"late") + close_frame(1000))
        await closing

        assert recorder.frames == []

    async def test_closing_again_and_at_once_is_one_close(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport)
        await asyncio.gather(transport.close(), transport.close(1001), transport.close())
        await transport.close()

        assert await connection.read_close() == 1000
        assert recorder.closes == [(1000, "")]

    async def test_closing_what_was_never_opened_does_nothing(self, transport: Transport) -> None:
        await transport.close()
        await transport.close()

    async def test_closing_what_the_peer_ended_does_nothing(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport)
        connection.reset()
        await recorder.closed()
        await transport.close()

        assert recorder.closes == [(1006, "")]

    async def test_a_peer_that_never_answers_a_close_is_left(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport)
        async with asyncio.timeout(DEADLINE_S):
            await transport.close()

        assert recorder.closes == [(1000, "")]
        await connection.ended()

    async def test_a_peer_that_does_not_even_read_is_left(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        """Our buffers are full, so the close frame cannot go out."""
        connection, recorder = await connected(peer, transport)
        for _ in range(24):
            transport.send(b"x" * 1_000_000)
        async with asyncio.timeout(DEADLINE_S):
            await transport.close()

        assert recorder.closes == [(1000, "")]
        await connection.ended()

    async def test_a_peer_that_closes_and_keeps_the_socket_is_left_at_once(
        self, peer: RawPeer, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise a reconnect would wait for a peer that has said all it had to say."""
        monkeypatch.setattr(line, "CLOSE_GRACE_S", 10 * DEADLINE_S)
        connection, recorder = await connected(peer, transport)
        connection.write(close_frame(1001))

        assert await recorder.closed() == (1001, "")
        await connection.ended()

    async def test_a_cancelled_close_still_ends_the_socket(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        connection, recorder = await connected(peer, transport)
        closing = asyncio.create_task(transport.close())
        await connection.read_close()
        closing.cancel()

        assert await recorder.closed() == (1000, "")
        await connection.ended()

    @pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
    async def test_a_code_that_may_not_be_sent_is_refused(self, transport: Transport, code: int) -> None:
        with pytest.raises(ConfigError, match=str(code)):
            await transport.close(code)

    async def test_sending_before_open_or_after_close_is_a_usage_error(
        self, peer: RawPeer, transport: Transport, brief_grace: None
    ) -> None:
        with pytest.raises(UsageError):
            transport.send(b"{}")
        connection, _ = await connected(peer, transport)
        closing = asyncio.create_task(transport.close())
        await connection.read_close()

        with pytest.raises(UsageError):
            transport.send(b"{}")
        await closing
        with pytest.raises(UsageError):
            transport.send(b"{}")

    async def test_sending_while_opening_is_a_usage_error(self, peer: RawPeer, transport: Transport) -> None:
        opening = asyncio.create_task(transport.open(context(peer.url), Recorder()))
        connection = await peer.accept()

        with pytest.raises(UsageError):
            transport.send(b"{}")
        connection.upgrade()
        await opening

    async def test_sending_on_a_lost_connection_says_how_it_was_lost(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport)
        connection.write(close_frame(1008, b"too many topics"))
        await recorder.closed()

        with pytest.raises(ConnectionLostError) as caught:
            transport.send(b"{}")

        assert (caught.value.code, caught.value.reason) == (1008, "too many topics")

    async def test_sending_on_a_failed_connection_says_so_at_once(self, peer: RawPeer, transport: Transport, brief_grace: None) -> None:
        """A message and a violation in one segment: answering the message is too late, even from within on_frame."""
        errors: list[ConnectionLostError] = []

        def answer(data: bytes) -> None:
            with pytest.raises(ConnectionLostError) as caught:
                transport.send(data)
            errors.append(caught.value)

        connection, recorder = await connected(peer, transport, Recorder(answer))
        connection.write(frame(TEXT, b"1") + frame(0x3))
        await recorder.closed()

        assert [error.code for error in errors] == [1002]

    async def test_sending_after_the_end_of_the_stream_is_a_lost_connection(
        self, peer: RawPeer, transport: Transport, brief_grace: None
    ) -> None:
        """The peer has ended its half and does not read ours: nothing says goodbye, and our buffers never drain."""
        connection, recorder = await connected(peer, transport)
        for _ in range(24):
            transport.send(b"x" * 1_000_000)
        connection.half_close()

        errors: list[ConnectionLostError] = []

        def is_lost() -> bool:
            try:
                transport.send(b"{}")
            except ConnectionLostError as error:
                errors.append(error)
            return bool(errors)

        await eventually(is_lost)
        assert errors[0].code == 1006
        assert await recorder.closed() == (1006, "")

    async def test_a_receiver_that_raises_in_on_close_is_logged(
        self, peer: RawPeer, transport: Transport, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Fragile(Recorder):
            def on_close(self, code: int, reason: str) -> None:
                super().on_close(code, reason)
                raise LookupError("a bug")

        connection, recorder = await connected(peer, transport, Fragile())
        connection.write(close_frame(1000))
        await recorder.closed()

        await transport.close()
        assert any("on_close" in record.message for record in caplog.records)

    async def test_nothing_is_left_behind(self, peer: RawPeer, library: str, brief_grace: None) -> None:
        """No task and no socket, however connections end: a desk reconnects for months."""
        before = sockets()
        ends: list[Callable[[RawConnection, Transport], Awaitable[object]]] = [_ours, _theirs, _reset, _broken]
        for end in ends * 2:
            transport = create_transport(library)
            connection, recorder = await connected(peer, transport)
            await end(connection, transport)
            await recorder.closed()
            await connection.ended()
            connection.abort()
            del connection, transport
            peer.connections.clear()

        await eventually(lambda: len(asyncio.all_tasks()) == 1)
        await eventually(lambda: sockets() == before)

    async def test_a_loop_that_cancels_its_tasks_ends_the_connection(self, peer: RawPeer) -> None:
        """asyncio.run does so when a program ends; picows is watched by a task."""
        connection, recorder = await connected(peer, create_transport("picows"))
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

        assert await recorder.closed() == (1006, "")
        await connection.ended()


async def _ours(_: RawConnection, transport: Transport) -> None:
    await transport.close()


async def _theirs(connection: RawConnection, _: Transport) -> None:
    connection.write(close_frame(1001))


async def _reset(connection: RawConnection, _: Transport) -> None:
    connection.reset()


async def _broken(connection: RawConnection, _: Transport) -> None:
    connection.write(frame(0x3))


class TestKeepalive:
    async def test_websocket_pings_are_sent_for_a_venue_without_its_own(self, peer: RawPeer, transport: Transport) -> None:
        connection, recorder = await connected(peer, transport, keepalive=Keepalive(0.02, 5.0, application=False))
        for _ in range(3):
            ping = await connection.read_frame()
            assert ping.opcode == PING
            connection.write(frame(PONG, ping.payload))

        assert recorder.closes == []

    async def test_a_missing_pong_ends_the_connection(self, peer: RawPeer, transport: Transport) -> None:
        """1011, as a dead line is nobody's wish; 1001 would read as the venue's own goodbye."""
        connection, recorder = await connected(peer, transport, keepalive=Keepalive(0.02, 0.02, application=False))

        assert (await connection.read_frame()).opcode == PING
        assert (await connection.read_frame()).opcode == CLOSE
        connection.half_close()
        assert (await recorder.closed())[0] == 1011

    async def test_a_venue_with_its_own_ping_gets_no_websocket_pings(self, peer: RawPeer, transport: Transport) -> None:
        """The interface sends the venue's ping, and counts a frame rate that two kinds of ping would spoil."""
        connection, _ = await connected(peer, transport, keepalive=Keepalive(0.001, 0.001, application=True))
        for number in range(50):
            connection.write(frame(PING, bytes([number])))

            assert await connection.read_frame() == (PONG, bytes([number]), True)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def tls_peer(tls: TlsFiles) -> AsyncIterator[RawPeer]:
    async with RawPeer(tls.server) as peer:
        yield peer


@pytest.fixture
def trusted(tls: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's authority is the one that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))


class TestTls:
    async def test_an_untrusted_certificate_is_refused(self, tls_peer: RawPeer, transport: Transport) -> None:
        with pytest.raises(ConnectError, match="certificate is not trusted"):
            await transport.open(context(tls_peer.url), Recorder())

    @pytest.mark.usefixtures("trusted")
    async def test_a_certificate_for_another_host_is_refused(self, tls_peer: RawPeer, transport: Transport) -> None:
        with pytest.raises(ConnectError, match="certificate is not trusted"):
            await transport.open(context(f"wss://localhost:{tls_peer.port}/"), Recorder())

    @pytest.mark.usefixtures("trusted")
    async def test_a_trusted_certificate_carries_frames_both_ways(self, tls_peer: RawPeer, transport: Transport) -> None:
        recorder = Recorder()
        opening = asyncio.create_task(transport.open(context(tls_peer.url), recorder))
        connection = await tls_peer.accept()
        connection.upgrade(then=frame(TEXT, b"hello"))
        await opening
        transport.send(b"{}")
        connection.write(frame(BINARY, b"x" * 100_000) + close_frame(1001))

        assert await connection.read_frame() == (TEXT, b"{}", True)
        assert await connection.read_close() == 1001
        assert await recorder.closed() == (1001, "")
        assert [len(data) for data, _ in recorder.frames] == [5, 100_000]

    @pytest.mark.usefixtures("trusted", "brief_grace")
    async def test_a_silent_tls_peer_is_left(self, tls_peer: RawPeer, transport: Transport) -> None:
        """Neither a close frame nor the end of TLS is answered."""
        recorder = Recorder()
        opening = asyncio.create_task(transport.open(context(tls_peer.url), recorder))
        connection = await tls_peer.accept()
        connection.upgrade()
        await opening
        for _ in range(24):
            transport.send(b"x" * 1_000_000)
        async with asyncio.timeout(DEADLINE_S):
            await transport.close()

        assert recorder.closes == [(1000, "")]

    @pytest.mark.usefixtures("trusted")
    async def test_a_plain_peer_is_not_talked_to(self, peer: RawPeer, transport: Transport) -> None:
        opening = asyncio.create_task(transport.open(context(f"wss://127.0.0.1:{peer.port}/?key={TOKEN}"), Recorder()))
        (await peer.arrived()).write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with pytest.raises(ConnectError) as caught:
            await opening
        assert TOKEN not in str(caught.value)

    async def test_cancelling_inside_the_tls_handshake_leaves_no_socket(self, peer: RawPeer, transport: Transport) -> None:
        opening = asyncio.create_task(transport.open(context(f"wss://127.0.0.1:{peer.port}/"), Recorder()))
        connection = await peer.arrived()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

        await connection.ended()

    async def test_the_trusted_authorities_are_read_once(self, tls: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reading them takes 30 ms of a standing event loop, which twenty reconnecting shards would feel."""
        before = opening.tls_context()

        assert opening.tls_context() is before
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
        assert opening.tls_context() is not before
        assert before.verify_mode is ssl.CERT_REQUIRED
        assert before.check_hostname


@pytest.mark.usefixtures("trusted")
class TestProxies:
    async def test_a_proxy_of_the_environment_is_asked_to_connect(
        self, tls_peer: RawPeer, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The proxy resolves the name and sees nothing but TLS."""
        async with ConnectProxy(tls_peer.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:{TOKEN}@127.0.0.1:{proxy.port}")
            recorder = Recorder()
            opening = asyncio.create_task(transport.open(context("wss://venue.test:4443/"), recorder))
            connection = await tls_peer.accept()
            connection.upgrade(then=frame(TEXT, b"through"))
            await opening

            assert await recorder.heard() == [(b"through", True)]
            assert proxy.requests[0].startswith("CONNECT venue.test:4443 HTTP/1.1\r\n")
            assert "Proxy-Authorization: Basic" in proxy.requests[0]
            connection.write(close_frame(1000))
            await recorder.closed()

    async def test_a_refusing_proxy_is_a_connect_error_without_its_password(
        self, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The status is the proxy's, not the venue's, so the interface must not act on it."""
        async with ConnectProxy(0, "407 Proxy Authentication Required") as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:{TOKEN}@127.0.0.1:{proxy.port}")
            with pytest.raises(ConnectError, match="407") as caught:
                await transport.open(context("wss://venue.test:4443/"), Recorder())

            assert caught.value.status == 0
            assert TOKEN not in str(caught.value)

    @pytest.mark.parametrize("proxy", [f"gopher://user:{TOKEN}@127.0.0.1:1", f"http://user:{TOKEN}@127.0.0.1:1"])
    async def test_a_useless_proxy_is_a_connect_error_without_its_password(
        self, transport: Transport, proxy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(ConnectError) as caught:
            await transport.open(context("wss://venue.test:4443/"), Recorder())

        assert TOKEN not in str(caught.value)

    @pytest.mark.parametrize("scheme", ["http", "socks5h"])
    @pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"\x05\xff", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"])
    async def test_a_proxy_that_hangs_up_is_a_connect_error(
        self, peer: RawPeer, transport: Transport, scheme: str, answer: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://127.0.0.1:{peer.port}")
        opening = asyncio.create_task(transport.open(context("wss://venue.test:4443/"), Recorder()))
        connection = await peer.arrived()
        connection.write(answer)
        connection.half_close()

        with pytest.raises(ConnectError):
            await opening

    async def test_a_socks_proxy_is_asked_by_host_name(
        self, tls_peer: RawPeer, transport: Transport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The h of socks5h: names are resolved at the proxy."""
        async with SocksProxy(tls_peer.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
            recorder = Recorder()
            opening = asyncio.create_task(transport.open(context("wss://venue.test:4443/"), recorder))
            connection = await tls_peer.accept()
            connection.upgrade(then=close_frame(1000))
            with pytest.raises(ConnectError, match="1000"):
                await opening

            assert proxy.requests == ["venue.test:4443"]

    async def test_a_socks_proxy_without_its_library_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """websockets needs python-socks for it, which picows brings along."""

        async def missing(*_: object, **__: object) -> None:
            raise ImportError("connecting through a SOCKS proxy requires python-socks")

        monkeypatch.setattr("websockets.asyncio.client.connect_socks_proxy", missing)
        monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1")

        with pytest.raises(ConfigError, match="pip install python-socks"):
            await create_transport("websockets").open(context("wss://venue.test:4443/"), Recorder())

    async def test_this_machine_needs_no_proxy(self, peer: RawPeer, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        """The exchange in a box would be out of reach behind a company's proxy."""
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")

        await connected(peer, transport)

    @pytest.mark.parametrize(
        ("environment", "url", "expected"),
        [
            ({}, "wss://venue.test/", None),
            ({"HTTPS_PROXY": "http://p:1"}, "wss://venue.test/", "http://p:1"),
            ({"HTTPS_PROXY": "http://p:1", "WSS_PROXY": "http://q:1"}, "wss://venue.test/", "http://q:1"),
            ({"HTTPS_PROXY": "http://p:1", "SOCKS_PROXY": "http://s:1"}, "wss://venue.test/", "socks5h://s:1"),
            ({"HTTP_PROXY": "http://p:1"}, "wss://venue.test/", None),
            ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "venue.test"}, "wss://venue.test/", None),
            ({"HTTPS_PROXY": "http://p:1"}, "wss://localhost/", None),
        ],
    )
    def test_which_proxy_is_used(
        self, environment: dict[str, str], url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

        assert opening.proxy_for(url) == expected


class TestSecrets:
    async def test_no_log_line_carries_a_token(
        self, peer: RawPeer, transport: Transport, caplog: pytest.LogCaptureFixture, brief_grace: None
    ) -> None:
        """At DEBUG, websockets prints the request line, every header and every frame; picows does at level 9."""
        caplog.set_level(1)
        recorder = Recorder()
        asked = ConnectionContext(urls=(f"{peer.url}?listenKey={TOKEN}",), headers=(("X-Key", TOKEN),))
        opening = asyncio.create_task(transport.open(asked, recorder))
        connection = await peer.accept()
        connection.upgrade(then=frame(TEXT, TOKEN.encode()))
        await opening
        transport.send(f'{{"SIGN":"{TOKEN}"}}'.encode())
        connection.write(frame(0x3) + frame(TEXT, TOKEN.encode()))
        await recorder.closed()

        assert TOKEN in connection.request.decode()
        assert TOKEN not in caplog.text

    @pytest.mark.parametrize("fault", ["refused", "redirected", "reset", "silent", "fragment"])
    async def test_no_error_and_no_traceback_carries_a_token(
        self, peer: RawPeer, transport: Transport, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Libraries quote the URL in their errors, and Python prints the chain of causes."""
        url = f"{peer.url}?listenKey={TOKEN}" + ("#fragment" if fault == "fragment" else "")
        opening = asyncio.create_task(transport.open(context(url, open_timeout_s=0.5 if fault == "silent" else 5.0), Recorder()))
        if fault != "fragment":
            connection = await peer.accept()
            if fault == "refused":
                connection.refuse("401 Unauthorized", f"X-Echo: {TOKEN}\r\n")
            elif fault == "redirected":
                connection.refuse("301 Moved Permanently", f"Location: http://127.0.0.1/?listenKey={TOKEN}\r\n")
            elif fault == "reset":
                connection.reset()

        with pytest.raises(ConnectError) as caught:
            await opening

        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert TOKEN not in shown
        assert peer.url in caught.value.url + "/"


class TestChoice:
    @pytest.mark.parametrize("name", LIBRARIES)
    def test_a_transport_is_chosen_by_name_or_environment(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        named = create_transport(name.upper())
        monkeypatch.setenv("EXWIRE_TRANSPORT", name)

        assert type(create_transport()) is type(named)
        assert type(named).__module__ == f"exwire.transport.{name}"

    def test_picows_is_preferred_where_it_is_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EXWIRE_TRANSPORT", raising=False)

        assert type(create_transport()).__name__ == "PicowsTransport"

    def test_without_picows_websockets_serves_and_asking_for_picows_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EXWIRE_TRANSPORT", raising=False)
        monkeypatch.delitem(sys.modules, "exwire.transport.picows", raising=False)
        monkeypatch.setitem(sys.modules, "picows", None)

        assert type(create_transport("auto")).__name__ == "WebSocketsTransport"
        with pytest.raises(ConfigError, match=r'pip install "exwire\[fast\]"'):
            create_transport("picows")

    def test_an_unusable_picows_is_passed_over_and_said(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """A newer picows may lack what we use; trading goes on with the other library."""
        caplog.set_level(logging.INFO)
        picows = create_transport("picows")
        monkeypatch.setattr(f"{type(picows).__module__}.ws_connect", lambda url: None)

        assert type(create_transport("auto")).__name__ == "WebSocketsTransport"
        assert "picows>=2.3,<3" in caplog.text

    def test_a_websockets_that_lacks_what_we_use_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Our connection class overrides parts of the library that a later version may rename."""
        from websockets.asyncio.connection import Connection

        monkeypatch.delattr(Connection, "send_data")

        with pytest.raises(ConfigError, match=r"websockets>=15,<18; .* has no send_data"):
            create_transport("websockets")

    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(UnknownNameError, match="picows"):
            create_transport("picow")

    def test_importing_the_seam_loads_no_library(self) -> None:
        """The command line lists venues in milliseconds because nothing below it is loaded for it."""
        program = (
            "import sys, exwire.transport; exwire.transport.Transport;"
            "print([name for name in ('asyncio', 'ssl', 'websockets', 'picows', 'aiohttp') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

        assert done.stdout.strip() == "[]"

    def test_the_table_of_contents_is_pinned(self) -> None:
        """Growing the public surface is a visible decision."""
        import exwire.transport

        assert dir(exwire.transport) == exwire.transport.__all__ == ["Receiver", "ScriptedTransport", "Transport", "create_transport"]
        with pytest.raises(AttributeError, match="no attribute"):
            exwire.transport.Nothing  # noqa: B018 - looking it up is the test


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_transports_run_on_uvloop(library: str) -> None:
    """The command line runs uvloop where it is installed; its sockets and cancellation are its own."""
    uvloop = pytest.importorskip("uvloop")

    async def play() -> None:
        transport = create_transport(library)
        async with RawPeer() as peer:
            opening = asyncio.create_task(transport.open(context(peer.url), Recorder()))
            cancelled = await peer.accept()
            opening.cancel()
            await asyncio.wait({opening})
            await cancelled.ended()
            connection, recorder = await connected(peer, transport, then=frame(TEXT, b"1"))
            transport.send(b"2")
            assert await connection.read_frame() == (TEXT, b"2", True)
            connection.reset()
            assert await recorder.closed() == (1006, "")
            connection, second = await connected(peer, transport)
            closing = asyncio.create_task(transport.close())
            assert await connection.read_close() == 1000
            connection.write(close_frame(1000))
            await closing
            assert (recorder.frames, second.closes) == ([(b"1", True)], [(1000, "")])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
