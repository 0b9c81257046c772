"""Commands run on uvloop where it is installed."""

from __future__ import annotations

import asyncio
import sys

import pytest

from exwire_cli.running import run


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_is_used_where_it_is_installed() -> None:
    """It saves a quarter of the processor time of a busy feed; no policy is set for it."""
    pytest.importorskip("uvloop", reason="uvloop is optional")
    policy = type(asyncio.get_event_loop_policy())

    assert run(loop_module()).startswith("uvloop")
    assert type(asyncio.get_event_loop_policy()) is policy


def test_asyncio_serves_where_uvloop_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert run(loop_module()).startswith("asyncio")
