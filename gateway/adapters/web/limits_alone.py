"""A limit that one process keeps by itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

from gateway.domain.errors import TooMany

#: Keys whose last call is over are forgotten when there are so many.
_KEYS_MAX = 10_000


@dataclass(slots=True, kw_only=True)
class KeyLimit:
    """At most `calls` in `window_s` seconds a key, refilled evenly: a leaky bucket of one number a key.

    `full_at` is when a key's bucket would overflow no more; two threads that race for it may let one call too many in.
    """

    calls: int
    window_s: int
    name: str = "key"
    now: Callable[[], float] = monotonic
    full_at: dict[Hashable, float] = field(default_factory=dict)

    def take(self, key_id: Hashable) -> tuple[str, str]:
        """Count one call; gives RateLimit-Policy and RateLimit. Raises TooMany when the key has used its share."""
        now, step = self.now(), self.window_s / self.calls
        until = max(self.full_at.get(key_id, 0.0), now) + step
        if until - now > self.window_s + step / 2:
            raise TooMany(
                "this key calls too often; repeat the call after Retry-After, and slowly",
                retry_after_s=max(1, ceil(until - now - self.window_s)),
            )
        if len(self.full_at) >= _KEYS_MAX:
            self.full_at = {key: at for key, at in self.full_at.items() if at > now}
        self.full_at[key_id] = until
        left = max(0, round((self.window_s - (until - now)) / step))
        return (
            f'"{self.name}";q={self.calls};w={self.window_s}',
            f'"{self.name}";r={left};t={max(1, ceil(until - now))}',
        )
