"""How the tests of the command line run it."""

from __future__ import annotations

import subprocess
from typing import Protocol

from typer.testing import Result


class Command(Protocol):
    """Runs ``exwire`` with these arguments to its end."""

    def __call__(self, *arguments: str) -> Result: ...


class Start(Protocol):
    """Starts ``exwire`` as a process of its own; what still runs after the test is killed."""

    def __call__(self, *arguments: str) -> subprocess.Popen[str]: ...
