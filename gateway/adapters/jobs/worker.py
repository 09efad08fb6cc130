"""One worker process: takes jobs from one queue and runs them itself, without a fork for each."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker
from rq.worker.base import WorkerStatus

from gateway.adapters.jobs.clients import patient
from gateway.adapters.jobs.queue import queue_of

#: How long one look into the queue waits; a request to stop is seen after it.
_LOOK_S = 1
_ANSWER_S = 5
_MAINTENANCE_S = 60
#: Waits between looks while Redis is away, doubling.
_AWAY_S = (0.1, 2.0)

_log = structlog.get_logger("gateway.jobs")


class DueWorker(SimpleWorker):
    """RQ's worker, running jobs in its own process under RQ's alarm; it ends between jobs, never within one.

    It takes no commands over Redis and follows one queue alone, so that a job is never in no list (BLMOVE). Jobs have
    no retries: what PostgreSQL remembers decides what runs again.
    """

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


def work(queue: str, redis_url: str) -> None:
    """Take jobs from one queue until asked to stop; wait for Redis first."""
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
        name=f"{queue}-{socket.gethostname()}-{os.getpid()}",
        connection=client,
        serializer=JSONSerializer,
        maintenance_interval=_MAINTENANCE_S,
        log_job_description=False,
    )
    worker.work()
