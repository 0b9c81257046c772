"""What a venue declares, and what core makes of it."""

from __future__ import annotations

import pytest

from exwire.contracts import ON_CHANGE, Cadence, ChannelSpec, ConnectionContext, Delivery, ErrorKind, Param
from exwire.errors import AuthError, ConfigError, ConnectError, ConnectionLostError, UnknownNameError
from exwire.subscription import Channel, Subscription
from toy import ToyHandler


class Candles(ToyHandler):
    """A venue with a channel that has variants."""

    __slots__ = ()
    channels = {  # noqa: RUF012 - a ClassVar of the base
        Channel.CANDLES: ChannelSpec(Cadence(2.0), Delivery.NEWEST, (Param("interval", ("1m", "5m", "1h"), "of a candle"),)),
        Channel.TRADES: ChannelSpec(ON_CHANGE, Delivery.BY_ID),
    }


def test_defaults_are_filled_in_so_that_equal_topics_are_equal() -> None:
    handler = Candles()
    default = handler.resolve(Subscription(Channel.CANDLES, "BTC/USDT"))

    assert default.params == (("interval", "1m"),)
    assert default == handler.resolve(Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "1m"}))
    assert hash(default) == hash(handler.resolve(default))


@pytest.mark.parametrize(
    ("sub", "text"),
    [
        (Subscription(Channel.BOOK, "BTC/USDT"), "unknown channel 'book'; nearest known:"),
        (Subscription.of(Channel.CANDLES, "BTC/USDT", {"interval": "2m"}), "unknown interval of candles '2m'; nearest known: 5m, 1m, 1h"),
        (
            Subscription.of(Channel.CANDLES, "BTC/USDT", {"intervall": "1m"}),
            "unknown option of candles 'intervall'; nearest known: interval",
        ),
        (Subscription.of(Channel.TRADES, "BTC/USDT", {"depth": 5}), "unknown option of trades 'depth'; none is known here"),
    ],
)
def test_what_a_venue_does_not_serve_is_refused_with_the_nearest(sub: Subscription, text: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        Candles().resolve(sub)

    assert str(raised.value).startswith(f"toy: {text}")


def test_all_symbols_at_once_only_where_the_venue_has_a_topic_for_it() -> None:
    with pytest.raises(ConfigError, match="no topic for all symbols"):
        Candles().resolve(Subscription(Channel.TRADES, "*"))


def test_a_context_shows_no_secret() -> None:
    """A listen key travels in the query."""
    context = ConnectionContext(urls=("wss://user:pass@api.example:443/ws?listenKey=SECRET#x",))

    assert context.safe_url == "wss://api.example:443/ws"


def test_a_context_needs_a_url_it_can_use() -> None:
    with pytest.raises(ConfigError, match="at least one URL"):
        ConnectionContext(urls=())
    with pytest.raises(ConfigError, match="unencrypted"):
        ConnectionContext(urls=("ws://api.example/",))


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        (ConnectionLostError(1006), ErrorKind.NETWORK, True),
        (ConnectError("wss://x/", "refused"), ErrorKind.NETWORK, True),
        (ConnectError("wss://x/", "slow down", status=429), ErrorKind.RATE_LIMITED, True),
        (ConnectError("wss://x/", "banned", status=418), ErrorKind.RATE_LIMITED, True),
        (ConnectError("wss://x/", "who are you", status=401), ErrorKind.AUTH, False),
        (AuthError("toy", "4", "no"), ErrorKind.AUTH, False),
        (ConfigError("no such transport"), ErrorKind.FATAL, False),
    ],
)
def test_failures_are_sorted_by_what_the_next_attempt_should_do(error: Exception, kind: ErrorKind, again: bool) -> None:
    handler = ToyHandler()

    assert handler.classify_error(error) is kind
    assert handler.should_reconnect(kind) is again


async def test_public_data_needs_no_authentication() -> None:
    handler = ToyHandler()

    assert not handler.requires_authentication
    assert handler.login(1, 1, lambda _: "") is None
    assert handler.redact(b"frame") == b"frame"
