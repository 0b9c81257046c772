"""On a terminal things are drawn; the same commands print plain lines elsewhere."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import redirect_stdout

import pytest

from exwire_cli import demo
from exwire_cli import list as list_

pty = pytest.importorskip("pty", reason="this platform has no pseudo-terminals")


def on_terminal(work: Callable[[], None]) -> str:
    """Do it with a pseudo-terminal as stdout; return what was written there."""
    ours, theirs = pty.openpty()
    chunks: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 65_536):
                chunks.append(chunk)
        except OSError:  # Linux says EIO when the other side hangs up
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with os.fdopen(theirs, "w") as screen, redirect_stdout(screen):
            work()
    finally:
        reader.join()
        os.close(ours)
    return b"".join(chunks).decode()


@pytest.fixture(autouse=True)
def _size(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns, as a fresh window has."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def test_a_table_is_drawn_on_a_terminal() -> None:
    """With lines around its cells."""
    shown = on_terminal(list_.command)

    assert "│ gateio │ ok" in shown
    assert "distribution" in shown


def test_the_demo_is_drawn_live_within_80_columns() -> None:
    """Nothing is cut off: names and prices stand in full; the cursor comes back before the summary."""
    shown = on_terminal(lambda: demo.command(seconds=3.0, symbol=["BTC/USDT"]))

    assert "gateio BTC/USDT " in shown
    assert "…" not in shown
    assert re.match(r"\d+\.\d s of gateio", shown.splitlines()[-1].rpartition("\x1b[?25h")[2])
