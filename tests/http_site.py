"""An HTTP server on this machine that answers as a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

__all__ = ["Answer", "Site", "aborts", "answers", "endless", "falls_silent", "open_site", "truncates"]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """answers: one for each request in turn, the last one for all that follow. requests: every one that came."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = [answers(b"{}")]
        self.requests: list[web.Request] = []
        self.arrived = asyncio.Event()
        self.ending = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        self.requests.append(request)
        self.arrived.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    @property
    def paths(self) -> list[str]:
        """Path of every request."""
        return [request.path for request in self.requests]


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    site.url = f"http://{host}:{port}"
    try:
        yield site
    finally:
        site.ending.set()
        await runner.cleanup()


def answers(body: bytes, status: int = 200, **headers: str) -> Answer:
    """A plain answer. headers: with ``_`` for ``-``."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


async def aborts(request: web.Request) -> web.StreamResponse:
    """The connection ends before anything was answered."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def truncates(request: web.Request) -> web.StreamResponse:
    """The connection ends in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"n":')
    assert request.transport is not None
    request.transport.close()
    return response


def falls_silent(site: Site) -> Answer:
    """Nothing is answered for as long as the site stands."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await site.ending.wait()
        return web.Response()

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    """A body that ends when the other side has had enough."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b" " * 65_536)
    except ConnectionResetError:
        return response
