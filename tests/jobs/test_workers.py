"""Real worker processes: killed, told to end, robbed of their Redis. No run is lost, and none runs twice at once.

On Linux: only there a child learns of its parent's death.
"""

from __future__ import annotations

import os
import signal
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import redis
from standardwebhooks import Webhook

from gateway.adapters.jobs.queue import Bell
from gateway.adapters.jobs.relay import Relay
from gateway.domain.webhooks import DeliveryState
from tests.jobs.conftest import Workers
from tests.jobs.doing import WorkLog, as_claimed, deliveries, is_done, leases_over, outbox, put
from tests.outbound.receivers import a_receiver, says
from tests.persistence.shop import Shop
from tests.waiting import eventually

SECRET = "whsec_" + "c2VjcmV0LWJ5dGVzLW9mLWEtdGVzdC1vZi0zMi0hISE="


def children(parent: int) -> set[int]:
    """The living children of a process."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return {int(word) for word in listed.read_text().split()} if listed.exists() else set()


def lives(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_of(log: WorkLog) -> int:
    """The process that started last."""
    return int(log.lines("start")[-1][2])


def test_work_is_done_soon_after_a_ring_and_once(shop: Shop, relay: Relay, workers: Workers, redis_url: str) -> None:
    workers.start()
    bell = Bell(redis_url)
    subjects = [put(shop, kind) for kind in ("attempt.submit", "attempt.look_up") for _ in range(20)]
    bell.ring()
    eventually(lambda: all(is_done(shop, subject) for subject in subjects), within_s=15)
    assert [workers.log.starts(subject) for subject in subjects] == [1] * 40
    row = outbox(shop, subjects[0])
    assert (row.failures, row.holder, row.lease_until) == (0, None, None)


def test_a_killed_worker_s_row_is_another_s_within_seconds(shop: Shop, relay: Relay, workers: Workers) -> None:
    parent = workers.start()
    workers.log.hold()
    subject = put(shop)
    eventually(lambda: workers.log.starts(subject) == 1, within_s=15)
    os.kill(pid_of(workers.log), signal.SIGKILL)
    eventually(lambda: workers.log.starts(subject) == 2, within_s=15)
    workers.log.let_go()
    eventually(lambda: is_done(shop, subject))
    assert workers.log.ends(subject) == 1
    assert parent.alive
    eventually(lambda: len(children(parent.pid)) == 4, within_s=10)


def test_a_row_that_is_worked_at_is_not_started_again(
    shop: Shop, relay: Relay, workers: Workers, redis_url: str
) -> None:
    """Its job is sent again by a relay that believes the first one lost: the second worker finds it in other hands."""
    workers.start()
    workers.log.hold()
    held = put(shop)
    eventually(lambda: workers.log.starts(held) == 1, within_s=15)
    row = outbox(shop, held)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    for dispatch in (7, 8, 9):
        relay.queues.send([as_claimed(row, dispatch)])
    with redis.Redis.from_url(redis_url) as client:
        eventually(lambda: client.llen("rq:queue:pay") == 0)
    other = put(shop, "attempt.look_up")
    eventually(lambda: workers.log.starts(other) == 1)
    assert workers.log.starts(held) == 1
    workers.log.let_go()
    eventually(lambda: is_done(shop, held) and is_done(shop, other))
    assert (workers.log.starts(held), workers.log.ends(held)) == (1, 1)


def test_a_flushed_redis_costs_seconds(shop: Shop, relay: Relay, workers: Workers, redis_url: str) -> None:
    workers.start()
    workers.log.hold()
    subjects = [put(shop) for _ in range(30)]
    eventually(lambda: workers.log.starts() == 2, within_s=15)
    with redis.Redis.from_url(redis_url) as client:
        eventually(lambda: client.llen("rq:queue:pay") == 28)
        client.flushall()
        workers.log.let_go()
        eventually(lambda: all(is_done(shop, subject) for subject in subjects), within_s=15, every_s=0.1)
    assert [workers.log.starts(subject) for subject in subjects] == [1] * 30


def test_told_to_end_in_the_middle_of_a_delivery_it_delivers_once(shop: Shop, relay: Relay, workers: Workers) -> None:
    with a_receiver() as receiver:

        def slowly(handler: BaseHTTPRequestHandler) -> None:
            receiver.let_go.wait(10)
            says(200)(handler)

        receiver.answer = slowly
        endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
        parent = workers.start()
        shop.payment()
        eventually(lambda: receiver.received, within_s=15)
        parent.ask(signal.SIGTERM)
        left = children(parent.pid)
        eventually(lambda: len([pid for pid in left if lives(pid)]) == 1)
        late = put(shop)
        assert parent.alive, "it waits for the delivery at hand"
        receiver.let_go.set()
        assert eventually(lambda: parent.status is not None)
        assert parent.status == 0
        assert len(receiver.received) == 1
        assert (
            Webhook(SECRET).verify(receiver.received[0].body, receiver.received[0].headers)["type"] == "payment.created"
        )
        [delivery] = deliveries(shop, endpoint.id)
        assert (delivery.state, delivery.tries) == (DeliveryState.DELIVERED, 1)
        assert is_done(shop, delivery.id)
        assert workers.log.starts(late) == 0, "no new work was taken"
        workers.start()
        eventually(lambda: is_done(shop, late), within_s=15)
        assert len(receiver.received) == 1


def test_who_does_not_end_in_time_is_killed_and_the_row_comes_back(shop: Shop, relay: Relay, workers: Workers) -> None:
    parent = workers.start(WORKS_DRAIN_S="0.3")
    workers.log.hold()
    subject = put(shop)
    eventually(lambda: workers.log.starts(subject) == 1, within_s=15)
    parent.ask(signal.SIGTERM)
    assert eventually(lambda: parent.status is not None)
    assert parent.status == 1
    workers.log.let_go()
    workers.start()
    eventually(lambda: is_done(shop, subject), within_s=15)
    assert (workers.log.starts(subject), workers.log.ends(subject)) == (2, 1)


def test_a_killed_parent_leaves_nobody(shop: Shop, relay: Relay, workers: Workers) -> None:
    parent = workers.start()
    workers.log.hold()
    subject = put(shop)
    eventually(lambda: workers.log.starts(subject) == 1, within_s=15)
    left = children(parent.pid)
    assert len(left) == 4
    os.kill(parent.pid, signal.SIGKILL)
    workers.log.let_go()
    eventually(lambda: not any(lives(pid) for pid in left), within_s=10)
    assert workers.log.ends(subject) == 1, "the one at work finished it"
    assert is_done(shop, subject)


def test_failing_work_waits_longer_and_longer_and_is_never_lost(shop: Shop, relay: Relay, workers: Workers) -> None:
    (workers.folder / "fail").touch()
    workers.start()
    subject = put(shop)
    eventually(lambda: outbox(shop, subject).failures == 1, within_s=15)
    row = outbox(shop, subject)
    wait_s = (row.due_at - shop.clock()).total_seconds()
    assert 3 < wait_s <= 5
    assert (row.done_at, row.holder, row.lease_until) == (None, None, None)
    (workers.folder / "fail").unlink()
    eventually(lambda: is_done(shop, subject), within_s=10, every_s=0.1)
    assert workers.log.starts(subject) == 2


def test_leases_that_run_out_under_a_living_worker_do_not_let_it_finish_another_s_run(
    shop: Shop, relay: Relay, workers: Workers
) -> None:
    workers.start()
    workers.log.hold()
    subject = put(shop)
    eventually(lambda: workers.log.starts(subject) == 1, within_s=15)
    leases_over(shop)
    eventually(lambda: workers.log.starts(subject) == 2, within_s=10)
    holder = outbox(shop, subject).holder
    assert holder is not None
    workers.log.let_go()
    eventually(lambda: is_done(shop, subject))
    assert workers.log.starts(subject) == 2
