"""How MEXC spells a spot pair: ``BTCUSDT`` is our ``BTC/USDT``.

Joining is exact. Splitting is not, because nothing separates the two halves: it goes by the quote currencies that MEXC lists, and serves
only where there is neither a subscription nor an instrument to look the pair up in.
"""

from __future__ import annotations

from typing import Final

from exwire.errors import ConfigError

__all__ = ["QUOTES", "VENUE", "spot_pair", "spot_symbol"]

VENUE: Final = "mexc"

QUOTES: Final = ("USDT", "USDC", "USD1", "USDE", "TUSD", "EUR", "BTC", "ETH", "MX")
"""Quote currencies, in the order in which they are tried; none is the end of another."""

_FOREIGN: Final = frozenset('/:@,[]"\\')
"""What never occurs inside a name: our separators, and those of MEXC's topics and of the answers that list topics."""


def spot_pair(symbol: str) -> str:
    """Return MEXC's spelling of a unified symbol. Raises ConfigError for what cannot be one."""
    base, _, quote = symbol.partition("/")
    if not _is_name(base) or not _is_name(quote):
        hint = f"; did you mean {symbol.upper()!r}?" if symbol != symbol.upper() else ""
        raise ConfigError(f"{VENUE}: expected a symbol such as BTC/USDT, in upper case and with one '/', not {symbol!r}{hint}")
    return base + quote


def spot_symbol(pair: str) -> str:
    """Return the unified symbol of MEXC's spelling, split before the quote currency. Raises ConfigError where none ends it."""
    for quote in QUOTES:
        base = pair.removesuffix(quote)
        if base != pair and _is_name(base):
            return f"{base}/{quote}"
    raise ConfigError(f"{VENUE}: expected a pair such as BTCUSDT, in upper case and ending with one of {', '.join(QUOTES)}, not {pair!r}")


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.upper() and " " not in text and _FOREIGN.isdisjoint(text)
