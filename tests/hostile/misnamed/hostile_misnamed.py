"""Calls itself by another name than its entry point does."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(name="somebody_else", api=1, markets={"spot": MarketSpec(public="hostile_misnamed:Handler")})
