"""``exwire info``: one venue from the inside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.harness import Command
from hostile.plugins import install, names


def test_json_names_markets_channels_params_and_classes(exwire: Command) -> None:
    """What can be asked of a venue, without reading its code."""
    result = exwire("info", "gateio", "--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["info"]["status"] == "ok"
    assert report["problems"] == []
    (spot,) = [each for each in report["markets"] if each["market"] == "spot"]
    (candles,) = [each for each in spot["channels"] if each["channel"] == "candles"]
    assert candles["params"][0]["name"] == "interval"
    assert "4h" in candles["params"][0]["values"]
    assert [each["role"] for each in spot["classes"]] == ["public", "rest"]


def test_people_get_the_same_as_tables(exwire: Command) -> None:
    """And one line for each fact."""
    result = exwire("info", "gateio")

    assert result.exit_code == 0
    assert result.stdout.startswith("gateio: ok, plugin API 1, from exwire-gateio ")
    assert "interval=1m|" in result.stdout
    assert "exchange in a box: exwire_gateio.loopback:GateioScript (ok)" in result.stdout


@pytest.mark.parametrize(
    ("venue", "problem"),
    [
        ("missing_class", "hostile_missing_class:MissingClassHandler does not exist"),
        ("lacks_contract", "lacks SubscriptionMixin among its bases (how to subscribe)"),
        ("late_exit", "importing hostile_late_exit_handler called sys.exit(goodbye)"),
        ("bad_answers", "would be unencrypted"),
        ("exits", "called sys.exit(3)"),
        ("twin", "claimed by hostile-twin-one 1.0 and hostile-twin-two 2.0"),
        ("other_api", "written for plugin API 99; this exwire speaks 1"),
        ("noisy", "lacks ConnectionMixin"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_shown_and_is_a_failure(site: Path, exwire: Command, venue: str, problem: str) -> None:
    """Classes are imported here, so this is where a missing one shows; stdout stays JSON."""
    for plugin in names():
        install(plugin, site)

    result = exwire("info", venue, "--json")
    shown = exwire("info", venue)

    assert (result.exit_code, shown.exit_code) == (1, 1)
    assert any(problem in each for each in json.loads(result.stdout)["problems"])
    assert any(line.startswith("problem: ") and problem in line for line in shown.stdout.splitlines())
