"""What MEXC spot says around the data: answers to requests, pongs, complaints. Pure.

Source: MEXC spot v3 WebSocket, "Subscribe", "PING/PONG", read 2026-11; refusals as captured.
"""

from __future__ import annotations

import re
from typing import Final

from exwire.lifecycle import Notice
from exwire.subscription import Ack, Pong
from exwire_mexc.names import VENUE

__all__ = ["Control", "read_answer", "read_plain"]

_INVALID_KEY: Final = b"Invalid listen key"

_READ: Final = 65_536
"""Characters of an answer that are read; thirty topics are 2,000."""
_SHOWN: Final = 300
"""Characters of the venue's words that reach an error."""
_REFUSED: Final = "Not Subscribed successfully!"
_LISTED: Final = re.compile(r"(Not )?Subscribed success\w*! *\[([^\[\]]*)\]")
"""A list holds no bracket, or else reading one that never ends would take the square of its length."""
_REASON: Final = re.compile(r"Reason *[:：](.*)", re.DOTALL)
"""The colon is the full-width one. ``Blocked!`` is the reason seen: there is no such topic."""


Control = Ack | Pong | Notice


def read_answer(id: int | None, msg: str) -> tuple[Control, ...]:
    """Return what an answer says, one ack for the topics that it accepts and one for those that it refuses.

    Its ``code`` is 0 for refusals too, so only ``msg`` decides; an id of 0 answers a request without one.

    {"id":7,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT,spot@public.aggre.deals.v3.api.pb@100ms@ETHUSDT"}
    {"id":7,"code":0,"msg":"Subscribed successful! [topic,topic]. Not Subscribed successfully! [topic].  Reason： Blocked! "}
    {"id":0,"code":0,"msg":"PONG"}
    """
    answers = id or None
    said = msg[:_READ].strip()
    if said.upper() == "PONG":
        return (Pong(),)
    lists = _LISTED.findall(said)
    if lists:
        reason = _REASON.search(said)
        code = reason[1].strip()[:_SHOWN] if reason else ""
        refused = [Ack(answers, ok=False, topics=_topics(listed), code=code, message=_REFUSED) for no, listed in lists if no]
        return (*(Ack(answers, ok=True, topics=names) for no, listed in lists if not no and (names := _topics(listed))), *refused)
    topics = _topics(said)
    if all(topic.startswith("spot@") for topic in topics):
        return (Ack(answers, ok=True, topics=topics, leaving=not topics),)  # without a word only an unsubscription is confirmed
    if answers is None:
        return (Notice(VENUE, "error", said[:_SHOWN]),)
    return (Ack(answers, ok=False, message=said[:_SHOWN]),)


def read_plain(frame: bytes) -> Notice | None:
    """Return what a text frame that is no JSON says, None when it is not one of those that MEXC is known to send."""
    said = frame.strip()
    return Notice(VENUE, "error", said.decode()) if said == _INVALID_KEY else None


def _topics(listed: str) -> tuple[str, ...]:
    return tuple(topic for topic in (each.strip() for each in listed.split(",")) if topic)
