"""One worker process: takes jobs from one queue and runs them itself, without a fork for each."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import SimpleWorker
from rq.worker.base import WorkerStatus

from gateway.adapters.jobs import tasks
from gateway.adapters.jobs.clients import patient
from gateway.adapters.jobs.queue import SPARE, queue_of

#: How long one look into the queue waits; a request to stop is seen after it.
_LOOK_S = 1
_ANSWER_S = 5
#: Far within the minutes for which RQ counts a worker that was silent.
_BEAT_S = 20.0
_MAINTENANCE_S = 60
#: Waits between looks while Redis is away, doubling.
_AWAY_S = (0.1, 2.0)

_log = structlog.get_logger("gateway.jobs")


class DueWorker(SimpleWorker):
    """RQ's worker, running jobs in its own process under RQ's alarm; it ends between jobs, never within one.

    It takes no commands over Redis and follows one queue alone, so that a job is never in no list (BLMOVE). Jobs have
    no retries: what PostgreSQL remembers decides what runs again.
    """

    _beat_again = 0.0

    @property
    def dequeue_timeout(self) -> int:
        return _LOOK_S

    @property
    def connection_timeout(self) -> int:
        return _ANSWER_S

    def bootstrap(self, *_: Any, **__: Any) -> None:
        """Say that it is here; the log is set up by the process."""
        self.register_birth()  # type: ignore[no-untyped-call]
        self.set_state(WorkerStatus.STARTED)

    def subscribe(self) -> None:
        """No commands over Redis."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def _install_signal_handlers(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.request_stop)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End after the job at hand. Only a flag: a signal may come in the middle of anything."""
        self._stop_requested = True

    def dequeue_job_and_maintain_ttl(
        self,
        timeout: int | None,  # noqa: ARG002
        max_idle_time: int | None = None,  # noqa: ARG002
    ) -> tuple[Job, Queue] | None:
        """The next job; raises StopRequested when asked to stop, and never between taking a job and giving it."""
        away = _Away()
        while not self._stop_requested:
            try:
                self.heartbeat()
                return self.queue_class.dequeue_any(
                    self.queues,
                    _LOOK_S,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                away = _Away()
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
            except RedisError as error:
                away.wait(error)
        raise StopRequested

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Forget the job, then do its row under the alarm.

        Once it is taken nothing needs it: the row's lease tells whether a worker is at it, and brings it back. RQ's own
        book-keeping of running and finished jobs took as long as the work. A job can call this function alone.
        """
        with suppress(RedisError), self.connection.pipeline(transaction=False) as pipe:
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.delete(job.key)
            pipe.execute()
        try:
            with self.death_penalty_class(job.timeout, JobTimeoutException, job_id=job.id):
                tasks.run(str(job.args[0]))
        except Exception as fault:
            # The worker's edge: the alarm rang while a failure was being noted, or the job is none of ours.
            _log.warning("job_not_done", job=job.id, error=type(fault).__name__)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Be counted among the queue's workers; RQ asks for it several times a job."""
        if time.monotonic() < self._beat_again:
            return
        self._beat_again = time.monotonic() + _BEAT_S
        super().heartbeat(timeout, pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        """Nobody suspends workers over Redis."""

    def teardown(self) -> None:
        """Say good-bye, if there is somebody to say it to."""
        with suppress(RedisError):
            super().teardown()  # type: ignore[no-untyped-call]


class _Away:
    """Redis is away: said once, and waited for."""

    def __init__(self) -> None:
        self._wait_s, self._said = _AWAY_S[0], False

    def wait(self, error: RedisError) -> None:
        if not self._said:
            _log.warning("redis_away", error=type(error).__name__)
        self._said = True
        threading.Event().wait(self._wait_s)
        self._wait_s = min(self._wait_s * 2, _AWAY_S[1])


def work(queue: str, redis_url: str, *, spare: bool = False) -> None:
    """Take jobs from one queue until asked to stop; wait for Redis first. A spare says in its name that it is one."""
    for name in ("rq.worker", "rq.job", "rq.queue", "rq.scripts"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = patient(redis_url, timeout_s=_ANSWER_S)
    away = _Away()
    while True:
        try:
            client.ping()
            break
        except RedisError as error:
            away.wait(error)
    worker = DueWorker(
        [queue_of(queue, client)],
        name=f"{SPARE if spare else ''}{queue}-{socket.gethostname()}-{os.getpid()}",
        connection=client,
        serializer=JSONSerializer,
        maintenance_interval=_MAINTENANCE_S,
        log_job_description=False,
    )
    worker.work()
