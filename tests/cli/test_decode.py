"""``exwire decode``: frames from files, without a connection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.harness import Command
from hostile.plugins import install

TRADE = """{"time": 1763900000, "time_ms": 1763900000123, "channel": "spot.trades", "event": "update", "result": {
  "id": 7001, "create_time": 1763900000, "create_time_ms": "1763900000120.5", "side": "buy", "currency_pair": "XYZ_USDT",
  "amount": "0.25", "price": "1e-7"}}
"""
ACK = '{"time": 1763900000, "id": 1, "channel": "spot.trades", "event": "subscribe", "result": {"status": "success"}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some frames, good and bad."""
    frames: dict[str, bytes] = {
        "trade.json": TRADE.encode(),
        "ack.json": ACK.encode(),
        "half.json": TRADE[:90].encode(),
        "latin.json": TRADE.replace("buy", "b\u00fcy").encode("latin-1"),
        "nan.json": TRADE.replace("1e-7", "NaN").encode(),
        "empty.json": b"",
        "symbol.json": TRADE.replace("XYZ_USDT", "no symbol").encode(),
        "trade.bin": TRADE.encode(),
        "junk.bin": bytes(range(256)),
    }
    for name, frame in frames.items():
        (tmp_path / name).write_bytes(frame)
    return tmp_path


def test_an_update_becomes_its_events(exwire: Command, folder: Path) -> None:
    """Every symbol of the venue's form is accepted; nothing was subscribed."""
    result = exwire("decode", "--market", "spot", "gateio", str(folder / "trade.json"), "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(folder / "trade.json"),
        "kind": "event",
        "events": [
            {
                "type": "trade",
                "venue": "gateio",
                "symbol": "XYZ/USDT",
                "ts_event": 1763900000120500000,
                "ts_recv": 0,
                "trade_id": "7001",
                "side": "buy",
                "price": 1e-7,
                "qty": 0.25,
            }
        ],
        "error": "",
    }


def test_an_answer_of_the_venue_is_control(exwire: Command, folder: Path) -> None:
    """It is understood, and carries no event."""
    result = exwire("decode", "gateio", str(folder / "ack.json"), "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"file": str(folder / "ack.json"), "kind": "control", "events": [], "error": ""}


@pytest.mark.parametrize("name", ["half.json", "latin.json", "nan.json", "empty.json", "symbol.json", "junk.bin"])
def test_what_cannot_be_decoded_is_an_error_with_a_message(exwire: Command, folder: Path, name: str) -> None:
    """One line, no traceback, exit status 1."""
    result = exwire("decode", "gateio", str(folder / name), "--json")

    (line,) = result.stdout.splitlines()
    decoded = json.loads(line)
    assert result.exit_code == 1
    assert (decoded["kind"], decoded["events"]) == ("error", [])
    assert "gateio" in decoded["error"]
    assert result.stderr == ""


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_an_error_too(exwire: Command, folder: Path, name: str) -> None:
    """The other files are decoded all the same."""
    result = exwire("decode", "gateio", str(folder / name), str(folder / "trade.json"), "--json")

    first, second = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1
    assert first["kind"] == "error"
    assert first["error"].startswith("cannot be read: ")
    assert second["kind"] == "event"


def test_people_get_a_line_for_each_file_and_event(exwire: Command, folder: Path) -> None:
    """The time is the venue's, for nothing was received."""
    result = exwire("decode", "gateio", str(folder / "trade.json"), str(folder / "half.json"))

    lines = result.stdout.splitlines()
    assert lines[0] == f"{folder / 'trade.json'}: event"
    assert lines[1] == "  12:13:20.120 gateio XYZ/USDT trade buy 0.25 @ 1e-07"
    assert lines[2].startswith(f"{folder / 'half.json'}: error: gateio: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gatoi",), "gatoi: no such venue is installed; nearest known: gateio"),
        (("gateio", "--market", "sopt"), "gateio: unknown market 'sopt'; nearest known: spot"),
        (("noisy",), "noisy: hostile_noisy_handler:NoisyHandler cannot be used: lacks ConnectionMixin among its bases (how to connect)"),
        (("missing_class",), "missing_class: hostile_missing_class:MissingClassHandler does not exist"),
    ],
)
def test_a_venue_that_cannot_decode_is_an_error_before_any_file(
    site: Path, exwire: Command, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    """On stderr, for no file is to blame."""
    install("noisy", site)
    install("missing_class", site)

    result = exwire("decode", *arguments, str(folder / "trade.json"))

    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"exwire: {message}" in result.stderr
