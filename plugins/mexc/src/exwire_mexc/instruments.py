"""Turn MEXC's spot symbols into instruments, and into the rules that an instrument has no place for. Pure: bytes in, structs out.

Source: MEXC API v3, "Exchange Information", read 2026-11.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from exwire.errors import DecodeError
from exwire.model import Instrument, InstrumentStatus
from exwire.wire import UNREADABLE, Amount, Places, rule, step
from exwire_mexc.names import VENUE, spot_pair

__all__ = ["OrderRules", "SymbolInfo", "read_instrument", "read_order_rules"]


class Filter(Struct, rename="camel"):
    """``{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"0.005","askMultiplierDown":"0.005"}``; other types have other fields."""

    filter_type: str = ""
    bid_multiplier_up: Amount | None = None
    ask_multiplier_down: Amount | None = None


class SymbolInfo(Struct, rename="camel"):
    """One pair. Some names mislead: the two ``…Precision`` that are text are no precisions.

    base_size_precision: the least base quantity; quote_amount_precision: the least value of an order, in quote units; status: ``1``
    online, ``2`` paused, ``3`` offline, ``ENABLED`` before 2024-08; trade_side_type: 1 both, 2 buying, 3 selling, 4 neither;
    is_spot_trading_allowed: through the API, others may trade.

    {"symbol":"BTCUSDT","status":"1","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":2,
     "quoteAssetPrecision":2,"baseCommissionPrecision":8,"quoteCommissionPrecision":2,"orderTypes":["LIMIT","MARKET","LIMIT_MAKER"],
     "isSpotTradingAllowed":false,"isMarginTradingAllowed":false,"quoteAmountPrecision":"1","baseSizePrecision":"0.000001",
     "permissions":["SPOT"],"filters":[],"maxQuoteAmount":"4000000","makerCommission":"0","takerCommission":"0.0005",
     "quoteAmountPrecisionMarket":"1","maxQuoteAmountMarket":"4000000","fullName":"Bitcoin","tradeSideType":1,"st":false}
    """

    symbol: str
    base_asset: str
    quote_asset: str
    base_asset_precision: Places
    quote_precision: Places
    quote_asset_precision: Places | None = None
    status: str | int = ""
    is_spot_trading_allowed: bool = True
    trade_side_type: int | None = None
    permissions: tuple[str, ...] | None = None
    order_types: tuple[str, ...] | None = None
    filters: tuple[Filter, ...] | None = None
    base_size_precision: Amount | None = None
    quote_amount_precision: Amount | None = None
    quote_amount_precision_market: Amount | None = None
    max_quote_amount: Amount | None = None
    max_quote_amount_market: Amount | None = None


class OrderRules(Struct, frozen=True):
    """Rules for orders in one symbol besides those of its Instrument; None: no such rule.

    order_types: MEXC's words, of those that it lists (``IMMEDIATE_OR_CANCEL`` and ``FILL_OR_KILL`` are taken although not listed);
    min_notional_market, max_notional_market: of market orders, quote units; price_up, price_down: how far, as a ratio, a buying price may
    be above the last price and a selling price below it. That the two are such distances is how we read the documentation, whose formula
    contradicts its own numbers.
    """

    symbol: str
    order_types: tuple[str, ...]
    min_notional_market: Decimal | None
    max_notional_market: Decimal | None
    price_up: Decimal | None
    price_down: Decimal | None


_decode: Final = msgspec.json.Decoder(SymbolInfo, strict=False).decode

_ONLINE: Final = frozenset({"1", "ENABLED"})
_CLOSED: Final = frozenset({"2", "3"})
_SIDES: Final = {
    None: InstrumentStatus.TRADING,  # the field is younger than some copies of the documentation
    1: InstrumentStatus.TRADING,
    2: InstrumentStatus.BUY_ONLY,
    3: InstrumentStatus.SELL_ONLY,
    4: InstrumentStatus.HALTED,
}
_PERCENT_PRICE: Final = "PERCENT_PRICE_BY_SIDE"


def read_instrument(row: bytes | msgspec.Raw) -> Instrument:
    """Return the instrument that one symbol's entry describes. Raises DecodeError, also for a pair whose name its assets do not make."""
    try:
        info = _decode(row)
        return Instrument(
            venue=VENUE,
            symbol=_symbol(info),
            venue_symbol=info.symbol,
            base=info.base_asset,
            quote=info.quote_asset,
            status=_status(info),
            tick_size=step(_price_places(info)),
            lot_size=step(info.base_asset_precision),
            min_qty=rule(info.base_size_precision),
            min_notional=rule(info.quote_amount_precision),
            max_notional=rule(info.max_quote_amount),
        )
    except UNREADABLE as exc:
        raise DecodeError(VENUE, f"symbol: {exc}", bytes(row)) from exc


def read_order_rules(row: bytes | msgspec.Raw) -> OrderRules:
    """Return the other rules of one symbol's entry. Raises DecodeError."""
    try:
        info = _decode(row)
        band = next((each for each in info.filters or () if each.filter_type == _PERCENT_PRICE), Filter())
        return OrderRules(
            symbol=_symbol(info),
            order_types=info.order_types or (),
            min_notional_market=rule(info.quote_amount_precision_market),
            max_notional_market=rule(info.max_quote_amount_market),
            price_up=rule(band.bid_multiplier_up),
            price_down=rule(band.ask_multiplier_down),
        )
    except UNREADABLE as exc:
        raise DecodeError(VENUE, f"symbol: {exc}", bytes(row)) from exc


def _symbol(info: SymbolInfo) -> str:
    symbol = f"{info.base_asset}/{info.quote_asset}"
    if spot_pair(symbol) != info.symbol:
        raise ValueError(f"{info.symbol!r} is not {info.base_asset!r} and {info.quote_asset!r} in one word")
    return symbol


def _status(info: SymbolInfo) -> InstrumentStatus:
    status = str(info.status)
    if status in _CLOSED:
        return InstrumentStatus.HALTED
    if status not in _ONLINE:
        return InstrumentStatus.UNKNOWN
    if not info.is_spot_trading_allowed or "SPOT" not in (info.permissions or ("SPOT",)):
        return InstrumentStatus.HALTED
    return _SIDES.get(info.trade_side_type, InstrumentStatus.UNKNOWN)


def _price_places(info: SymbolInfo) -> int:
    """Return the decimals of a price. Clients differ in which of the two fields they read; where both differ, the fewer suit both."""
    if info.quote_asset_precision is None:
        return info.quote_precision
    return min(info.quote_precision, info.quote_asset_precision)
