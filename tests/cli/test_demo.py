"""``exwire demo``: every venue side by side, for a while."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

from cli.harness import Command, Start
from exwire.model import BookTicker, Side, Trade
from exwire_cli.board import Tally
from hostile.plugins import install, names


def test_json_has_a_row_for_each_venue_and_symbol_and_a_summary(exwire: Command) -> None:
    """Price, spread, rates, and the time from the venue to here."""
    result = exwire("demo", "--seconds", "3", "--symbol", "BTC/USDT", "--json")

    *rows, summary = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    last = [row for row in rows if row["venue"] == "gateio"][-1]
    assert (last["type"], last["symbol"]) == ("row", "BTC/USDT")
    assert last["bid"] < last["ask"]
    assert last["spread"] > 0
    assert (summary["type"], "gateio" in summary["venues"]) == ("summary", True)
    assert summary["books"] > 0


def test_people_get_lines_where_nobody_draws(exwire: Command) -> None:
    """And one line at the end that sums it up."""
    result = exwire("demo", "--seconds", "3")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert any(line.startswith("gateio BTC/USDT: trade ") and " bid " in line and "book updates a second" in line for line in lines)
    assert any(line.startswith("gateio ETH/USDT: ") for line in lines)
    assert re.match(r"\d+\.\d s of gateio", lines[-1])
    assert lines[-1].endswith(" book updates")


def test_broken_plugins_are_left_out(site: Path, exwire: Command) -> None:
    """What is installed beside the healthy ones does not spoil the demonstration."""
    for plugin in names():
        install(plugin, site)

    result = exwire("demo", "--seconds", "3", "--json")

    assert result.exit_code == 0
    assert "gateio" in json.loads(result.stdout.splitlines()[-1])["venues"]
    assert "missing_class is left out: " in result.stderr


def test_ctrl_c_ends_it(start: Start) -> None:
    """In the middle."""
    process = start("demo", "--seconds", "60", "--json")
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (130, "")


def test_nothing_to_show_is_an_error(exwire: Command) -> None:
    """No venue has such a market."""
    result = exwire("demo", "--market", "tulips")

    assert result.exit_code == 1
    assert "no installed venue has market tulips and an exchange in a box" in result.stderr


def test_rates_are_of_the_period_that_ended() -> None:
    """Shown values are the newest; counts begin again with each period."""
    tally = Tally("acme", "BTC/USDT")
    for number in range(4):
        tally.on_event(Trade("acme", "BTC/USDT", 1_000_000, 3_000_000, str(number), Side.BUY, 100.0 + number, 1.0))
    tally.on_event(BookTicker("acme", "BTC/USDT", 1_000_000, 3_000_000, 1, 102.9, 1.0, 103.1, 1.0))

    tally.roll(2.0)
    first = tally.row()
    tally.roll(1.0)
    second = tally.row()

    assert (first.price, first.bid, first.ask, first.spread) == (103.0, 102.9, 103.1, 0.2)
    assert (first.trades, first.quotes, first.books, first.latency_ms) == (2, 0, 0, 2.0)
    assert (second.price, second.trades, second.latency_ms) == (103.0, 0, None)
    assert tally.total.trades == 4
