"""The transport on the websockets library."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, final

from exwire.contracts import ConnectionContext
from exwire.errors import ConfigError, ConnectionLostError
from exwire.transport.base import BaseTransport
from exwire.transport.line import CLOSE_GRACE_S, Line
from exwire.transport.opening import LibraryLog, proxy_for, refusal, tls_context

try:
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import InvalidStatus, WebSocketException
    from websockets.frames import Frame, Opcode
    from websockets.protocol import State
    from websockets.version import version
except ImportError as missing:
    raise ConfigError(f"exwire needs websockets>=15,<18 ({missing}); pip install 'websockets>=15,<18'") from missing

if TYPE_CHECKING:
    from websockets.protocol import Event

__all__ = ["WebSocketsTransport"]

_log = logging.getLogger("exwire.transport")

_OURS = ("connection_lost", "data_received", "eof_received", "handshake", "process_event", "send_data")
"""What we override or call in the library's connection class, which is public but not documented in full."""

_TEXT, _CONT, _BINARY, _CLOSE = Opcode.TEXT, Opcode.CONT, Opcode.BINARY, Opcode.CLOSE
_OPEN = State.OPEN


@final
class WebSocketsTransport(BaseTransport):
    """WebSocket connections on asyncio alone. Compression (permessage-deflate) is offered when the context asks for it."""

    connect_errors = (
        OSError,
        ValueError,
        WebSocketException,
    )

    def __init__(self) -> None:
        super().__init__()
        lacking = [name for name in _OURS if not hasattr(ClientConnection, name)]
        if lacking:
            raise ConfigError(f"exwire needs websockets>=15,<18; {version} has no {', '.join(lacking)}")

    async def _connect(self, context: ConnectionContext, line: Line) -> None:
        url = context.urls[0]
        keepalive = context.keepalive
        secure = url[:4].lower() == "wss:"
        tls: dict[str, Any] = {"ssl": tls_context(), "ssl_shutdown_timeout": CLOSE_GRACE_S} if secure else {}

        def connection(*args: Any, **kwargs: Any) -> _Connection:
            return _Connection(context, line, *args, **kwargs)

        try:
            await connect(
                url,
                # Annotated as a class; every supported version only ever calls it.
                create_connection=connection,  # type: ignore[arg-type]
                additional_headers=list(context.headers),
                user_agent_header=None,
                compression="deflate" if context.compression else None,
                proxy=proxy_for(url),
                open_timeout=None,
                ping_interval=None if keepalive.application else keepalive.interval_s,
                ping_timeout=keepalive.timeout_s,
                close_timeout=CLOSE_GRACE_S,
                max_size=context.max_message_bytes,
                max_queue=None,
                logger=LibraryLog(_log),
                **tls,
            )
        except ImportError as missing:
            raise ConfigError(f"the environment names a SOCKS proxy: {missing}; pip install python-socks") from None


class _Connection(ClientConnection):
    """The library's connection, handing messages over where it would queue them."""

    def __init__(self, context: ConnectionContext, line: Line, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._context = context
        self._line = line
        self._parts: list[bytes] = []
        self._parts_are_text = False

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        try:
            await super().handshake(*args, **kwargs)
        except InvalidStatus as refused:
            headers = refused.response.headers
            # Raised here, where it is not mistaken for a redirect to follow.
            raise refusal(self._context, refused.response.status_code, next(iter(headers.get_all("Retry-After")), None)) from None

    def process_event(self, event: Event) -> None:
        if type(event) is not Frame:
            super().process_event(event)
            self._line.link = self
            return
        opcode = event.opcode
        if event.fin and (opcode is _TEXT or opcode is _BINARY):
            self._line.deliver(bytes(event.data), opcode is _TEXT)
        elif opcode is _CONT:
            # The protocol object has refused stray continuations and checked the joined size.
            self._parts.append(bytes(event.data))
            if event.fin:
                parts, self._parts = self._parts, []
                self._line.deliver(b"".join(parts), self._parts_are_text)
        elif opcode is _TEXT or opcode is _BINARY:
            self._parts_are_text = opcode is _TEXT
            self._parts = [bytes(event.data)]
        elif opcode is _CLOSE:
            self._peer_closed()
        else:
            super().process_event(event)

    def _peer_closed(self) -> None:
        self._note_end()
        # The answer is written already. Leaving at once, and not when the peer leaves, RFC 6455 allows in 7.1.1.
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._note_end()

    def eof_received(self) -> None:
        super().eof_received()
        self._note_end()
        self._line.ending(1006, "")

    def _note_end(self) -> None:
        """Tell the line of the first close frame. The protocol object fails connections without an event: 1002, 1007, 1009, 1011."""
        protocol = self.protocol
        if protocol.state is not _OPEN and not self._line.closing:
            first = protocol.close_rcvd if protocol.close_rcvd_then_sent else protocol.close_sent
            if first is not None:
                self._line.ending(first.code, first.reason)

    def connection_lost(self, exc: Exception | None) -> None:
        self._note_end()
        super().connection_lost(exc)
        self._line.lost()

    def transmit(self, data: bytes, is_text: bool) -> None:
        if self.protocol.state is not _OPEN:
            self._note_end()
            raise ConnectionLostError(self._line.code, self._line.reason)
        if is_text:
            self.protocol.send_text(data)
        else:
            self.protocol.send_binary(data)
        self.send_data()

    def finish(self, code: int, reason: str) -> None:
        if self.protocol.state is _OPEN:
            self.protocol.send_close(code, reason)
            self.send_data()

    def abort(self) -> None:
        self.transport.abort()
