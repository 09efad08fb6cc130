"""What adapters of all processes share for a while: tokens and the like, encrypted, and lost without harm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import cast

from redis.exceptions import RedisError

from gateway.adapters.jobs.clients import impatient
from ports.context import SharedMemory

_KEPT, _LOCK = "gateway:shared:", "gateway:lock:"
_TIMEOUT_S = 0.25

#: Release a lock only while it is one's own: it may have run out and be another's.
_RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end'


class RedisMemory(SharedMemory):
    """Shared memory in Redis. `seal` and `open` keep values unreadable to whoever else can read Redis."""

    def __init__(self, redis_url: str, *, seal: Callable[[str], bytes], open: Callable[[bytes], str]) -> None:  # noqa: A002
        self._client = impatient(redis_url, timeout_s=_TIMEOUT_S)
        self._seal, self._open = seal, open
        self._release = self._client.register_script(_RELEASE)

    def get(self, key: str) -> str | None:
        try:
            sealed = cast(bytes | None, self._client.get(_KEPT + key))
        except RedisError:
            return None
        if sealed is None:
            return None
        try:
            return self._open(sealed)
        except Exception:
            # Sealed under a key that is gone, or written by a stranger: as good as lost, and fetched again.
            return None

    def put(self, key: str, value: str, *, life_s: int) -> None:
        if life_s <= 0:
            return
        with suppress(RedisError):
            self._client.set(_KEPT + key, self._seal(value), ex=life_s)

    @contextmanager
    def only_one(self, key: str, *, life_s: int) -> Iterator[bool]:
        """True as well when Redis is away: then each process does the work for itself, which harms nobody."""
        token = os.urandom(16)
        try:
            mine = bool(self._client.set(_LOCK + key, token, nx=True, px=life_s * 1000))
        except RedisError:
            yield True
            return
        try:
            yield mine
        finally:
            if mine:
                with suppress(RedisError):
                    self._release(keys=[_LOCK + key], args=[token])
