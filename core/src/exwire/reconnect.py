"""When to connect again: a policy as data, and the delays it leads to. Pure: randomness and time are handed in."""

from __future__ import annotations

from typing import final

from msgspec import Struct

from exwire.errors import ConfigError

__all__ = ["Backoff", "ReconnectionPolicy"]


class ReconnectionPolicy(Struct, frozen=True):
    """How to come back after a connection was lost.

    The first attempt is at once, the next after a random time up to ``base_s``, then up to twice that and so on, never above ``cap_s``
    (full jitter). max_attempts: give up after so many failures in a row, None for never. dwell_s: data has to flow for so long before
    the count of failures starts again from nothing.
    """

    base_s: float = 0.5
    cap_s: float = 30.0
    max_attempts: int | None = None
    dwell_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.base_s <= self.cap_s:
            raise ConfigError(f"ReconnectionPolicy needs 0 < base_s <= cap_s, not base_s={self.base_s}, cap_s={self.cap_s}")


@final
class Backoff:
    """The failures in a row of one connection, and the delay before the next attempt."""

    __slots__ = ("attempts", "policy")

    def __init__(self, policy: ReconnectionPolicy) -> None:
        self.policy = policy
        self.attempts = 0

    def next_delay(self, random: float, *, at_least_s: float = 0.0, at_once: bool = False) -> float | None:
        """Count a failure; return the seconds to wait, or None when the policy gives up.

        random: from 0 to 1; at_least_s: what the venue asked for (Retry-After), which the cap does not shorten; at_once: the loss was
        harmless by the venue's own rule, so the first retry is not delayed.
        """
        self.attempts += 1
        if self.policy.max_attempts is not None and self.attempts > self.policy.max_attempts:
            return None
        if self.attempts == 1 or (at_once and self.attempts == 2):
            return at_least_s
        ceiling = min(self.policy.cap_s, self.policy.base_s * 2.0 ** min(self.attempts - 2, 62))
        return max(at_least_s, ceiling * random)

    def flowed(self, seconds: float) -> None:
        """Data has flowed for so long on the new connection: enough of it clears the failures."""
        if seconds >= self.policy.dwell_s:
            self.attempts = 0
