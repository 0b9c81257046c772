"""``exwire instruments``: what is traded, and by which rules."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from cli.harness import Command
from exwire.model import Instrument


def test_json_has_every_field_of_an_instrument(exwire: Command) -> None:
    """Rules are exact, so they are texts, not floats."""
    result = exwire("instruments", "gateio", "btc/usdt", "--loopback", "--json")

    (bitcoin,) = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(bitcoin) == list(Instrument.__struct_fields__)
    assert (bitcoin["venue"], bitcoin["symbol"], bitcoin["venue_symbol"], bitcoin["status"]) == (
        "gateio",
        "BTC/USDT",
        "BTC_USDT",
        "trading",
    )
    assert isinstance(bitcoin["tick_size"], str)
    assert Decimal(bitcoin["tick_size"]) > 0


def test_people_get_a_table_sorted_by_symbol(exwire: Command) -> None:
    """Without a filter: everything."""
    result = exwire("instruments", "gateio", "--loopback")

    symbols = [line.split()[0] for line in result.stdout.splitlines()[1:]]
    assert result.exit_code == 0
    assert symbols == sorted(symbols)
    assert len(symbols) >= 20


def test_a_filter_that_matches_nothing_is_answered_with_the_nearest(exwire: Command) -> None:
    """An empty table would leave open whether the name or the venue is at fault."""
    result = exwire("instruments", "gateio", "BTC/USDTT", "--loopback")

    assert result.exit_code == 1
    assert result.stderr.startswith("exwire: gateio: unknown symbol 'BTC/USDTT'; nearest known: BTC/USDT, ")


@pytest.mark.parametrize("command", ["instruments", "test", "watch"])
def test_an_unknown_market_is_answered_with_the_nearest(exwire: Command, command: str) -> None:
    """Every command that takes one."""
    symbols = ["BTC/USDT"] if command == "watch" else []

    result = exwire(command, "gateio", *symbols, "--market", "spto", "--loopback")

    assert result.exit_code == 1
    assert result.stderr == "exwire: gateio: unknown market 'spto'; nearest known: spot\n"
