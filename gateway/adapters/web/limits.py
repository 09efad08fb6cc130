"""Rate limits: by key inside this process, and by address in Redis for whoever knocks without a key.

A hit in Redis costs about a millisecond, more than the rest of a request's Python, so the hot path doesn't pay it: each
web process counts the calls of a key by itself. Addresses are counted in Redis, for all processes together, only when a
wrong key or an unknown callback came, and on the hosted pages. Without Redis each process counts alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from time import monotonic, time
from uuid import UUID

from flask import Blueprint, Flask, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits import parse
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.adapters.web.settings import WebSettings
from gateway.domain.errors import TooMany

_REDIS_TIMEOUT_S = 0.2
#: Keys whose last call is over are forgotten when there are so many.
_KEYS_MAX = 10_000


@dataclass(slots=True, kw_only=True)
class KeyLimit:
    """At most `calls` in `window_s` seconds a key, refilled evenly: a leaky bucket of one number a key.

    `full_at` is when a key's bucket would overflow no more; two threads that race for it may let one call too many in.
    """

    calls: int
    window_s: int
    now: Callable[[], float] = monotonic
    full_at: dict[UUID, float] = field(default_factory=dict)

    def take(self, key_id: UUID) -> tuple[str, str]:
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
        return f'"key";q={self.calls};w={self.window_s}', f'"key";r={left};t={max(1, ceil(until - now))}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The limits that views ask for by name; those of strangers raise RateLimitExceeded. `pages` takes a blueprint."""

    key: KeyLimit | None
    wrong_key: Callable[[], None]
    unknown_callback: Callable[[], None]
    pages: Callable[[Blueprint], None] | None
    limiter: Limiter


def address() -> str:
    """Who knocks: the peer, or what the trusted proxies say of it."""
    return request.remote_addr or "unknown"


def install(app: Flask, settings: WebSettings, limiter_url: str | None) -> Guards:
    """Attach the address limiter to the application and give the guards."""
    limiter = _limiter(limiter_url)
    limiter.init_app(app)
    return Guards(
        key=_key_limit(settings.key_limit),
        wrong_key=_counting(limiter, settings.wrong_key_limit, "wrong-key"),
        unknown_callback=_counting(limiter, settings.unknown_callback_limit, "unknown-callback"),
        pages=limiter.shared_limit(settings.page_limit, scope="pages") if settings.page_limit else None,
        limiter=limiter,
    )


def _limiter(url: str | None) -> Limiter:
    timeouts = {
        "socket_timeout": _REDIS_TIMEOUT_S,
        "socket_connect_timeout": _REDIS_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }
    return Limiter(
        address,
        storage_uri=url or "memory://",
        storage_options=timeouts if url else {},  # type: ignore[arg-type]
        strategy="moving-window",
        in_memory_fallback_enabled=bool(url),
        headers_enabled=False,
        key_prefix="gateway",
    )


def _key_limit(limit: str | None) -> KeyLimit | None:
    if limit is None:
        return None
    item = parse(limit)
    return KeyLimit(calls=item.amount, window_s=item.get_expiry())


def _counting(limiter: Limiter, limit: str | None, scope: str) -> Callable[[], None]:
    """A function that counts one knock of this request's address."""
    if limit is None:
        return lambda: None

    def knock() -> None:
        """Nothing to do: being called is what counts."""

    knock.__qualname__ = f"knock[{scope}]"
    return limiter.shared_limit(limit, scope=scope)(knock)


def retry_after_s(error: RateLimitExceeded, guards: Guards) -> int:
    """Seconds until the address may knock again."""
    current = guards.limiter.current_limit
    if current is None:
        return int(error.limit.limit.get_expiry()) if error.limit else 1
    return max(1, ceil(current.reset_at - time()))
