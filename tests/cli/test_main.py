"""One command, whose failures are a line on stderr and an exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.metadata import version

from cli.harness import Command, Start


def test_the_version_is_shown(exwire: Command) -> None:
    """What a bug report begins with."""
    result = exwire("--version")

    assert result.exit_code == 0
    assert result.stdout == f"exwire {version('exwire')} (command line {version('exwire-cli')})\n"


def test_help_names_every_command(exwire: Command) -> None:
    """The table of contents."""
    result = exwire("--help")

    assert result.exit_code == 0
    for name in ("list", "info", "instruments", "watch", "test", "decode", "serve", "demo", "doctor"):
        assert name in result.stdout
        assert exwire(name, "--help").exit_code == 0


def test_an_error_is_one_line_on_stderr(exwire: Command) -> None:
    """Without a traceback, and with what to do about it."""
    result = exwire("info", "gatoi", "--json")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "exwire: gatoi: no such venue is installed; nearest known: gateio, mexc\n"


def test_wrong_usage_is_another_exit_status(exwire: Command) -> None:
    """2, as everywhere; a misspelt command is answered with the nearest."""
    unknown = exwire("lst")
    missing = exwire("watch", "gateio")

    assert (unknown.exit_code, missing.exit_code) == (2, 2)
    assert "list" in unknown.stderr


def test_help_loads_no_event_loop_and_no_http(environment: dict[str, str]) -> None:
    """Commands import what they need when they run."""
    heavy = ("asyncio", "aiohttp", "websockets", "picows", "uvloop")
    program = f"""
import sys
from exwire_cli.main import app
try:
    app(["--help"], prog_name="exwire")
finally:
    print([each for each in {heavy!r} if each in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"


def test_ctrl_c_ends_without_a_traceback(start: Start) -> None:
    """130, as shells report it."""
    process = start("watch", "gateio", "BTC/USDT", "--channel", "book_ticker", "--loopback", "--json")
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert all(line.startswith("exwire: gateio: ") for line in errors.splitlines()), errors


def test_a_closed_pipe_is_the_end_and_no_error(start: Start) -> None:
    """``exwire watch … | head -1``."""
    process = start("watch", "gateio", "BTC/USDT", "--channel", "book_ticker", "--loopback", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()

    process.stdout.close()
    process.wait(timeout=20)

    assert process.returncode == 141
    errors = process.stderr.read()
    assert all(line.startswith("exwire: gateio: ") for line in errors.splitlines()), errors
