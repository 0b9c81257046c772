"""Was written for a plugin API of the future, with a hook of the future."""

from exwire.hookspecs import VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(name="other_api", api=99, markets={})


@hookimpl
def exwire_weather() -> str:
    return "sunny"
