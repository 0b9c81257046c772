"""What MEXC spot says around the data: answers to requests, pongs, complaints. Pure.

Source: MEXC spot v3 WebSocket, "Subscribe", "PING/PONG", read 2026-11; refusals as captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from exwire.handlers import BaseMessageHandler
from exwire.lifecycle import Notice
from exwire.subscription import Ack
from exwire_mexc.names import VENUE

__all__ = ["Control", "Pong", "announce", "read_answer", "read_plain"]

_INVALID_KEY: Final = b"Invalid listen key"

_REFUSED: Final = "Not Subscribed successfully!"
_LISTED: Final = re.compile(r"(Not )?Subscribed success\w*! *\[([^\[\]]*)\]")
"""A list holds no bracket, or else reading one that never ends would take the square of its length."""
_REASON: Final = re.compile(r"Reason *[:：](.*)", re.DOTALL)
"""The colon is the full-width one. ``Blocked!`` is the reason seen: there is no such topic."""


class Pong(Struct, frozen=True):
    """The answer to a ping; it has no clock."""


Control = Ack | Pong | Notice


def read_answer(id: int | None, msg: str) -> tuple[Control, ...]:
    """Return what an answer says, one ack for the topics that it accepts and one for those that it refuses.

    Its ``code`` is 0 for refusals too, so only ``msg`` decides; an id of 0 answers a request without one.

    {"id":7,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT,spot@public.aggre.deals.v3.api.pb@100ms@ETHUSDT"}
    {"id":7,"code":0,"msg":"Subscribed successful! [topic,topic]. Not Subscribed successfully! [topic].  Reason： Blocked! "}
    {"id":0,"code":0,"msg":"PONG"}
    """
    answers = id or None
    said = msg.strip()
    if said.upper() == "PONG":
        return (Pong(),)
    lists = _LISTED.findall(said)
    if lists:
        reason = _REASON.search(said)
        code = reason[1].strip() if reason else ""
        refused = [Ack(answers, ok=False, topics=_topics(listed), code=code, message=_REFUSED) for no, listed in lists if no]
        return (*(Ack(answers, ok=True, topics=_topics(listed)) for no, listed in lists if not no and listed), *refused)
    topics = _topics(said)
    if all(topic.startswith("spot@") for topic in topics):
        return (Ack(answers, ok=True, topics=topics),)  # without a word: the answer to an unsubscription
    if answers is None:
        return (Notice(VENUE, "error", said),)
    return (Ack(answers, ok=False, message=said),)


def read_plain(frame: bytes) -> Notice | None:
    """Return what a text frame that is no JSON says, None when it is not one of those that MEXC is known to send."""
    said = frame.strip()
    return Notice(VENUE, "error", said.decode()) if said == _INVALID_KEY else None


def announce(handler: BaseMessageHandler, controls: Iterable[Control]) -> None:
    """Give control messages to the handler's callbacks for them."""
    for control in controls:
        if isinstance(control, Ack):
            handler.on_ack(control)
        elif isinstance(control, Pong):
            handler.on_pong(0)
        else:
            handler.on_notice(control)


def _topics(listed: str) -> tuple[str, ...]:
    return tuple(topic for topic in (each.strip() for each in listed.split(",")) if topic)
