"""Whatever arrives, only a DecodeError comes out of the Gate.io decoders, and nothing out of the handler but sane events."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sane
from exwire.errors import DecodeError
from exwire.handlers import AnySymbol
from exwire.lifecycle import Notice
from exwire.model import Event, Trade
from exwire.subscription import Ack, Pong
from exwire_gateio.envelope import read_control
from exwire_gateio.spot.decode import decode
from exwire_gateio.spot.venue import GateioSpotPublicHandler
from gateio_frames import RESULTS, ack, push
from heard import Heard

CONTROL = [
    ack(),
    ack(error={"code": 2, "message": "no"}),
    b'{"time":1790134410,"time_ms":1790134410515,"channel":"spot.pong","event":"","result":null}',
    b'{"channel":"spot.system","event":"update","result":{"type":"upgrade","msg":"soon"}}',
]
VALID = [*map(push, RESULTS), push("spot.obu", full=True), push("spot.order_book_update", full=True), *CONTROL]

WEIRD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**40, 0.0, -0.0, 1e-7, 1e308, 5e-324),
    *["0", "-0", "-0.0", "1e-7", "NaN", "nan", "-nan", "Infinity", "-inf", "1e400", "1e-400", "1_0", "0x1", "٣", "½"],
    *["BTC_USDT", "btc_usdt", "_", "BTC/USDT", "💱_USDT"],
    *["ob.BTC_USDT.50", "ob..", "ob._.", "1m_BTC_USDT", "_BTC_USDT", "__", "subscribe", "update", "upgrade", "all", "buy"],
    *["spot.trades", "spot.obu", "spot.pong", "spot.system"],
    *("", " 1", "\u0000", "1" * 5000, "9" * 19),
    *([], {}, [[]], [["1", "2"]], [["0", "0"]], [["1", "2"]] * 300, {"status": "success"}, {"code": 1}, {"type": 1}),
]
"""Values that have hurt somebody's parser."""

weird = st.integers(0, len(WEIRD) - 1).map(lambda n: copy.deepcopy(WEIRD[n]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12) | weird,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside, the outermost left out."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [here for key, each in inner for here in ((*path, key), *places(each, (*path, key)))]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A valid frame with a few of its values replaced, removed or moved."""
    frame = copy.deepcopy(msgspec.json.decode(draw(st.sampled_from(VALID))))
    for _ in range(draw(st.integers(1, 3))):
        where = places(frame)
        if not where:
            break
        *path, last = draw(st.sampled_from(where))
        inside = frame
        for key in path:
            inside = inside[key]
        match draw(st.integers(0, 3)):
            case 0:
                del inside[last]
            case 1 if isinstance(inside, dict):
                inside[draw(st.sampled_from(sorted({*inside, "full", "U", "channel", "event", "error", "id"})))] = inside.pop(last)
            case _:
                inside[last] = draw(weird | json_values)
    return msgspec.json.encode(frame)


plausible = st.decimals(0, 10**6, places=8) | st.floats(1e-9, 1e9) | st.integers(0, 10**12)


@st.composite
def renumbered(draw: st.DrawFn) -> bytes:
    """A valid push with some of its numbers replaced by others, as text or bare."""
    frame = msgspec.json.decode(draw(st.sampled_from(VALID[: -len(CONTROL)])))
    where = [path for path in places(frame["result"]) if path[-1] not in {"n", "s", "currency_pair", "side"}]
    for *path, last in draw(st.lists(st.sampled_from(where), min_size=1, max_size=3, unique=True)):
        inside = frame["result"]
        for key in path:
            inside = inside[key]
        if not isinstance(inside[last], dict | list):
            number = draw(plausible if draw(st.integers(0, 7)) else st.floats() | st.integers())
            inside[last] = str(number) if draw(st.booleans()) else number
    return msgspec.json.encode(frame)


@st.composite
def scratched(draw: st.DrawFn) -> bytes:
    """A valid frame with bytes changed, cut out or put in."""
    frame = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(frame)))
        length = draw(st.integers(0, 6))
        frame[start : start + length] = draw(
            st.binary(max_size=6) | st.sampled_from([b'"', b"}", b"]", b",", b"\\u", b"\xff", b"e9", b"-", b"0"])
        )
    return bytes(frame)


@st.composite
def doubled(draw: st.DrawFn) -> bytes:
    """A valid frame that says one of its keys twice."""
    frame = draw(st.sampled_from(VALID))
    key = draw(st.sampled_from(["channel", "event", "result", "time", "id", "error"]))
    value = msgspec.json.encode(draw(weird))
    return b'{"' + key.encode() + b'":' + value + b"," + frame[1:]


json_frames = json_values.map(msgspec.json.encode)
frames = st.one_of(
    bent(), bent(), scratched(), doubled(), json_frames, st.binary(max_size=200), st.text(max_size=60).map(lambda text: text.encode())
)

EXTREMES = [
    b"[" * 200_000,
    b'{"channel":"spot.trades","event":"update","result":' + b'{"a":' * 200_000,
    b'{"channel":"spot.pong","result":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b"9" * 100_000,
    push("spot.trades").replace(b"1606292218,", b"9" * 5_000 + b","),
    push("spot.trades").replace(b'"BTC_USDT"', b'"\\ud800"'),
    push("spot.trades").replace(b'"BTC_USDT"', b'"\\udc00\\ud800_USDT"'),
    push("spot.trades").replace(b"BTC_USDT", b"\xed\xa0\x80_USDT"),
    b"\xef\xbb\xbf" + push("spot.trades"),
    push("spot.trades") + b"\x00",
    push("spot.obu", b=[["1", "1"]] * 20_000),
    ack(payload=["x" * 100_000]),
]


def check(event: Event) -> None:
    """Assert what the model promises of every event."""
    sane.check(event, venue="gateio", ts_recv=7)
    assert AnySymbol(GateioSpotPublicHandler().symbol)[event.symbol.replace("/", "_")] == event.symbol
    if isinstance(event, Trade):
        assert event.trade_id.isdecimal()


def try_decode(frame: bytes) -> Event | DecodeError | None:
    """Return the event or the refusal, None for a symbol that cannot be one."""
    try:
        return decode(frame, AnySymbol(GateioSpotPublicHandler().symbol), 7)
    except DecodeError as error:
        return error
    except KeyError:
        return None


@settings(max_examples=500, deadline=None)
@given(frames)
def test_decoders_let_nothing_out_but_sane_events_and_decode_errors(frame: bytes) -> None:
    """Of the push decoder and of the control decoder behind it."""
    got = try_decode(frame)
    if isinstance(got, DecodeError):
        assert got.frame == frame[:65_536]
        try:
            control = read_control(frame, got)
        except DecodeError:
            return
        assert isinstance(control, Ack | Pong | Notice)
        msgspec.json.encode(control)
    elif got is not None:
        check(got)


@settings(max_examples=400, deadline=None)
@given(renumbered())
def test_events_of_any_numbers_keep_the_promises_of_the_model(frame: bytes) -> None:
    """About half of these frames are events."""
    got = try_decode(frame)
    if not isinstance(got, DecodeError | None):
        check(got)


@settings(max_examples=400, deadline=None)
@given(st.lists(frames, min_size=1, max_size=4), st.booleans())
@example(EXTREMES, True)
@example(VALID, True)
@example(VALID, False)
def test_the_handler_takes_any_frame_to_exactly_one_outcome(arrived: list[bytes], is_text: bool) -> None:
    """An event, an answer, a counted refusal or a foreign symbol: never none, never two, never an exception."""
    handler = GateioSpotPublicHandler()
    handler.symbols = AnySymbol(handler.symbol)
    heard = Heard(handler)
    for frame in arrived:
        handler.feed(frame, is_text, 7)

    assert handler.frames == len(arrived) == len(heard) + handler.outside
    assert handler.callback_errors == 0
    assert handler.decode_errors == len(heard.errors)
    for event in heard.events:
        check(event)


@pytest.mark.parametrize("frame", EXTREMES, ids=lambda frame: repr(frame[:30]))
def test_extremes_are_refused_or_read(frame: bytes) -> None:
    """Deep nesting, endless numbers, half surrogates, a byte order mark, 20,000 levels."""
    got = try_decode(frame)
    if not isinstance(got, DecodeError | None):
        check(got)


@pytest.mark.parametrize("frame", VALID, ids=lambda frame: repr(frame[:60]))
def test_the_frames_that_are_bent_here_are_valid(frame: bytes) -> None:
    """Or else nothing would be learned from bending them."""
    handler = GateioSpotPublicHandler()
    handler.symbols = AnySymbol(handler.symbol)
    heard = Heard(handler)
    handler.feed(frame, True, 7)

    assert (len(heard), heard.errors) == (1, [])
