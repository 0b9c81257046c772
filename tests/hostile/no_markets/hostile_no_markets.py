"""Has no market."""

from exwire.hookspecs import VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(name="no_markets", api=1, markets={})
