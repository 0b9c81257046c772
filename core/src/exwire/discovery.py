"""Which venues are installed: entry points found, loaded one at a time in a guard, judged by what they answer.

Listing and finding venues import no handler; ``load_class`` does. Whatever a plugin does while it is loaded or asked is contained
(``sys.exit`` too; only KeyboardInterrupt passes), and what it prints goes to stderr, so that the caller's stdout stays the caller's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, distributions
from time import perf_counter_ns
from typing import Any, Final

import pluggy
from msgspec import Struct, structs

from exwire import hookspecs
from exwire.contracts import AuthMixin, ChannelSpec, ConnectionMixin, SubscriptionMixin
from exwire.errors import (
    PluginBrokenError,
    PluginConflictError,
    PluginError,
    PluginIncompatibleError,
    PluginNotFoundError,
    nearest,
)
from exwire.handlers import PrivateMessageHandler, PublicMessageHandler
from exwire.hookspecs import API, PROJECT, MarketSpec, VenueSpec
from exwire.subscription import Channel

__all__ = ["Status", "VenueInfo", "check_handler", "contained", "find", "load_class", "venues"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_REF: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_CONTRACTS: Final = (
    (ConnectionMixin, "how to connect"),
    (AuthMixin, "who we are; NoAuthMixin for public data"),
    (SubscriptionMixin, "how to subscribe"),
)

_PRIVATE: Final = frozenset({Channel.ORDERS, Channel.EXECUTIONS, Channel.BALANCES})


class Status(StrEnum):
    """How a plugin stands.

    ok: usable; broken: it failed while loaded or asked; conflict: two distributions claim its name; incompatible: written for another
    plugin API.
    """

    OK = "ok"
    BROKEN = "broken"
    CONFLICT = "conflict"
    INCOMPATIBLE = "incompatible"


_STATUS: Final[Mapping[type, Status]] = {
    PluginBrokenError: Status.BROKEN,
    PluginConflictError: Status.CONFLICT,
    PluginIncompatibleError: Status.INCOMPATIBLE,
}


class VenueInfo(Struct, frozen=True):
    """One installed plugin, as ``exwire list`` shows it.

    distribution, version: what installed it; api: what it was written for, 0 when it did not get so far as to say; reason: why it is not
    ok, ``""`` when it is; load_ms: what loading and asking it took, 0 when that was not tried.
    """

    venue: str
    distribution: str
    version: str
    api: int
    status: Status
    markets: tuple[str, ...]
    reason: str
    load_ms: float


def venues() -> list[VenueInfo]:
    """Return every installed venue, sorted by name, whatever state it is in. Two claims of one name are two entries, both ``conflict``."""
    return [_info(claim, _judge(claims)) for _, claims in sorted(_claims().items()) for claim in claims]


def find(venue: str) -> VenueSpec:
    """Return what the plugin of that name provides; no other plugin is loaded.

    Raises PluginNotFoundError (naming the nearest), PluginConflictError, PluginIncompatibleError, PluginBrokenError.
    """
    claims = _claims()
    if venue not in claims:
        raise PluginNotFoundError(venue, claims)
    verdict = _judge(claims[venue])
    if isinstance(verdict.outcome, PluginError):
        raise verdict.outcome
    return verdict.outcome


def load_class(venue: str, ref: str, base: type) -> type:
    """Return the class that ``"module:Class"`` names, a subclass of ``base``. Raises PluginBrokenError, saying what is missing."""
    module_name, _, name = ref.partition(":")
    try:
        with contained(venue, f"importing {module_name}"):
            module = import_module(module_name)
            value: object = getattr(module, name, None)
            classes = [each for each, what in vars(module).items() if isinstance(what, type) and what.__module__ == module_name]
    except PluginBrokenError as error:
        cause = error.__cause__
        if isinstance(cause, ModuleNotFoundError) and cause.name and f"{module_name}.".startswith(f"{cause.name}."):
            raise PluginBrokenError(venue, f"{ref} names a module that does not exist: {cause.name}") from cause
        raise
    if value is None:
        like = ", ".join(nearest(name, classes)[:3])
        raise PluginBrokenError(venue, f"{ref} does not exist: the module has no {name}" + (f"; nearest: {like}" if like else ""))
    if not isinstance(value, type):
        raise PluginBrokenError(venue, f"{ref} is no class; it is {type(value).__name__}")
    if not issubclass(value, base):
        raise PluginBrokenError(venue, f"{ref} is no {base.__name__}")
    return value


def check_handler(cls: type, announced: Sequence[Channel] = (), *, venue: str = "", market: str = "") -> list[str]:
    """Return what a handler lacks, in sentences; empty when an interface can hold it.

    announced: what its plugin says of the market; those of its kind, public or private, it has to serve. venue, market: the names it has to
    declare, ``""``: any.
    """
    problems = [f"lacks {each.__name__} among its bases ({what})" for each, what in _CONTRACTS if not issubclass(cls, each)]
    if not issubclass(cls, PublicMessageHandler | PrivateMessageHandler):
        problems.append("lacks PublicMessageHandler or PrivateMessageHandler among its bases (what becomes of a frame)")
    problems += [f"does not implement {name}()" for name in sorted(getattr(cls, "__abstractmethods__", ()))]
    for name, wanted in (("venue", venue), ("market", market)):
        declared = getattr(cls, name, None)
        if not isinstance(declared, str) or not declared:
            problems.append(f"does not declare {name} (a class attribute, text)")
        elif wanted and declared != wanted:
            problems.append(f"declares {name} = {declared!r}; its plugin says {wanted!r}")
    channels = getattr(cls, "channels", None)
    if not isinstance(channels, Mapping) or not all(isinstance(k, Channel) and isinstance(v, ChannelSpec) for k, v in channels.items()):
        return [*problems, "does not declare channels (a class attribute, a mapping of Channel to ChannelSpec)"]
    private = issubclass(cls, PrivateMessageHandler)
    missing = [each.value for each in announced if (each in _PRIVATE) is private and each not in channels]
    return [*problems, *(f"does not serve the channel {each} that its plugin announces" for each in missing)]


@contextmanager
def contained(venue: str, doing: str) -> Iterator[None]:
    """Run a plugin's code: what it raises becomes PluginBrokenError, what it prints goes to stderr.

    ``os._exit``, output written past ``sys.stdout`` and code that never returns cannot be contained.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a border: sys.exit() and BaseExceptions of its own are the plugin's failures, not ours
        raise PluginBrokenError(venue, f"{doing} {_described(exc)}") from exc


def _described(exc: BaseException) -> str:
    try:
        text = " ".join(str(exc).split())
    except BaseException:  # noqa: BLE001  # as above: __str__ is the plugin's code, too
        text = "(its message cannot be shown)"
    if isinstance(exc, SystemExit):
        return f"called sys.exit({text})"
    return f"raised {type(exc).__name__}" + (f": {text}" if text else "")


# Finding: metadata is read, nothing imported.


class _Claim(Struct, frozen=True):
    """An entry point and who installed it. problem: why it could not even be read, else ``""``."""

    venue: str
    distribution: str
    version: str
    target: str
    problem: str = ""


def _claims() -> dict[str, list[_Claim]]:
    """Return who claims which venue name. A distribution found twice on ``sys.path`` counts once: the first, as for imports."""
    seen: set[str] = set()
    claims: dict[str, list[_Claim]] = {}
    for distribution in distributions():
        found = _read(distribution)
        if not found:
            continue
        name = re.sub(r"[-_.]+", "-", found[0].distribution).lower()
        if name not in seen:
            seen.add(name)
            for claim in dict.fromkeys(found):
                claims.setdefault(claim.venue, []).append(claim)
    return claims


def _read(distribution: Distribution) -> list[_Claim]:
    """Return a distribution's claims. Unreadable metadata is somebody else's trouble, unless it speaks of us."""
    text = ""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if f"[{PROJECT}]" not in text:
            return []
        name, version = distribution.metadata["Name"], distribution.version
        return [_Claim(each.name, name, version, each.value) for each in distribution.entry_points.select(group=PROJECT)]
    except Exception as exc:  # noqa: BLE001  # a border: importlib.metadata lets anything out when files are damaged
        if f"[{PROJECT}]" not in text:
            return []
        folder = str(getattr(distribution, "_path", "unknown")).rpartition("/")[2]
        return [_Claim(folder, folder, "", "", f"reading its metadata {_described(exc)}")]


# Judging: one plugin is loaded, alone.


class _Verdict(Struct, frozen=True):
    """What became of a claim. outcome: the spec, or why there is none to use."""

    outcome: VenueSpec | PluginError
    api: int = 0
    load_ms: float = 0.0


_loaded: dict[_Claim, _Verdict] = {}
"""A plugin that answered well is asked once in a process; a failure is not kept."""


def _judge(claims: Sequence[_Claim]) -> _Verdict:
    claim = claims[0]
    if len(claims) > 1:  # none is loaded: it could not be used, whatever it is
        named = " and ".join(f"{each.distribution} {each.version}" for each in claims)
        return _Verdict(PluginConflictError(claim.venue, f"the name is claimed by {named}; uninstall all but one"))
    if claim.problem:
        return _Verdict(PluginBrokenError(claim.venue, claim.problem))
    if claim in _loaded:
        return _loaded[claim]
    started = perf_counter_ns()
    api = 0
    outcome: VenueSpec | PluginError
    try:
        manager = _load(claim)
        outcome = _ask(manager, claim.venue)
        api = outcome.api
        _check(outcome, claim.venue)
        with contained(claim.venue, "checking its hooks"):
            manager.check_pending()  # after the API: a plugin of another one may well have hooks that we do not know
    except PluginError as error:
        outcome = error
    verdict = _Verdict(outcome, api, round((perf_counter_ns() - started) / 1e6, 3))
    if isinstance(outcome, VenueSpec):
        _loaded[claim] = verdict
    return verdict


def _load(claim: _Claim) -> pluggy.PluginManager:
    """Import a plugin. It gets a plugin manager of its own: no other can raise in its call, wrap it or shadow it."""
    with contained(claim.venue, f"importing {claim.target}"):
        plugin = EntryPoint(claim.venue, claim.target, PROJECT).load()
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    with contained(claim.venue, "registering its hooks"):
        manager.register(plugin, name=claim.venue)
    return manager


def _ask(manager: pluggy.PluginManager, venue: str) -> VenueSpec:
    """Return the answer if it is a VenueSpec; what stands in it is not certain yet, not even the types."""
    if not manager.hook.exwire_venue.get_hookimpls():
        with contained(venue, "checking its hooks"):
            manager.check_pending()
        raise PluginBrokenError(venue, "it implements no exwire_venue hook; mark the function with @exwire.hookspecs.hookimpl")
    with contained(venue, "its hook exwire_venue"):
        answers = manager.hook.exwire_venue()
    with contained(venue, "checking its answer"):
        if len(answers) == 1 and isinstance(answers[0], VenueSpec) and type(answers[0].api) is int:
            return answers[0]
    got = ", ".join(type(each).__name__ for each in answers) or "None"
    raise PluginBrokenError(venue, f"its hook exwire_venue returned {got}; expected one VenueSpec with a whole number as api")


def _check(spec: VenueSpec, venue: str) -> None:
    if spec.api != API:
        upgrade, older = ("the plugin", "an older exwire") if spec.api < API else ("exwire", "an older release of the plugin")
        advice = f"upgrade {upgrade}, or install {older}"
        raise PluginIncompatibleError(venue, f"written for plugin API {spec.api}; this exwire speaks {API}: {advice}")
    with contained(venue, "checking its answer"):
        problems = list(_spec_problems(structs.asdict(spec), venue))
    if problems:
        raise PluginBrokenError(venue, "; ".join(problems))


def _spec_problems(spec: dict[str, Any], venue: str) -> Iterator[str]:
    if not _NAME.fullmatch(venue):
        yield f"the entry point's name {venue!r} is not a lower-case identifier"
    if spec["name"] != venue:
        yield f"VenueSpec.name is {spec['name']!r}; expected {venue!r}, the entry point's name"
    if not isinstance(spec["markets"], Mapping) or not spec["markets"]:
        yield "VenueSpec.markets names no market; expected a mapping of names to MarketSpec"
    else:
        for name, market in spec["markets"].items():
            yield from _market_problems(name, market)
    if spec["loopback"] != "" and not _is_ref(spec["loopback"]):
        yield f"VenueSpec.loopback is {spec['loopback']!r}; expected 'module:Class' or nothing"
    if not isinstance(spec["flags"], tuple) or not all(isinstance(each, str) for each in spec["flags"]):
        yield "VenueSpec.flags is no tuple of texts"
    if not isinstance(spec["bench"], str):
        yield "VenueSpec.bench is no text"


def _market_problems(name: object, market: object) -> Iterator[str]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"the market name {name!r} is not a lower-case identifier"
    if not isinstance(market, MarketSpec):
        yield f"market {name!r} is {type(market).__name__}; expected MarketSpec"
        return
    fields: dict[str, Any] = structs.asdict(market)
    for role in ("public", "private", "rest"):
        if not _is_ref(fields[role]) and (fields[role] != "" or role == "public"):
            yield f"{role} of market {name!r} is {fields[role]!r}; expected 'module:Class'"
    if not isinstance(fields["channels"], tuple) or not all(isinstance(each, Channel) for each in fields["channels"]):
        yield f"channels of market {name!r} is no tuple of Channel"


def _is_ref(value: object) -> bool:
    return isinstance(value, str) and _REF.fullmatch(value) is not None


def _info(claim: _Claim, verdict: _Verdict) -> VenueInfo:
    outcome = verdict.outcome
    return VenueInfo(
        venue=claim.venue,
        distribution=claim.distribution,
        version=claim.version,
        api=verdict.api,
        status=_STATUS.get(type(outcome), Status.OK),
        markets=() if isinstance(outcome, PluginError) else tuple(outcome.markets),
        reason=outcome.reason if isinstance(outcome, PluginError) else "",
        load_ms=verdict.load_ms,
    )
