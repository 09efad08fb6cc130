"""The relay: everything due goes out once, what is lost goes out again, and trouble passes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
import redis
from redis.exceptions import ConnectionError as RedisAway
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import text

from gateway.adapters.jobs.queue import ROOM, TASK, Bell, RqQueue, row_of
from gateway.adapters.jobs.relay import Relay
from gateway.adapters.servers import embedded_valkey, free_port
from gateway.application.interfaces import Claimed
from gateway.application.jobs import Chore
from gateway.domain.due import KINDS, QUEUES
from tests.fakes.context import FakeLog
from tests.jobs.doing import leases_over, outbox, put, running
from tests.persistence.shop import Shop
from tests.waiting import eventually

#: One kind of each queue.
KIND_OF = {"pay": "attempt.submit", "ask": "attempt.look_up", "send": "webhook.deliver", "tend": "payment.expire"}


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


def waiting(client: redis.Redis, queue: str) -> list[str]:
    """The rows of the jobs that wait in a queue, in order."""
    jobs: list[bytes] = client.lrange(f"rq:queue:{queue}", 0, -1)  # type: ignore[assignment]
    return [row_of(job.decode()) for job in jobs]


def all_waiting(client: redis.Redis) -> list[str]:
    return [row for queue in QUEUES for row in waiting(client, queue)]


def test_two_relays_send_each_row_once(shop: Shop, queue: RqQueue, redis_url: str, client: redis.Redis) -> None:
    for kind in KIND_OF.values():
        for _ in range(60):
            put(shop, kind)
    relays = [Relay(source=shop.doors, queues=made) for made in (queue, RqQueue(redis_url))]
    counts: list[int] = []

    def work(relay: Relay) -> None:
        while sent := relay.turn():
            counts.append(sent)

    threads = [threading.Thread(target=work, args=(relay,)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 240
    sent = all_waiting(client)
    assert len(sent) == len(set(sent)) == 240
    with shop.engine("operator").connect() as conn:
        assert conn.execute(text("SELECT array_agg(DISTINCT dispatches) FROM gateway.outbox")).scalar_one() == [1]


def test_a_job_carries_the_row_s_id_alone_and_has_no_retries(shop: Shop, queue: RqQueue, client: redis.Redis) -> None:
    subject = put(shop, "attempt.submit")
    assert Relay(source=shop.doors, queues=queue).turn() == 1
    row = outbox(shop, subject)
    job = Job.fetch(f"due-{row.id}-1-1", connection=client, serializer=JSONSerializer)
    assert (job.func_name, job.args, job.kwargs) == (TASK, [str(row.id)], {})
    assert job.retries_left is None
    assert (job.result_ttl, job.timeout) == (0, KINDS["attempt.submit"][1] - 10)
    assert str(subject) not in str(client.hgetall(f"rq:job:{job.id}"))


def test_what_still_waits_is_not_sent_twice(shop: Shop, queue: RqQueue, client: redis.Redis) -> None:
    put(shop), put(shop)
    relay = Relay(source=shop.doors, queues=queue)
    assert relay.turn() == 2
    leases_over(shop)
    assert relay.turn() == 2, "the leases are renewed"
    assert len(waiting(client, "pay")) == 2, "and the jobs are still the same two"


def test_an_emptied_redis_gets_everything_again(shop: Shop, queue: RqQueue, client: redis.Redis) -> None:
    subjects = [put(shop) for _ in range(5)]
    relay = Relay(source=shop.doors, queues=queue)
    relay.turn()
    before = waiting(client, "pay")
    client.flushall()
    assert relay.turn() == 0, "not before the short lease is over"
    leases_over(shop)
    assert relay.turn() == len(subjects)
    assert sorted(waiting(client, "pay")) == sorted(before)


def test_a_job_that_left_the_list_and_was_never_started_is_sent_again(
    shop: Shop, queue: RqQueue, client: redis.Redis
) -> None:
    """A worker that dies between taking a job and starting on its row leaves the job's hash behind."""
    put(shop)
    relay = Relay(source=shop.doors, queues=queue)
    relay.turn()
    client.lmove("rq:queue:pay", "rq:queue:pay:intermediate")
    leases_over(shop)
    assert relay.turn() == 1
    assert len(waiting(client, "pay")) == 1


def test_a_queue_takes_a_hundred_jobs_and_another_queue_does_not_wait_for_it(
    shop: Shop, queue: RqQueue, client: redis.Redis
) -> None:
    for _ in range(ROOM + 20):
        put(shop, "webhook.deliver")
    put(shop, "attempt.submit")
    relay = Relay(source=shop.doors, queues=queue)
    while relay.turn():
        pass
    assert len(waiting(client, "send")) == ROOM
    assert len(waiting(client, "pay")) == 1
    first = waiting(client, "send")[0]
    client.lpop("rq:queue:send")
    assert relay.turn() == 1
    assert len(waiting(client, "send")) == ROOM
    assert first not in waiting(client, "send")


def test_a_ring_wakes_the_relay_and_many_rings_are_one(queue: RqQueue, redis_url: str) -> None:
    bell = Bell(redis_url)
    for _ in range(5):
        bell.ring()
    assert queue.wait_bell(0.2)
    assert not queue.wait_bell(0.05)
    assert bell.trouble() is None


def test_without_redis_a_ring_costs_little_and_says_nothing() -> None:
    bell = Bell(f"redis://127.0.0.1:{free_port()}/0")
    bell.ring()
    bell.ring()
    assert "ConnectionError" in str(bell.trouble())


def test_a_relay_outlives_its_redis(shop: Shop, scratch: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with ExitStack() as servers:
        first = servers.enter_context(embedded_valkey(scratch / "relay-valkey-1", port=port, durable=False))
        queue = RqQueue(url)
        with running(Relay(source=shop.doors, queues=queue)), redis.Redis.from_url(url) as client:
            put(shop)
            eventually(lambda: len(waiting(client, "pay")) == 1)
            first.kill()
            late = put(shop)
            servers.enter_context(embedded_valkey(scratch / "relay-valkey-2", port=port, durable=False))
            # The second one is empty: both rows come, each once.
            eventually(lambda: len(set(waiting(client, "pay"))) == 2, within_s=12)
            assert len(waiting(client, "pay")) == 2
            assert outbox(shop, late).dispatches >= 1


def test_a_relay_outlives_its_database_sessions(shop: Shop, queue: RqQueue, client: redis.Redis) -> None:
    with running(Relay(source=shop.doors, queues=queue)):
        put(shop)
        eventually(lambda: len(waiting(client, "pay")) == 1)
        with shop.engine("owner").connect() as conn:
            cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'gateway_worker'"
            assert conn.execute(text(cut)).scalar_one() >= 1
        shop.engines["worker"].dispose()
        put(shop)
        eventually(lambda: len(waiting(client, "pay")) == 2, within_s=10)


class Stuttering:
    """A source that is away for the first few times, and a queue that is away for some more."""

    def __init__(self) -> None:
        self.troubles = 3
        self.claimed = 0
        self.sent = threading.Event()

    def claim_due(self, rooms: Mapping[str, int], shares: Mapping[str, int] | None = None) -> Sequence[Claimed]:
        self.claimed += 1
        if self.claimed == 1:
            raise OSError("the database is away")
        row = Claimed(
            id=UUID(int=1),
            kind="attempt.submit",
            subject_id=UUID(int=2),
            business_id=UUID(int=3),
            livemode=False,
            generation=1,
            dispatches=1,
        )
        return [] if self.sent.is_set() else [row]

    def rooms(self) -> Mapping[str, int]:
        self.troubles -= 1
        if self.troubles > 0:
            raise RedisAway("away")
        return {"pay": 100}

    def shares(self) -> Mapping[str, int]:
        return {}

    def wait_bell(self, timeout_s: float) -> bool:
        return False

    def send(self, rows: Sequence[Claimed]) -> int:
        self.sent.set()
        return len(rows)


def test_trouble_passes_and_chores_go_on_meanwhile() -> None:
    world = Stuttering()
    done: list[str] = []

    def fails() -> None:
        done.append("fails")
        raise OSError("this chore is broken")

    chores = (
        Chore(name="broken", every_s=0, do=fails),
        Chore(name="sound", every_s=0, do=lambda: done.append("sound")),
    )
    with running(Relay(source=world, queues=world, chores=chores)):
        assert world.sent.wait(10)
    assert {"fails", "sound"} <= set(done)


def test_nothing_is_claimed_while_redis_is_away() -> None:
    world = Stuttering()
    relay = Relay(source=world, queues=world)
    with pytest.raises(RedisAway):
        relay.turn()
    assert world.claimed == 0


def test_a_chore_waits_for_its_time() -> None:
    done: list[int] = []
    relay = Relay(
        source=Stuttering(), queues=Stuttering(), chores=[Chore(name="rare", every_s=60, do=lambda: done.append(1))]
    )
    relay.do_chores()
    relay.do_chores()
    assert done == [1]


def test_trouble_is_told_once_and_so_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    log = FakeLog()
    monkeypatch.setattr("gateway.adapters.jobs.relay._log", log)
    healthy = [False, False, False, True, True]

    def sick() -> None:
        if not healthy.pop(0):
            raise OSError("away")

    relay = Relay(source=Stuttering(), queues=Stuttering(), chores=[Chore(name="sick", every_s=0, do=sick)])
    for _ in range(5):
        relay.do_chores()
    assert [(event, fields["what"]) for _, event, fields in log.lines] == [
        ("relay_in_trouble", "sick"),
        ("relay_well_again", "sick"),
    ]
