"""The delays between attempts to connect."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from exwire.errors import ConfigError
from exwire.reconnect import Backoff, ReconnectionPolicy


def test_the_first_retry_is_at_once() -> None:
    assert Backoff(ReconnectionPolicy()).next_delay(1.0) == 0.0


def test_delays_double_up_to_the_cap() -> None:
    backoff = Backoff(ReconnectionPolicy(base_s=1.0, cap_s=10.0))

    assert [backoff.next_delay(1.0) for _ in range(7)] == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.floats(0.01, 10), st.floats(10, 100))
def test_a_delay_is_anywhere_between_nothing_and_its_ceiling(spread: list[float], base_s: float, cap_s: float) -> None:
    """Full jitter: many clients that lost a venue together do not come back together. It never gives up by default, nor overflows."""
    backoff = Backoff(ReconnectionPolicy(base_s=base_s, cap_s=cap_s))
    for number, random in enumerate(spread):
        delay = backoff.next_delay(random)

        assert delay is not None
        assert 0.0 <= delay <= min(cap_s, base_s * 2.0 ** max(0, number - 1))


def test_what_the_venue_asks_for_is_not_shortened_by_the_cap() -> None:
    backoff = Backoff(ReconnectionPolicy(cap_s=10.0))

    assert backoff.next_delay(0.5, at_least_s=60.0) == 60.0


def test_a_harmless_loss_is_retried_at_once_twice() -> None:
    backoff = Backoff(ReconnectionPolicy(base_s=1.0))

    assert [backoff.next_delay(1.0, at_once=True) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_only_data_that_flowed_for_a_while_clears_the_failures() -> None:
    """A venue that accepts connections and drops them at once must not be hammered."""
    backoff = Backoff(ReconnectionPolicy(base_s=1.0, dwell_s=10.0))
    backoff.next_delay(1.0)
    backoff.flowed(9.9)
    assert backoff.next_delay(1.0) == 1.0

    backoff.flowed(10.0)
    assert backoff.next_delay(1.0) == 0.0


def test_a_policy_may_give_up() -> None:
    backoff = Backoff(ReconnectionPolicy(max_attempts=1))

    assert [backoff.next_delay(0.0), backoff.next_delay(0.0)] == [0.0, None]


@pytest.mark.parametrize(("base_s", "cap_s"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_a_policy_that_makes_no_sense_is_refused(base_s: float, cap_s: float) -> None:
    with pytest.raises(ConfigError, match="base_s"):
        ReconnectionPolicy(base_s=base_s, cap_s=cap_s)
