"""``exwire watch``: one event a line, from a real socket."""

from __future__ import annotations

import json

import pytest

from cli.harness import Command
from exwire.lifecycle import Disconnected, Undecodable
from exwire.subscription import Channel
from exwire_cli.feed import Printer
from exwire_cli.options import params

TYPES = {
    "trades": {"trade"},
    "book_ticker": {"book_ticker"},
    "book": {"book_snapshot", "book_delta"},
    "book_snapshot": {"book_snapshot"},
    "ticker": {"ticker"},
    "candles": {"candle"},
}


@pytest.mark.parametrize("channel", TYPES)
def test_every_channel_prints_its_events(exwire: Command, channel: str) -> None:
    """Each line is an event as the library delivers it; --count ends it with success."""
    result = exwire("watch", "gateio", "BTC/USDT", "ETH/USDT", "--channel", channel, "--count", "2", "--loopback", "--json")

    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert len(events) == 2
    for event in events:
        assert event["type"] in TYPES[channel]
        assert list(event)[:5] == ["type", "venue", "symbol", "ts_event", "ts_recv"]
        assert event["venue"] == "gateio"
        assert event["symbol"] in {"BTC/USDT", "ETH/USDT"}
        assert event["ts_recv"] > 1_700_000_000_000_000_000


def test_channels_may_be_repeated(exwire: Command) -> None:
    """They come on one stream of lines, as they happen."""
    channels = ["--channel", "book_ticker", "--channel", "book", "--channel", "book"]

    result = exwire("watch", "gateio", "BTC/USDT", *channels, "--count", "30", "--loopback", "--json")

    assert result.exit_code == 0
    assert {json.loads(line)["type"] for line in result.stdout.splitlines()} >= {"book_ticker", "book_delta"}


def test_an_option_of_a_channel_reaches_the_venue(exwire: Command) -> None:
    """Candles of another interval say so."""
    arguments = ["--channel", "candles", "--param", "interval=5m", "--count", "1", "--loopback", "--json"]

    result = exwire("watch", "gateio", "BTC/USDT", *arguments)

    assert json.loads(result.stdout)["interval"] == "5m"


def test_an_option_may_be_meant_for_one_channel() -> None:
    """Two channels may have options of one name."""
    given = ["interval=1m", "book.depth=20", "book.interval=2m"]

    assert params(given, Channel.CANDLES) == {"interval": "1m"}
    assert params(given, Channel.BOOK) == {"interval": "2m", "depth": "20"}


def test_people_get_plain_lines_and_the_connection_on_stderr(exwire: Command) -> None:
    """stdout is the data, whatever happens to the connection."""
    result = exwire("watch", "gateio", "BTC/USDT", "--channel", "book_ticker", "--count", "1", "--loopback")

    (line,) = result.stdout.splitlines()
    assert " gateio BTC/USDT book_ticker bid " in line
    assert "exwire: gateio: connected to ws://127.0.0.1:" in result.stderr
    assert "exwire: gateio: confirmed book_ticker BTC/USDT" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["BTC/USDTT"], "gateio: unknown symbol 'BTC/USDTT'; nearest known: BTC/USDT, "),
        (["BTC/USDT", "--channel", "trade"], "unknown channel 'trade'; nearest known: trades, "),
        (["BTC/USDT", "--channel", "orders"], "gateio: unknown channel 'orders'; nearest known: trades, "),
        (["BTC/USDT", "--param", "depht=5", "--channel", "book"], "gateio: unknown option of book 'depht'; nearest known: depth"),
        (["BTC/USDT", "--param", "depth=7", "--channel", "book"], "gateio: unknown depth of book '7'; nearest known: "),
        (["BTC/USDT", "--param", "depth"], "--param 'depth' is not name=value; an example: --param interval=1m"),
        (["BTC/USDT", "--param", "boot.depth=5"], "unknown channel 'boot'; nearest known: book, "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(exwire: Command, arguments: list[str], message: str) -> None:
    """One line, and nothing was printed as data."""
    result = exwire("watch", "gateio", *arguments, "--loopback", "--count", "1")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"exwire: {message}" in result.stderr


def test_one_bad_symbol_does_not_cost_the_others(exwire: Command) -> None:
    """It is reported, and the rest is watched."""
    result = exwire("watch", "gateio", "BTC/USDT", "NO/SUCH", "--channel", "book_ticker", "--loopback", "--count", "2", "--json")

    assert result.exit_code == 0
    assert {json.loads(line)["symbol"] for line in result.stdout.splitlines()} == {"BTC/USDT"}
    assert "1 refused, 1 confirmed: book_ticker NO/SUCH" in result.stderr


def test_a_connection_that_stays_down_ends_it_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Waiting for data that cannot come any more would look like a quiet market."""
    printer = Printer(0, json=True)
    printer.on_lifecycle(Disconnected("acme", 1006, "connection lost", 0.5))

    assert not printer.done.is_set()

    printer.on_lifecycle(Disconnected("acme", 1008, "go away", None))

    assert printer.done.is_set()
    assert str(printer.failure) == "connection lost with close code 1008: go away"
    assert capsys.readouterr().err.splitlines()[-1] == "exwire: acme: go away; not trying again"


def test_frames_that_cannot_be_understood_do_not_flood_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """The 1st, 2nd, 4th, 8th … is said."""
    printer = Printer(0, json=True)

    for count in range(1, 101):
        printer.on_lifecycle(Undecodable("acme", "expected an object", count))

    said = [int(line.split()[2]) for line in capsys.readouterr().err.splitlines()]
    assert said == [1, 2, 4, 8, 16, 32, 64]
