"""What a plugin promises is held against what it has, class by class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exwire.discovery import Status
from exwire.errors import PluginNotFoundError
from exwire.inspection import inspect_venue
from exwire.subscription import Channel
from hostile.plugins import install, names, on_path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A site directory of its own."""
    with on_path(tmp_path) as path:
        yield path


def test_gateio_keeps_what_it_promises_beside_all_the_others(site: Path) -> None:
    """Every class is there, every announced channel is served, and its options are known."""
    for plugin in names():
        install(plugin, site)

    report = inspect_venue("gateio")

    assert report.problems == ()
    assert [each.role for each in report.markets[0].classes] == ["public", "rest"]
    candles = next(each for each in report.markets[0].channels if each.channel is Channel.CANDLES)
    assert "interval" in [param.name for param in candles.params]
    assert report.loopback is not None
    assert report.loopback.problems == ()


def test_missing_classes_show_although_the_list_says_ok(site: Path) -> None:
    """Listing imports no handler, so it cannot know; looking into the venue does."""
    install("missing_class", site)

    report = inspect_venue("missing_class")

    assert report.info.status is Status.OK
    assert report.problems == (
        (
            "spot: public class hostile_missing_class:MissingClassHandler does not exist: the module has no MissingClassHandler; "
            "nearest: MissingClassHandlerOfAnotherName"
        ),
        "spot: rest class hostile_missing_class.rest:Rest names a module that does not exist: hostile_missing_class.rest",
        "futures: public class hostile_missing_class:NUMBER is no class; it is int",
        "futures: rest class hostile_missing_class:MissingClassHandlerOfAnotherName is no BaseRestClient",
        "loopback class hostile_missing_class:Script does not exist: the module has no Script; nearest: MissingClassHandlerOfAnotherName",
    )


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        ("lacks_contract", "LacksContractHandler: lacks SubscriptionMixin among its bases (how to subscribe)"),
        ("late_exit", "importing hostile_late_exit_handler called sys.exit(goodbye)"),
        ("noisy", "NoisyHandler: lacks ConnectionMixin among its bases (how to connect)"),
        ("bad_answers", "connection_context() raised ConfigError: ws://bad-answers.example would be unencrypted"),
        (
            "bad_answers",
            "futures: public class hostile_bad_answers:Announcing: does not serve the channel trades that its plugin announces",
        ),
    ],
)
def test_a_handler_that_cannot_be_used_is_reported(site: Path, plugin: str, problem: str) -> None:
    """Before it costs somebody a connection."""
    install(plugin, site)

    report = inspect_venue(plugin)

    assert report.info.status is Status.OK
    assert any(problem in each for each in report.problems), report.problems


def test_channels_are_listed_although_the_handler_cannot_be_asked(site: Path) -> None:
    """What the plugin announces is known from its spec; how it is delivered is not."""
    install("lacks_contract", site)

    (market,) = inspect_venue("lacks_contract").markets

    assert [(each.channel, each.delivery) for each in market.channels] == [(Channel.TRADES, None)]


@pytest.mark.parametrize("plugin", ["exits", "other_api", "twin"])
def test_a_plugin_that_cannot_be_used_is_reported_not_raised(site: Path, plugin: str) -> None:
    """doctor looks into all of them."""
    for each in ("exits", "other_api", "twin_one", "twin_two"):
        install(each, site)

    report = inspect_venue(plugin)

    assert report.info.status is not Status.OK
    assert report.problems == (report.info.reason,)
    assert report.markets == ()


def test_what_is_not_installed_is_an_error_that_names_the_nearest() -> None:
    """As everywhere."""
    with pytest.raises(PluginNotFoundError, match="nearest known: gateio"):
        inspect_venue("gatoi")


def test_looking_into_a_venue_prints_nothing_on_stdout(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A handler's module may talk, too."""
    install("noisy", site)

    inspect_venue("noisy")

    out, err = capsys.readouterr()
    assert out == ""
    assert "noise: handler imported" in err
