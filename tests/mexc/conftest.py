"""A MEXC spot handler and what it calls back."""

from __future__ import annotations

import pytest

from exwire_mexc.spot.venue import MexcSpotPublicHandler
from heard import Heard


@pytest.fixture
def handler() -> MexcSpotPublicHandler:
    """A handler with two symbols subscribed."""
    handler = MexcSpotPublicHandler()
    handler.symbols = {"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}
    return handler


@pytest.fixture
def heard(handler: MexcSpotPublicHandler) -> Heard:
    """What that handler calls back."""
    return Heard(handler)
