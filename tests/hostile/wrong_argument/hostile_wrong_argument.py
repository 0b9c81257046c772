"""Its hook wants an argument that nobody passes."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venue(loop: object) -> VenueSpec:
    return VenueSpec(name="wrong_argument", api=1, markets={"spot": MarketSpec(public="hostile_wrong_argument:Handler")})
