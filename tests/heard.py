"""Who hears what a public handler calls back."""

from __future__ import annotations

from exwire.errors import DecodeError
from exwire.handlers import PublicMessageHandler
from exwire.lifecycle import Notice
from exwire.model import Event
from exwire.subscription import Ack

__all__ = ["Heard"]


class Heard:
    """Everything that a handler called back, by kind."""

    def __init__(self, handler: PublicMessageHandler) -> None:
        self.events: list[Event] = []
        self.acks: list[Ack] = []
        self.pongs: list[int] = []
        self.notices: list[Notice] = []
        self.errors: list[DecodeError] = []
        handler.on_trade = self.events.append
        handler.on_book_ticker = self.events.append
        handler.on_book_snapshot = self.events.append
        handler.on_book_delta = self.events.append
        handler.on_ticker = self.events.append
        handler.on_candle = self.events.append
        handler.on_ack = self.acks.append
        handler.on_pong = self.pongs.append
        handler.on_notice = self.notices.append
        handler.on_error = self.errors.append

    def __len__(self) -> int:
        return len(self.events) + len(self.acks) + len(self.pongs) + len(self.notices) + len(self.errors)
