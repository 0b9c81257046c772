"""How Gate.io is connected to, the same for every market; a market adds its URL and its ping channel."""

from __future__ import annotations

from typing import ClassVar

from exwire.contracts import ConnectionContext, ConnectionMixin, Keepalive, Limits
from exwire.subscription import Request
from exwire_gateio.envelope import ping

__all__ = ["GateioConnectionMixin"]

_KEEPALIVE = Keepalive(interval_s=12.0, timeout_s=15.0)
"""Gate closes a socket on which the client is silent after about 30 s, without a close frame."""

_LIMITS = Limits(topics=300, frames_per_s=20.0, burst=20, connections=300)
"""Documented are only the 300 connections of an address. 385 topics on one were seen to work, so we stay below; the pace is ours."""


class GateioConnectionMixin(ConnectionMixin):
    """No compression (Gate never negotiates it), Gate's own ping.

    urls: in order of preference; ping_channel: ``spot.ping``, ``futures.ping``; headers: of the upgrade request. Spot needs none:
    ``X-Gate-Size-Decimal`` changes how futures write their sizes, spot amounts are exact strings anyway.
    """

    __slots__ = ()

    urls: ClassVar[tuple[str, ...]]
    ping_channel: ClassVar[str]
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def connection_context(self) -> ConnectionContext:
        """Return where and how to connect."""
        return ConnectionContext(urls=self.urls, headers=self.headers, keepalive=_KEEPALIVE, limits=_LIMITS)

    def ping(self, now_ns: int) -> Request | None:
        """Return Gate's ping; it carries no id, and the pong is known by its channel."""
        return ping(self.ping_channel, now_ns)
