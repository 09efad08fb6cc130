"""Workers that wait for providers are stood in for: however many connections hang, others are served."""

from __future__ import annotations

import redis

from gateway.adapters.jobs.queue import RqQueue
from gateway.adapters.jobs.relay import Relay
from gateway.adapters.jobs.supervisor import SPARES
from tests.jobs.conftest import Workers
from tests.jobs.doing import is_done, put
from tests.jobs.test_workers import children
from tests.persistence.shop import Shop
from tests.waiting import eventually


def test_another_worker_stands_in_for_each_that_is_stuck_and_goes_when_it_is_not_needed(
    shop: Shop, relay: Relay, workers: Workers, queue: RqQueue, redis_url: str
) -> None:
    parent = workers.start(WORKS_PROCESSES="pay=2,ask=1", WORKS_LINGER_S="1")
    workers.log.hold()
    stuck = [put(shop, "attempt.submit") for _ in range(4)]
    eventually(lambda: all(workers.log.starts(subject) for subject in stuck), within_s=30)
    assert len(children(parent.pid)) >= 5, "two workers, two that stand in for them, and the one that asks"
    shares = queue.shares()
    assert shares["pay"] == 1, "those who keep workers waiting get no spares"
    names = redis.Redis.from_url(redis_url).smembers("rq:workers:pay")
    assert len(names) > 2
    workers.log.let_go()
    eventually(lambda: all(is_done(shop, subject) for subject in stuck), within_s=15)
    assert [workers.log.starts(subject) for subject in stuck] == [1] * 4
    eventually(lambda: len(children(parent.pid)) == 3, within_s=20)


def test_there_are_no_more_than_so_many(shop: Shop, relay: Relay, workers: Workers) -> None:
    parent = workers.start(WORKS_PROCESSES="pay=1", WORKS_LINGER_S="1")
    workers.log.hold()
    subjects = [put(shop, "attempt.submit") for _ in range(SPARES["pay"] + 4)]
    eventually(lambda: len(children(parent.pid)) == 1 + SPARES["pay"], within_s=60)
    eventually(lambda: sum(workers.log.starts(s) for s in subjects) == 1 + SPARES["pay"], within_s=20)
    workers.log.let_go()
    eventually(lambda: all(is_done(shop, subject) for subject in subjects), within_s=20)
