"""What errors say to people, and what they hold for programs."""

from __future__ import annotations

import pytest

from exwire import errors
from exwire.errors import (
    ConnectError,
    ConnectionLostError,
    DecodeError,
    ExwireError,
    GapError,
    OverflowedError,
    PluginNotFoundError,
    RateLimitError,
    SubscriptionError,
    UnknownNameError,
    VenueError,
    nearest,
)
from exwire.subscription import Channel, Refusal, Subscription

BTC = Subscription(Channel.TRADES, "BTC/USDT")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UnknownNameError("channel", "trade", ["trades", "ticker", "book"]), "unknown channel 'trade'; nearest known: trades"),
        (UnknownNameError("market", "x", [], venue="acme"), "acme: unknown market 'x'; none is known here"),
        (PluginNotFoundError("gate", ["gateio", "mexc"]), "gate: no such venue is installed; nearest known: gateio"),
        (ConnectError("wss://x/", "connection refused"), "cannot connect to wss://x/: connection refused"),
        (ConnectionLostError(1006), "connection lost with close code 1006"),
        (ConnectionLostError(1001, "bye"), "connection lost with close code 1001: bye"),
        (DecodeError("acme", "expected a trade", b'{"a":1}'), 'acme: expected a trade; received {"a":1}'),
        (DecodeError("acme", "expected a trade", b"\xff" * 500), "(500 bytes)"),
        (GapError("acme", "BTC/USDT", "reconnected"), "acme BTC/USDT: events may be missing here: reconnected; read on"),
        (VenueError("acme", "7", "no"), "acme refused with 7: no"),
        (VenueError("acme", "", "", status=503), "acme refused with no code (HTTP 503): no message"),
        (
            SubscriptionError("acme", [], [Refusal(BTC, "2", "unknown pair")]),
            "acme: 1 refused, 0 confirmed: trades BTC/USDT: 2 unknown pair",
        ),
        (OverflowedError(10), "overflowed its 10 places; read faster, raise maxlen"),
    ],
)
def test_an_error_names_the_venue_what_came_and_what_to_do(error: ExwireError, text: str) -> None:
    assert text in str(error)


def test_every_error_ends_in_error_and_descends_from_the_root() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if name[0].isupper() and not name.isupper()]

    assert len(classes) == 23
    assert all(issubclass(each, ExwireError) and each.__name__.endswith("Error") for each in classes)


def test_the_tree_in_the_docstring_is_complete() -> None:
    assert all(name in (errors.__doc__ or "") for name in errors.__all__ if name.endswith("Error"))


def test_a_config_error_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="unknown channel"):
        raise UnknownNameError("channel", "x", ["trades"])


def test_a_rate_limit_holds_how_long_to_wait() -> None:
    assert RateLimitError("acme", "429", "slow down", retry_after_s=3.0).retry_after_s == 3.0


def test_names_that_differ_in_case_only_are_two_names() -> None:
    """A minute and a month."""
    assert nearest("1M", ["1h", "1m", "1M"]) == ("1M", "1m", "1h")


def test_nearest_names_come_first_whatever_their_case() -> None:
    assert nearest("btc/usd", ["ETH/USDT", "BTC/USDT", "BTC/USDC"])[:2] == ("BTC/USDT", "BTC/USDC")


def test_a_long_list_of_names_is_cut() -> None:
    assert str(UnknownNameError("symbol", "Z", [f"S{number:02}" for number in range(30)])).endswith("and 22 more")


def test_a_decode_error_stays_small_whatever_it_quotes() -> None:
    error = DecodeError("acme", "Invalid enum value " + "x" * 10_000_000, b"y" * 10_000_000)

    assert (len(error.reason), len(error.frame)) == (1_001, errors.KEPT_FRAME_BYTES)
    assert len(str(error)) < 2_000
