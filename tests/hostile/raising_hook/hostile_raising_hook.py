"""Its hook raises."""

from exwire.hookspecs import VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    raise RuntimeError("no licence\nfor this machine")
