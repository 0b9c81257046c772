"""One bad plugin never hides the good ones, and says what is wrong with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from exwire.contracts import ConnectionMixin
from exwire.discovery import Status, VenueInfo, check_handler, find, load_class, venues
from exwire.errors import PluginBrokenError, PluginConflictError, PluginIncompatibleError, PluginNotFoundError
from exwire.handlers import BaseMessageHandler
from exwire.subscription import Channel
from hostile.plugins import HOSTILE, install, names, on_path

BROKEN = {
    "exits": "importing hostile_exits called sys.exit(3)",
    "gone": "importing hostile_gone_elsewhere raised ModuleNotFoundError: No module named 'hostile_gone_elsewhere'",
    "import_error": "raised ModuleNotFoundError: No module named 'a_library_that_nobody_installed'",
    "misnamed": "VenueSpec.name is 'somebody_else'; expected 'misnamed', the entry point's name",
    "misspelt_hook": "unknown hook 'exwire_venues'",
    "no_hook": "implements no exwire_venue hook; mark the function with @exwire.hookspecs.hookimpl",
    "no_markets": "VenueSpec.markets names no market",
    "nonsense": "its hook exwire_venue returned dict; expected one VenueSpec",
    "raising_hook": "its hook exwire_venue raised RuntimeError: no licence for this machine",
    "surrendering_hook": "its hook exwire_venue raised Surrender: (its message cannot be shown)",
    "syntax_error": "importing hostile_syntax_error raised SyntaxError",
    "treacherous": "checking its answer raised LookupError: do not look",
    "wrong_argument": "registering its hooks raised PluginValidationError",
}

ODD_CONTENT = [
    "the market name 'Spot' is not a lower-case identifier",
    "public of market 'Spot' is ''; expected 'module:Class'",
    "rest of market 'Spot' is 'no colon'; expected 'module:Class'",
    "channels of market 'Spot' is no tuple of Channel",
    "market 'futures' is str; expected MarketSpec",
    "the market name 3 is not a lower-case identifier",
    "VenueSpec.loopback is None; expected 'module:Class' or nothing",
    "VenueSpec.flags is no tuple of texts",
    "VenueSpec.bench is no text",
]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A site directory of its own."""
    with on_path(tmp_path) as path:
        yield path


def row(venue: str) -> VenueInfo:
    return next(each for each in venues() if each.venue == venue)


@pytest.mark.parametrize(("plugin", "reason"), BROKEN.items(), ids=BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason(site: Path, plugin: str, reason: str) -> None:
    """Who installed it has to learn what to repair, from one line."""
    install(plugin, site)

    info = row(plugin)

    assert info.status is Status.BROKEN
    assert reason in info.reason
    assert "\n" not in info.reason
    assert (info.distribution, info.version) == (f"hostile-{plugin.replace('_', '-')}", "1.0")
    assert info.markets == ()
    assert info.load_ms > 0


def test_every_fault_of_a_spec_is_named(site: Path) -> None:
    """Structs accept any value for any field, so a plugin's mistakes would surface far from home."""
    install("odd_content", site)

    info = row("odd_content")

    assert info.status is Status.BROKEN
    assert info.reason == "; ".join(ODD_CONTENT)


def test_a_plugin_for_another_api_is_incompatible_and_says_which(site: Path) -> None:
    """It may be right for another exwire; hooks of that time that we do not know are no fault of its own."""
    install("other_api", site)

    info = row("other_api")

    assert (info.status, info.api) == (Status.INCOMPATIBLE, 99)
    assert info.reason == "written for plugin API 99; this exwire speaks 1: upgrade exwire, or install an older release of the plugin"


def test_two_distributions_of_one_name_are_a_conflict_that_names_both(site: Path) -> None:
    """Which of them would trade is not for us to guess; neither is even imported."""
    install("twin_one", site)
    install("twin_two", site)

    twins = [each for each in venues() if each.venue == "twin"]

    assert [(each.distribution, each.status) for each in twins] == [
        ("hostile-twin-one", Status.CONFLICT),
        ("hostile-twin-two", Status.CONFLICT),
    ]
    assert {each.reason for each in twins} == {
        "the name is claimed by hostile-twin-one 1.0 and hostile-twin-two 2.0; uninstall all but one"
    }
    assert not [each for each in sys.modules if each.startswith("hostile_twin")]


def test_one_distribution_found_twice_is_no_conflict(
    site: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editable install beside its egg-info shows the same metadata twice; the first on the path counts, as for imports."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.syspath_prepend(elsewhere)
    install("missing_class", site)
    install("missing_class", elsewhere)

    assert [each.status for each in venues() if each.venue == "missing_class"] == [Status.OK]


def test_gateio_is_ok_beside_all_of_them(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The promise of guarded discovery: whatever else is installed."""
    for plugin in names():
        install(plugin, site)

    listed = venues()

    assert [each.venue for each in listed] == sorted(each.venue for each in listed)
    assert len(listed) == len(names()) + len([each for each in listed if each.distribution.startswith("exwire-")])
    assert row("gateio").status is Status.OK
    assert row("gateio").reason == ""
    assert "spot" in row("gateio").markets
    assert capfd.readouterr().out == ""


def test_what_a_plugin_prints_does_not_reach_stdout(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """stdout may be somebody's JSON."""
    install("noisy", site)

    assert row("noisy").status is Status.OK
    out, err = capsys.readouterr()
    assert out == ""
    assert "noise: imported" in err


def test_a_plugin_is_asked_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hook's documentation says so."""
    install("noisy", site)

    find("noisy")
    find("noisy")
    venues()

    assert capsys.readouterr().err.count("noise: asked") == 1


def test_damaged_metadata_that_speaks_of_us_is_reported_and_other_damage_ignored(site: Path) -> None:
    """importlib.metadata.entry_points() raises at the first damaged file of any distribution."""
    for name, text in (("ours", "[exwire]\nwhat is this\n"), ("theirs", "[console_scripts]\nwhat is this\n")):
        (site / f"{name}-1.0.dist-info").mkdir()
        (site / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(text)

    broken = [each for each in venues() if each.status is Status.BROKEN]

    assert [each.venue for each in broken] == ["ours-1.0.dist-info"]
    assert "reading its metadata raised" in broken[0].reason


def test_only_the_keyboard_gets_through(site: Path) -> None:
    """Ctrl-C is the user's, not the plugin's."""
    install("noisy", site)
    (site / "hostile_noisy.py").write_text("raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        venues()


def test_listing_loads_no_handler_and_nothing_heavy(site: Path) -> None:
    """aiohttp alone costs half a second here; a list must not pay for what it does not use."""
    install("noisy", site)
    heavy = (
        "asyncio",
        "aiohttp",
        "websockets",
        "picows",
        "google.protobuf",
        "rich",
        "ssl",
        "hostile_noisy_handler",
        "exwire_gateio.spot.venue",
    )
    program = f"import sys, exwire; exwire.venues(); print([each for each in {heavy!r} if each in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


# find()


def test_find_returns_the_spec_and_loads_no_other_plugin(site: Path) -> None:
    """Using one venue must not run the code of all that are installed."""
    for plugin in names():
        install(plugin, site)

    spec = find("missing_class")

    assert spec.name == "missing_class"
    assert list(spec.markets) == ["spot", "futures"]
    assert [each for each in sys.modules if each.startswith("hostile_")] == ["hostile_missing_class"]


@pytest.mark.parametrize(
    ("venue", "error"),
    [("exits", PluginBrokenError), ("twin", PluginConflictError), ("other_api", PluginIncompatibleError), ("gateoi", PluginNotFoundError)],
)
def test_find_raises_what_the_list_shows(site: Path, venue: str, error: type[Exception]) -> None:
    """Each state has an error of its own, whose text is the list's reason."""
    for plugin in names():
        install(plugin, site)

    with pytest.raises(error) as caught:
        find(venue)

    assert str(caught.value).startswith(f"{venue}: ")


def test_an_unknown_venue_is_answered_with_the_nearest() -> None:
    """Most unknown names are misspelt ones."""
    with pytest.raises(PluginNotFoundError, match="no such venue is installed; nearest known: gateio"):
        find("gateoi")


def test_the_cause_of_a_failure_is_kept(site: Path) -> None:
    """A plugin's author wants the traceback that the one line leaves out."""
    install("exits", site)

    with pytest.raises(PluginBrokenError) as caught:
        find("exits")

    assert isinstance(caught.value.__cause__, SystemExit)


# load_class() and check_handler()


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("hostile_nowhere:Handler", "hostile_nowhere:Handler names a module that does not exist: hostile_nowhere"),
        ("hostile_missing_class.rest:Rest", "names a module that does not exist: hostile_missing_class.rest"),
        (
            "hostile_missing_class:MissingClassHandler",
            "does not exist: the module has no MissingClassHandler; nearest: MissingClassHandlerOf",
        ),
        ("hostile_missing_class:NUMBER", "is no class; it is int"),
        ("hostile_import_error:Handler", "importing hostile_import_error raised ModuleNotFoundError: No module named 'a_library_that"),
        ("hostile_late_exit_handler:Handler", "importing hostile_late_exit_handler called sys.exit(goodbye)"),
    ],
)
def test_a_class_that_cannot_be_had_is_an_error_that_says_why(site: Path, ref: str, reason: str) -> None:
    """A plugin names its classes as text; a slip in it is only found here."""
    for plugin in ("missing_class", "import_error", "late_exit"):
        install(plugin, site)

    with pytest.raises(PluginBrokenError) as caught:
        load_class("acme", ref, object)

    assert reason in str(caught.value)


def test_a_class_of_another_kind_is_refused(site: Path) -> None:
    """A REST client named where a handler belongs."""
    install("missing_class", site)

    with pytest.raises(PluginBrokenError, match="MissingClassHandlerOfAnotherName is no BaseMessageHandler"):
        load_class("acme", "hostile_missing_class:MissingClassHandlerOfAnotherName", BaseMessageHandler)


def test_a_handler_is_told_every_contract_that_it_lacks(site: Path) -> None:
    """The list is what an author works through, so it is complete and names what to add."""
    install("lacks_contract", site)
    handler = load_class("acme", "hostile_lacks_contract:LacksContractHandler", ConnectionMixin)

    assert check_handler(handler, (Channel.TRADES,), venue="acme", market="spot") == [
        "lacks AuthMixin among its bases (who we are; NoAuthMixin for public data)",
        "lacks SubscriptionMixin among its bases (how to subscribe)",
        "does not implement _handle_message()",
        "declares venue = 'somebody_else'; its plugin says 'acme'",
        "does not declare market (a class attribute, text)",
        "does not declare channels (a class attribute, a mapping of Channel to ChannelSpec)",
    ]
    assert "lacks PublicMessageHandler or PrivateMessageHandler among its bases (what becomes of a frame)" in check_handler(object)


def test_a_handler_serves_the_announced_channels_of_its_kind(site: Path) -> None:
    """Orders belong to the private handler; a public one is not blamed for them."""
    install("bad_answers", site)
    handler = load_class("acme", "hostile_bad_answers:BadAnswersHandler", BaseMessageHandler)

    assert check_handler(handler, (Channel.TICKER, Channel.ORDERS)) == []
    assert check_handler(handler, (Channel.TICKER, Channel.TRADES)) == ["does not serve the channel trades that its plugin announces"]


# The plugins themselves


def test_pip_installs_what_the_tests_install(tmp_path: Path) -> None:
    """The short way of these tests leaves what the real one does, so the plugins above are such as users meet."""
    try:
        setuptools = metadata.version("setuptools")
    except metadata.PackageNotFoundError:
        setuptools = "0"
    if int(setuptools.partition(".")[0]) < 77 or find_spec("pip") is None:
        pytest.skip("installing a package without the network needs pip and setuptools 77 in this environment")
    ours, pips, source = tmp_path / "ours", tmp_path / "pips", tmp_path / "source"
    ours.mkdir()
    install("noisy", ours)
    shutil.copytree(HOSTILE / "noisy", source)
    arguments = ["--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--target", str(pips), str(source)]

    subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True, capture_output=True)

    assert {each.name for each in ours.rglob("*.py")} == {each.name for each in pips.rglob("*.py")}
    written = "hostile_noisy-1.0.dist-info/entry_points.txt"
    assert (pips / written).read_text().split() == (ours / written).read_text().split()
