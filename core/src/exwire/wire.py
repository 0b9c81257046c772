"""What values on a wire have to be, whatever the venue: types that msgspec checks and converts in C, for a venue's own structs.

Numbers come as strings and are decoded with ``strict=False``. What that lets in, as measured: ``"93000.1"``, ``93000.1``, ``"1e-7"``, and
``"-0"`` as 0.0; ``"NaN"``, ``"Infinity"``, ``"-1"``, ``""``, ``" 1"``, ``"1_0"``, ``true`` and ``null`` are refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

__all__ = ["UNREADABLE", "Amount", "Empty", "Id", "Milliseconds", "Number", "Places", "Price", "Rows", "Seconds", "Signed", "rule", "step"]

UNREADABLE: Final = (ValueError, RecursionError)
"""What msgspec raises on bad input: its own errors and UnicodeDecodeError are ValueErrors, deep nesting is a RecursionError."""

Number = Annotated[float, Meta(ge=0, le=1e300)]
Price = Annotated[float, Meta(gt=0, le=1e300)]
"""A price of a trade, a level or a candle: zero is as wrong there as a negative one."""
Signed = Annotated[float, Meta(ge=-1e300, le=1e300)]
Rows: TypeAlias = tuple[tuple[Price, Number], ...]
"""Levels: (price, quantity)."""

Id = Annotated[int, Meta(ge=0, le=9_223_372_036_854_775_807)]
Seconds = Annotated[int, Meta(gt=0, le=9_223_372_036)]
Milliseconds = Annotated[int, Meta(gt=0, le=9_223_372_036_854)]
"""Both end in the year 2262, where nanoseconds leave 63 bits."""

Empty: TypeAlias = Literal[""]
"""What stands for a number that a venue does not give, such as the price of a side without orders."""

Amount = Annotated[str, Meta(pattern=r"^(|[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?)\Z")]
"""An instrument's rule, exact. Text, because Decimal itself would take ``"NaN"`` and ``"1_0"``."""
Places = Annotated[int, Meta(ge=0, le=40)]
"""How many decimals."""


def rule(text: str | None) -> Decimal | None:
    """Return an ``Amount``: absent, null, empty and zero all mean that there is no such rule."""
    return Decimal(text or 0) or None


def step(places: int) -> Decimal:
    """Return the smallest step of a number with so many decimals."""
    return Decimal(1).scaleb(-places)
