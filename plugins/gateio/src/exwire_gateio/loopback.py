"""Gate.io spot in the box: what its WebSocket v4 and REST v4 say, written from the protocol notes and not from our client.

Source: Gate.io API v4, public spot channels and endpoints, as of 2026-11.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final, final

import msgspec

from exwire.loopback.market import CandleBar, Market, SimInstrument, SimTrade
from exwire.loopback.script import Reply, RestRequest, Route, VenueScript
from exwire.loopback.session import Key, Session
from exwire.loopback.topics import BookDeltas, BookState, BookTops, Candles, Delta, Frame, Tickers, Topic, Trades
from exwire_gateio.loopback_rest import LENGTHS_S, PublicRest, ticker, windows

__all__ = ["GateioScript"]

_LISTS: Final = frozenset({"spot.tickers", "spot.trades", "spot.trades_v2", "spot.book_ticker", "spot.obu"})
"""Channels whose payload is a list of pairs, or of streams."""

_WORDS: Final = {"spot.candlesticks": 2, "spot.order_book_update": 2, "spot.order_book": 3}
"""Channels of one topic a payload, and its length."""

_PRIVATE: Final = frozenset({
    "spot.orders", "spot.orders_v2", "spot.usertrades", "spot.usertrades_v2", "spot.balances", "spot.margin_balances",
    "spot.funding_balances", "spot.cross_balances", "spot.cross_loan", "spot.priceorders",
})  # fmt: skip
_UPDATE_DEPTHS: Final = {"20ms": 20, "100ms": 100}
_SNAPSHOT_LEVELS: Final = frozenset({"5", "10", "20", "50", "100"})
_SNAPSHOT_INTERVALS_MS: Final = {"100ms": 100, "1000ms": 1000}
_OBU_INTERVALS_MS: Final = {50: 20, 100: 100, 400: 100}
_CANDLE_INTERVALS: Final = frozenset(LENGTHS_S) - {"1s"}
_SKEW_S: Final = 60


class _WsRequest(msgspec.Struct):
    channel: str
    time: int
    event: str = ""
    payload: list[str] | dict[str, object] | None = None
    id: int | None = None


_decode_request = msgspec.json.Decoder(_WsRequest).decode


class _RefusedError(Exception):
    """A WebSocket request that is not honoured."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(code, message)


@final
class GateioScript(VenueScript):
    """Gate.io's side of the conversation.

    max_topics: a connection; the venue documents no cap, so this one is ours, and so is its message.
    """

    venue = "gateio"
    rest_base = "/api/v4"
    ws_paths: ClassVar = {"spot": "/ws/v4/"}
    samples: ClassVar = {
        "trades": ("spot.trades", "BTC_USDT"),
        "book_ticker": ("spot.book_ticker", "BTC_USDT"),
        "ticker": ("spot.tickers", "BTC_USDT"),
        "candle": ("spot.candlesticks", "1m", "BTC_USDT"),
        "book_update_20": ("spot.order_book_update", "BTC_USDT", "20ms"),
        "book_update_100": ("spot.order_book_update", "BTC_USDT", "100ms"),
        "book_snapshot_20": ("spot.order_book", "BTC_USDT", "20", "100ms"),
        "obu_50": ("spot.obu", "ob.BTC_USDT.50"),
        "obu_400": ("spot.obu", "ob.BTC_USDT.400"),
    }

    def __init__(self) -> None:
        self.max_topics = 500
        self._pairs: dict[str, SimInstrument] = {}
        self._rest = PublicRest(self._pairs, self._trace_id)
        self._rng = random.Random("gateio")  # noqa: S311  # trace ids, which nobody has to guess

    def attach(self, market: Market) -> None:
        """Take the market and spell its symbols."""
        super().attach(market)
        self._pairs.update((symbol.replace("/", "_"), each) for symbol, each in market.instruments.items())

    def upgrade_notice(self, now_ns: int) -> Frame:
        """Return what the venue pushes before it closes connections for a new version (notes §1.7); ``box.broadcast`` sends it."""
        result = {"type": "upgrade", "msg": "The connection will soon be closed for a service upgrade. Please reconnect."}
        return _update("spot.system", result, now_ns)

    def routes(self) -> Sequence[Route]:
        """Return the public REST endpoints (notes §7.2)."""
        return self._rest.routes()

    def admit(self, request: RestRequest) -> Reply | None:
        """Return the refusal of a request over the limit (notes §7.1)."""
        return self._rest.admit(request)

    def unknown(self, request: RestRequest, status: int) -> Reply:
        """Return the answer to an unknown path or method."""
        return self._rest.unknown(request, status)

    def finish(self, request: RestRequest, reply: Reply) -> Reply:
        """Return the reply with the headers that all have."""
        return self._rest.finish(request, reply)

    def on_message(self, session: Session, frame: Frame, now_ns: int) -> None:
        """Answer a request of the subscribe family (notes §1.5, §1.6)."""
        try:
            request = _decode_request(frame)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            self._refuse_malformed(session, frame, exc, now_ns)
            return
        if request.channel == "spot.ping":
            session.send(_text(self._control(session, now_ns, "spot.pong", "") | {"result": None} | self._request_id()), now_ns)
        elif request.event == "api":
            session.send(_text(self._api_refusal(session, request, now_ns)), now_ns)
        else:
            try:
                self._subscribe_or_not(session, request, now_ns)
            except _RefusedError as exc:
                self._ack(session, request, now_ns, exc)

    def topic(self, key: Key, now_ns: int) -> Topic | None:
        """Return what is pushed under (channel, its payload…)."""
        assert isinstance(key, tuple)
        channel, *words = key
        if channel == "spot.obu":
            return self._obu(words[0])
        pair = self._pairs[words[channel == "spot.candlesticks"]]
        if channel in {"spot.trades", "spot.trades_v2"}:
            return Trades(pair, partial(_trades, channel))
        if channel == "spot.book_ticker":
            return BookTops(pair, 1, _book_ticker, interval_ms=10, greets=False)
        if channel == "spot.tickers":
            return Tickers(pair, lambda each, now: _update("spot.tickers", ticker(each, now), now), interval_ms=1000)
        if channel == "spot.candlesticks":
            return Candles(pair, windows(words[0]), partial(_candle, words[0]), every_ms=2000, now_ns=now_ns)
        if channel == "spot.order_book":
            return BookTops(pair, int(words[1]), partial(_snapshot, words[1]), interval_ms=_SNAPSHOT_INTERVALS_MS[words[2]])
        depth = _UPDATE_DEPTHS[words[1]]
        return BookDeltas(pair, depth, partial(_book_update, str(depth)), interval_ms=int(words[1].removesuffix("ms")))

    def _obu(self, stream: str) -> Topic | None:
        """A stream that does not exist is acked like any other and never speaks (notes §8)."""
        name, _, level = stream.removeprefix("ob.").rpartition(".")
        depth = int(level) if level.isdecimal() else 0
        if name not in self._pairs or depth not in _OBU_INTERVALS_MS or not stream.startswith("ob."):
            return None
        encode_full: Callable[[BookState, int], Frame] = partial(_obu_full, stream)
        interval_ms = _OBU_INTERVALS_MS[depth]
        return BookDeltas(self._pairs[name], depth, partial(_obu_delta, stream), interval_ms=interval_ms, encode_full=encode_full)

    def _subscribe_or_not(self, session: Session, request: _WsRequest, now_ns: int) -> None:
        if request.channel in _PRIVATE:
            raise _RefusedError(4, "authentication failed")
        if isinstance(request.payload, dict):
            raise _RefusedError(1, "payload has to be a list of strings")
        keys = self._keys(request.channel, request.payload or [])
        if abs(request.time - now_ns // 1_000_000_000) > _SKEW_S:
            raise _RefusedError(2, f"gap between request time and server time exceeds {_SKEW_S}")
        if request.event == "subscribe":
            self._subscribe(session, request, keys, now_ns)
        elif request.event == "unsubscribe":
            for key in keys:
                session.unsubscribe(key)
            self._ack(session, request, now_ns)
        else:
            raise _RefusedError(1, f"unknown event: {request.event}")

    def _subscribe(self, session: Session, request: _WsRequest, keys: list[tuple[str, ...]], now_ns: int) -> None:
        is_obu = request.channel == "spot.obu"
        again = [key for n, key in enumerate(keys) if key in session.topics or key in keys[:n]]
        if is_obu and again:
            raise _RefusedError(2, f"Alert sub {again[0][1]}")
        if len(session.topics.keys() | keys) > self.max_topics:
            raise _RefusedError(2, f"too many subscriptions, at most {self.max_topics}")
        # The obu snapshot may overtake the ack: it does for every other request of a connection, so that clients meet both.
        early = is_obu and bool(session.notes.get("obu_early", True))
        if is_obu:
            session.notes["obu_early"] = not early
        if not early:
            self._ack(session, request, now_ns)
        for key in keys:
            session.subscribe(key, now_ns)
        if early:
            self._ack(session, request, now_ns)

    def _keys(self, channel: str, payload: list[str]) -> list[tuple[str, ...]]:
        """Return the topics of a payload; one bad word refuses them all."""
        wanted = _WORDS.get(channel)
        if channel not in _LISTS and wanted is None:
            raise _RefusedError(2, f"Unknown channel {channel}")
        if not payload or (wanted is not None and len(payload) != wanted):
            raise _RefusedError(1, f"payload needs {wanted or 'some'} elements, received {len(payload)}")
        if wanted is not None:
            self._check(channel, payload)
            return [(channel, *payload)]
        if channel != "spot.obu":
            for pair in payload:
                self._known(pair)
        return [(channel, each) for each in payload]

    def _check(self, channel: str, payload: list[str]) -> None:
        self._known(payload[channel == "spot.candlesticks"])
        if channel == "spot.candlesticks":
            if payload[0] not in _CANDLE_INTERVALS:
                raise _RefusedError(2, f"incorrect interval specified: {payload[0]}")
            return
        if channel == "spot.order_book" and payload[1] not in _SNAPSHOT_LEVELS:
            raise _RefusedError(2, f"provided level not supported: {payload[1]}")
        if payload[-1] not in (_SNAPSHOT_INTERVALS_MS if channel == "spot.order_book" else _UPDATE_DEPTHS):
            raise _RefusedError(2, f"incorrect update interval specified: {payload[-1]}")

    def _known(self, pair: str) -> None:
        if pair not in self._pairs:
            raise _RefusedError(2, f"unknown currency pair: {pair}")

    def _ack(self, session: Session, request: _WsRequest, now_ns: int, refused: _RefusedError | None = None) -> None:
        traced = self._request_id()
        answer = self._control(session, now_ns, request.channel, request.event, request.id, traced["requestId"])
        answer["payload"] = request.payload or []
        if refused is not None:
            answer["error"] = {"code": refused.code, "message": refused.message}
        answer["result"] = {"status": "success" if refused is None else "fail"}
        session.send(_text(answer | traced), now_ns)

    def _refuse_malformed(self, session: Session, frame: Frame, exc: Exception, now_ns: int) -> None:
        try:
            raw = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raw, message = None, "request message need json scheme"
        else:
            message = f"invalid argument structure: {exc}"
        said = raw if isinstance(raw, dict) else {}
        channel, event = (said[name] if isinstance(said.get(name), str) else "" for name in ("channel", "event"))
        number = said.get("id")
        request = _WsRequest(channel, 0, event, None, number if isinstance(number, int) else None)
        self._ack(session, request, now_ns, _RefusedError(1, message))

    def _control(
        self, session: Session, now_ns: int, channel: str, event: str, id: int | None = None, trace_id: str = ""
    ) -> dict[str, object]:
        answer: dict[str, object] = _stamp(now_ns)
        if id is not None:
            answer["id"] = id
        answer["conn_id"] = session.id
        if trace_id:
            answer["trace_id"] = trace_id
        return answer | {"channel": channel, "event": event}

    def _api_refusal(self, session: Session, request: _WsRequest, now_ns: int) -> dict[str, object]:
        header = {
            "response_time": str(now_ns // 1_000_000), "status": "401", "channel": request.channel, "event": "api",
            "client_id": f"127.0.0.1-0x{session.id}", "conn_id": session.id, "trace_id": self._trace_id(),
        }  # fmt: skip
        errs = {"label": "INVALID_KEY", "message": "Invalid key provided"}
        asked = request.payload.get("req_id", "") if isinstance(request.payload, dict) else ""
        return {"request_id": asked, "header": header, "data": {"errs": errs}}

    def _trace_id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _request_id(self) -> dict[str, str]:
        return {"requestId": self._trace_id()}


def _text(message: object) -> str:
    return msgspec.json.encode(message).decode()


def _stamp(now_ns: int) -> dict[str, object]:
    return {"time": now_ns // 1_000_000_000, "time_ms": now_ns // 1_000_000}


def _update(channel: str, result: object, now_ns: int) -> Frame:
    return _text(_stamp(now_ns) | {"channel": channel, "event": "update", "result": result})


def _name(instrument: SimInstrument) -> str:
    return instrument.listing.symbol.replace("/", "_")


def _trades(channel: str, instrument: SimInstrument, trades: list[SimTrade], now_ns: int) -> list[Frame]:
    return [_update(channel, _trade(instrument, trade), now_ns) for trade in trades]


def _trade(instrument: SimInstrument, trade: SimTrade) -> dict[str, object]:
    micros = trade.ts_ns // 1_000
    return {
        "id": trade.id, "id_market": trade.market_id, "create_time": micros // 1_000_000,
        "create_time_ms": f"{micros // 1_000}.{micros % 1_000:03d}000", "side": trade.side.value, "currency_pair": _name(instrument),
        "amount": instrument.qty_text(trade.lots), "price": instrument.price_text(trade.price),
        "range": f"{trade.market_id}-{trade.market_id}",
    }  # fmt: skip


def _book_ticker(state: BookState, now_ns: int) -> Frame:
    rows = state.instrument.rows_text
    (bid, bid_qty), (ask, ask_qty) = (rows(side)[0] if side else ("", "") for side in (state.bids, state.asks))
    result = {
        "t": state.time_ns // 1_000_000, "u": state.last_id, "s": _name(state.instrument), "b": bid, "B": bid_qty, "a": ask, "A": ask_qty,
    }  # fmt: skip
    return _update("spot.book_ticker", result, now_ns)


def _snapshot(level: str, state: BookState, now_ns: int) -> Frame:
    rows = state.instrument.rows_text
    result = {
        "t": state.time_ns // 1_000_000, "lastUpdateId": state.last_id, "s": _name(state.instrument), "l": level,
        "bids": rows(state.bids), "asks": rows(state.asks),
    }  # fmt: skip
    return _update("spot.order_book", result, now_ns)


def _book_update(level: str, delta: Delta, now_ns: int) -> Frame:
    rows = delta.instrument.rows_text
    result = {
        "t": delta.time_ns // 1_000_000, "e": "depthUpdate", "E": now_ns // 1_000_000_000, "s": _name(delta.instrument), "l": level,
        "U": delta.first_id, "u": delta.last_id, "b": rows(delta.bids), "a": rows(delta.asks),
    }  # fmt: skip
    return _update("spot.order_book_update", result, now_ns)


def _obu_frame(result: dict[str, object], now_ns: int) -> Frame:
    return _text({"channel": "spot.obu"} | _stamp(now_ns) | {"event": "update", "result": result})


def _obu_full(stream: str, state: BookState, now_ns: int) -> Frame:
    rows = state.instrument.rows_text
    result = {
        "t": state.time_ns // 1_000_000, "full": True, "s": stream, "u": state.last_id, "b": rows(state.bids), "a": rows(state.asks),
    }  # fmt: skip
    return _obu_frame(result, now_ns)


def _obu_delta(stream: str, delta: Delta, now_ns: int) -> Frame:
    result: dict[str, object] = {"t": delta.time_ns // 1_000_000, "s": stream, "U": delta.first_id, "u": delta.last_id}
    for name, rows in (("b", delta.bids), ("a", delta.asks)):
        if rows:
            result[name] = delta.instrument.rows_text(rows)
    return _obu_frame(result, now_ns)


def _candle(interval: str, instrument: SimInstrument, candle: CandleBar, now_ns: int) -> Frame:
    bar, price = candle.bar, instrument.price_text
    result = {
        "t": str(candle.start_s), "v": instrument.notional_text(bar.notional), "c": price(bar.close), "h": price(bar.high),
        "l": price(bar.low), "o": price(bar.open), "n": f"{interval}_{_name(instrument)}", "a": instrument.qty_text(bar.lots),
        "w": candle.closed,
    }  # fmt: skip
    return _update("spot.candlesticks", result, now_ns)
