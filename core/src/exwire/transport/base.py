"""What every transport does alike: the states of a connection, time limits, and saying what went wrong in our words."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar
from urllib.parse import urlsplit

from exwire.contracts import ConnectionContext
from exwire.errors import ConfigError, ConnectError, ConnectionLostError, UsageError
from exwire.transport.line import Line, is_wire_code
from exwire.transport.opening import failure
from exwire.transport.seam import Receiver

__all__ = ["BaseTransport"]


class BaseTransport(ABC):
    """A transport without its library: a subclass says how to connect."""

    connect_errors: ClassVar[tuple[type[Exception], ...]] = (OSError, ValueError)
    """What ``_connect`` may raise, to be told as a ConnectError; a library adds its own."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._limit: asyncio.Timeout | None = None
        self._ended_by_us = False

    @abstractmethod
    async def _connect(self, context: ConnectionContext, line: Line) -> None:
        """Connect and upgrade, setting ``line.link`` before the first frame. When it fails or is cancelled, no socket is left behind."""

    async def open(self, context: ConnectionContext, receiver: Receiver) -> None:
        """See ``Transport.open``."""
        if self._line is not None and not self._line.gone:
            raise UsageError("the transport is open or opening already; close() it first, or use another")
        self._line = line = Line(receiver)
        self._ended_by_us = False
        try:
            await self._open(context, line)
        except BaseException:
            line.abandon()
            raise

    async def _open(self, context: ConnectionContext, line: Line) -> None:
        url = context.safe_url
        if urlsplit(context.urls[0]).username is not None:
            raise ConfigError(f"{url}: a user and password in a URL are not sent; give an Authorization header instead")
        try:
            async with asyncio.timeout(context.open_timeout_s) as self._limit:
                await self._connect(context, line)
        except self.connect_errors as exc:
            if isinstance(exc, ConfigError):
                raise
            if self._ended_by_us:
                raise ConnectError(url, "close() was called meanwhile") from None
            if self._limit is not None and self._limit.expired():
                raise ConnectError(url, f"no answer within {context.open_timeout_s:g} s") from None
            # `from None`: a library's own message may quote the whole URL, and a traceback would print it.
            raise failure(exc, context) from None
        finally:
            self._limit = None
        if self._ended_by_us:  # in the very step that completed the upgrade
            raise ConnectError(url, "close() was called meanwhile")
        if not line.established():
            said = f" ({line.reason})" if line.reason else ""
            raise ConnectError(url, f"the connection ended with close code {line.code}{said} as soon as it was open")

    def send(self, data: bytes, is_text: bool = True) -> None:
        """See ``Transport.send``."""
        line = self._line
        if line is None or self._ended_by_us:
            raise UsageError("the transport is not open; await open() first")
        if line.link is None or line.closing:
            raise ConnectionLostError(line.code, line.reason) if line.closing else UsageError("the transport is still opening")
        line.link.transmit(data, is_text)

    async def close(self, code: int = 1000) -> None:
        """See ``Transport.close``."""
        if not is_wire_code(code):
            raise ConfigError(f"{code} is not a close code that may be sent; use 1000 to 1003, 1007 to 1014, or 3000 to 4999")
        line = self._line
        if line is None:
            return
        self._ended_by_us = True
        if self._limit is None:
            line.close(code)
        elif not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())
        await line.wait_gone()
