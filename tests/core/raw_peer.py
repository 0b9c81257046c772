"""A WebSocket server of bytes: it can say anything, in any pieces, and never behaves unless it is told to."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import NamedTuple, Self

DEADLINE_S = 8.0
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = False) -> bytes:
    """Return one frame as a server sends it. rsv: the three reserved bits as a number, 0 to 7."""
    mask = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", fin << 7 | rsv << 4 | opcode, mask | size)
    elif size < 65536:
        head = struct.pack("!BBH", fin << 7 | rsv << 4 | opcode, mask | 126, size)
    else:
        head = struct.pack("!BBQ", fin << 7 | rsv << 4 | opcode, mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


class ClientFrame(NamedTuple):
    opcode: int
    payload: bytes
    masked: bool


class RawConnection:
    """One accepted connection. request: the client's request line and headers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = b""
        self._reader = reader
        self._writer = writer

    @property
    def request_line(self) -> str:
        return self.request.split(b"\r\n", 1)[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.request.decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}

    async def read_request(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            self.request = await self._reader.readuntil(b"\r\n\r\n")

    def upgrade_answer(self, extra: str = "") -> bytes:
        key = self.headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
        return ("\r\n".join(lines) + f"\r\n{extra}\r\n").encode()

    def upgrade(self, *, then: bytes = b"") -> None:
        """Answer the upgrade; ``then`` travels in the same segment."""
        self.write(self.upgrade_answer() + then)

    def refuse(self, status: str, headers: str = "") -> None:
        self.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n".encode())

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def drip(self, data: bytes) -> None:
        """Write one byte a loop step."""
        for byte in data:
            self._writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async def read_frame(self) -> ClientFrame:
        async with asyncio.timeout(DEADLINE_S):
            first, second = await self._reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            mask = await self._reader.readexactly(4) if second & 0x80 else b"\0\0\0\0"
            payload = await self._reader.readexactly(size)
        return ClientFrame(first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)), bool(second & 0x80))

    async def read_close(self) -> int:
        """Return the code of the client's close frame, which has to be the next frame; 1005 when it has none."""
        got = await self.read_frame()
        assert got.opcode == CLOSE, got
        return int.from_bytes(got.payload[:2], "big") if got.payload else 1005

    async def ended(self) -> None:
        """Wait until the client's side of the socket has ended; what it still said is skipped."""
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionError):
                while await self._reader.read(65536):
                    pass

    def half_close(self) -> None:
        self._writer.write_eof()

    def reset(self) -> None:
        """Drop the connection with an RST."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def abort(self) -> None:
        self._writer.transport.abort()


class RawPeer:
    """Listens on a port of 127.0.0.1; every connection is handed to the test, which plays the server."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.connections: list[RawConnection] = []
        self._arrived: asyncio.Queue[RawConnection] = asyncio.Queue()
        self._tls = tls
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        return f"{'ws' if self._tls is None else 'wss'}://127.0.0.1:{self.port}/ws/v4/"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self.connections:
            connection.abort()
        for connection in self.connections:
            await connection.ended()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = RawConnection(reader, writer)
        self.connections.append(connection)
        self._arrived.put_nowait(connection)

    async def arrived(self) -> RawConnection:
        """Return the next connection, with nothing read of it."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._arrived.get()

    async def accept(self) -> RawConnection:
        """Return the next connection, its request read."""
        connection = await self.arrived()
        await connection.read_request()
        return connection


class ConnectProxy:
    """An HTTP proxy that knows CONNECT, and leads every name to one port of 127.0.0.1. requests: the heads it got."""

    def __init__(self, target_port: int, answer: str = "200 Connection established") -> None:
        self.port = 0
        self.requests: list[str] = []
        self._answer = answer
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._start(self._serve(reader, writer))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._agree(reader, writer):
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers.append(far_writer)
        self._start(_pump(reader, far_writer))
        self._start(_pump(far_reader, writer))

    async def _agree(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self._answer}\r\n\r\n".encode())
        return self._answer.startswith("200")


class SocksProxy(ConnectProxy):
    """The same for SOCKS 5 (RFC 1928), asked by host name. requests: ``host:port``."""

    async def _agree(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        *_, kind, size = await reader.readexactly(5)
        assert kind == 3, "asked by address, not by name"
        host = (await reader.readexactly(size)).decode()
        self.requests.append(f"{host}:{int.from_bytes(await reader.readexactly(2), 'big')}")
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return True


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


class Recorder:
    """A receiver that keeps what it hears. frames: (data, is_text); closes: (code, reason)."""

    def __init__(self, on_frame: Callable[[bytes], None] | None = None) -> None:
        self.frames: list[tuple[bytes, bool]] = []
        self.closes: list[tuple[int, str]] = []
        self._hook = on_frame
        self._heard = asyncio.Event()

    def on_frame(self, data: bytes, is_text: bool) -> None:
        self.frames.append((data, is_text))
        self._heard.set()
        if self._hook is not None:
            self._hook(data)

    def on_close(self, code: int, reason: str) -> None:
        self.closes.append((code, reason))
        self._heard.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def heard(self, count: int = 1) -> list[tuple[bytes, bool]]:
        """Wait for so many frames; return all."""
        await self.until(lambda: len(self.frames) >= count)
        return self.frames

    async def closed(self) -> tuple[int, str]:
        await self.until(lambda: self.closes)
        return self.closes[0]
