"""The command, in this process or as a user starts it, and a site directory to install broken plugins into."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.harness import Command, Start
from exwire_cli.main import app
from hostile.plugins import on_path

SCRIPT = Path(sys.executable).with_name("exwire")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A site directory of its own."""
    folder = tmp_path / "site"
    folder.mkdir()
    with on_path(folder) as path:
        yield path


@pytest.fixture
def exwire(tmp_path: Path) -> Command:
    """The command in this process, with a cache of its own."""
    runner = CliRunner(env={"EXWIRE_CACHE_DIR": str(tmp_path / "cache")})

    def run(*arguments: str) -> Result:
        result = runner.invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """For processes: a cache of its own, and the test's site directory."""
    return {**os.environ, "EXWIRE_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path / "site")}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """The installed script."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(SCRIPT), *arguments],
            text=True,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - the tests start no threads
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def _hear_ctrl_c() -> None:
    """A shell that started the tests in the background made them deaf to it, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
