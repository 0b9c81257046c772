"""``exwire test``: a venue tried from end to end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from cli.harness import Command
from hostile.plugins import install

STEPS = ["start", "instruments", "connect", "subscribe", "first_event", "ping", "reconnect", "close"]


def steps(output: str) -> dict[str, tuple[bool, str]]:
    report = json.loads(output)
    assert list(report) == ["venue", "market", "ok", "steps"]
    assert [list(each) for each in report["steps"]] == [["name", "ok", "ms", "detail"]] * len(STEPS)
    assert [each["name"] for each in report["steps"]] == STEPS
    return {each["name"]: (each["ok"], each["detail"]) for each in report["steps"]}


@pytest.fixture
def mute_venue(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin whose venue accepts connections and never says a word."""
    install("unreachable", site)

    def listen(connection: ServerConnection) -> None:
        for _ in connection:
            pass

    with serve(listen, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("UNREACHABLE_URL", f"ws://127.0.0.1:{server.socket.getsockname()[1]}/mute")
        yield
        server.shutdown()
        thread.join()


def test_a_healthy_venue_passes_every_step(exwire: Command) -> None:
    """Over real sockets, against its exchange in a box."""
    result = exwire("test", "gateio", "--loopback", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    found = steps(result.stdout)
    assert all(ok for ok, _ in found.values())
    assert found["subscribe"][1] == "confirmed book_ticker BTC/USDT"
    assert "gateio BTC/USDT book_ticker bid" in found["first_event"][1]


def test_symbol_and_channel_can_be_chosen(exwire: Command) -> None:
    """For the one that makes trouble."""
    result = exwire("test", "gateio", "--symbol", "ETH/USDT", "--channel", "book", "--loopback", "--json")

    assert result.exit_code == 0
    assert steps(result.stdout)["subscribe"][1] == "confirmed book ETH/USDT"


def test_people_see_each_step_as_it_ends(exwire: Command) -> None:
    """One line a step, one for all of it."""
    result = exwire("test", "gateio", "--loopback")

    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [["ok", name] for name in STEPS]
    assert lines[-1] == "gateio spot: every step passed"


def test_an_unknown_symbol_fails_the_list_and_not_the_rest(exwire: Command) -> None:
    """The rest is tried with a usual symbol, so that one answer tells more."""
    result = exwire("test", "gateio", "--symbol", "BTC/USDTT", "--loopback", "--json")

    found = steps(result.stdout)
    assert result.exit_code == 1
    assert [name for name, (ok, _) in found.items() if not ok] == ["instruments"]
    assert "unknown symbol 'BTC/USDTT'; nearest known: BTC/USDT" in found["instruments"][1]


def test_a_failed_step_says_what_was_expected_what_came_and_what_to_try(site: Path, exwire: Command) -> None:
    """Nobody listens there: REST and the connection fail, what builds on them is not run, and it ends."""
    install("unreachable", site)

    result = exwire("test", "unreachable", "--json")
    found = steps(result.stdout)

    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False
    assert found["connect"][1].startswith("expected an open connection; came: cannot connect to ws://127.0.0.1:9/nobody: ")
    assert "; try " in found["connect"][1]
    assert found["instruments"][1].startswith("expected a list with at least one instrument; came: ")
    for name, ground in (("subscribe", "connect"), ("first_event", "subscribe"), ("ping", "connect"), ("reconnect", "subscribe")):
        assert found[name] == (False, f"not run, because {ground} failed")
    assert found["start"][0]
    assert found["close"][0]


@pytest.mark.usefixtures("mute_venue")
def test_a_venue_that_never_answers_fails_in_time(exwire: Command) -> None:
    """A deadline of every step, and a report to the end."""
    result = exwire("test", "unreachable", "--timeout", "0.5", "--json")

    found = steps(result.stdout)
    assert result.exit_code == 1
    assert found["connect"][0]
    assert found["subscribe"][1] == (
        "expected the venue's confirmation; came: nothing within 0.5 s; "
        "try exwire instruments unreachable, exwire info unreachable: --symbol and --channel choose another topic"
    )
    assert found["ping"][1].startswith("expected an answer to a ping; came: nothing within 0.5 s")


def test_a_plugin_without_a_contract_is_named(site: Path, exwire: Command) -> None:
    """Before anything is connected; on stderr like every such error."""
    install("lacks_contract", site)

    result = exwire("test", "lacks_contract", "--json")

    assert result.exit_code == 1
    assert "exwire: lacks_contract: hostile_lacks_contract:LacksContractHandler cannot be used: lacks AuthMixin" in result.stderr


def test_a_connector_that_cannot_start_fails_everything_after_it(site: Path, exwire: Command) -> None:
    """Its handler has every contract, and an address that may not be used."""
    install("bad_answers", site)

    result = exwire("test", "bad_answers", "--json")

    found = steps(result.stdout)
    assert result.exit_code == 1
    assert found["start"][1].startswith("expected a connector that starts; came: ws://bad-answers.example would be unencrypted")
    assert found["start"][1].endswith("; try exwire info bad_answers")
    assert {detail for name, (_, detail) in found.items() if name != "start"} == {
        "not run, because start failed",
        "not run, because connect failed",
        "not run, because subscribe failed",
    }
