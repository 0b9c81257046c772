"""What the Gate.io plugin tells exwire. Nothing of it is imported until it is used."""

from __future__ import annotations

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl
from exwire.subscription import Channel


@hookimpl
def exwire_venue() -> VenueSpec:
    """Return the venue's markets and the names of their classes."""
    return VenueSpec(
        name="gateio",
        api=1,
        markets={
            "spot": MarketSpec(
                public="exwire_gateio.spot.venue:GateioSpotPublicHandler",
                rest="exwire_gateio.spot.rest:GateioSpotRest",
                channels=(Channel.TRADES, Channel.BOOK_TICKER, Channel.BOOK, Channel.BOOK_SNAPSHOT, Channel.TICKER, Channel.CANDLES),
            )
        },
        loopback="exwire_gateio.loopback:GateioScript",
    )
