"""``exwire doctor``: what it runs on, and every plugin examined."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.harness import Command
from hostile.plugins import install, names


def test_a_sound_installation_has_no_problem(exwire: Command, tmp_path: Path) -> None:
    """What a bug report needs is in it."""
    result = exwire("doctor", "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["problems"] == []
    assert platform.python_version() in found["python"]
    assert found["platform"] == platform.platform()
    assert found["versions"]["exwire"] == version("exwire")
    assert found["versions"]["websockets"] == version("websockets")
    assert found["transport"]["choice"] == "auto"
    assert found["transport"]["used"] in {"PicowsTransport", "WebSocketsTransport"}
    assert found["cache"] == {"path": str(tmp_path / "cache"), "usable": True}
    assert "gateio" in [each["info"]["venue"] for each in found["venues"]]


def test_people_get_tables(exwire: Command) -> None:
    """Each class of each plugin with its verdict."""
    result = exwire("doctor")

    assert result.exit_code == 0
    assert "exwire_gateio.spot.venue:GateioSpotPublicHandler  ok" in result.stdout
    assert result.stdout.endswith("no problem was found\n")


def test_every_broken_plugin_is_a_problem_and_gateio_is_none(site: Path, exwire: Command) -> None:
    """One bad plugin neither stops the examination nor hides the good ones."""
    for plugin in names():
        install(plugin, site)

    result = exwire("doctor", "--json")
    shown = exwire("doctor")

    assert (result.exit_code, shown.exit_code) == (1, 1)
    found = json.loads(result.stdout)
    blamed = {problem.partition(":")[0] for problem in found["problems"]}
    hostile = {each["info"]["venue"] for each in found["venues"] if each["info"]["distribution"].startswith("hostile-")}
    assert blamed == hostile - {"unreachable"}
    assert "problem: exits: importing hostile_exits called sys.exit(3)" in shown.stdout


def test_a_transport_that_cannot_be_had_is_a_problem(exwire: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read when a connection is made; here it is read before."""
    monkeypatch.setenv("EXWIRE_TRANSPORT", "carrier_pigeon")

    result = exwire("doctor", "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["transport"] == {"choice": "carrier_pigeon", "used": ""}
    assert "unknown value of EXWIRE_TRANSPORT 'carrier_pigeon'; nearest known: " in found["problems"][0]


def test_a_cache_that_cannot_be_written_is_a_problem(exwire: Command, tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").write_text("in the way")

    result = exwire("doctor", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["cache"]["usable"] is False
    assert "set EXWIRE_CACHE_DIR to another folder" in json.loads(result.stdout)["problems"][0]
