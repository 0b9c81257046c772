"""Marks a function of another name."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venues() -> VenueSpec:
    return VenueSpec(name="misspelt_hook", api=1, markets={"spot": MarketSpec(public="hostile_misspelt_hook:Handler")})
