"""What the box lists: 24 instruments whose prices, ticks and lots look like those of large venues."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

__all__ = ["LISTINGS", "Listing"]


class Listing(Struct, frozen=True):
    """One instrument, before any trading.

    symbol: unified; price: where it starts, quote units; price_decimals, qty_decimals: tick and lot are ``10 ** -decimals``;
    events_per_s: orders, cancels and market orders together; typical_notional: of an order, quote units; levels: on each side.
    """

    symbol: str
    price: str
    price_decimals: int
    qty_decimals: int
    events_per_s: float = 12.0
    typical_notional: float = 900.0
    min_notional: str = "3"
    levels: int = 500

    @property
    def base(self) -> str:
        """The asset that is traded."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that pays."""
        return self.symbol.partition("/")[2]


LISTINGS: Final = (
    Listing("BTC/USDT", "91250.3", 1, 6, events_per_s=100, typical_notional=4000),
    Listing("ETH/USDT", "3104.25", 2, 5, events_per_s=70, typical_notional=3000),
    Listing("SOL/USDT", "142.57", 2, 3, events_per_s=40, typical_notional=2000),
    Listing("XRP/USDT", "2.2145", 4, 2, events_per_s=30, typical_notional=1500),
    Listing("BNB/USDT", "905.1", 1, 4, events_per_s=20),
    Listing("DOGE/USDT", "0.16123", 5, 1, events_per_s=20),
    Listing("ADA/USDT", "0.4821", 4, 1),
    Listing("TRX/USDT", "0.28765", 5, 1),
    Listing("AVAX/USDT", "15.321", 3, 3),
    Listing("LINK/USDT", "13.852", 3, 3),
    Listing("TON/USDT", "1.8722", 4, 2),
    Listing("DOT/USDT", "2.754", 3, 3),
    Listing("LTC/USDT", "91.27", 2, 4),
    Listing("BCH/USDT", "512.43", 2, 4),
    Listing("UNI/USDT", "6.812", 3, 3),
    Listing("ATOM/USDT", "2.873", 3, 3),
    Listing("GT/USDT", "10.624", 3, 3),
    Listing("PEPE/USDT", "0.00001034", 8, 0),
    Listing("SHIB/USDT", "0.0000087125", 10, 0),
    Listing("BABYDOGE/USDT", "0.0000000011234", 13, 0),
    Listing("ETH/BTC", "0.034019", 6, 4, typical_notional=0.02, min_notional="0.00001"),
    Listing("SOL/BTC", "0.0015624", 7, 3, typical_notional=0.02, min_notional="0.00001"),
    Listing("BTC/USDC", "91248.7", 1, 6, events_per_s=20),
    Listing("ETH/USDC", "3104.11", 2, 5, events_per_s=20),
)
