"""What a connection needs of a socket, and what a socket tells a connection."""

from __future__ import annotations

from typing import Protocol

from exwire.contracts import ConnectionContext

__all__ = ["Receiver", "Transport"]


class Receiver(Protocol):
    """Takes what one socket says. Every ``open`` gets a new one, so what an old socket says late goes nowhere."""

    def on_frame(self, data: bytes, is_text: bool) -> None:
        """One whole message, its fragments joined. Text is the bytes as they came: whether they are UTF-8 is for the decoder to say.

        May be called before ``open`` has returned: a venue may speak in the packet that carries its upgrade answer. What it raises is
        logged, and closes the connection with 1011.
        """

    def on_close(self, code: int, reason: str) -> None:
        """The socket is gone: exactly once for each ``open`` that returned, whoever ended it, and nothing comes after.

        code: of the first close frame, the peer's or ours; 1005 when it carried none, 1006 when there was no close frame. Ours are the
        code given to ``close``, 1002 (the peer broke the protocol), 1007 (a close reason that is not UTF-8), 1009 (a message larger than
        ``max_message_bytes``) and 1011 (the receiver raised, or no pong came in time).
        """


class Transport(Protocol):
    """One WebSocket connection at a time."""

    async def open(self, context: ConnectionContext, receiver: Receiver) -> None:
        """Connect to ``context.urls[0]``. Redirects are not followed; TLS is verified.

        Raises ConnectError (the upgrade was refused, nobody answered in ``open_timeout_s``, the connection ended as soon as it was open,
        ``close`` was called meanwhile), ConfigError (it can never work) or UsageError (it is open already). Cancelling leaves nothing open.
        """

    def send(self, data: bytes, is_text: bool = True) -> None:
        """Send one message, unfragmented. Never blocks: what the socket does not take at once is buffered without limit.

        Raises ConnectionLostError when the connection is ending or has ended on its own (also inside ``on_frame``, whose message may have
        been the last), UsageError when it was never opened or ``close`` was called.
        """

    async def close(self, code: int = 1000) -> None:
        """End the connection; return when the socket is gone, after 2 s at the latest, ``on_close`` having been called.

        From the call on no frame is delivered. Safe to repeat, to call when never opened or while ``open`` waits (which then raises), and
        to cancel (the socket still goes). code: 1000 to 1003, 1007 to 1014, 3000 to 4999; raises ConfigError for others.
        """
