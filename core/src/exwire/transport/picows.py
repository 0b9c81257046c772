"""The transport on the picows library."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
import socket
from typing import Any, final

from exwire.contracts import ConnectionContext
from exwire.errors import ConfigError, ConnectError, ConnectionLostError
from exwire.transport.base import BaseTransport
from exwire.transport.line import CLOSE_GRACE_S, Line, is_wire_code
from exwire.transport.opening import LibraryLog, proxy_for, refusal, tls_context

try:
    from picows import (
        WSAutoPingStrategy,
        WSCloseCode,
        WSError,
        WSFrame,
        WSHandshakeError,
        WSListener,
        WSMsgType,
        WSParsedURL,
        WSTransport,
        ws_connect,
    )
    from python_socks import ProxyError
except ImportError as missing:
    raise ConfigError(f'the picows transport needs picows>=2.3,<3 ({missing}); pip install "exwire[fast]"') from missing

__all__ = ["PicowsTransport"]

_log = logging.getLogger("exwire.transport")

_TEXT, _BINARY, _CONT = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_PING, _CLOSE = WSMsgType.PING, WSMsgType.CLOSE

_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})\b")
_RETRY_AFTER = re.compile(rb"^retry-after:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@final
class PicowsTransport(BaseTransport):
    """WebSocket connections in C, for speed. It cannot compress: a context that asks for compression is connected without."""

    connect_errors = (OSError, ValueError, WSError, ProxyError)

    def __init__(self) -> None:
        super().__init__()
        if "socket_factory" not in inspect.signature(ws_connect).parameters:
            raise ConfigError('the picows transport needs picows>=2.3,<3, an older one is installed; pip install "exwire[fast]"')
        self._socket: socket.socket | None = None

    async def _connect(self, context: ConnectionContext, line: Line) -> None:
        url = context.urls[0]
        keepalive = context.keepalive
        proxy = proxy_for(url)
        secure = url[:4].lower() == "wss:"
        tls: dict[str, Any] = {"ssl_context": tls_context(), "ssl_shutdown_timeout": CLOSE_GRACE_S} if secure else {}
        try:
            _, listener = await ws_connect(
                lambda _request, response: _Listener(context, line, response),
                url,
                extra_headers=context.headers,
                # python-socks resolves host names at the proxy, which is what the h stands for, and does not know the name.
                proxy=proxy.replace("socks5h://", "socks5://", 1) if proxy else None,
                socket_factory=self._dial,
                max_redirects=0,
                max_frame_size=context.max_message_bytes,
                websocket_handshake_timeout=context.open_timeout_s,
                enable_auto_pong=False,  # pings come to the listener, which checks them like other frames
                enable_auto_ping=not keepalive.application,
                auto_ping_strategy=WSAutoPingStrategy.PING_PERIODICALLY,
                auto_ping_idle_timeout=keepalive.interval_s,
                auto_ping_reply_timeout=min(keepalive.timeout_s, keepalive.interval_s),  # picows asserts this order
                logger_name=LibraryLog(_log),
                **tls,
            )
        except WSHandshakeError as refused:
            self._hang_up()
            answer = refused.raw_header or b""
            status = _STATUS.match(answer)
            if status is None or status[1] == b"101":
                raise
            retry_after = _RETRY_AFTER.search(answer)
            raise refusal(context, int(status[1]), retry_after[1].decode("latin-1") if retry_after else None) from None
        except BaseException:
            self._hang_up()
            raise
        finally:
            self._socket = None
        if listener is None:
            raise ConnectError(context.safe_url, "the connection ended before the upgrade was answered")

    async def _dial(self, target: WSParsedURL) -> socket.socket | None:
        """Return a connected socket, and keep it at hand: a cancelled ws_connect leaves its own behind (its wait is shielded)."""
        if target.scheme.startswith("socks"):
            return None  # python-socks connects by itself; a cancelled one ends with websocket_handshake_timeout
        loop = asyncio.get_running_loop()
        failed: OSError = OSError("the host name has no address")
        for family, kind, proto, _, address in await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, proto)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)
            except OSError as exc:
                sock.close()
                failed = exc
            except BaseException:
                sock.close()
                raise
            else:
                self._socket = sock
                return sock
        raise failed

    def _hang_up(self) -> None:
        """End the socket by shutting it down, which its owner, the event loop, then notices and closes it."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Listener(WSListener):
    """The library's callbacks, handing whole messages over and refusing what the library lets pass."""

    def __init__(self, context: ConnectionContext, line: Line, response: Any) -> None:
        if "Sec-WebSocket-Extensions" in response.headers:
            raise ConnectError(context.safe_url, "the server chose an extension that was not offered")
        self._line = line
        self._max_bytes = context.max_message_bytes
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._parts_are_text = False
        self._joining = False
        self._transport: WSTransport
        self._watch: asyncio.Task[None]

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._line.link = self
        # Awaiting the end takes the library's exception out of its future, which would be printed as never retrieved.
        self._watch = asyncio.get_running_loop().create_task(transport.wait_disconnected())
        self._watch.add_done_callback(self._gone)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type  # 114 ns: picows makes an enum member of it at every read
        if kind is _TEXT and frame.fin and not (self._joining or frame.rsv1 or frame.rsv2 or frame.rsv3):
            try:  # Line.deliver in its own words, which saves the call: 0.05 µs
                self._line.on_frame(frame.get_payload_as_bytes(), True)
            except Exception:  # noqa: BLE001 - a receiver is a user's callback to a library
                self._line.failed()
        else:
            self._on_other_frame(kind, transport, frame)

    def _on_other_frame(self, kind: WSMsgType, transport: WSTransport, frame: WSFrame) -> None:
        """Everything but a whole text message, which comes a thousand times as often."""
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._line.close(1002, "reserved bits are set")
        elif kind is _TEXT or kind is _BINARY:
            if self._joining:
                self._line.close(1002, "a new message inside a fragmented one")
            elif frame.fin:
                self._line.deliver(frame.get_payload_as_bytes(), kind is _TEXT)
            else:
                self._joining = True
                self._parts_are_text = kind is _TEXT
                self._join(frame)
        elif kind is _CONT:
            if self._joining:
                self._join(frame)
            else:
                self._line.close(1002, "a continuation of nothing")
        elif kind is _PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is _CLOSE:
            self._peer_closed(frame.get_payload_as_bytes())

    def _join(self, frame: WSFrame) -> None:
        self._parts_bytes += frame.payload_size
        if self._parts_bytes > self._max_bytes:
            self._line.close(1009, f"a message of more than {self._max_bytes} bytes")
            return
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            parts, self._parts = self._parts, []
            self._parts_bytes = 0
            self._joining = False
            self._line.deliver(b"".join(parts), self._parts_are_text)

    def _peer_closed(self, payload: bytes) -> None:
        """Answer a close frame and leave. The library has checked its length, most codes, and that its reason is UTF-8."""
        code = int.from_bytes(payload[:2], "big") if payload else 1005
        if payload and not is_wire_code(code):
            self._line.close(1002, f"invalid close code {code}")
            return
        self._line.ending(code, payload[2:].decode())
        self._transport.send_close(WSCloseCode(code if payload else 1000))
        self._transport.disconnect()

    def _note_failure(self, why: str = "") -> None:
        """The library fails a connection by itself (1002, 1007, 1009, and 1001 when no pong came) without telling the listener."""
        shaken: Any = self._transport.close_handshake  # typed as if there always were one
        if shaken is not None and shaken.sent is not None:
            code = shaken.sent.code.value
            self._line.ending(1011 if code == 1001 else code, shaken.sent.reason or why)

    def _gone(self, watch: asyncio.Task[None]) -> None:
        if watch.cancelled():  # by a loop that is being shut down, with the socket still open
            self.abort()
        else:
            self._note_failure(str(watch.exception() or ""))
        self._line.lost()

    def transmit(self, data: bytes, is_text: bool) -> None:
        transport = self._transport
        if transport.is_close_frame_sent or transport.underlying_transport.is_closing():
            self._note_failure()
            self._line.ending(1006, "")
            raise ConnectionLostError(self._line.code, self._line.reason)
        transport.send(_TEXT if is_text else _BINARY, data)

    def finish(self, code: int, reason: str) -> None:
        self._transport.send_close(WSCloseCode(code), reason)

    def abort(self) -> None:
        self._transport.disconnect(graceful=False)
