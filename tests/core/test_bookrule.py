"""The rules by which venues keep books, as data."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from exwire.bookrule import BookRule, SnapshotFrom
from exwire.errors import ConfigError

REST, IN_BAND, EACH_FRAME = SnapshotFrom.REST, SnapshotFrom.IN_BAND, SnapshotFrom.EACH_FRAME


@pytest.mark.parametrize(
    ("rule", "full"),
    [
        (BookRule(IN_BAND, window=400), 0),
        (BookRule(EACH_FRAME, window=20), 0),
        (BookRule(REST, depth=5000), 5000),
        (BookRule(REST, window=100, depth=100), 100),
        (BookRule(REST, window=20, depth=100), 20),
        (BookRule(REST, window=100, depth=50), 50),
    ],
)
def test_a_snapshot_is_full_with_the_levels_that_were_asked_for_or_that_the_stream_tells_of(rule: BookRule, full: int) -> None:
    """What REST knows beyond the stream's window is soon wrong, and nobody says when."""
    assert rule.full == full


@pytest.mark.parametrize(
    "rule",
    [
        lambda: BookRule(REST),
        lambda: BookRule(IN_BAND, window=50, depth=50),
        lambda: BookRule(IN_BAND, window=-1),
        lambda: BookRule(REST, depth=100, buffer=0),
        lambda: BookRule(IN_BAND, retries=-1),
        lambda: BookRule(IN_BAND, retry_s=0.0),
        lambda: BookRule(IN_BAND, retry_s=61.0),
        lambda: BookRule(IN_BAND, first_data_s=0.0),
        lambda: BookRule(REST, depth=100, refresh_below=101),
        lambda: BookRule(IN_BAND, window=50, refresh_below=10),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Callable[[], BookRule]) -> None:
    """When a plugin is imported, not when its first gap comes. A snapshot that is low when it is new would be fetched for ever."""
    with pytest.raises(ConfigError, match="BookRule"):
        rule()


def test_a_rule_is_data() -> None:
    rule = BookRule(REST, depth=5000, retry_s=0.2)

    assert msgspec.json.decode(msgspec.json.encode(rule), type=BookRule) == rule
