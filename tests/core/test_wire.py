"""The types that every venue's structs are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from exwire.wire import UNREADABLE, Amount, Empty, Milliseconds, Number, Places, Price, Signed, rule, step


def read(type_: Any, wire: str) -> Any:
    return msgspec.json.decode(wire, type=type_, strict=False)


@pytest.mark.parametrize("wire", ['"93000.1"', "93000.1", '"9.30001e4"'])
def test_a_number_may_be_text(wire: str) -> None:
    """Most venues write it so, to be exact."""
    assert read(Number, wire) == read(Price, wire) == read(Signed, wire) == 93000.1


@pytest.mark.parametrize("wire", ['"NaN"', '"Infinity"', '"1e400"', '"-1"', '""', '" 1"', '"1_0"', "true", "null", '"٣"', "NaN", "1e999"])
def test_what_is_no_number_is_refused(wire: str) -> None:
    """Python's own float takes most of these."""
    with pytest.raises(UNREADABLE):
        read(Number, wire)


def test_a_price_is_above_zero_and_a_change_may_be_below() -> None:
    assert read(Number, '"0"') == 0.0
    assert read(Signed, '"-0.03"') == -0.03
    with pytest.raises(UNREADABLE):
        read(Price, '"0"')


def test_nothing_is_nothing() -> None:
    """Empty text stands for a side without orders."""
    assert read(Price | Empty, '""') == ""
    assert read(Price | Empty, '"1.5"') == 1.5


def test_times_leave_room_for_nanoseconds() -> None:
    assert read(Milliseconds, '"9223372036854"') * 1_000_000 < 2**63
    with pytest.raises(UNREADABLE):
        read(Milliseconds, "9223372036855")


@pytest.mark.parametrize(("wire", "expected"), [('"0.10"', "0.10"), ('"1e-7"', "1e-7"), ('"5."', "5."), ('""', "")])
def test_an_amount_stays_as_it_is_written(wire: str, expected: str) -> None:
    assert read(Amount, wire) == expected


@pytest.mark.parametrize("wire", ['"NaN"', '"-1"', '" 1"', '"1_0"', '"1e999"', '"٣"', '"1\\n"', '"0x1"', '"."', "1"])
def test_what_is_no_amount_is_refused(wire: str) -> None:
    with pytest.raises(UNREADABLE):
        read(Amount, wire)


@pytest.mark.parametrize(("text", "expected"), [("0.10", Decimal("0.1")), ("", None), (None, None), ("0", None), ("0.000", None)])
def test_an_amount_of_nothing_is_no_rule(text: str | None, expected: Decimal | None) -> None:
    assert rule(text) == expected


def test_a_step_of_so_many_decimals() -> None:
    assert step(read(Places, "8")) == Decimal("0.00000001")
    assert step(0) == 1


def test_deep_nesting_is_unreadable() -> None:
    """It is not an error of msgspec's own."""
    with pytest.raises(UNREADABLE):
        read(list, "[" * 100_000)
