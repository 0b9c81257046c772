"""Has the function, unmarked."""

from exwire.hookspecs import MarketSpec, VenueSpec


def exwire_venue() -> VenueSpec:
    return VenueSpec(name="no_hook", api=1, markets={"spot": MarketSpec(public="hostile_no_hook:Handler")})
