"""The token bucket: what it lets pass in any stretch of time, in what order, and what a pause does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exwire.errors import ConfigError
from exwire.pacing import TokenBucket

GAPS = st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=60)
RATES = st.floats(min_value=0.1, max_value=50)
BURSTS = st.integers(min_value=1, max_value=10)


def actions(bucket: TokenBucket, gaps: list[float]) -> list[float]:
    """Return when each caller acts: they come one gap after another and wait as they are told."""
    now = 1_000.0
    acted = []
    for gap in gaps:
        now += gap
        acted.append(now + bucket.take(now))
    return acted


def test_the_burst_passes_at_once_and_then_the_rate_rules() -> None:
    """Three at once, then one every half second."""
    bucket = TokenBucket(rate=2.0, burst=3)

    assert [bucket.take(10.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]
    assert bucket.take(100.0) == 0.0


@given(GAPS, RATES, BURSTS)
def test_no_stretch_of_time_sees_more_than_burst_and_rate(gaps: list[float], rate: float, burst: int) -> None:
    """What a venue counts in its window, wherever that begins."""
    acted = sorted(actions(TokenBucket(rate, burst), gaps))

    for first, begin in enumerate(acted):
        for last, end in enumerate(acted[first:], start=first):
            assert last - first + 1 <= burst + rate * (end - begin) + 1e-6


@given(GAPS, RATES, BURSTS)
def test_callers_act_in_the_order_in_which_they_asked(gaps: list[float], rate: float, burst: int) -> None:
    """Nobody is overtaken, so nobody starves."""
    acted = actions(TokenBucket(rate, burst), gaps)

    assert all(earlier <= later for earlier, later in pairwise(acted))


@given(GAPS, RATES, BURSTS, st.integers(min_value=1, max_value=5))
def test_delay_foretells_what_take_will_say(gaps: list[float], rate: float, burst: int, tokens: int) -> None:
    """And reserves nothing: asking twice gives the same answer."""
    bucket = TokenBucket(rate, burst)
    actions(bucket, gaps)
    foretold = bucket.delay(1_001.0, tokens)

    assert bucket.delay(1_001.0, tokens) == foretold
    assert bucket.take(1_001.0, tokens) == foretold


def test_heavy_actions_cost_what_they_weigh() -> None:
    """Five tokens of a bucket of ten, twice; the third waits for five more."""
    bucket = TokenBucket(rate=5.0, burst=10)

    assert [bucket.take(0.0, 5) for _ in range(3)] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("rate", [0.0, 100.0])
def test_a_pause_holds_whatever_the_rate(rate: float) -> None:
    """Also where no limit is known: the other side asked for it."""
    bucket = TokenBucket(rate, burst=5)
    bucket.pause(10.0, 30.0)

    assert bucket.take(10.0) == pytest.approx(30.0, abs=0.02)
    assert bucket.take(41.0) == 0.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two answers that cross on the way must not lift a ban."""
    bucket = TokenBucket(0.0)
    bucket.pause(0.0, 60.0)
    bucket.pause(1.0, 1.0)

    assert bucket.take(2.0) == 58.0


def test_without_a_rate_nobody_waits() -> None:
    """Rate 0 means that no limit is known."""
    bucket = TokenBucket(0.0)

    assert [bucket.take(0.0) for _ in range(1000)] == [0.0] * 1000


@pytest.mark.parametrize(("rate", "burst"), [(-1.0, 1), (1.0, 0)])
def test_a_bucket_that_lets_nothing_pass_is_refused(rate: float, burst: int) -> None:
    """It would wait for ever."""
    with pytest.raises(ConfigError, match="rate"):
        TokenBucket(rate, burst)


@given(GAPS, st.lists(st.booleans(), min_size=60, max_size=60), RATES, BURSTS, RATES, BURSTS)
def test_two_limits_hold_together_when_both_are_taken_at_the_moment_of_acting(
    gaps: list[float], both: list[bool], rate: float, burst: int, other_rate: float, other_burst: int
) -> None:
    """As a REST client does for an endpoint and its host: waiting for one must not crowd the other."""
    buckets = (TokenBucket(rate, burst), TokenBucket(other_rate, other_burst))
    acted: tuple[list[float], list[float]] = ([], [])
    now = 1_000.0
    for gap, shared in zip(gaps, both, strict=False):
        now += gap
        taken = (0, 1) if shared else (0,)
        at = now + max(buckets[which].delay(now) for which in taken)
        for which in taken:
            buckets[which].take(at)
            acted[which].append(at)

    for bucket, times in zip(buckets, acted, strict=True):
        ordered = sorted(times)
        for first, begin in enumerate(ordered):
            for last, end in enumerate(ordered[first:], start=first):
                assert last - first + 1 <= bucket.burst + bucket.rate * (end - begin) + 1e-6
