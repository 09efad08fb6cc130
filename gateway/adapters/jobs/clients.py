"""How processes reach Redis: with time limits of our own, since a client's defaults wait for longer than a caller."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry


def impatient(url: str, *, timeout_s: float) -> redis.Redis:
    """One try, `timeout_s` for each step: for what is done as well as may be, on somebody's path."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=timeout_s, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
    )


def patient(url: str, *, timeout_s: float = 5.0) -> redis.Redis:
    """A second and third try at once, so that an idle connection that was cut costs nothing; then an error."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=2.0,
        socket_timeout=timeout_s,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        health_check_interval=30,
    )
