"""What Gate.io's REST is on every market: its host, its pace, its refusals.

Source: Gate.io API v4, "Rate limit", "Error handling", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from exwire.errors import AuthError, RateLimitError, VenueError
from exwire.rest import EACH_ENDPOINT, BaseRestClient, RateLimit, server_now_s
from exwire.wire import UNREADABLE
from exwire_gateio.names import VENUE

__all__ = ["GateioRest"]

_SHOWN: Final = 200
_LONGEST_RESET_S: Final = 86_400.0

_AUTH: Final = frozenset(
    {
        "FORBIDDEN",
        "INVALID_CREDENTIALS",
        "INVALID_KEY",
        "INVALID_SIGNATURE",
        "IP_FORBIDDEN",
        "MISSING_REQUIRED_HEADER",
        "READ_ONLY",
    }
)
"""Labels about the key and what it may do. ``REQUEST_EXPIRED`` is not among them: the clock is wrong, the key may be good."""

_RATE: Final = frozenset({"TOO_FAST", "TOO_MANY_REQUESTS"})


class ErrorBody(Struct):
    """``{"label":"INVALID_PARAM_VALUE","message":"Invalid request parameter `limit` value: 1001"}``.

    ``detail`` stands in for ``message`` on futures; both may be absent: ``{"label":"CONTRACT_NOT_FOUND"}``.
    """

    label: str = ""
    message: str | None = None
    detail: str | None = None


_decode_error: Final = msgspec.json.Decoder(ErrorBody).decode


class GateioRest(BaseRestClient):
    """Gate.io over HTTP; a market adds its calls."""

    venue: ClassVar[str] = VENUE
    default_url: ClassVar[str] = "https://api.gateio.ws/api/v4"

    # 200 requests in 10 s, for each endpoint and address: 50 at once and 15 a second never exceed that, wherever its windows begin.
    limits: ClassVar[Mapping[str, RateLimit]] = {EACH_ENDPOINT: RateLimit(rate=15.0, burst=50)}

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        """Return the refusal by its label; what Gate's proxies answer has none, and the status decides."""
        try:
            told = _decode_error(body)
        except UNREADABLE:
            told = ErrorBody(message=body[:_SHOWN].decode(errors="replace"))
        message = told.message or told.detail or ""
        if told.label in _RATE or status in (418, 429):
            return RateLimitError(VENUE, told.label, message, status=status, retry_after_s=_until_reset_s(headers))
        if told.label in _AUTH or (status == 401 and not told.label):
            return AuthError(VENUE, told.label, message, status=status)
        return VenueError(VENUE, told.label, message, status=status)


def _until_reset_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until Gate's limit starts afresh. The header is there when nothing is limited too, and says "now"."""
    try:
        seconds = int(headers.get("X-Gate-RateLimit-Reset-Timestamp", "")) - server_now_s(headers)
    except ValueError:
        return None
    return seconds if 0 < seconds <= _LONGEST_RESET_S else None
