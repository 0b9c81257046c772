"""MEXC spot in the box: what its WebSocket and REST v3 say, written from the protocol notes and not from our client.

Source: MEXC spot v3, public channels and endpoints, as of 2026-11; refusals and cadences as captured in 2025 and 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar, Final, final

import msgspec

from exwire.loopback.market import Market, SimInstrument, SimTrade
from exwire.loopback.script import RateWindow, Reply, RestRequest, Route, VenueScript
from exwire.loopback.session import Key, Lifetimes, Session
from exwire.loopback.topics import BookDeltas, BookTops, Candles, Frame, Tickers, Topic, Trades
from exwire_mexc import loopback_frames as frames
from exwire_mexc.loopback_rest import LENGTHS_S, PublicRest, windows

__all__ = ["MexcScript"]

_MAX_TOPICS: Final = 30
_MAX_FRAME_BYTES: Final = 1024
_EMPTY_CLOSE: Final = 1005

_INTERVALS: Final = frozenset({"100ms", "10ms"})
_DEPTHS: Final = frozenset({"5", "10", "20"})
_HOURS: Final = (-10, -8, -7, -6, -5, -4, -3, *range(14))
_ZONES_S: Final[dict[str, int | None]] = {
    "24H": None, **{f"UTC{hours:+}": hours * 3600 for hours in _HOURS}, "UTC+4:30": 16_200, "UTC+5:30": 19_800, "UTC+12:45": 45_900,
}  # fmt: skip
"""Seconds east of Greenwich; None: the last 24 hours."""

_PAIR: Final = frozenset[str]()
"""Stands for any listed pair."""
_ARGUMENTS: Final = {
    "public.aggre.deals": (_INTERVALS, _PAIR),
    "public.aggre.depth": (_INTERVALS, _PAIR),
    "public.aggre.bookTicker": (_INTERVALS, _PAIR),
    "public.bookTicker.batch": (_PAIR,),
    "public.limit.depth": (_PAIR, _DEPTHS),
    "public.kline": (_PAIR, LENGTHS_S.keys()),
    "public.miniTicker": (_PAIR, _ZONES_S.keys()),
    "public.miniTickers": (_ZONES_S.keys(),),
}
"""What follows a channel's name in a topic."""


class _Request(msgspec.Struct):
    method: str
    params: list[str] = []
    id: int | None = None


_decode_request = msgspec.json.Decoder(_Request).decode


@final
class MexcScript(VenueScript):
    """MEXC's side of the conversation.

    oversized: how many frames of more than 1,024 bytes came; they are answered, but one client's author found that MEXC wants none.
    """

    venue = "mexc"
    ws_paths: ClassVar = {"spot": "/ws"}
    lifetimes = Lifetimes(unsubscribed_s=30, silent_s=60, total_s=24 * 3600, talk_counts=False, code=_EMPTY_CLOSE)
    samples: ClassVar = {
        "trades": "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT",
        "book_ticker": "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT",
        "book_ticker_batch": "spot@public.bookTicker.batch.v3.api.pb@BTCUSDT",
        "book_10": "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT",
        "book_100": "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT",
        "book_snapshot_5": "spot@public.limit.depth.v3.api.pb@BTCUSDT@5",
        "book_snapshot_20": "spot@public.limit.depth.v3.api.pb@BTCUSDT@20",
        "candle": "spot@public.kline.v3.api.pb@BTCUSDT@Min1",
        "ticker": "spot@public.miniTicker.v3.api.pb@BTCUSDT@24H",
        "tickers": "spot@public.miniTickers.v3.api.pb@UTC+8",
    }

    def __init__(self) -> None:
        self.oversized = 0
        self._pairs: dict[str, SimInstrument] = {}
        self._rest = PublicRest(self._pairs)
        self._pace = RateWindow(100, 1.0)

    def attach(self, market: Market) -> None:
        """Take the market and spell its symbols."""
        super().attach(market)
        self._pairs.update((symbol.replace("/", ""), each) for symbol, each in market.instruments.items())

    def routes(self) -> Sequence[Route]:
        """Return the public REST endpoints (notes §8.3)."""
        return self._rest.routes()

    def admit(self, request: RestRequest) -> Reply | None:
        """Return the refusal of a request over the limit (notes §8.2)."""
        return self._rest.admit(request)

    def unknown(self, request: RestRequest, status: int) -> Reply:
        """Return the answer to an unknown path or method."""
        return self._rest.unknown(request, status)

    def on_open(self, session: Session, now_ns: int) -> None:
        """Turn a listen key away: none was ever given out."""
        if "listenKey" in session.query:
            session.send("Invalid listen key", now_ns)

    def on_message(self, session: Session, frame: Frame, now_ns: int) -> None:
        """Answer a request (notes §2.2, §2.3). ``code`` is 0 whatever happened."""
        self.oversized += len(frame) > _MAX_FRAME_BYTES
        if not self._pace.spend(session.id, now_ns).allowed:
            session.close(_EMPTY_CLOSE)
            return
        try:
            request = _decode_request(frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            _answer(session, None, "msg format invalid", now_ns)
            return
        if request.method in {"PING", "ping"}:
            _answer(session, request.id, "PONG", now_ns)
        elif request.method == "SUBSCRIPTION" and request.params:
            self._subscribe(session, request, now_ns)
        elif request.method == "UNSUBSCRIPTION" and request.params:
            for name in request.params:
                session.unsubscribe(name)
            _answer(session, request.id, ",".join(request.params), now_ns)
        else:
            _answer(session, request.id, "msg format invalid", now_ns)

    def topic(self, key: Key, now_ns: int) -> Topic:
        """Return what is pushed under a topic."""
        name = str(key)
        channel, arguments = _parts(name)
        pair = next((self._pairs[each] for each in arguments if each in self._pairs), self._pairs[next(iter(self._pairs))])
        first, last = arguments[0], arguments[-1]
        interval_ms = int(first.removesuffix("ms")) if first in _INTERVALS else 100
        match channel:
            case "public.aggre.deals":
                return _Deals(name, pair, interval_ms)
            case "public.aggre.depth":
                return BookDeltas(pair, None, partial(frames.aggre_depth, name), interval_ms=interval_ms)
            case "public.aggre.bookTicker":  # in every window, whether it changed or not
                return Tickers(pair, partial(frames.aggre_book_ticker, name), interval_ms=interval_ms)
            case "public.bookTicker.batch":
                return BookTops(pair, 1, partial(frames.book_ticker_batch, name), interval_ms=interval_ms, greets=False)
            case "public.limit.depth":
                return BookTops(pair, int(last), partial(frames.limit_depth, name), interval_ms=interval_ms)
            case "public.kline":
                return Candles(pair, windows(last), partial(frames.kline, name), every_ms=1000, now_ns=now_ns)
            case "public.miniTicker":
                return Tickers(pair, partial(frames.mini_ticker, name, _ZONES_S[last]), interval_ms=3000)
        return Tickers(pair, lambda _, now: frames.mini_tickers(name, _ZONES_S[last], self._pairs.values(), now), interval_ms=3000)

    def _subscribe(self, session: Session, request: _Request, now_ns: int) -> None:
        """Topics stand for themselves: a bad one, or one too many, is named in the answer and the others are subscribed."""
        listed = set(session.topics)
        good: list[str] = []
        for name in request.params:
            if self._exists(name) and len(listed | {name}) <= _MAX_TOPICS:
                listed.add(name)
                good.append(name)
        bad = [name for name in request.params if name not in listed]
        said = ",".join(good)
        if bad:
            subscribed = f"Subscribed successful! [{said}]. " if good else ""
            said = f"{subscribed}Not Subscribed successfully! [{','.join(bad)}].  Reason： Blocked! "
        _answer(session, request.id, said, now_ns)
        for name in good:
            session.subscribe(name, now_ns)

    def _exists(self, name: str) -> bool:
        channel, arguments = _parts(name)
        wanted = _ARGUMENTS.get(channel, ())
        return len(arguments) == len(wanted) > 0 and all(
            each in (self._pairs if known is _PAIR else known) for each, known in zip(arguments, wanted, strict=True)
        )


@final
class _Deals(Topic):
    """The trades of each window in one frame, and one frame without a body when a window is empty after one that was not."""

    def __init__(self, name: str, instrument: SimInstrument, interval_ms: int) -> None:
        super().__init__(interval_ms)
        self._trades = Trades(instrument, self._encode)
        self._name = name
        self._instrument = instrument
        self._spoke = False

    def push(self, now_ns: int) -> Iterable[Frame]:
        """Return the trades of the window, or that there were none."""
        pushed = self._trades.push(now_ns)
        spoke, self._spoke = self._spoke, bool(pushed)
        return [frames.no_deals(self._name, self._instrument, now_ns)] if spoke and not pushed else pushed

    def _encode(self, instrument: SimInstrument, trades: list[SimTrade], now_ns: int) -> Iterable[Frame]:
        return frames.aggre_deals(self._name, instrument, trades, now_ns)


def _parts(name: str) -> tuple[str, list[str]]:
    """Return (channel, arguments) of a topic, ``""`` for a channel that is not spelt as all are."""
    market, _, rest = name.partition("@")
    channel, *arguments = rest.split("@")
    is_channel = market == "spot" and channel.endswith(".v3.api.pb")
    return channel.removesuffix(".v3.api.pb") if is_channel else "", arguments


def _answer(session: Session, id: int | None, msg: str, now_ns: int) -> None:
    session.send(msgspec.json.encode({"id": id or 0, "code": 0, "msg": msg}).decode(), now_ns)
