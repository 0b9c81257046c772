"""A venue looked into: every class that its plugin names is imported and held against its contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from exwire.contracts import ChannelSpec, ConnectionContext, Delivery, Param
from exwire.discovery import Status, VenueInfo, check_handler, contained, find, load_class, venues
from exwire.errors import PluginBrokenError, PluginNotFoundError
from exwire.hookspecs import MarketSpec
from exwire.loopback import VenueScript
from exwire.rest import BaseRestClient
from exwire.subscription import Channel

__all__ = ["ChannelReport", "ClassReport", "MarketReport", "VenueReport", "inspect_venue"]


class ClassReport(Struct, frozen=True):
    """A class that a spec names. role: ``public``, ``private``, ``rest`` or ``loopback``; problems: empty when it can be used."""

    role: str
    ref: str
    problems: tuple[str, ...] = ()


class ChannelReport(Struct, frozen=True):
    """A channel that a market announces. cadence_s: 0 for on change; delivery: None when no handler could be asked."""

    channel: Channel
    cadence_s: float = 0.0
    delivery: Delivery | None = None
    params: tuple[Param, ...] = ()


class MarketReport(Struct, frozen=True):
    """One market of a venue."""

    market: str
    channels: tuple[ChannelReport, ...]
    classes: tuple[ClassReport, ...]


class VenueReport(Struct, frozen=True):
    """What was found. problems: all of it, in sentences; empty when everything that the plugin promises is there."""

    info: VenueInfo
    markets: tuple[MarketReport, ...] = ()
    loopback: ClassReport | None = None
    problems: tuple[str, ...] = ()


def inspect_venue(venue: str) -> VenueReport:
    """Look into a venue. A plugin that cannot be used is reported, not raised; raises PluginNotFoundError for one that is not installed."""
    installed = venues()
    info = next((each for each in installed if each.venue == venue), None)
    if info is None:
        raise PluginNotFoundError(venue, {each.venue for each in installed})
    if info.status is not Status.OK:
        return VenueReport(info, problems=(info.reason,))
    spec = find(venue)
    markets = tuple(_market_report(venue, name, market) for name, market in spec.markets.items())
    loopback = _class_report(venue, "loopback", spec.loopback, VenueScript) if spec.loopback else None
    problems = [f"{market.market}: {problem}" for market in markets for each in market.classes for problem in _sentences(each)]
    if loopback is not None:
        problems += _sentences(loopback)
    return VenueReport(info, markets, loopback, tuple(problems))


def _sentences(report: ClassReport) -> list[str]:
    shown = (problem if problem.startswith(report.ref) else f"{report.ref}: {problem}" for problem in report.problems)
    return [f"{report.role} class {problem}" for problem in shown]


def _market_report(venue: str, name: str, market: MarketSpec) -> MarketReport:
    served: dict[Channel, ChannelSpec] = {}
    roles = [("public", market.public), ("private", market.private)]
    classes = [_handler_report(venue, role, ref, name, market.channels, served) for role, ref in roles if ref]
    if market.rest:
        classes.append(_class_report(venue, "rest", market.rest, BaseRestClient))
    return MarketReport(name, tuple(_channel_report(each, served) for each in market.channels), tuple(classes))


def _channel_report(channel: Channel, served: Mapping[Channel, ChannelSpec]) -> ChannelReport:
    spec = served.get(channel)
    return ChannelReport(channel, spec.cadence.seconds, spec.delivery, spec.params) if spec else ChannelReport(channel)


def _handler_report(
    venue: str, role: str, ref: str, market: str, announced: Sequence[Channel], served: dict[Channel, ChannelSpec]
) -> ClassReport:
    """Import a handler, check its contracts, make one and ask it how it connects. What it serves is added to ``served``."""
    problems: list[str] = []
    try:
        cls = load_class(venue, ref, object)
        with contained(venue, "checking it"):
            problems += check_handler(cls, announced, venue=venue, market=market)
        if not problems:
            with contained(venue, "connection_context()"):
                served.update(cls.channels)  # type: ignore[attr-defined]  # check_handler found it
                context = cls().connection_context()
            if not isinstance(context, ConnectionContext):
                problems.append(f"connection_context() returned {type(context).__name__}; expected ConnectionContext")
    except PluginBrokenError as error:
        problems.append(error.reason)
    return ClassReport(role, ref, tuple(problems))


def _class_report(venue: str, role: str, ref: str, base: type) -> ClassReport:
    try:
        cls = load_class(venue, ref, base)
        with contained(venue, "checking it"):
            missing = [f"does not implement {name}()" for name in sorted(getattr(cls, "__abstractmethods__", ()))]
    except PluginBrokenError as error:
        return ClassReport(role, ref, (error.reason,))
    return ClassReport(role, ref, tuple(missing))
