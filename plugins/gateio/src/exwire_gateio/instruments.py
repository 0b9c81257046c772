"""Turn Gate.io's currency pairs into instruments. Pure: bytes in, structs out.

Source: Gate.io API v4, "List all currency pairs supported", read 2026-11.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from exwire.errors import DecodeError
from exwire.model import Instrument, InstrumentStatus
from exwire.wire import UNREADABLE, Amount, Places, rule, step
from exwire_gateio.names import VENUE, pair_symbol

__all__ = ["CurrencyPair", "read_currency_pair"]


class CurrencyPair(Struct):
    """One pair. precision, amount_precision: decimals of prices and of base amounts; times: s, 0 when there is none.

    {"id":"ETH_USDT","base":"ETH","base_name":"Ethereum","quote":"USDT","quote_name":"Tether","fee":"0.2","min_base_amount":"0.001",
     "min_quote_amount":"3","max_quote_amount":"5000000","amount_precision":6,"precision":2,"trade_status":"tradable",
     "sell_start":1516378650,"buy_start":1516378650,"delisting_time":0,"type":"normal","trade_url":"https://www.gate.io/trade/ETH_USDT",
     "st_tag":false}
    """

    id: str
    base: str
    quote: str
    precision: Places
    amount_precision: Places
    trade_status: str = ""
    min_base_amount: Amount | None = None
    min_quote_amount: Amount | None = None
    max_base_amount: Amount | None = None
    max_quote_amount: Amount | None = None
    buy_start: int | None = None
    sell_start: int | None = None
    delisting_time: int | None = None


_decode: Final = msgspec.json.Decoder(CurrencyPair, strict=False).decode

_ALLOWED: Final = {"tradable": (True, True), "buyable": (True, False), "sellable": (False, True), "untradable": (False, False)}
"""``trade_status`` → (buying, selling)."""

_STATUS: Final = {
    (True, True): InstrumentStatus.TRADING,
    (True, False): InstrumentStatus.BUY_ONLY,
    (False, True): InstrumentStatus.SELL_ONLY,
    (False, False): InstrumentStatus.HALTED,
}


def read_currency_pair(row: bytes | msgspec.Raw, now_ns: int) -> Instrument:
    """Return the instrument that one currency pair describes, its status as of ``now_ns``. Raises DecodeError."""
    try:
        pair = _decode(row)
        return Instrument(
            venue=VENUE,
            symbol=pair_symbol(pair.id),
            venue_symbol=pair.id,
            base=pair.base,
            quote=pair.quote,
            status=_status(pair, now_ns // 1_000_000_000),
            tick_size=step(pair.precision),
            lot_size=step(pair.amount_precision),
            min_qty=rule(pair.min_base_amount),
            max_qty=rule(pair.max_base_amount),
            min_notional=rule(pair.min_quote_amount),
            max_notional=rule(pair.max_quote_amount),
        )
    except UNREADABLE as exc:
        raise DecodeError(VENUE, f"currency pair: {exc}", bytes(row)) from exc


def _status(pair: CurrencyPair, now_s: int) -> InstrumentStatus:
    """``tradable`` is also what a pair says before its sides open and after it was delisted."""
    if pair.trade_status not in _ALLOWED:
        return InstrumentStatus.UNKNOWN
    if pair.delisting_time and now_s >= pair.delisting_time:
        return InstrumentStatus.HALTED
    buying, selling = _ALLOWED[pair.trade_status]
    return _STATUS[buying and now_s >= (pair.buy_start or 0), selling and now_s >= (pair.sell_start or 0)]
