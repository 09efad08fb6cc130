"""Rate limits: what a key, and an address, may call of all web processes together.

Keys and callers' addresses take their calls from Redis by the handful (`shared_limits`), so that the hot path seldom
waits for it; reads and writes of a key are counted apart. Wrong keys and the hosted pages are counted in Redis knock by
knock. While Redis is away each process counts alone. Unknown callbacks always are: a flood of them must cost nothing. A
known callback is never counted here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import time
from typing import Any

from flask import Blueprint, Flask, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits import parse
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.adapters.web.limits_alone import KeyLimit
from gateway.adapters.web.settings import WebSettings
from gateway.adapters.web.shared_limits import Counter, Limit, SharedLimit

_REDIS_TIMEOUT_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The limits that views ask for by name; those of strangers raise RateLimitExceeded. `pages` takes a blueprint.

    `reads` and `writes` are counted by key, `address` by the caller's address, `publishable` by key and address: the
    shoppers of one shop share its publishable key.
    """

    reads: Limit | None
    writes: Limit | None
    address: Limit | None
    publishable: Limit | None
    wrong_key: Callable[[], None]
    unknown_callback: Limit | None
    pages: Callable[[Blueprint], None] | None
    limiter: Limiter


def address() -> str:
    """Who knocks: the peer, or what the trusted proxies say of it."""
    return request.remote_addr or "unknown"


def install(app: Flask, settings: WebSettings, limiter_url: str | None) -> Guards:
    """Attach the address limiter to the application and give the guards."""
    limiter = _limiter(limiter_url)
    limiter.init_app(app)

    def limit_pages(blueprint: Blueprint) -> None:
        limiter.blueprints.add(blueprint.name)
        limiter.shared_limit(settings.page_limit or "", scope="pages")(blueprint)

    return Guards(
        reads=_limit("reads", settings.key_limit, limiter_url, settings.processes),
        writes=_limit("writes", settings.key_limit, limiter_url, settings.processes),
        address=_limit("address", settings.address_limit, limiter_url, settings.processes),
        publishable=_limit("publishable", settings.publishable_limit, limiter_url, settings.processes),
        wrong_key=_counting(limiter, settings.wrong_key_limit, "wrong-key"),
        unknown_callback=_limit("unknown-callback", settings.unknown_callback_limit, None, settings.processes),
        pages=limit_pages if settings.page_limit else None,
        limiter=limiter,
    )


class _OnRequest(Limiter):
    """Looks before a request only where a blueprint asked for it: elsewhere the look costs more than it could find."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.blueprints: set[str] = set()

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware or request.blueprint in self.blueprints:
            super()._check_request_limit(callable_name, in_middleware)


def _limiter(url: str | None) -> _OnRequest:
    timeouts = {
        "socket_timeout": _REDIS_TIMEOUT_S,
        "socket_connect_timeout": _REDIS_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }
    return _OnRequest(
        address,
        storage_uri=url or "memory://",
        storage_options=timeouts if url else {},
        strategy="moving-window",
        in_memory_fallback_enabled=bool(url),
        headers_enabled=False,
        key_prefix="gateway",
    )


def _limit(name: str, limit: str | None, url: str | None, processes: int) -> Limit | None:
    """A limit of all processes, or of this one's share alone where there is no Redis."""
    if limit is None:
        return None
    item = parse(limit)
    calls, window_s = item.amount, item.get_expiry()
    if url is None:
        return KeyLimit(name=name, calls=max(1, calls // processes), window_s=window_s)
    alone = KeyLimit(name=name, calls=max(1, calls // processes), window_s=window_s)
    return SharedLimit(name=name, calls=calls, window_s=window_s, count=Counter(url), alone=alone)


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
