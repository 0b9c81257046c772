"""Whatever arrives, only a DecodeError comes out of the MEXC decoders, and nothing out of the handler but sane events."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exwire.errors import DecodeError
from exwire.handlers import AnySymbol
from exwire.lifecycle import Notice
from exwire.model import Event
from exwire.subscription import Ack, Pong
from exwire_mexc.spot import decode
from exwire_mexc.spot.decode import read_binary, to_events
from exwire_mexc.spot.schema import parse_rows
from exwire_mexc.spot.text import read_text
from exwire_mexc.spot.venue import MexcSpotPublicHandler
from exwire_mexc.spot.wire import Push
from heard import Heard
from mexc_frames import KINDS, LEGACY, NUMBERS, answer, binary, field, push, rendered, varint, wrapper
from sane import check

TOPIC = "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"
OLDEST = b'["push.kline",{"symbol":"A_USDT","data":{"symbol":"A_USDT","interval":"Min5","t":1,"o":1,"c":1,"h":1,"l":1,"v":1,"q":1}}]'
CONTROL = [
    answer(TOPIC),
    answer(f"Subscribed successful! [{TOPIC}]. Not Subscribed successfully! [a,b].  Reason： Blocked! "),
    answer("PONG", id=0),
    answer("msg format invalid"),
    b"Invalid listen key",
]
TEXTS = [*map(rendered, KINDS), *map(msgspec.json.encode, LEGACY.values()), OLDEST, *CONTROL]
BINARIES = [push(kind) for kind in KINDS]

WEIRD: list[Any] = [
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, 2**64, 10**40, 0.0, -0.0, 1e-7, 1e308, 5e-324),
    *["0", "-0", "-0.0", "1e-7", "NaN", "nan", "-nan", "Infinity", "-inf", "1e400", "1e-400", "1_0", "0x1", "1.", ".5", "+1", "٣", "½"],
    *["BTCUSDT", "btcusdt", "USDT", "BTC/USDT", "💱USDT", "Min1", "Min99", "1m", TOPIC, "spot@", "spot@private.x", "PONG"],
    *["Not Subscribed successfully! [", "Subscribed successful! []", "[]", "：", ",", "Reason： ", "Blocked!"],
    *("", " 1", "\u0000", "1" * 5000, "9" * 19),
    *([], {}, [[]], [{"price": "1", "quantity": "2"}], [{"price": "0", "quantity": "0"}], [{"price": "1", "quantity": "2"}] * 300),
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


def inside(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def bent_json(draw: st.DrawFn) -> bytes:
    """A valid text frame with a few of its values replaced, removed or moved."""
    frame = msgspec.json.decode(draw(st.sampled_from([each for each in TEXTS if each[:1] in b"{["])))
    for _ in range(draw(st.integers(1, 3))):
        where = places(frame)
        if not where:
            break
        *path, last = draw(st.sampled_from(where))
        holder = inside(frame, path)
        match draw(st.integers(0, 3)):
            case 0:
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[draw(st.sampled_from(sorted({*holder, "msg", "id", "c", "d", "channel", "publicDeals", "items"})))] = holder.pop(
                    last
                )
            case _:
                holder[last] = draw(weird | json_values)
    return msgspec.json.encode(frame)


texts_and_varints = st.one_of(
    st.sampled_from([each for each in WEIRD if isinstance(each, str)]),
    st.integers(-(2**63), 2**64 - 1),
    st.decimals(0, 10**6, places=8).map(str),
    st.text(max_size=12),
)


@st.composite
def bent_binary(draw: st.DrawFn) -> bytes:
    """A valid push with a few of its fields given other values, other types among them, or left out."""
    fields = copy.deepcopy(wrapper(draw(st.sampled_from(KINDS))))
    for _ in range(draw(st.integers(1, 3))):
        leaves = [path for path in places(fields) if not isinstance(inside(fields, path), dict | list)]
        if not leaves:
            break
        *path, last = draw(st.sampled_from(leaves))
        holder = inside(fields, path)
        if draw(st.integers(0, 4)):
            holder[last] = draw(texts_and_varints)
        else:
            del holder[last]
    return binary(fields, NUMBERS)


any_field = st.one_of(
    st.builds(field, st.sampled_from([1, 3, 4, 5, 6, *range(300, 317), 999]), st.one_of(st.binary(max_size=40), st.integers(0, 2**64 - 1))),
    st.builds(
        lambda number, kind, rest: varint(number << 3 | kind) + rest, st.integers(0, 2**29 - 1), st.integers(0, 7), st.binary(max_size=12)
    ),
)


@st.composite
def grown_binary(draw: st.DrawFn) -> bytes:
    """A valid push with fields of any number and wire type before and after, bodies of other kinds among them."""
    frame = draw(st.sampled_from(BINARIES))
    more = st.lists(any_field | st.sampled_from(BINARIES), max_size=3).map(b"".join)
    return draw(more) + frame + draw(more)


@st.composite
def scratched(draw: st.DrawFn) -> bytes:
    """A valid frame of either kind with bytes changed, cut out or put in, or cut off."""
    frame = bytearray(draw(st.sampled_from(BINARIES) | st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(frame)))
        length = draw(st.integers(0, 6))
        frame[start : start + length] = draw(
            st.binary(max_size=6)
            | st.sampled_from([b'"', b"}", b"]", b",", b"\\u", b"\xff", b"e9", b"-", b"\x0a", b"\xff\xff\xff\xff\x0f"])
        )
    return bytes(frame[: draw(st.integers(0, len(frame)))]) if draw(st.booleans()) else bytes(frame)


frames = st.one_of(
    bent_json(),
    bent_binary(),
    bent_binary(),
    grown_binary(),
    scratched(),
    scratched(),
    json_values.map(msgspec.json.encode),
    st.binary(max_size=200),
    st.text(max_size=60).map(lambda text: text.encode()),
)

EXTREMES = [
    b"[" * 200_000,
    b'{"channel":"spot@public.x","publicDeals":' + b'{"deals":[' * 200_000,
    b'{"c":"spot@public.deals.v3.api@X","d":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b"9" * 100_000,
    b"\x0b" * 1_000_000,
    b"\x93\x14" * 500_000,
    field(1, TOPIC) + field(314, field(1, b"")) * 20_000,
    field(1, TOPIC) + b"\xd2\x13" + varint(2**31 - 1),
    field(1, TOPIC) + b"\xd2\x13" + varint(2**64 - 1),
    field(1, b"spot@public." + b"\xff" * 100),
    field(1, "spot@public." + "x" * 1_000_000) + push("publicDeals")[60:],
    push("publicAggreDepths", asks=[{"price": "1", "quantity": "1"}] * 20_000),
    rendered("publicAggreDepths", asks=[{"price": "1", "quantity": "1"}] * 20_000),
    rendered("publicDeals").replace(b"BTCUSDT", b"\xed\xa0\x80USDT"),
    rendered("publicDeals").replace(b'"BTCUSDT"', b'"\\ud800USDT"'),
    b"\xef\xbb\xbf" + rendered("publicDeals"),
    rendered("publicDeals") + b"\x00",
    push("publicDeals") * 1_000,
    answer("Not Subscribed successfully! [" * 100_000),
    answer("Not Subscribed successfully!" + " " * 200_000 + "["),
    answer(TOPIC + ",x" * 100_000),
    answer("Reason" + " " * 200_000),
]


def any_symbol() -> AnySymbol:
    return AnySymbol(MexcSpotPublicHandler().symbol)


def outcome(frame: bytes, *, is_text: bool) -> Sequence[Event | Ack | Pong | Notice] | DecodeError | None:
    """Decode as the handler does; None for a symbol that cannot be one."""
    try:
        got = read_text(frame) if is_text else read_binary(frame)
        return to_events(got, frame, any_symbol(), 7) if type(got) is Push else got
    except DecodeError as error:
        return error
    except KeyError:
        return None


def verify(frame: bytes, *, is_text: bool) -> None:
    """Hold what comes of a frame against its promises."""
    got = outcome(frame, is_text=is_text)
    if isinstance(got, DecodeError):
        assert got.frame == frame[:65_536]
        return
    for each in got or ():
        if isinstance(each, Ack | Pong | Notice):
            msgspec.json.encode(each)
        else:
            check(each, venue="mexc", ts_recv=7)


@settings(max_examples=1000, deadline=None)
@given(frames, st.booleans())
def test_decoders_let_nothing_out_but_sane_events_and_decode_errors(frame: bytes, is_text: bool) -> None:
    """Read as text and as protobuf, whichever it was made as."""
    verify(frame, is_text=is_text)


row_fields: st.SearchStrategy[tuple[int, str | int]] = st.sampled_from([(1, "100"), (2, "2"), (3, "u" * 58), (3, "u" * 118), (4, 7)])


@st.composite
def odd_books(draw: st.DrawFn) -> bytes:
    """A book whose rows lack fields or have unknown ones, each field of a row at most once."""
    rows = st.lists(st.lists(row_fields, max_size=4, unique_by=lambda each: each[0]), max_size=4)
    number, versions = draw(st.sampled_from([(313, ((4, "1"), (5, "2"))), (303, ((4, "1"),))]))
    sides = b"".join(field(side, b"".join(field(*each) for each in row)) for side in (1, 2) for row in draw(rows))
    topic = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT" if number == 313 else "spot@public.limit.depth.v3.api.pb@BTCUSDT@20"
    return (
        field(1, topic)
        + field(3, "BTCUSDT")
        + field(6, 1_736_411_507_002)
        + field(number, sides + b"".join(field(*each) for each in versions))
    )


@settings(max_examples=500, deadline=None)
@given(bent_binary() | grown_binary() | scratched() | odd_books())
def test_columns_say_what_row_by_row_would_say(frame: bytes) -> None:
    """Books are read as columns because that is faster, and for nothing else."""
    got = outcome(frame, is_text=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "_IN_COLUMNS", {})
        patch.setattr(decode, "parse", parse_rows)
        by_rows = outcome(frame, is_text=False)

    assert isinstance(got, DecodeError) == isinstance(by_rows, DecodeError)
    if not isinstance(got, DecodeError):
        assert got == by_rows


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(frames, st.booleans()), min_size=1, max_size=4))
@example([(frame, True) for frame in TEXTS])
@example([(frame, False) for frame in BINARIES])
@example([(frame, True) for frame in BINARIES + EXTREMES])
@example([(frame, False) for frame in TEXTS + EXTREMES])
def test_the_handler_takes_any_frame_to_its_outcome(arrived: list[tuple[bytes, bool]]) -> None:
    """Events, answers, a counted refusal, a foreign symbol or an empty push: never nothing, never an exception."""
    handler = MexcSpotPublicHandler()
    handler.symbols = any_symbol()
    heard = Heard(handler)
    for frame, is_text in arrived:
        before = len(heard) + handler.outside + handler.empty
        handler.feed(frame, is_text, 7)

        assert len(heard) + handler.outside + handler.empty > before
    assert handler.frames == len(arrived)
    assert handler.callback_errors == 0
    assert handler.decode_errors == len(heard.errors)
    for event in heard.events:
        check(event, venue="mexc", ts_recv=7)


@pytest.mark.parametrize("is_text", [True, False], ids=["text", "binary"])
@pytest.mark.parametrize("frame", EXTREMES, ids=lambda frame: repr(frame[:30]))
def test_extremes_are_refused_or_read(frame: bytes, is_text: bool) -> None:
    """Deep nesting, endless numbers, lengths beyond the end, half surrogates, a byte order mark, 20,000 levels."""
    verify(frame, is_text=is_text)


@pytest.mark.parametrize(
    ("frame", "is_text"), [*((each, True) for each in TEXTS), *((each, False) for each in BINARIES)], ids=lambda each: repr(each)[:60]
)
def test_the_frames_that_are_bent_here_are_valid(frame: bytes, is_text: bool) -> None:
    """Or else nothing would be learned from bending them."""
    handler = MexcSpotPublicHandler()
    handler.symbols = any_symbol()
    heard = Heard(handler)
    handler.feed(frame, is_text, 7)

    assert len(heard) >= 1
    assert (heard.errors, handler.outside) == ([], 0)
