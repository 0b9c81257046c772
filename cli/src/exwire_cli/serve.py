"""``exwire serve``: a venue's exchange in a box, for any client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from exwire.errors import ConfigError
from exwire_cli.options import Json, Venue
from exwire_cli.output import emit

if TYPE_CHECKING:
    from exwire.loopback import Loopback

__all__ = ["command"]


def command(
    venue: Venue,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of 127.0.0.1; 0: any free one.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Of the simulated market; the same seed makes the same orders.")] = 1,
    json: Json = True,
) -> None:
    """Serve the exchange in a box until Ctrl-C. The first line is JSON and says where; other people's clients can use it."""
    import exwire  # noqa: PLC0415  # as below
    from exwire_cli.running import run  # noqa: PLC0415  # asyncio, which help texts do not need

    try:
        run(_serve(venue, exwire.create_loopback(venue, seed=seed, port=port)))
    except KeyboardInterrupt:
        return  # the usual way to end it
    except OSError as error:
        raise ConfigError(f"cannot listen on 127.0.0.1:{port}: {error.strerror or error}; another --port may be free") from error


async def _serve(venue: str, box: Loopback) -> None:
    import asyncio  # noqa: PLC0415  # as above

    async with box:
        emit({"venue": venue, "rest": box.endpoints.rest, "ws": box.endpoints.ws})
        await asyncio.Event().wait()
