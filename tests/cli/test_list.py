"""``exwire list``: every plugin in one glance, whatever state it is in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cli.harness import Command, Start
from hostile.plugins import install, names


def test_json_has_exactly_the_promised_keys(exwire: Command) -> None:
    """Programs read it."""
    result = exwire("list", "--json")

    (row,) = [each for each in json.loads(result.stdout) if each["venue"] == "gateio"]
    assert list(row) == ["venue", "distribution", "version", "api", "status", "markets", "reason", "load_ms"]
    assert (row["distribution"], row["api"], row["status"], row["reason"]) == ("exwire-gateio", 1, "ok", "")
    assert row["markets"] == ["spot"]
    assert row["load_ms"] >= 0


def test_the_installed_command_lists_gateio_beside_every_broken_plugin(site: Path, start: Start) -> None:
    """In a process of its own: what exits, prints or raises there has every chance to do harm. stdout is nothing but the JSON."""
    for plugin in names():
        install(plugin, site)

    process = start("list", "--json")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    status = {row["venue"]: row["status"] for row in json.loads(output)}
    assert status["gateio"] == "ok"
    assert status["exits"] == "broken"
    assert status["twin"] == "conflict"
    assert status["other_api"] == "incompatible"
    assert status["noisy"] == "ok"


def test_people_get_a_table_with_the_reasons(site: Path, exwire: Command) -> None:
    """Aligned by spaces where nobody draws."""
    install("exits", site)

    result = exwire("list")

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["venue", "status", "markets", "distribution", "ms", "reason"]
    assert any(line.startswith("exits") and line.endswith("importing hostile_exits called sys.exit(3)") for line in lines)
    assert any(line.startswith("gateio") and " ok " in line for line in lines)


def test_listing_loads_nothing_that_it_does_not_use(environment: dict[str, str]) -> None:
    """The command is often the first thing somebody types; aiohttp alone costs half a second."""
    heavy = ("asyncio", "aiohttp", "websockets", "picows", "uvloop", "google.protobuf", "exwire_gateio.spot.venue")
    program = f"""
import sys
from exwire_cli.main import app
try:
    app(["list", "--json"], prog_name="exwire")
finally:
    print([each for each in {heavy!r} if each in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"
    assert json.loads(done.stdout)
