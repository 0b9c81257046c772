"""What a venue answers when the interface asks: how to connect, authenticate and subscribe. Mixins hold no state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from exwire.config import Sign, check_url
from exwire.errors import AuthError, ConfigError, ConnectError, UnknownNameError
from exwire.reconnect import ReconnectionPolicy
from exwire.subscription import ALL, Channel, Request, Subscription

if TYPE_CHECKING:
    from exwire.rest import BaseRestClient

__all__ = [
    "ON_CHANGE",
    "AuthMixin",
    "Cadence",
    "ChannelSpec",
    "ConnectionContext",
    "ConnectionMixin",
    "Delivery",
    "ErrorKind",
    "Keepalive",
    "Limits",
    "NoAuthMixin",
    "Param",
    "SubscriptionMixin",
]


class Keepalive(Struct, frozen=True):
    """How a connection is kept and watched.

    interval_s: between pings; timeout_s: with no frame at all for so long after a ping, the connection is taken for dead; application:
    True when the venue has a ping message of its own (``ConnectionMixin.ping``), False for WebSocket ping frames.
    """

    interval_s: float = 15.0
    timeout_s: float = 10.0
    application: bool = True


class Limits(Struct, frozen=True):
    """What a venue allows. Zero: no limit is known.

    topics: a connection; frames_per_s: sent by us, with bursts of up to ``burst``; frame_bytes: of one frame sent by us; connections: a
    host; lifetime_s: of one connection.
    """

    topics: int = 0
    frames_per_s: float = 0.0
    burst: int = 1
    frame_bytes: int = 0
    connections: int = 0
    lifetime_s: float = 0.0


class ConnectionContext(Struct, frozen=True):
    """Everything that opening a connection needs.

    urls: in order of preference; headers: for the upgrade request; compression: whether to offer permessage-deflate; max_message_bytes:
    a larger message closes the connection with 1009; open_timeout_s: TCP, TLS and upgrade together.
    """

    urls: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()
    compression: bool = False
    keepalive: Keepalive = Keepalive()
    limits: Limits = Limits()
    max_message_bytes: int = 8 * 1024 * 1024
    open_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if not self.urls:
            raise ConfigError("a ConnectionContext needs at least one URL")
        for url in self.urls:
            check_url(url)

    @property
    def safe_url(self) -> str:
        """The preferred URL without user, query and fragment, fit for logs."""
        parts = urlsplit(self.urls[0])
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class ErrorKind(StrEnum):
    """What a failure means for the next attempt.

    network: delays grow; quick: the venue's usual way to end a connection, retried at once; rate_limited: the venue wants us slower;
    auth and fatal: trying again cannot help.
    """

    NETWORK = "network"
    QUICK = "quick"
    RATE_LIMITED = "rate_limited"
    AUTH = "auth"
    FATAL = "fatal"


class ConnectionMixin(ABC):
    """How a venue is connected to. Asked before every attempt."""

    __slots__ = ()

    @abstractmethod
    def connection_context(self) -> ConnectionContext:
        """Return where and how to connect."""

    def reconnection_policy(self) -> ReconnectionPolicy:
        """Return the delays between attempts."""
        return ReconnectionPolicy()

    def classify_error(self, exc: Exception) -> ErrorKind:
        """Return what a failed or lost connection means. The default knows HTTP refusals; a venue adds its own close codes."""
        if isinstance(exc, AuthError):
            return ErrorKind.AUTH
        if isinstance(exc, ConnectError):
            if exc.status in (418, 429):
                return ErrorKind.RATE_LIMITED
            if exc.status == 401:
                return ErrorKind.AUTH
        if isinstance(exc, ConfigError):
            return ErrorKind.FATAL
        return ErrorKind.NETWORK

    def should_reconnect(self, kind: ErrorKind) -> bool:
        """Return whether to try again after a failure of this kind."""
        return kind not in (ErrorKind.AUTH, ErrorKind.FATAL)

    def ping(self, now_ns: int) -> Request | None:
        """Return the venue's own ping message, None when it has none (WebSocket pings are sent instead)."""
        return None


class AuthMixin(ABC):  # noqa: B024 - every question has an answer: no
    """How a venue knows who we are. Three places for it; a venue fills those it uses.

    A token in the URL (``authorize``, renewed and revoked), a login message once connected (``login``), a signature in each private
    request (the ``sign`` argument of ``SubscriptionMixin.encode_subscribe``).
    """

    __slots__ = ()

    requires_authentication: ClassVar[bool] = True
    renew_every_s: ClassVar[float] = 0.0
    """How often ``renew`` has to be called, s; 0: never."""

    async def authorize(self, context: ConnectionContext, rest: BaseRestClient) -> ConnectionContext:
        """Return the context to connect with, its URLs carrying a token where the venue wants one."""
        return context

    async def renew(self, rest: BaseRestClient) -> None:  # noqa: B027 - as above
        """Keep the token of ``authorize`` alive."""

    async def revoke(self, rest: BaseRestClient) -> None:  # noqa: B027 - as above
        """Give the token of ``authorize`` back."""

    def login(self, id: int, now_ns: int, sign: Sign) -> Request | None:
        """Return the login message, None when the venue has none. Its answer is awaited, 10 s at most."""
        return None

    def redact(self, frame: bytes) -> bytes:
        """Return the frame without anything secret, for recordings and messages."""
        return frame


class NoAuthMixin(AuthMixin):
    """Public data: nobody asks who we are."""

    __slots__ = ()

    requires_authentication: ClassVar[bool] = False


class Cadence(Struct, frozen=True):
    """How often a healthy topic speaks. seconds: at least every so often, 0: only when something changes."""

    seconds: float = 0.0


ON_CHANGE = Cadence()


class Delivery(StrEnum):
    """What replacing a connection under a topic can promise.

    by_id: none lost, none twice; by_range: the old line serves until the new one has caught up; newest: only the latest value matters;
    at_least_once: events carry no ids, some may come twice.
    """

    BY_ID = "by_id"
    BY_RANGE = "by_range"
    NEWEST = "newest"
    AT_LEAST_ONCE = "at_least_once"


class Param(Struct, frozen=True):
    """One variant of a channel. values: what the venue serves, the default first; about: a line for help texts."""

    name: str
    values: tuple[str, ...]
    about: str


class ChannelSpec(Struct, frozen=True):
    """What a venue says of one of its channels. all_symbols: it has one topic for every symbol, subscribed as ``*``."""

    cadence: Cadence
    delivery: Delivery
    params: tuple[Param, ...] = ()
    all_symbols: bool = False


class SubscriptionMixin(ABC):
    """How a venue spells "subscribe". Builds frames, sends nothing."""

    __slots__ = ()

    venue: ClassVar[str]
    channels: ClassVar[Mapping[Channel, ChannelSpec]]
    """The channels of this kind of connection."""

    @abstractmethod
    def encode_subscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests to send, split to the venue's batch limits; each names the topics it carries."""

    @abstractmethod
    def encode_unsubscribe(self, subs: Sequence[Subscription], ids: Iterator[int], now_ns: int, sign: Sign | None = None) -> list[Request]:
        """Return the requests that take subscriptions back."""

    @abstractmethod
    def topic(self, sub: Subscription) -> str:
        """Return the string by which the venue's answers name a subscription; unique on a connection."""

    @abstractmethod
    def subscription(self, topic: str) -> Subscription:
        """Return what a topic string stands for; the inverse of ``topic``. Raises ConfigError when it stands for nothing."""

    @abstractmethod
    def venue_symbol(self, symbol: str) -> str:
        """Return the venue's spelling of a unified symbol. Raises ConfigError for what cannot be one."""

    @abstractmethod
    def symbol(self, venue_symbol: str) -> str:
        """Return the unified symbol, judged by its form alone. Raises ConfigError for what has not the form."""

    def resolve(self, sub: Subscription) -> Subscription:
        """Return the subscription with every param of its channel set; raises ConfigError for what the venue does not serve."""
        spec = self.channels.get(sub.channel)
        if spec is None:
            raise UnknownNameError("channel", sub.channel.value, [each.value for each in self.channels], venue=self.venue)
        if sub.symbol != ALL:
            self.venue_symbol(sub.symbol)
        elif not spec.all_symbols:
            raise ConfigError(f"{self.venue}: {sub.channel.value} has no topic for all symbols at once; name them")
        given = dict(sub.params)
        full: dict[str, str] = {}
        for param in spec.params:
            value = given.pop(param.name, param.values[0])
            if value not in param.values:
                raise UnknownNameError(f"{param.name} of {sub.channel}", value, param.values, venue=self.venue)
            full[param.name] = value
        for name in given:
            raise UnknownNameError(f"option of {sub.channel}", name, [param.name for param in spec.params], venue=self.venue)
        return Subscription.of(sub.channel, sub.symbol, full)
