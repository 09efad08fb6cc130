"""A limit that all web processes keep together: each takes calls from Redis by the handful and spends them itself.

A window's calls are counted in Redis, so together the processes never let more through than the limit says. A process
asks for a twentieth at a time: a busy key costs a look at Redis once in so many calls. What a process took and didn't
spend is gone with the window, so near its limit a key may get a few calls less. While Redis is away each process counts
alone, with its share of the limit: never open, and never a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic, time
from typing import Protocol

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.adapters.web.limits_alone import KeyLimit
from gateway.domain.errors import TooMany

_REDIS_TIMEOUT_S = 0.2
#: Seconds for which Redis isn't asked after it failed: a dead one costs one wait, not one a call.
_AWAY_S = 5.0
_KEYS_MAX = 10_000
_HANDFULS = 20

_log = structlog.get_logger("gateway.web")


class Limit(Protocol):
    """Counts calls."""

    def take(self, key: Hashable) -> tuple[str, str]:
        """Count one call; gives RateLimit-Policy and RateLimit. Raises TooMany when the key has used its share."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts in Redis. Gives None when Redis can't be asked."""

    url: str
    client: redis.Redis = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        client = redis.Redis.from_url(
            self.url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        object.__setattr__(self, "client", client)

    def __call__(self, name: str, calls: int, keep_s: int) -> int | None:
        """Add so many to the count of that name, and give the sum."""
        try:
            with self.client.pipeline(transaction=False) as pipe:
                pipe.incrby(name, calls)
                pipe.expire(name, keep_s)
                return int(pipe.execute()[0])
        except redis.RedisError as trouble:
            _log.warning("limits are counted by each process alone", kind=type(trouble).__name__)
            return None


@dataclass(slots=True)
class _Purse:
    """What this process holds of one key's calls in one window."""

    window: int
    left: int = 0
    beyond: int = 0


@dataclass(slots=True, kw_only=True)
class SharedLimit:
    """At most `calls` a key in each window of `window_s` seconds, over all processes. `alone` is this one's share."""

    name: str
    calls: int
    window_s: int
    count: Callable[[str, int, int], int | None]
    alone: KeyLimit
    now: Callable[[], float] = time
    steady: Callable[[], float] = monotonic
    purses: dict[Hashable, _Purse] = field(default_factory=dict)
    away_until: float = 0.0

    def take(self, key: Hashable) -> tuple[str, str]:
        """Count one call. Two threads that race for the last one may let one too many through."""
        if self.steady() < self.away_until:
            return self.alone.take(key)
        now = self.now()
        window = int(now // self.window_s)
        purse = self.purses.get(key)
        if purse is None or purse.window != window:
            purse = self._fresh(key, window)
        if purse.left <= 0 and not self._fill(key, purse):
            return self.alone.take(key)
        wait = max(1, ceil((window + 1) * self.window_s - now))
        if purse.left <= 0:
            raise TooMany(
                f"too many calls for the limit {self.name!r}; repeat after Retry-After, and slowly", retry_after_s=wait
            )
        purse.left -= 1
        policy = f'"{self.name}";q={self.calls};w={self.window_s}'
        return policy, f'"{self.name}";r={purse.left + purse.beyond};t={wait}'

    def _fresh(self, key: Hashable, window: int) -> _Purse:
        if len(self.purses) >= _KEYS_MAX:
            self.purses = {one: purse for one, purse in self.purses.items() if purse.window == window}
        purse = self.purses[key] = _Purse(window)
        purse.beyond = self.calls
        return purse

    def _fill(self, key: Hashable, purse: _Purse) -> bool:
        """Take a handful more; False while Redis is away. What is used up isn't asked for again in its window."""
        if purse.beyond <= 0:
            return True
        handful = max(1, self.calls // _HANDFULS)
        total = self.count(f"gateway:limit:{self.name}:{key}:{purse.window}", handful, self.window_s * 2 + 1)
        if total is None:
            self.away_until = self.steady() + _AWAY_S
            return False
        purse.left = max(0, min(handful, self.calls - (total - handful)))
        purse.beyond = max(0, self.calls - total)
        return True
