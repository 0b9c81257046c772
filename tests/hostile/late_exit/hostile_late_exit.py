"""Ends the interpreter when its handler is imported."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(name="late_exit", api=1, markets={"spot": MarketSpec(public="hostile_late_exit_handler:Handler")})
