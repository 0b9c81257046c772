"""Asking over HTTP: what is repeated and what is not, how fast, how much is read, and what an error says and hides."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Annotated, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from exwire.errors import (
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
from exwire.rest import EACH_ENDPOINT, HOST, BaseRestClient, RateLimit, RetryPolicy, query, retry_after_s, server_now_s
from http_site import Answer, Site, aborts, answers, endless, falls_silent, open_site, truncates


class Number(Struct):
    """``{"n":"1.5"}``."""

    n: Annotated[float, Meta(ge=0, le=1e300)]


class Refusal(Struct):
    """``{"code":7,"msg":"no"}``."""

    code: int = 0
    msg: str = ""


class Shop(BaseRestClient):
    """A venue that exists here only."""

    venue: ClassVar[str] = "shop"
    default_url: ClassVar[str] = "https://shop.invalid/api"
    retry: ClassVar[RetryPolicy] = RetryPolicy(base_s=0.001, cap_s=0.002, pause_s=0.01)

    def error(self, status: int, body: bytes, headers: Mapping[str, str]) -> VenueError:
        try:
            refusal = msgspec.json.decode(body, type=Refusal)
        except ValueError:
            refusal = Refusal()
        return VenueError(self.venue, str(refusal.code), refusal.msg, status=status)

    async def server_time(self) -> int:
        return int((await self.get("/time", Number)).n)

    async def instruments(self) -> list[Instrument]:
        return []

    async def book_snapshot(self, symbol: str, depth: int) -> BookSnapshot:
        raise ConfigError(f"the shop has no book of {symbol}, of {depth} levels or of any")

    async def trades(self, symbol: str, limit: int = 100) -> list[Trade]:
        return []

    async def tickers(self, symbol: str | None = None) -> list[Ticker]:
        return []

    async def candles(self, symbol: str, interval: str, *, limit: int = 100) -> list[Candle]:
        return []


class SmallShop(Shop):
    """Reads no more than 1000 bytes."""

    max_body_bytes: ClassVar[int] = 1000


class SlowShop(Shop):
    """Sells one thing at a time: practically never a second one on a path of its own, one a second in the queue."""

    limits: ClassVar[Mapping[str, RateLimit]] = {EACH_ENDPOINT: RateLimit(0.001), "queue": RateLimit(1.0)}


class CrowdedShop(Shop):
    """Lets two in at once over all paths together, then one every 20 ms."""

    limits: ClassVar[Mapping[str, RateLimit]] = {HOST: RateLimit(50.0, 2)}


SECRET = "TOPSECRET"
SIGNED = {"signature": SECRET}


def everything_said(error: BaseException | None) -> str:
    """Return the traceback and the text of every exception behind it, hidden ones too."""
    said = traceback.format_exception(error)
    while error is not None:
        said += [repr(error), str(error)]
        error = error.__cause__ or error.__context__
    return "".join(said)


OK = answers(b'{"n":"1.5"}')


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def shop(site: Site) -> AsyncIterator[Shop]:
    async with Shop(base_url=site.url) as client:
        yield client


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    return port


async def test_an_answer_is_decoded_to_the_type_asked_for(site: Site, shop: Shop) -> None:
    """Numbers in text become floats in the decoder."""
    site.answers = [OK]

    assert await shop.get("/number", Number) == Number(1.5)
    assert site.paths == ["/number"]
    assert site.requests[0].headers["Accept"] == "application/json"


async def test_the_stamp_is_taken_when_the_answer_has_arrived(site: Site, shop: Shop) -> None:
    """It lies between asking and having, on the clock of the events."""
    site.answers = [OK]
    _, first = await shop.get_stamped("/number", Number)
    _, second = await shop.get_stamped("/number", Number)

    assert 1_600_000_000 * 10**9 < first <= second


def read_number(row: msgspec.Raw) -> float:
    return msgspec.json.decode(row, type=Number, strict=False).n


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """It is left out, and the log says so."""
    rows = [msgspec.Raw(row) for row in (b'{"n":1}', b"{", b'{"n":"NaN"}', b'{"n":2}')]
    with caplog.at_level(logging.WARNING):
        numbers = shop.readable(rows, "numbers", read_number)

    assert numbers == [1.0, 2.0]
    assert "shop: left out 2 of 4 numbers" in caplog.text


async def test_rows_of_which_nothing_can_be_read_are_an_error(shop: Shop) -> None:
    """An empty list would hide that the venue speaks another language now; none at all are no error."""
    with pytest.raises(DecodeError, match="none of the 1 numbers can be read") as caught:
        shop.readable([msgspec.Raw(b'{"m":1}')], "numbers", read_number)

    assert caught.value.frame == b'{"m":1}'
    assert shop.readable([], "numbers", read_number) == []


async def test_an_argument_out_of_its_range_is_a_config_error(shop: Shop) -> None:
    shop.require("limit", 1, 10)
    shop.require("limit", 10, 10)
    for value in (0, -1, 11):
        with pytest.raises(ConfigError, match=f"shop: limit is from 1 to 10, not {value}"):
            shop.require("limit", value, 10)


async def test_connections_are_kept_for_the_next_call(site: Site, shop: Shop) -> None:
    """A handshake for each call would cost more than the call."""
    site.answers = [OK]
    for _ in range(3):
        await shop.get("/number", Number)

    peers = {request.transport.get_extra_info("peername") for request in site.requests if request.transport}
    assert len(peers) == 1


async def test_a_path_goes_behind_the_prefix_of_the_venue(site: Site) -> None:
    """A base URL may end in a slash or not."""
    async with Shop(base_url=f"{site.url}/api/v4/") as client:
        await client.get("/spot/time", dict[str, int])

    assert site.paths == ["/api/v4/spot/time"]


async def test_parameters_travel_encoded_and_none_stays_at_home(site: Site, shop: Shop) -> None:
    """Commas stay as they are: lists of pairs are wanted so."""
    params = {"a": None, "b": True, "c": "x y&z=/币,1", "d": 5}
    await shop.get("/p", dict[str, int], params)

    assert site.requests[0].rel_url.raw_query_string == "b=true&c=x%20y%26z%3D%2F%E5%B8%81,1&d=5"
    assert site.requests[0].rel_url.raw_query_string == query(params)
    assert dict(site.requests[0].query) == {"b": "true", "c": "x y&z=/币,1", "d": "5"}


@pytest.mark.parametrize("failure", [aborts, truncates, answers(b"<html>busy</html>", 502), answers(b'{"code":1}', 503)])
async def test_a_failure_of_the_network_or_the_venue_is_asked_again(site: Site, shop: Shop, failure: Answer) -> None:
    """Asking changes nothing, so asking twice is harmless."""
    site.answers = [failure, failure, OK]

    assert await shop.get("/number", Number) == Number(1.5)
    assert len(site.requests) == 3


async def test_the_third_failure_is_told(site: Site, shop: Shop) -> None:
    """In the venue's own words where it had some."""
    site.answers = [answers(b'{"code":7,"msg":"tired"}', 500)]

    with pytest.raises(VenueError, match=r"shop refused with 7 \(HTTP 500\): tired"):
        await shop.get("/number", Number)
    assert len(site.requests) == 3


@pytest.mark.parametrize("failure", [aborts, truncates])
async def test_a_lost_connection_is_a_transport_error_and_no_connect_error(site: Site, shop: Shop, failure: Answer) -> None:
    """The request had been sent: for an order that difference decides whether its outcome is known."""
    site.answers = [failure]

    with pytest.raises(TransportError, match=r"GET http://127\.0\.0\.1:.*/number") as caught:
        await shop.get("/number", Number)
    assert not isinstance(caught.value, ConnectError)


async def test_nobody_listening_is_a_connect_error(closed_port: int) -> None:
    """Nothing was sent. The user of the URL is not shown."""
    async with Shop(base_url=f"http://me:hidden@127.0.0.1:{closed_port}/api") as client:
        with pytest.raises(ConnectError) as caught:
            await client.get("/number", Number)

    assert caught.value.url == f"http://127.0.0.1:{closed_port}/api"
    assert "hidden" not in str(caught.value)


async def test_the_deadline_covers_a_venue_that_falls_silent(site: Site) -> None:
    """Every attempt together: the caller set one time, not three."""
    site.answers = [falls_silent(site)]
    async with Shop(base_url=site.url, timeout_s=0.3) as client:
        with pytest.raises(TransportError):
            await client.get("/number", Number)


async def test_a_silent_attempt_leaves_time_for_another(site: Site) -> None:
    """It ends after a third of the deadline without a byte."""
    site.answers = [falls_silent(site), OK]
    async with Shop(base_url=site.url, timeout_s=3.0) as client:
        assert await client.get("/number", Number) == Number(1.5)


async def test_a_refusal_is_not_asked_again(site: Site, shop: Shop) -> None:
    """The same question gets the same answer."""
    site.answers = [answers(b'{"code":2,"msg":"unknown pair"}', 400), OK]

    with pytest.raises(VenueError, match="unknown pair") as caught:
        await shop.get("/number", Number)
    assert (caught.value.code, caught.value.status) == ("2", 400)
    assert len(site.requests) == 1


async def test_too_many_requests_is_asked_again_once_after_the_pause(site: Site, shop: Shop) -> None:
    """The venue did not say for how long, the policy does."""
    site.answers = [answers(b'{"code":9}', 429), OK]

    assert await shop.get("/number", Number) == Number(1.5)
    assert len(site.requests) == 2


async def test_the_pause_is_as_long_as_the_venue_asked(site: Site, shop: Shop) -> None:
    """Not sooner. (Later is allowed to a busy machine.)"""
    arrived = []

    async def limited(request):  # type: ignore[no-untyped-def]  # an Answer
        arrived.append(monotonic())
        return await (answers(b"", 429, Retry_After="0.2") if len(arrived) == 1 else OK)(request)

    site.answers = [limited]
    await shop.get("/number", Number)

    assert arrived[1] - arrived[0] >= 0.2


async def test_a_second_too_many_requests_is_told(site: Site, shop: Shop) -> None:
    """Whoever is told twice to slow down does not insist."""
    site.answers = [answers(b'{"code":9,"msg":"slower"}', 429)]

    with pytest.raises(RateLimitError, match="slower") as caught:
        await shop.get("/number", Number)
    assert caught.value.retry_after_s is None
    assert len(site.requests) == 2


async def test_a_pause_beyond_the_deadline_is_told_and_kept_by_everybody_on_that_endpoint(site: Site, shop: Shop) -> None:
    """Asking during the pause would make it longer; other endpoints have their own count."""
    site.answers = [answers(b"", 429, Retry_After="30"), OK]
    with pytest.raises(RateLimitError) as told:
        await shop.get("/number", Number)
    with pytest.raises(RateLimitError, match="not sent") as kept:
        await shop.get("/number", Number)
    await shop.get("/other", Number)

    assert told.value.retry_after_s == 30.0
    assert kept.value.retry_after_s is not None
    assert 0 < kept.value.retry_after_s <= 30.0
    assert site.paths == ["/number", "/other"]


async def test_a_ban_silences_the_whole_client(site: Site, shop: Shop) -> None:
    """418 is for the address, whatever is asked for."""
    site.answers = [answers(b"", 418, Retry_After="120"), OK]
    with pytest.raises(RateLimitError):
        await shop.get("/number", Number)
    with pytest.raises(RateLimitError, match="not sent"):
        await shop.get("/other", Number)

    assert site.paths == ["/number"]


async def test_a_pause_holds_for_those_who_already_queue(site: Site) -> None:
    """Their turn was promised before the venue asked for silence."""
    site.answers = [answers(b"{}")]
    async with SlowShop(base_url=site.url, timeout_s=5.0) as client:
        await client.get("/first", dict[str, int])
        site.answers = [answers(b"", 429, Retry_After="30"), OK]
        outcomes = await asyncio.gather(
            client.get("/a", Number, bucket="queue"), client.get("/b", Number, bucket="queue"), return_exceptions=True
        )

    assert [type(each) for each in outcomes] == [RateLimitError, RateLimitError]
    assert site.paths == ["/first", "/a"]


async def test_a_call_whose_turn_comes_after_the_deadline_is_not_sent(site: Site) -> None:
    """Nor does it take the place of another: refused calls do not make the queue longer."""
    site.answers = [OK]
    async with SlowShop(base_url=site.url) as client:
        await client.get("/number", Number)
        waits = []
        for _ in range(3):
            with pytest.raises(RateLimitError, match="not sent") as caught:
                await client.get("/number", Number)
            waits.append(caught.value.retry_after_s or 0.0)

    assert 1000.0 >= waits[0] >= waits[1] >= waits[2]
    assert len(site.requests) == 1


async def test_calls_are_spread_over_time_by_the_limit_of_the_host(site: Site) -> None:
    """Two at once, three more 20 ms apart, over all paths."""
    site.answers = [OK]
    async with CrowdedShop(base_url=site.url) as client:
        began = monotonic()
        await asyncio.gather(*(client.get(f"/{n}", Number) for n in range(5)))

        assert monotonic() - began >= 0.06
    assert len(site.requests) == 5


async def test_a_venue_that_asks_for_time_after_a_failure_gets_it(site: Site, shop: Shop) -> None:
    """Half a minute is more than the deadline, so the failure is told at once."""
    site.answers = [answers(b"", 503, Retry_After="30"), OK]

    with pytest.raises(VenueError) as caught:
        await shop.get("/number", Number)
    assert caught.value.status == 503
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>maintenance</html>",
        b'{"n":"1.5"',
        b'{"n":"NaN"}',
        b'{"n":"Infinity"}',
        b'{"n":[]}',
        b"[1]",
        b'{"n":"\xff"}',
        b"[" * 9999,
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_decode_error_with_its_bytes(site: Site, shop: Shop, body: bytes) -> None:
    """And is not asked for again: the venue has answered."""
    site.answers = [answers(body)]

    with pytest.raises(DecodeError, match="GET http") as caught:
        await shop.get("/number", Number)
    assert caught.value.frame == body
    assert len(site.requests) == 1


async def test_deep_nesting_is_a_decode_error(site: Site, shop: Shop) -> None:
    """Not the end of the program."""
    site.answers = [answers(b'{"n":' * 100_000)]

    with pytest.raises(DecodeError):
        await shop.get("/number", dict[str, object])


async def test_a_giant_answer_is_left_unread(site: Site) -> None:
    """An endless one too: memory is ours to keep."""
    site.answers = [endless]
    async with SmallShop(base_url=site.url) as client:
        with pytest.raises(ProtocolError, match="more than 1000 bytes"):
            await client.get("/number", Number)


async def test_a_redirect_is_not_followed(site: Site, shop: Shop) -> None:
    """It could lead away from the host that was checked, with a signature in the query."""
    site.answers = [answers(b"", 302, Location="/elsewhere"), OK]

    with pytest.raises(ProtocolError, match="302"):
        await shop.get("/number", Number)
    assert site.paths == ["/number"]


FAILURES = {
    "aborts": aborts,
    "truncates": truncates,
    "refusal": answers(b'{"code":2,"msg":"no"}', 400),
    "redirect": answers(b"", 307, Location="/x?" + SECRET),
    "limited": answers(b"", 429, Retry_After="30"),
    "unreadable": answers(b"?"),
    "bad compression": answers(b"?", Content_Encoding="gzip"),
    "endless": endless,
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_error_and_no_log_line_shows_the_query(site: Site, failure: str, caplog: pytest.LogCaptureFixture) -> None:
    """Some venues sign there. Exceptions of aiohttp carry the whole URL, so they are not chained."""
    site.answers = [FAILURES[failure]]
    with caplog.at_level(logging.DEBUG):
        async with SmallShop(base_url=site.url) as client:
            with pytest.raises(ExwireError) as caught:
                await client.get("/number", Number, SIGNED)

    assert SECRET not in everything_said(caught.value)
    assert SECRET not in caplog.text


async def test_no_error_shows_the_query_when_nothing_answers(site: Site, closed_port: int) -> None:
    """Neither without a connection nor after a time-out."""
    site.answers = [falls_silent(site)]
    for url in (site.url, f"http://127.0.0.1:{closed_port}"):
        async with Shop(base_url=url, timeout_s=0.3) as client:
            with pytest.raises(TransportError) as caught:
                await client.get("/number", Number, SIGNED)

        assert SECRET not in everything_said(caught.value)


async def test_a_connection_that_is_never_accepted_is_a_connect_error_without_the_query() -> None:
    """A full listener drops what comes: the text of aiohttp's own exception is then the whole URL."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with Shop(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.6) as client:
            with pytest.raises(TransportError) as caught:
                await client.get("/number", Number, SIGNED)

    assert any(isinstance(each, ConnectError) for each in (caught.value, caught.value.__cause__))
    assert SECRET not in everything_said(caught.value)


async def test_answers_that_are_no_http_are_transport_errors_without_the_query() -> None:
    """Something else listens on that port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-nonsense\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Shop(base_url=f"http://127.0.0.1:{port}") as client:
        with pytest.raises(TransportError) as caught:
            await client.get("/number", Number, SIGNED)

    assert SECRET not in everything_said(caught.value)


async def test_a_proxy_of_the_environment_is_asked_for_other_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Desks sit behind one. What it refuses was never sent."""
    asked = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    async with proxy, Shop() as client:
        with pytest.raises(ConnectError) as caught:
            await client.get("/number", Number)

    assert caught.value.status == 403
    assert set(asked) == {b"CONNECT shop.invalid:443 HTTP/1.1"}


async def test_this_machine_is_reached_without_a_proxy(site: Site, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange in a box is here, not behind the proxy."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    site.answers = [OK]
    async with Shop(base_url=site.url) as client:
        assert await client.get("/number", Number) == Number(1.5)


async def test_ping_is_a_round_trip(site: Site, shop: Shop) -> None:
    """In ns, of the call that costs the venue least."""
    site.answers = [OK]

    assert await shop.ping() > 0
    assert site.paths == ["/time"]


async def test_a_closed_client_says_so(site: Site) -> None:
    """Closing twice is closing; a client that was never used has nothing to close."""
    client = Shop(base_url=site.url)
    await client.close()
    await client.close()

    with pytest.raises(UsageError, match="closed"):
        await client.get("/number", Number)


async def test_closing_ends_a_call_under_way(site: Site) -> None:
    """It fails like any other, and does not wait for its deadline."""
    site.answers = [falls_silent(site)]
    client = Shop(base_url=site.url, timeout_s=60.0)
    task = asyncio.create_task(client.get("/number", Number))
    await site.arrived.wait()
    await client.close()

    async with asyncio.timeout(10):
        with pytest.raises(ExwireError):
            await task


async def test_a_cancelled_call_is_cancelled(site: Site, shop: Shop) -> None:
    """Its deadline does not turn that into an error."""
    site.answers = [falls_silent(site)]
    task = asyncio.create_task(shop.get("/number", Number))
    await site.arrived.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("url", ["http://example.org", "ftp://example.org", "ws://127.0.0.1:1", "http://127.0.0.1:99999", "nonsense"])
def test_a_url_that_cannot_be_used_is_refused_before_anything_is_sent(url: str) -> None:
    """TLS has no off switch, and a WebSocket is no REST."""
    with pytest.raises(ConfigError):
        Shop(base_url=url)


def test_a_client_without_time_is_refused() -> None:
    """Zero is no way to say "for ever"."""
    with pytest.raises(ConfigError, match="timeout_s"):
        Shop(timeout_s=0)


def test_the_venue_knows_its_own_host() -> None:
    """Endpoints replace it."""
    assert Shop().base_url == "https://shop.invalid/api"


def test_jitter_is_full_and_capped() -> None:
    """From nothing to the ceiling, which doubles until it stands."""
    policy = RetryPolicy(base_s=0.5, cap_s=1.5)

    assert policy.delay(1, 0.0) == 0.0
    assert [policy.delay(failures, 1.0) for failures in (1, 2, 3, 9)] == [0.5, 1.0, 1.5, 1.5]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "-7"}, 0.0),
        ({"Retry-After": "1e99"}, 259_200.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
    ],
)
def test_retry_after_is_read_in_both_its_forms(headers: dict[str, str], expected: float | None) -> None:
    """A date is compared with the sender's clock, not with ours; nothing silences us for more than three days."""
    assert retry_after_s(headers) == expected


@given(st.text(), st.text())
def test_no_header_breaks_the_reading_of_times(retry_after: str, date: str) -> None:
    """They come from whoever answers."""
    pause = retry_after_s({"Retry-After": retry_after, "Date": date})

    assert pause is None or 0 <= pause <= 259_200
    assert isinstance(server_now_s({"Date": date}), float)


def test_aiohttp_is_loaded_by_the_first_call_only() -> None:
    """It takes half a second, which a program that lists venues does not have."""
    code = "import sys, exwire.rest, exwire.instruments; sys.exit('aiohttp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
