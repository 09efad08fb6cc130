"""Limits that several web processes keep together, on a real server, and alone when it is away."""

from __future__ import annotations

from uuid import uuid4

from gateway.adapters.servers import RunningValkey
from gateway.adapters.web.limits_alone import KeyLimit
from gateway.adapters.web.shared_limits import Counter, SharedLimit
from gateway.domain.errors import TooMany


def _process(url: str, calls: int = 40, *, at: float = 1_000.0) -> SharedLimit:
    alone = KeyLimit(calls=5, window_s=10, now=lambda: at)
    return SharedLimit(name="reads", calls=calls, window_s=10, count=Counter(url), alone=alone, now=lambda: at)


def _let_through(limit: SharedLimit, key: object, tries: int) -> int:
    done = 0
    for _ in range(tries):
        try:
            limit.take(str(key))
            done += 1
        except TooMany:
            continue
    return done


def test_processes_together_let_no_more_through_than_the_limit(valkey: RunningValkey) -> None:
    key, processes = uuid4(), [_process(valkey.url_for(3)) for _ in range(3)]
    through = sum(_let_through(one, key, 2) for _ in range(30) for one in processes)
    assert through == 40
    assert _let_through(_process(valkey.url_for(3), at=1_010.0), key, 1) == 1, "the next window is open"


def test_without_redis_each_process_keeps_its_share() -> None:
    assert _let_through(_process("redis://127.0.0.1:1/0"), uuid4(), 20) == 5
