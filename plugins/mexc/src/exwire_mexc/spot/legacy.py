"""MEXC spot's pushes of before protobuf, which recordings and gateways still have.

Source: MEXC spot v3 WebSocket as documented until 2024-12: ``{"c": topic, "d": body, "s": symbol, "t": ms}``. Each struct is the one of
``wire.py`` with the members' old names, so that it becomes the same events; numbers are text or bare.
"""

# ruff: noqa: N815 - the fields are spelt as MEXC spells them

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from exwire.wire import Empty, Id, Milliseconds, Number, Price, Seconds, Signed
from exwire_mexc.spot import wire
from exwire_mexc.spot.wire import Body, Push

__all__ = ["read_array", "read_body"]


class _Level(wire.Level, rename={"price": "p", "quantity": "v"}):
    price: Price
    quantity: Number


class _Deal(wire.Deal, rename={"price": "p", "quantity": "v", "tradeType": "S", "time": "t"}):
    price: Price
    quantity: Number
    tradeType: Literal[1, 2]
    time: Milliseconds


class _Deals(wire.Deals):
    """``{"deals":[{"p":"20382.70","v":"0.043800","S":1,"t":1678593222456}],"e":"spot@public.deals.v3.api"}``."""

    deals: tuple[_Deal, ...] = ()


class _IncreaseDepths(wire.IncreaseDepths, rename={"version": "r"}):
    """``{"asks":[{"p":"20290.89","v":"0.000000"}],"e":"spot@public.increase.depth.v3.api","r":"3407459756"}``; the version steps by one."""

    version: Id
    asks: tuple[_Level, ...] = ()
    bids: tuple[_Level, ...] = ()


class _LimitDepths(wire.LimitDepths, rename={"version": "r"}):
    version: Id
    asks: tuple[_Level, ...] = ()
    bids: tuple[_Level, ...] = ()


class _BookTicker(wire.BookTicker, rename={"bidPrice": "b", "bidQuantity": "B", "askPrice": "a", "askQuantity": "A"}):
    """``{"A":"40.66000000","B":"31.21000000","a":"25.36520000","b":"25.35190000"}``."""

    bidPrice: Number | Empty = ""
    bidQuantity: Number | Empty = ""
    askPrice: Number | Empty = ""
    askQuantity: Number | Empty = ""


_KLINE: Final = {
    "interval": "i",
    "windowStart": "t",
    "openingPrice": "o",
    "closingPrice": "c",
    "highestPrice": "h",
    "lowestPrice": "l",
    "volume": "v",
    "amount": "a",
}


class _Kline(wire.SpotKline, rename=_KLINE):
    """``{"i":"Min15","t":1661931000,"T":1661931900,"o":20284.93,"h":20284.93,"l":20277.52,"c":20279.43,"v":1.43211,"a":29043.48804658}``."""

    interval: str
    windowStart: Seconds
    openingPrice: Price
    closingPrice: Price
    highestPrice: Price
    lowestPrice: Price
    volume: Number
    amount: Number


class _KlineBody(Struct):
    k: _Kline


_TICKER: Final = {"symbol": "s", "price": "p", "zonedRate": "tr", "high": "h", "low": "l", "volume": "v", "quantity": "q"}


class _MiniTicker(wire.MiniTicker, rename=_TICKER):
    """``{"s":"BTCUSDT","p":"76522","r":"0.0012","tr":"0.0012","h":"77196.3","l":"75630.77","v":"584664223.92","q":"7666.720258", …}``.

    Its documentation had ``v`` and ``q`` the other way round; the numbers show that ``v`` is quote.
    """

    symbol: str
    price: Number
    zonedRate: Signed
    high: Number
    low: Number
    volume: Number
    quantity: Number


_ARRAY_KLINE: Final = {name: old for name, old in _KLINE.items() if name != "interval"} | {"volume": "q", "amount": "v"}


class _ArrayKline(wire.SpotKline, rename=_ARRAY_KLINE):
    """``{"symbol":"DXGM_USDT","interval":"Min5","t":1638241800,"o":0.0268,"c":0.02456,"h":0.0273,"l":0.02286,"v":31416.37,"q":1264843.57}``."""

    symbol: str
    interval: str
    windowStart: Seconds
    openingPrice: Price
    closingPrice: Price
    highestPrice: Price
    lowestPrice: Price
    volume: Number
    amount: Number


class _ArrayBody(Struct):
    data: _ArrayKline


def _decoder(kind: type[Body]) -> Callable[[Raw], Body]:
    return msgspec.json.Decoder(kind, strict=False).decode


_decode_kline: Final = msgspec.json.Decoder(_KlineBody, strict=False).decode
_decode_tickers: Final = msgspec.json.Decoder(tuple[_MiniTicker, ...], strict=False).decode
_decode_array: Final = msgspec.json.Decoder(tuple[Literal["push.kline"], _ArrayBody], strict=False).decode

_READ: Final[dict[str, Callable[[Raw], Body]]] = {
    "public.deals.v3.api": _decoder(_Deals),
    "public.increase.depth.v3.api": _decoder(_IncreaseDepths),
    "public.limit.depth.v3.api": _decoder(_LimitDepths),
    "public.bookTicker.v3.api": _decoder(_BookTicker),
    "public.kline.v3.api": lambda body: _decode_kline(body).k,
    "public.miniTicker.v3.api": _decoder(_MiniTicker),
    "public.miniTickers.v3.api": lambda body: wire.MiniTickers(_decode_tickers(body)),
}


def read_body(topic: str, body: Raw) -> Body:
    """Return the body of an old push. Raises ValueError when the topic is none of public spot's, or its body not what it should be."""
    read = _READ.get(topic.removeprefix("spot@").partition("@")[0])
    if read is None:
        raise ValueError(f"expected a public spot topic, got {topic[:80]!r}")
    return read(body)


def read_array(frame: bytes) -> Push:
    """Return the push of a still older frame, ``["push.kline",{"symbol":"DXGM_USDT","data":{…},"symbol_display":"DXGM_USDT"}]``.

    It has no time but that of its candle. Raises ValueError.
    """
    name, body = _decode_array(frame)
    kline = body.data
    return Push(name, kline.symbol.replace("_", ""), kline.windowStart * 1_000, kline)
