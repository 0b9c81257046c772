"""MEXC spot."""

from exwire_mexc.spot.venue import MexcSpotPublicHandler

__all__ = ["MexcSpotPublicHandler"]
