"""The book against a market whose true book is known: whatever the network does, it is right or it says that it is not LIVE.

``EXWIRE_HISTORIES`` is how many histories are tried, 300 unless told.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from book_market import History
from exwire.book import BookState
from exwire.bookrule import BookRule, SnapshotFrom

HISTORIES = int(os.environ.get("EXWIRE_HISTORIES", "300"))

RULES = {
    "in band, 5 levels": BookRule(SnapshotFrom.IN_BAND, window=5),
    "in band, 50 levels": BookRule(SnapshotFrom.IN_BAND, window=50),
    "in band, 400 levels": BookRule(SnapshotFrom.IN_BAND, window=400),
    "REST, window of 6": BookRule(SnapshotFrom.REST, window=6, depth=6, retry_s=1.0),
    "REST, window of 100": BookRule(SnapshotFrom.REST, window=100, depth=100, retry_s=1.0),
    "REST, 8 levels known": BookRule(SnapshotFrom.REST, depth=8, retry_s=0.2, buffer=40),
    "REST, 8 levels known, refreshed": BookRule(SnapshotFrom.REST, depth=8, refresh_below=5, retry_s=0.2, buffer=20, retries=2),
    "each frame": BookRule(SnapshotFrom.EACH_FRAME, window=5),
}

tally: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def report() -> Iterator[None]:
    """With ``-s``, say what was tried."""
    yield
    print("\n" + ", ".join(f"{name}: {count}" for name, count in sorted(tally.items())))  # noqa: T201 - the point of it


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@settings(max_examples=-(-HISTORIES // len(RULES)), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 300))
def test_a_book_equals_the_true_one_or_is_not_live(rule: BookRule, seed: int, steps: int) -> None:
    """Checked after every step: each level that it shows, each that it claims not to exist, the touch, the cost to fill. When the faults
    end, it finds back."""
    tally["histories"] += 1
    history = History(rule, seed, tally)
    history.play(steps)
    history.calm()

    assert history.client.state is BookState.LIVE
    assert history.client.last_id == history.book.id
