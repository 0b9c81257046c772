"""Latency histograms of fixed size."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from exwire.metrics import Histogram


@given(st.lists(st.integers(0, 2**42), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_at_most_an_eighth_above_the_true_one(values: list[int], q: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    true = sorted(values)[max(1, -int(-q * len(values) // 1)) - 1]

    assert true <= histogram.quantile(q) <= true * 1.125 + 1


@given(st.lists(st.integers(-5, 2**70)))
def test_any_integer_is_counted(values: list[int]) -> None:
    """Clocks step back and machines sleep for days; neither may break the frame path."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)

    assert histogram.count == len(values)
    assert histogram.highest == max([0, *values])
    assert histogram.quantile(1.0) <= histogram.highest


def test_an_empty_histogram_answers_zero() -> None:
    assert (Histogram().quantile(0.99), Histogram().mean) == (0, 0.0)
