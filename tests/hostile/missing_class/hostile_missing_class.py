"""Names classes and modules that do not exist."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


class MissingClassHandlerOfAnotherName:
    pass


NUMBER = 3


@hookimpl
def exwire_venue() -> VenueSpec:
    spot = MarketSpec(public="hostile_missing_class:MissingClassHandler", rest="hostile_missing_class.rest:Rest")
    futures = MarketSpec(public="hostile_missing_class:NUMBER", rest="hostile_missing_class:MissingClassHandlerOfAnotherName")
    markets = {"spot": spot, "futures": futures}
    return VenueSpec(name="missing_class", api=1, markets=markets, loopback="hostile_missing_class:Script")
