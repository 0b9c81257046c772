"""Fills its spec with values of other types."""

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl


@hookimpl
def exwire_venue() -> VenueSpec:
    return VenueSpec(
        name="odd_content",
        api=1,
        markets={
            "Spot": MarketSpec(public="", rest="no colon", channels=("trades",)),
            "futures": "hostile_odd_content:Handler",
            3: MarketSpec(public="hostile_odd_content:Handler"),
        },
        loopback=None,
        flags=["fast"],
        bench=7,
    )
