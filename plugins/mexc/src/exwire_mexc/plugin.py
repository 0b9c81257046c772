"""What the MEXC plugin tells exwire. Nothing of it is imported until it is used."""

from __future__ import annotations

from exwire.hookspecs import MarketSpec, VenueSpec, hookimpl
from exwire.subscription import Channel


@hookimpl
def exwire_venue() -> VenueSpec:
    """Return the venue's markets and the names of their classes."""
    return VenueSpec(
        name="mexc",
        api=1,
        markets={
            "spot": MarketSpec(
                public="exwire_mexc.spot.venue:MexcSpotPublicHandler",
                rest="exwire_mexc.spot.rest:MexcSpotRest",
                channels=(Channel.TRADES, Channel.BOOK_TICKER, Channel.BOOK, Channel.BOOK_SNAPSHOT, Channel.TICKER, Channel.CANDLES),
            )
        },
        loopback="exwire_mexc.loopback:MexcScript",
    )
