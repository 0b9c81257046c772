"""How Gate.io spells a pair: ``BTC_USDT`` is our ``BTC/USDT``. Judged by form alone; whether it is listed, the instruments know."""

from __future__ import annotations

from typing import Final

from exwire.errors import ConfigError

__all__ = ["VENUE", "pair_symbol", "symbol_pair"]

VENUE: Final = "gateio"


def symbol_pair(symbol: str) -> str:
    """Return Gate's spelling of a unified symbol. Raises ConfigError for what cannot be one."""
    return _respell(symbol, "/", "_", "a symbol such as BTC/USDT")


def pair_symbol(pair: str) -> str:
    """Return the unified symbol of Gate's spelling. Raises ConfigError for what has not the form."""
    return _respell(pair, "_", "/", "a pair such as BTC_USDT")


def _respell(text: str, separator: str, other: str, expected: str) -> str:
    """Names are opaque UTF-8 (some are Chinese), in upper case; both separators, the colon and white space never occur inside a name."""
    base, _, quote = text.partition(separator)
    foreign = separator in quote or other in text or ":" in text or " " in text
    if not base or not quote or foreign or not text.isprintable() or text != text.upper():
        hint = f"; did you mean {text.upper()!r}?" if text != text.upper() else ""
        raise ConfigError(f"{VENUE}: expected {expected}, in upper case and with one {separator!r}, not {text!r}{hint}")
    return f"{base}{other}{quote}"
