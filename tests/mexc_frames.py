"""MEXC spot frames built from the protocol notes, one of each public body in all its forms, and ways to bend them.

A binary frame is written field by field from the notes' numbers: no descriptor, nothing that the plugin has.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

__all__ = [
    "ABSENT",
    "BODIES",
    "KINDS",
    "LEGACY",
    "NUMBERS",
    "answer",
    "binary",
    "edited",
    "field",
    "push",
    "rendered",
    "topic_of",
    "varint",
    "wrapper",
]

ABSENT: Final = object()
"""Given as a field's value, it leaves the field out."""

Numbers: TypeAlias = "dict[str, int | tuple[int, Numbers]]"

_LEVEL: Final[Numbers] = {"price": 1, "quantity": 2}
_DEPTHS: Final[Numbers] = {"asks": (1, _LEVEL), "bids": (2, _LEVEL), "eventType": 3, "version": 4, "lastOrderCreateTime": 5}
_TOP: Final[Numbers] = {"bidPrice": 1, "bidQuantity": 2, "askPrice": 3, "askQuantity": 4, "version": 5, "lastOrderCreateTime": 6}
_DEALS: Final[Numbers] = {"deals": (1, {"price": 1, "quantity": 2, "tradeType": 3, "time": 4, "tradeId": 5}), "eventType": 2}


def _numbered(*names: str) -> Numbers:
    return {name: number for number, name in enumerate(names, start=1)}


_TICKER: Final = _numbered(
    *("symbol", "price", "rate", "zonedRate", "high", "low", "volume", "quantity"),
    *("lastCloseRate", "lastCloseZonedRate", "lastCloseHigh", "lastCloseLow"),
)
_KLINE: Final = _numbered(
    *("interval", "windowStart", "openingPrice", "closingPrice", "highestPrice", "lowestPrice", "volume", "amount", "windowEnd")
)

NUMBERS: Final[Numbers] = {
    "channel": 1,
    "symbol": 3,
    "symbolId": 4,
    "createTime": 5,
    "sendTime": 6,
    "publicDeals": (301, _DEALS),
    "publicIncreaseDepths": (302, _DEPTHS),
    "publicLimitDepths": (303, _DEPTHS),
    "privateAccount": (307, {"vcoinName": 1, "coinId": 2, "balanceAmount": 3, "type": 7, "time": 8}),
    "publicBookTicker": (305, _TOP),
    "publicSpotKline": (308, _KLINE),
    "publicMiniTicker": (309, _TICKER),
    "publicMiniTickers": (310, {"items": (1, _TICKER)}),
    "publicBookTickerBatch": (311, {"items": (1, _TOP), "version": 2, "lastOrderCreateTime": 3}),
    "publicIncreaseDepthsBatch": (312, {"items": (1, _DEPTHS), "eventType": 2}),
    "publicAggreDepths": (
        313,
        {"asks": (1, _LEVEL), "bids": (2, _LEVEL), "eventType": 3, "fromVersion": 4, "toVersion": 5, "lastOrderCreateTime": 6},
    ),
    "publicAggreDeals": (314, _DEALS),
    "publicAggreBookTicker": (315, _TOP),
}
"""Field numbers of the wrapper and of what it holds."""

_INT64: Final = frozenset({"createTime", "sendTime", "time", "windowStart", "windowEnd", "lastOrderCreateTime"})
"""In protobuf's JSON form these are text."""

_TICKER_ROW: Final = {
    "symbol": "BTCUSDT",
    "price": "115887.51",
    "rate": "-0.0067",
    "zonedRate": "-0.0071",
    "high": "116655.39",
    "low": "114872.83",
    "volume": "856772057.5",
    "quantity": "7390.6173804",
    "lastCloseRate": "0.0067",
    "lastCloseZonedRate": "0.0067",
    "lastCloseHigh": "116655.39",
    "lastCloseLow": "114872.83",
}
_TOP_ROW: Final = {"bidPrice": "93387.28", "bidQuantity": "3.73485", "askPrice": "93387.29", "askQuantity": "7.669875"}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "publicAggreDeals": {
        "deals": [
            {"price": "93220.00", "quantity": "0.04438243", "tradeType": 2, "time": 1736409765051, "tradeId": "T1"},
            {"price": "93220.01", "quantity": "1", "tradeType": 1, "time": 1736409765052, "tradeId": "T2"},
        ],
        "eventType": "spot@public.aggre.deals.v3.api.pb@100ms",
    },
    "publicAggreDepths": {
        "asks": [{"price": "92878.00", "quantity": "1.5"}],
        "bids": [{"price": "92877.58", "quantity": "0.00000000"}, {"price": "92877.57", "quantity": "2"}],
        "eventType": "spot@public.aggre.depth.v3.api.pb@100ms",
        "fromVersion": "10589632359",
        "toVersion": "10589632361",
        "lastOrderCreateTime": 1736411506999,
    },
    "publicAggreBookTicker": _TOP_ROW | {"version": "81999275445", "lastOrderCreateTime": 1736412092430},
    "publicBookTickerBatch": {"items": [_TOP_ROW], "version": "81999275446"},
    "publicLimitDepths": {
        "asks": [{"price": "93180.18", "quantity": "0.21976424"}, {"price": "93180.20", "quantity": "1"}],
        "bids": [{"price": "93179.98", "quantity": "2.82651000"}, {"price": "93179.90", "quantity": "3"}],
        "eventType": "spot@public.limit.depth.v3.api.pb",
        "version": "36913565463",
    },
    "publicSpotKline": {
        "interval": "Min15",
        "windowStart": 1736410500,
        "openingPrice": "92925",
        "closingPrice": "93158.47",
        "highestPrice": "93158.48",
        "lowestPrice": "92800",
        "volume": "36.83803224",
        "amount": "3424811.05",
        "windowEnd": 1736411400,
    },
    "publicMiniTicker": _TICKER_ROW,
    "publicMiniTickers": {"items": [_TICKER_ROW, _TICKER_ROW | {"symbol": "XENUSDT"}, _TICKER_ROW | {"symbol": "ETHUSDT"}]},
    "publicBookTicker": _TOP_ROW,
    "publicDeals": {"deals": [{"price": "20233.84", "quantity": "0.001028", "tradeType": 2, "time": 1661927587825}]},
    "publicIncreaseDepths": {"asks": [{"price": "20290.89", "quantity": "0.000000"}], "version": "3407459756"},
    "publicIncreaseDepthsBatch": {
        "items": [
            {"bids": [{"price": "96578.48", "quantity": "0.00000000"}], "version": "39003145507"},
            {"asks": [{"price": "96578.90", "quantity": "1"}], "version": "39003145508"},
        ]
    },
}
"""One body of each kind."""

_TOPICS: Final = {
    "publicAggreDeals": "aggre.deals.v3.api.pb@100ms@BTCUSDT",
    "publicAggreDepths": "aggre.depth.v3.api.pb@100ms@BTCUSDT",
    "publicAggreBookTicker": "aggre.bookTicker.v3.api.pb@100ms@BTCUSDT",
    "publicBookTickerBatch": "bookTicker.batch.v3.api.pb@BTCUSDT",
    "publicLimitDepths": "limit.depth.v3.api.pb@BTCUSDT@5",
    "publicSpotKline": "kline.v3.api.pb@BTCUSDT@Min15",
    "publicMiniTicker": "miniTicker.v3.api.pb@BTCUSDT@24H",
    "publicMiniTickers": "miniTickers.v3.api.pb@24H",
    "publicBookTicker": "bookTicker.v3.api.pb@BTCUSDT",
    "publicDeals": "deals.v3.api.pb@BTCUSDT",
    "publicIncreaseDepths": "increase.depth.v3.api.pb@BTCUSDT",
    "publicIncreaseDepthsBatch": "increase.depth.batch.v3.api.pb@BTCUSDT",
}

KINDS: Final = tuple(BODIES)

LEGACY: Final[dict[str, dict[str, Any]]] = {
    "deals": {
        "c": "spot@public.deals.v3.api@BTCUSDT",
        "d": {"deals": [{"p": "20382.70", "v": "0.043800", "S": 1, "t": 1678593222456}], "e": "spot@public.deals.v3.api"},
    },
    "increase.depth": {
        "c": "spot@public.increase.depth.v3.api@BTCUSDT",
        "d": {"asks": [{"p": "20290.89", "v": "0.000000"}], "e": "spot@public.increase.depth.v3.api", "r": "3407459756"},
    },
    "limit.depth": {
        "c": "spot@public.limit.depth.v3.api@BTCUSDT@5",
        "d": {
            "asks": [{"p": "20290.89", "v": "1"}, {"p": "20290.90", "v": "0.000000"}],
            "bids": [{"p": "20290.80", "v": "2"}],
            "e": "spot@public.limit.depth.v3.api",
            "r": "3407459756",
        },
    },
    "bookTicker": {
        "c": "spot@public.bookTicker.v3.api@BTCUSDT",
        "d": {"A": "40.66000000", "B": "31.21000000", "a": "25.36520000", "b": "25.35190000"},
    },
    "kline": {
        "c": "spot@public.kline.v3.api@BTCUSDT@Min15",
        "d": {
            "k": {
                "T": 1661931900,
                "a": 29043.48804658,
                "c": 20279.43,
                "h": 20284.93,
                "i": "Min15",
                "l": 20277.52,
                "o": 20284.90,
                "t": 1661931000,
                "v": 1.43211,
            },
            "e": "spot@public.kline.v3.api@BTCUSDT@Min15",
        },
    },
    "miniTicker": {
        "c": "spot@public.miniTicker.v3.api@BTCUSDT@UTC+8",
        "d": {
            "s": "BTCUSDT",
            "p": "76522",
            "r": "0.0012",
            "tr": "0.0013",
            "h": "77196.3",
            "l": "75630.77",
            "v": "584664223.92",
            "q": "7666.720258",
            "lastRT": "-1",
            "MT": "0",
            "NV": "--",
            "t": "1731135533126",
        },
    },
}
"""One push of each kind from before protobuf."""
for _each in LEGACY.values():
    _each |= {"s": "BTCUSDT", "t": 1678593222460}
LEGACY["miniTickers"] = {
    "c": "spot@public.miniTickers.v3.api@UTC+8",
    "d": [LEGACY["miniTicker"]["d"], LEGACY["miniTicker"]["d"] | {"s": "ETHUSDT"}],
    "t": 1678593222460,
}


def topic_of(kind: str) -> str:
    """Return a topic under which a body is pushed."""
    return f"spot@public.{_TOPICS[kind]}"


def edited(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with changes; those set to ABSENT are left out."""
    return {name: value for name, value in (fields | changes).items() if value is not ABSENT}


def wrapper(kind: str, around: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
    """Return a push as its fields. changes: of its body; around: changes of the wrapper."""
    fields = {"channel": topic_of(kind), "symbol": "BTCUSDT", "sendTime": 1736412092433}
    if kind == "publicMiniTickers":
        del fields["symbol"]
    return edited(fields | {kind: edited(BODIES[kind], changes)}, around or {})


def push(kind: str, around: dict[str, Any] | None = None, /, **changes: Any) -> bytes:
    """Return the binary frame. changes: of its body; around: changes of the wrapper."""
    return binary(wrapper(kind, around, **changes), NUMBERS)


def rendered(kind: str, around: dict[str, Any] | None = None, /, **changes: Any) -> bytes:
    """Return the same push in protobuf's JSON form."""
    return msgspec.json.encode(_json_form(wrapper(kind, around, **changes)))


def answer(msg: object, id: object = 7) -> bytes:
    """Return an answer of the venue's."""
    return msgspec.json.encode(edited({"id": id, "code": 0, "msg": msg}, {}))


def binary(fields: dict[str, Any], numbers: Numbers) -> bytes:
    """Return a protobuf message of these fields, in this order. Lists are repeated, dictionaries messages, the rest text or varints."""
    out = b""
    for name, value in fields.items():
        number = numbers[name]
        inner: Numbers = {}
        if isinstance(number, tuple):
            number, inner = number
        for each in value if isinstance(value, list) else [value]:
            out += field(number, binary(each, inner) if isinstance(each, dict) else each)
    return out


def field(number: int, value: str | bytes | int) -> bytes:
    """Return one field: text and bytes with their length, an int as a varint."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Return an int of at most 64 bits, seven at a time."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _json_form(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {inside: _json_form(each, inside) for inside, each in value.items()}
    if isinstance(value, list):
        return [_json_form(each) for each in value]
    return str(value) if name in _INT64 and isinstance(value, int) else value
