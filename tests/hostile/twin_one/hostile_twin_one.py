"""Claims the name twin."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(name="twin", api=1, markets={"spot": MarketSpec(public="hostile_twin_one:Handler")})
