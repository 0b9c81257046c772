"""A Gate.io spot handler and what it calls back."""

from __future__ import annotations

import pytest

from exwire_gateio.spot.venue import GateioSpotPublicHandler
from heard import Heard


@pytest.fixture
def handler() -> GateioSpotPublicHandler:
    """A handler with two symbols subscribed."""
    handler = GateioSpotPublicHandler()
    handler.symbols = {"BTC_USDT": "BTC/USDT", "ETH_USDT": "ETH/USDT"}
    return handler


@pytest.fixture
def heard(handler: GateioSpotPublicHandler) -> Heard:
    """What that handler calls back."""
    return Heard(handler)
