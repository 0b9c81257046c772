"""MEXC's public spot pushes in MEXC's own words: what a frame holds, and the checks that are made in C while it is read.

Source: MEXC spot v3 WebSocket, ``websocket-proto`` and its documentation, read 2026-11. Fields that no event needs are left out.

A protobuf message offers its fields as attributes, the JSON rendering of one as members of the same names, so one struct for each message
serves both: made by ``msgspec.convert(…, from_attributes=True)``, or decoded. Prices, quantities and versions are decimal text on the wire
and are converted with ``strict=False``. What that lets in, as measured: ``"93000.1"``, ``"1e-7"``, and ``"-0"`` as 0.0; ``"NaN"``,
``"Infinity"``, ``"-1"``, ``""``, ``" 1"``, ``"1_0"``, ``"1."``, ``".5"``, ``"+1"`` and digits of other scripts are refused. Python's own
``float`` takes all of those but one, and costs more: 16 µs for 80 numbers, msgspec 4.
"""

# ruff: noqa: N815 - the fields are spelt as MEXC spells them

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal, Protocol, TypeAlias, final

from msgspec import Struct

from exwire.wire import Empty, Id, Milliseconds, Number, Price, Seconds, Signed

__all__ = [
    "PUBLIC",
    "AggreColumns",
    "AggreColumnsMessage",
    "AggreDepths",
    "AggreDepthsMessage",
    "Body",
    "BookTicker",
    "BookTickerBatch",
    "BookTickersMessage",
    "ColumnsMessage",
    "Deal",
    "Deals",
    "DealsMessage",
    "DepthsBatchMessage",
    "IncreaseDepths",
    "IncreaseDepthsBatch",
    "Level",
    "LimitColumns",
    "LimitColumnsMessage",
    "LimitDepths",
    "MiniTicker",
    "MiniTickers",
    "MiniTickersMessage",
    "Push",
    "PushDataV3ApiWrapper",
    "RowsMessage",
    "Side",
    "SpotKline",
    "VersionedDepthsMessage",
]

PUBLIC: Final = "spot@public."
"""How every topic of a public push begins."""


class Level(Struct, gc=False):
    """One price level; in a delta, quantity 0 removes it."""

    price: Price
    quantity: Number


class Deal(Struct, gc=False):
    """One print. tradeType: 1 buy, 2 sell, the taker's; tradeId: absent on older servers."""

    price: Price
    quantity: Number
    tradeType: Literal[1, 2]
    time: Milliseconds
    tradeId: str = ""


class Deals(Struct, gc=False):
    """``publicAggreDeals`` (314), ``publicDeals`` (301): the prints of a window, in order.

    {"channel":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT","symbol":"BTCUSDT","sendTime":"1736409765052","publicAggreDeals":{"deals":
     [{"price":"93220.00","quantity":"0.04438243","tradeType":2,"time":"1736409765051"}],
     "eventType":"spot@public.aggre.deals.v3.api.pb@100ms"}}
    """

    deals: tuple[Deal, ...] = ()


class AggreDepths(Struct, gc=False):
    """``publicAggreDepths`` (313): changes merged over a window, ``fromVersion`` to ``toVersion`` inclusive; the next begins at + 1.

    {"channel":"spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT","symbol":"BTCUSDT","sendTime":"1754741322152","publicAggreDepths":{"asks":
     [{"price":"117145.49","quantity":"0"}],"bids":[{"price":"117053.41","quantity":"1.86837271"}],
     "eventType":"spot@public.aggre.depth.v3.api.pb@100ms","fromVersion":"43296363236","toVersion":"43296363255"}}
    """

    fromVersion: Id
    toVersion: Id
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()


class IncreaseDepths(Struct, gc=False):
    """``publicIncreaseDepths`` (302): changes of one version, no longer offered."""

    version: Id
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()


class IncreaseDepthsBatch(Struct, gc=False):
    """``publicIncreaseDepthsBatch`` (312): several of those in order, no longer offered."""

    items: tuple[IncreaseDepths, ...] = ()


class LimitDepths(Struct, gc=False):
    """``publicLimitDepths`` (303): the top 5, 10 or 20 of the book. Its version counts apart from that of the deltas.

    {"channel":"spot@public.limit.depth.v3.api.pb@BTCUSDT@5","symbol":"BTCUSDT","sendTime":"1736411838730","publicLimitDepths":{"asks":
     [{"price":"93180.18","quantity":"0.21976424"}],"bids":[{"price":"93179.98","quantity":"2.82651000"}],
     "eventType":"spot@public.limit.depth.v3.api.pb","version":"36913565463"}}
    """

    version: Id
    asks: tuple[Level, ...] = ()
    bids: tuple[Level, ...] = ()


class Side(Struct, gc=False):
    """One side of a book, row by row: price n belongs to quantity n."""

    price: tuple[Price, ...]
    quantity: tuple[Number, ...]


class AggreColumns(Struct, gc=False):
    """``publicAggreDepths`` (313), its rows as columns."""

    fromVersion: Id
    toVersion: Id
    asks: Side
    bids: Side


class LimitColumns(Struct, gc=False):
    """``publicLimitDepths`` (303), its rows as columns."""

    version: Id
    asks: Side
    bids: Side


class BookTicker(Struct, gc=False):
    """``publicAggreBookTicker`` (315), ``publicBookTicker`` (305): the best bid and ask. version: absent on older servers.

    {"channel":"spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT","symbol":"BTCUSDT","sendTime":"1736412092433","publicAggreBookTicker":
     {"bidPrice":"93387.28","bidQuantity":"3.73485","askPrice":"93387.29","askQuantity":"7.669875"}}
    """

    bidPrice: Number | Empty = ""
    bidQuantity: Number | Empty = ""
    askPrice: Number | Empty = ""
    askQuantity: Number | Empty = ""
    version: Id | Empty = ""


class BookTickerBatch(Struct, gc=False):
    """``publicBookTickerBatch`` (311): best bids and asks in order, the newest last. version: of the last one."""

    items: tuple[BookTicker, ...] = ()
    version: Id | Empty = ""


class SpotKline(Struct, gc=False):
    """``publicSpotKline`` (308): one candle. volume: base; amount: quote.

    {"channel":"spot@public.kline.v3.api.pb@BTCUSDT@Min15","symbol":"BTCUSDT","symbolId":"2fb942154ef44a4ab2ef98c8afb6a4a7",
     "createTime":"1736410707571","publicSpotKline":{"interval":"Min15","windowStart":"1736410500","openingPrice":"92925",
     "closingPrice":"93158.47","highestPrice":"93158.47","lowestPrice":"92800","volume":"36.83803224","amount":"3424811.05",
     "windowEnd":"1736411400"}}
    """

    interval: str
    windowStart: Seconds
    openingPrice: Price
    closingPrice: Price
    highestPrice: Price
    lowestPrice: Price
    volume: Number
    amount: Number


class MiniTicker(Struct, gc=False):
    """``publicMiniTicker`` (309): 24 hours. zonedRate: change in the topic's time zone, a ratio; volume: quote; quantity: base.

    {"channel":"spot@public.miniTicker.v3.api.pb@MXUSDT@24H","symbol":"MXUSDT","sendTime":"1755076752201","publicMiniTicker":{"symbol":
     "MXUSDT","price":"2.5174","rate":"0.0766","zonedRate":"0.0766","high":"2.6299","low":"2.302","volume":"11336518.0264",
     "quantity":"4638390.17","lastCloseRate":"0.0767","lastCloseZonedRate":"0.0767","lastCloseHigh":"2.6299","lastCloseLow":"2.302"}}
    """

    symbol: str
    price: Number
    zonedRate: Signed
    high: Number
    low: Number
    volume: Number
    quantity: Number


class MiniTickers(Struct, gc=False):
    """``publicMiniTickers`` (310): those of all pairs, some hundred kB; the push around it names no symbol. bad: rows left out."""

    items: tuple[MiniTicker, ...] = ()
    bad: int = 0


Body: TypeAlias = (
    Deals
    | AggreDepths
    | AggreColumns
    | IncreaseDepths
    | IncreaseDepthsBatch
    | LimitDepths
    | LimitColumns
    | BookTicker
    | BookTickerBatch
    | SpotKline
    | MiniTicker
    | MiniTickers
)


class PushDataV3ApiWrapper(Protocol):
    """The protobuf message around every body. A field that was not sent reads as 0, ``""`` or no rows."""

    channel: str
    symbol: str
    createTime: int
    sendTime: int

    def ByteSize(self) -> int:  # noqa: N802
        """Return how many bytes the message takes."""
        ...

    def WhichOneof(self, oneof: str) -> str | None:  # noqa: N802
        """Return the name of the body that was sent, None when there is none that the schema knows."""
        ...


class DealsMessage(Protocol):
    """``PublicAggreDealsV3Api``, ``PublicDealsV3Api``."""

    deals: Iterable[object]


class DepthsMessage(Protocol):
    """What every message with rows of a book has."""

    asks: Iterable[object]
    bids: Iterable[object]


class AggreDepthsMessage(DepthsMessage, Protocol):
    """``PublicAggreDepthsV3Api``."""

    fromVersion: str
    toVersion: str


class VersionedDepthsMessage(DepthsMessage, Protocol):
    """``PublicLimitDepthsV3Api``, ``PublicIncreaseDepthsV3Api``."""

    version: str


class Column(Protocol):
    """A repeated text field."""

    def __getitem__(self, index: slice) -> list[str]: ...


class RowsMessage(Protocol):
    """``columns.Rows``."""

    price: Column
    quantity: Column


class ColumnsMessage(Protocol):
    """What both messages with rows as columns have."""

    asks: RowsMessage
    bids: RowsMessage

    def HasField(self, field_name: str) -> bool:  # noqa: N802
        """Return whether a message was sent, be it empty."""
        ...


class AggreColumnsMessage(ColumnsMessage, Protocol):
    """``columns.AggreDepths``."""

    fromVersion: str
    toVersion: str


class LimitColumnsMessage(ColumnsMessage, Protocol):
    """``columns.LimitDepths``."""

    version: str


class DepthsBatchMessage(Protocol):
    """``PublicIncreaseDepthsBatchV3Api``."""

    items: Iterable[VersionedDepthsMessage]


class BookTickersMessage(Protocol):
    """``PublicBookTickerBatchV3Api``."""

    items: Iterable[object]
    version: str


class MiniTickersMessage(Protocol):
    """``PublicMiniTickersV3Api``."""

    items: Collection[object]


@final
class Push(Struct, gc=False):
    """What a data frame holds, in whichever form it came.

    channel: the topic as it was subscribed; symbol: ``""`` when the body names them; sent_ms: ``sendTime``, else ``createTime``, else 0;
    body: None in an empty window, and when it is of a number that the schema does not have; unknown: fields that the schema does not have.
    """

    channel: str
    symbol: str
    sent_ms: int
    body: Body | None
    unknown: int = 0
