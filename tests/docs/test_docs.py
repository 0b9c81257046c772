"""The documentation says what the code does: its examples run, and its reference is complete."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from exwire import errors, hookspecs, lifecycle, model
from exwire_cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL), 1)
]


@pytest.mark.parametrize("code", EXAMPLES)
async def test_an_example_runs(code: str, tmp_path: Path) -> None:
    """As a reader would run it: a file, a new Python, nothing else."""
    script = tmp_path / "example.py"
    script.write_text(code)
    environment = {**os.environ, "EXWIRE_CACHE_DIR": str(tmp_path), "PYTHONWARNINGS": "error"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()


def test_every_error_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text()

    assert not [name for name in errors.__all__ if name.endswith("Error") and f"| `{name}` |" not in page]


def test_every_event_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/events.md").read_text()
    events = [each.__name__ for union in (model.Event, lifecycle.Lifecycle) for each in union.__args__]

    assert not [name for name in events if f"| `{name}` |" not in page]


def test_the_hook_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/hook.md").read_text()
    hooks = [name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), f"{hookspecs.PROJECT}_spec")]

    assert hooks == ["exwire_venue"]
    assert all(f"`{name}() -> VenueSpec`" in page for name in hooks)
    fields = [*hookspecs.VenueSpec.__struct_fields__, *hookspecs.MarketSpec.__struct_fields__]
    assert not [name for name in fields if f"`{name}`" not in page]


def test_every_command_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text()
    commands = typer.main.get_command(app).list_commands(None)  # type: ignore[attr-defined]  # it is a group

    assert "watch" in commands
    assert not [name for name in commands if f"| `exwire {name}" not in page]
