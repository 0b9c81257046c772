"""Asking a venue over HTTP: paced, bounded in time and size, repeated where that is safe.

aiohttp is loaded by the first call of a client, not by importing this module: it takes half a second, which listing venues has no use for.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from importlib import import_module
from math import isfinite
from random import random
from time import monotonic, perf_counter_ns, time, time_ns
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from exwire.config import check_url
from exwire.errors import (
    KEPT_FRAME_BYTES,
    ConfigError,
    ConnectError,
    DecodeError,
    ExwireError,
    ProtocolError,
    RateLimitError,
    TransportError,
    UsageError,
    VenueError,
)
from exwire.model import BookSnapshot, Candle, Instrument, Ticker, Trade
from exwire.pacing import TokenBucket
from exwire.wire import UNREADABLE

if TYPE_CHECKING:
    import aiohttp

__all__ = ["EACH_ENDPOINT", "HOST", "BaseRestClient", "QueryValue", "RateLimit", "RetryPolicy", "retry_after_s", "server_now_s"]

_log = logging.getLogger("exwire")

EACH_ENDPOINT: Final = ""
"""Key of ``BaseRestClient.limits``: what every path may do that names no bucket."""

HOST: Final = "*"
"""Key of ``BaseRestClient.limits``: what all requests of a client together may do."""

QueryValue = str | int | bool | None
"""A value of a query. None leaves the name out; True and False are sent in lower case."""

_CONNECTIONS: Final = 16
_LONGEST_PAUSE_S: Final = 3 * 86_400.0
"""The longest ban that a venue documents (MEXC, HTTP 418); a larger number in a header is an error of its sender."""

_TOO_MANY_REQUESTS: Final = 429
_BANNED: Final = 418

T = TypeVar("T")

_DECODERS: dict[object, msgspec.json.Decoder[Any]] = {}


class RateLimit(Struct, frozen=True):
    """What a venue allows: requests of weight ``burst`` at once, then ``rate`` a second. rate 0: no limit is known."""

    rate: float = 0.0
    burst: int = 1


class RetryPolicy(Struct, frozen=True):
    """When a request that changes nothing is repeated, always within its deadline.

    attempts: in all, after network failures and answers 5xx; before each repetition a random time up to ``base_s`` passes, then up to
    twice that and so on, never above ``cap_s`` (full jitter). pause_s: after "too many requests" without a time, how long to be silent.
    """

    attempts: int = 3
    base_s: float = 0.25
    cap_s: float = 2.0
    pause_s: float = 1.0

    def delay(self, failures: int, random: float) -> float:
        """Return the seconds to wait after so many failures. random: from 0 to 1."""
        return random * min(self.cap_s, self.base_s * 2.0 ** (failures - 1))


class BaseRestClient(ABC):
    """One market of one venue over HTTP. Used with ``async with``, or ended by ``close``.

    A venue's class says how it is reached and how fast (the class variables), reads its refusals (``error``) and spells the calls that
    every venue has. Connections are pooled and kept alive; they belong to the event loop of the first call. Proxies named by the
    environment are used for every host but this machine.

    base_url: instead of ``default_url``; timeout_s: of one call altogether: waiting for its turn, every attempt, reading the answer.
    """

    venue: ClassVar[str]
    default_url: ClassVar[str]
    """The venue's own host with the prefix that all its paths have."""

    headers: ClassVar[Mapping[str, str]] = {"Accept": "application/json"}
    """Sent with every request."""

    limits: ClassVar[Mapping[str, RateLimit]] = {}
    """By bucket. ``EACH_ENDPOINT`` and ``HOST`` have the meanings given above; other names are those that calls give as ``bucket``."""

    retry: ClassVar[RetryPolicy] = RetryPolicy()
    max_body_bytes: ClassVar[int] = 64 * 1024 * 1024
    """A longer answer is a ProtocolError; counted after decompression."""

    def __init__(self, *, base_url: str = "", timeout_s: float = 10.0) -> None:
        self.base_url = check_url(base_url or self.default_url).rstrip("/")
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"}:
            raise ConfigError(f"{self.venue}: REST is reached over https://, not {parts.scheme}://")
        if timeout_s <= 0:
            raise ConfigError(f"{self.venue}: timeout_s is more than 0, not {timeout_s}")
        self.timeout_s = timeout_s
        self._shown_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._is_local = parts.scheme == "http"  # check_url lets plain HTTP pass on this machine only
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._lanes: dict[str, _Lane] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; calls under way fail. Idempotent."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @abstractmethod
    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        """Return what a refusal means; never raises, whatever the body is.

        status: 400 or more; body: up to 64 KiB of it; headers: looked up in any case. For 418 and 429 a RateLimitError, with the time that
        the venue's own headers give, or None: ``Retry-After`` is read here.
        """

    @abstractmethod
    async def server_time(self) -> int:
        """Return the venue's clock, ns since the epoch."""

    @abstractmethod
    async def instruments(self) -> list[Instrument]:
        """Return everything listed, tradable now or not."""

    @abstractmethod
    async def book_snapshot(self, symbol: str, depth: int) -> BookSnapshot:
        """Return the best ``depth`` levels of each side, fresh enough to start a book from. Raises ConfigError for a depth beyond that."""

    @abstractmethod
    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        """Return the latest trades, at most ``limit``, oldest first as a stream would have brought them."""

    @abstractmethod
    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        """Return the 24-hour statistics of one symbol, or of all. ``ts_event`` is ``ts_recv`` where the venue gives no time."""

    @abstractmethod
    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        """Return the latest candles, at most ``limit``, oldest first; the last one may still be open.

        ``ts_event`` is ``ts_recv`` where the venue gives no time. Raises UnknownNameError for an interval that the venue does not serve.
        """

    async def ping(self) -> int:
        """Return how long one round trip takes, ns; the first one of a client includes opening a connection."""
        began = perf_counter_ns()
        await self.server_time()
        return perf_counter_ns() - began

    async def get(self, path: str, type_: type[T], params: Mapping[str, QueryValue] = {}, *, weight: int = 1, bucket: str = "") -> T:
        """Return the decoded answer to a GET request, which is repeated when the network or the venue fails.

        path: from its slash, after ``base_url``; type_: what the body has to be; weight: what the request costs; bucket: the limit it
        counts against, by default one of the path's own (a path that contains ids has to name one).

        Raises RateLimitError (also, before anything is sent, when its turn would come after the deadline), VenueError, DecodeError,
        ProtocolError, ConnectError when no connection could be made, otherwise TransportError when no whole answer came in time.
        """
        value, _ = await self.get_stamped(path, type_, params, weight=weight, bucket=bucket)
        return value

    async def get_stamped(
        self, path: str, type_: type[T], params: Mapping[str, QueryValue] = {}, *, weight: int = 1, bucket: str = ""
    ) -> tuple[T, int]:
        """Return what ``get`` does and when its last byte arrived, ns since the epoch: the ``ts_recv`` of events made of it."""
        text = query(params)
        call = _Call(
            shown=f"GET {self._shown_url}{path}",
            url=f"{self.base_url}{path}?{text}" if text else self.base_url + path,
            lanes=(
                self._lane(bucket or path, self.limits[bucket] if bucket else self.limits.get(EACH_ENDPOINT)),
                self._lane(HOST, self.limits.get(HOST)),
            ),
            weight=weight,
            deadline=monotonic() + self.timeout_s,
        )
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await self._attempt(call)
        except TimeoutError:
            before = f"; before that: {call.failure}" if call.failure else ""
            raise TransportError(f"{call.shown}: no answer within {self.timeout_s:g} s{before}") from call.failure
        try:
            value: T = _decoder(type_).decode(answer.body)
        except UNREADABLE as exc:
            raise DecodeError(self.venue, f"{call.shown}: {exc}", answer.body) from exc
        return value, answer.ts_recv

    def readable(self, rows: Sequence[msgspec.Raw], what: str, read: Callable[[msgspec.Raw], T]) -> list[T]:
        """Return what ``read`` makes of each row of an answer.

        A row that it refuses is left out and logged: one odd pair must not hide thousands. Raises DecodeError when it refuses all. what:
        the rows' name in both messages, in the plural.
        """
        good: list[T] = []
        bad: list[tuple[msgspec.Raw, Exception]] = []
        for row in rows:
            try:
                good.append(read(row))
            except (*UNREADABLE, DecodeError) as exc:
                bad.append((row, exc))
        if bad:
            row, cause = bad[0]
            if not good:
                raise DecodeError(self.venue, f"none of the {len(rows)} {what} can be read: {cause}", bytes(row)) from cause
            _log.warning("%s: left out %d of %d %s that cannot be read, the first: %s", self.venue, len(bad), len(rows), what, cause)
        return good

    def require(self, name: str, value: int, most: int) -> None:
        """Raise ConfigError unless an argument is from 1 to ``most``."""
        if not 1 <= value <= most:
            raise ConfigError(f"{self.venue}: {name} is from 1 to {most}, not {value}")

    async def _attempt(self, call: _Call) -> _Answer:
        failures = 0
        limited = False
        while True:
            await self._take_turn(call)
            try:
                answer = await self._exchange(call)
            except TransportError as exc:
                call.failure, asked_s = exc, 0.0
            else:
                if answer.status < 300:
                    return answer
                call.failure = error = self._refusal(call, answer)
                asked_s = retry_after_s(answer.headers) or 0.0
                if isinstance(error, RateLimitError):
                    if limited or not self._pause(call, answer.status, error):
                        raise error
                    limited = True
                    continue
                if answer.status < 500:
                    raise error
            failures += 1
            delay = max(asked_s, self.retry.delay(failures, random()))  # noqa: S311 - jitter, not a secret
            if failures >= self.retry.attempts or monotonic() + delay >= call.deadline:
                raise call.failure
            _log.debug("%s; again in %.3f s", call.failure, delay)
            await asyncio.sleep(delay)

    async def _take_turn(self, call: _Call) -> None:
        while True:
            now = monotonic()
            wait = max(lane.bucket.delay(now, call.weight) for lane in call.lanes)
            if now + wait >= call.deadline:
                if call.failure is not None:
                    raise call.failure
                reason = f"{call.shown}: not sent, its turn comes in {wait:.1f} s and the deadline is {self.timeout_s:g} s"
                raise RateLimitError(self.venue, "", reason, retry_after_s=wait)
            for lane in call.lanes:
                lane.bucket.take(now + wait, call.weight)  # both at the moment of acting, so that neither sees a crowd later
            pauses = [lane.pauses for lane in call.lanes]
            if wait:
                await asyncio.sleep(wait)
            if pauses == [lane.pauses for lane in call.lanes]:
                return
            # the venue asked for silence meanwhile, which came after this reservation: queue again

    def _pause(self, call: _Call, status: int, error: RateLimitError) -> bool:
        """Keep silent as the venue asked, everywhere after a ban; return whether the call can still be made before its deadline."""
        pause = self.retry.pause_s if error.retry_after_s is None else error.retry_after_s
        now = monotonic()
        for lane in call.lanes if status == _BANNED else call.lanes[:1]:
            lane.bucket.pause(now, pause)
            lane.pauses += 1
        return now + pause < call.deadline

    def _refusal(self, call: _Call, answer: _Answer) -> VenueError | ProtocolError:
        if answer.status < 400:
            return ProtocolError(f"{call.shown}: answered {answer.status}, a redirect; redirects are not followed")
        error = self.error(answer.status, answer.body[:KEPT_FRAME_BYTES], answer.headers)
        if not isinstance(error, RateLimitError):
            if answer.status not in (_BANNED, _TOO_MANY_REQUESTS):
                return error
            error = RateLimitError(self.venue, error.code, error.message, status=answer.status)
        if error.retry_after_s is None:
            error.retry_after_s = retry_after_s(answer.headers)
        return error

    async def _exchange(self, call: _Call) -> _Answer:
        session = await self._open()
        import aiohttp  # noqa: PLC0415 - see the docstring of the module
        from yarl import URL  # noqa: PLC0415

        failure: TransportError
        try:
            async with session.get(URL(call.url, encoded=True), allow_redirects=False) as response:
                body = await self._read(call, response)
                return _Answer(status=response.status, headers=response.headers, body=body, ts_recv=time_ns())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as exc:
            failure = ConnectError(self._shown_url, _told(exc), status=getattr(exc, "status", 0))
        except (aiohttp.ClientError, OSError) as exc:
            failure = TransportError(f"{call.shown}: {_told(exc)}")
        # not `from exc`, and not inside `except`: the text of some of aiohttp's exceptions is the whole URL, query included
        raise failure

    async def _read(self, call: _Call, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self.max_body_bytes:
                response.close()
                raise ProtocolError(f"{call.shown}: answered more than {self.max_body_bytes} bytes")
        return bytes(body)

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is None and not self._closed:
            await asyncio.to_thread(import_module, "aiohttp")  # the loop may be serving a feed
        if self._closed:
            raise UsageError(f"{self.venue}: this REST client is closed")
        if self._session is None:
            import aiohttp  # noqa: PLC0415 - see the docstring of the module

            silence_s = self.timeout_s / self.retry.attempts
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self.headers,
                # an attempt ends after its share of the deadline without a byte, so that there is time for another
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=silence_s, sock_read=silence_s),
                trust_env=not self._is_local,
            )
        return self._session

    def _lane(self, name: str, limit: RateLimit | None) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            limit = limit or RateLimit()
            lane = self._lanes[name] = _Lane(TokenBucket(limit.rate, limit.burst))
        return lane


class _Lane:
    """One bucket. pauses: how often the venue closed it."""

    __slots__ = ("bucket", "pauses")

    def __init__(self, bucket: TokenBucket) -> None:
        self.bucket = bucket
        self.pauses = 0


class _Call(Struct):
    """One call under way. shown: its words for messages, without the query; lanes: the narrowest first; failure: of the last attempt."""

    shown: str
    url: str
    lanes: Sequence[Any]
    weight: int
    deadline: float
    failure: ExwireError | None = None


class _Answer(Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes
    ts_recv: int


def query(params: Mapping[str, QueryValue]) -> str:
    """Return the query string of a request, exactly as it is sent (and, where a venue wants that, signed)."""
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items() if value is not None}
    return urlencode(given, quote_via=quote, safe=",")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, given as a number or a date; None when it is absent or unreadable."""
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        then_s = _date_s(text)
        if then_s is None:
            return None
        seconds = then_s - server_now_s(headers)
    return min(max(seconds, 0.0), _LONGEST_PAUSE_S) if isfinite(seconds) else None


def server_now_s(headers: Mapping[str, str]) -> float:
    """Return the sender's clock, s since the epoch, by its ``Date``; ours when it gives none. To compare with its other times."""
    then_s = _date_s(headers.get("Date", ""))
    return time() if then_s is None else then_s


def _date_s(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(type_)
    if decoder is None:
        decoder = _DECODERS[type_] = msgspec.json.Decoder(type_, strict=False)
    return decoder


def _told(exc: Exception) -> str:
    """Return what an exception of aiohttp or the system says, without any part of our URL."""
    import aiohttp  # noqa: PLC0415 - see the docstring of the module

    if isinstance(exc, aiohttp.ClientResponseError):
        return f"{exc.status} {exc.message}"
    if isinstance(exc, (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.SocketTimeoutError, aiohttp.ClientPayloadError)):
        return str(exc)
    return type(exc).__name__
