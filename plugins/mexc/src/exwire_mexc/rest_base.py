"""What MEXC's REST is on every market: its host, its pace, its refusals.

Source: MEXC API, "Limits", "Error Code", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from exwire.errors import AuthError, RateLimitError, VenueError
from exwire.rest import EACH_ENDPOINT, BaseRestClient, RateLimit
from exwire.wire import UNREADABLE
from exwire_mexc.names import VENUE

__all__ = ["MexcRest"]

_SHOWN: Final = 200

_AUTH: Final = frozenset(
    {
        "401",  # no authority
        "403",  # access denied
        "602",  # signature verification failed
        "10001",  # user does not exist
        "10072",  # invalid access key
        "70011",  # pair banned for this key
        "700001",  # key format
        "700002",  # signature not valid, also for a wrong secret or an expired key
        "700006",  # address not in the key's list
        "700007",  # the key has no permission for the endpoint
    }
)
"""Codes about the key and what it may do. 700003 is not among them: the clock is wrong, the key may be good."""

_NO_KEY: Final = "400"
"""Says "api key required", and all sorts of other things about a request."""

_TOO_MANY: Final = "429"


class ErrorBody(Struct):
    """``{"code":-1121,"msg":"Invalid symbol."}``; a few have ``_extend`` besides, and some texts are Chinese."""

    code: int | str = ""
    msg: str | None = None


_decode_error: Final = msgspec.json.Decoder(ErrorBody).decode


class MexcRest(BaseRestClient):
    """MEXC over HTTP; a market adds its calls. Paths begin with ``/api/v3`` on spot, contracts have others on the same host."""

    venue: ClassVar[str] = VENUE
    default_url: ClassVar[str] = "https://api.mexc.com"

    # A weight of 500 in 10 s, for each endpoint and address. 100 at once and 20 a second stay below that wherever its windows begin; the
    # 20 are what MEXC's support has told other clients' authors.
    limits: ClassVar[Mapping[str, RateLimit]] = {EACH_ENDPOINT: RateLimit(rate=20.0, burst=100)}

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        """Return the refusal by its code; what stands before MEXC has none, and 403 is how its firewall limits an address."""
        try:
            told = _decode_error(body)
        except UNREADABLE:
            told = ErrorBody(msg=body[:_SHOWN].decode(errors="replace"))
        code, message = str(told.code), told.msg or ""
        if status in (418, 429) or code == _TOO_MANY or (status == 403 and not code):
            return RateLimitError(VENUE, code, message, status=status)
        if code in _AUTH or (code == _NO_KEY and "api key" in message.casefold()) or (status == 401 and not code):
            return AuthError(VENUE, code, message, status=status)
        return VenueError(VENUE, code, message, status=status)
