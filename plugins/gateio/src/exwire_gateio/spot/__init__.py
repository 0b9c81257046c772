"""Gate.io spot."""

from exwire_gateio.spot.venue import GateioSpotPublicHandler

__all__ = ["GateioSpotPublicHandler"]
