"""How fast we may act: a token bucket that answers with the time to wait. Pure: the clock is handed in."""

from __future__ import annotations

from typing import final

from exwire.errors import ConfigError

__all__ = ["TokenBucket"]


@final
class TokenBucket:
    """``burst`` actions at once, then ``rate`` a second. rate 0: no limit."""

    __slots__ = ("_free_at", "burst", "rate")

    def __init__(self, rate: float, burst: int = 1) -> None:
        if rate < 0 or burst < 1:
            raise ConfigError(f"a TokenBucket needs rate >= 0 and burst >= 1, not rate={rate}, burst={burst}")
        self.rate = rate
        self.burst = burst
        self._free_at = float("-inf")

    def delay(self, now_s: float, tokens: float = 1.0) -> float:
        """Return the seconds that ``take`` would ask to wait; nothing is reserved."""
        if not self.rate:
            return max(0.0, self._free_at - now_s)
        return max(0.0, max(self._free_at, now_s - self.burst / self.rate) + tokens / self.rate - now_s)

    def take(self, now_s: float, tokens: float = 1.0) -> float:
        """Reserve tokens; return the seconds to wait before acting, 0.0 when it may be now.

        now_s: a monotonic clock, or a later moment of it at which the caller will act. Reservations are served in the order of the
        calls, so concurrent callers need no lock.
        """
        delay = self.delay(now_s, tokens)
        if self.rate:
            self._free_at = max(self._free_at, now_s - self.burst / self.rate) + tokens / self.rate
        return delay

    def pause(self, now_s: float, seconds: float) -> None:
        """Let nobody act for so long, whatever the rate: the other side asked for it. Reservations made before stand."""
        self._free_at = max(self._free_at, now_s + seconds)
