"""The way through Redis: RQ's queues, which carry ids alone, and the bell that wakes the relay. Both may be lost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from gateway.adapters.jobs.clients import impatient, patient
from gateway.application.interfaces import Claimed
from gateway.domain.due import KINDS, QUEUES

TASK = "gateway.adapters.jobs.tasks.run"
#: More than so many jobs don't wait in a queue: the rest waits in PostgreSQL, where it is safe and in order.
ROOM = 100
#: A job ends so many seconds before its lease: its row must not be free while it still runs.
_MARGIN_S = 10
#: A job that was never started is forgotten after an hour; a failed one is looked at by nobody.
_LIFE_S = 3600
_FAILED_LIFE_S = 60

#: The queues whose work calls providers.
_PROVIDERS = ("pay", "ask")

#: How the names of workers begin that stand in for others.
SPARE = "spare-"
_SPARE_KEY = f"rq:worker:{SPARE}".encode()

_BELL = "gateway:bell"
_RING_S = 0.05
#: After a ring that failed, none is tried for so long: a dead Redis must not cost every caller its time limit.
_SILENT_S = 1.0


class Bell:
    """Wakes the relay after a commit. A ring may be lost: the relay looks by itself as well."""

    def __init__(self, redis_url: str) -> None:
        self._client = impatient(redis_url, timeout_s=_RING_S)
        self._silent_until = 0.0

    def ring(self) -> None:
        """Ring, if that takes less than 50 ms; never raises. Many rings before the relay looks are one."""
        if time.monotonic() < self._silent_until:
            return
        try:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.lpush(_BELL, "1")
                pipe.ltrim(_BELL, 0, 0)
                pipe.execute()
        except RedisError:
            self._silent_until = time.monotonic() + _SILENT_S

    def trouble(self) -> str | None:
        """None when Redis answers, else what is wrong, in a few words."""
        try:
            self._client.ping()
        except RedisError as error:
            return f"Redis does not answer ({type(error).__name__}); work goes on when it is back"
        return None


class RqQueue:
    """The relay's side of the queues."""

    def __init__(self, redis_url: str) -> None:
        self._client = patient(redis_url)
        self._queues = {name: queue_of(name, self._client) for name in QUEUES}

    def wait_bell(self, timeout_s: float) -> bool:
        """Wait for a ring, at most so long. Raises RedisError."""
        return self._client.blpop([_BELL], timeout=timeout_s) is not None

    def rooms(self) -> Mapping[str, int]:
        """How many jobs each queue still takes. Raises RedisError."""
        with self._client.pipeline(transaction=False) as pipe:
            for queue in self._queues.values():
                pipe.llen(queue.key)
            lengths = pipe.execute()
        return {name: max(0, ROOM - length) for name, length in zip(self._queues, lengths, strict=True)}

    def shares(self) -> Mapping[str, int]:
        """How many workers of a queue that calls providers one connection may keep: all but one. Raises RedisError.

        RQ keeps a set of each queue's workers; a dead one stands there for a while, and then counts too much. Spares
        stand in for workers that wait: whoever keeps those waiting gets none of them.
        """
        with self._client.pipeline(transaction=False) as pipe:
            for name in _PROVIDERS:
                pipe.smembers(f"rq:workers:{name}")
            found = pipe.execute()
        counts = (sum(not worker.startswith(_SPARE_KEY) for worker in workers) for workers in found)
        return {name: max(1, count - 1) for name, count in zip(_PROVIDERS, counts, strict=True)}

    def send(self, rows: Sequence[Claimed]) -> int:
        """Enqueue rows, and leave alone those that still wait in their queue; gives how many were enqueued.

        Raises RedisError when Redis goes away meanwhile: what wasn't enqueued is claimed again after its short lease.
        """
        waiting = self._waiting({KINDS[row.kind][0] for row in rows if row.dispatches > 1})
        return sum(self._enqueue(row) for row in rows if str(row.id) not in waiting)

    def _waiting(self, names: Iterable[str]) -> set[str]:
        """The rows whose jobs wait: in the list itself, since what Redis remembers about a job may outlive the job."""
        found: set[str] = set()
        for name in names:
            jobs = cast(list[bytes], self._client.lrange(self._queues[name].key, 0, -1))
            found.update(row_of(job.decode()) for job in jobs)
        return found

    def _enqueue(self, row: Claimed) -> bool:
        name, lease_s = KINDS[row.kind]
        try:
            self._queues[name].enqueue_call(
                TASK,
                args=(str(row.id),),
                job_id=f"due-{row.id}-{row.generation}-{row.dispatches}",
                unique=True,
                timeout=lease_s - _MARGIN_S,
                ttl=_LIFE_S,
                result_ttl=0,
                failure_ttl=_FAILED_LIFE_S,
                description=row.kind,
            )
        except DuplicateJobError:
            # The first try arrived, and its answer was lost.
            return False
        return True


def queue_of(name: str, client: redis.Redis) -> Queue:
    """One of our queues. Jobs are JSON: whoever can write to Redis still can't make us load an object."""
    return Queue(name, connection=client, serializer=JSONSerializer)


def row_of(job_id: str) -> str:
    """The row's id inside a job's."""
    return job_id.removeprefix("due-").rsplit("-", 2)[0]
