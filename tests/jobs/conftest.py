"""A small world on a fresh database at the machine's own time, its queues, and processes that work on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.adapters.jobs.queue import RqQueue
from gateway.adapters.jobs.relay import Relay
from gateway.adapters.servers import RunningProcess, spawn
from gateway.application.jobs import chores_of
from tests.jobs.doing import MovableClock, WorkLog, running
from tests.persistence.shop import Shop
from tests.servers import Database


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    made = Shop(database=database, clock=MovableClock())
    yield made
    made.close()


@pytest.fixture
def queue(redis_url: str) -> RqQueue:
    return RqQueue(redis_url)


@pytest.fixture
def relay(shop: Shop, queue: RqQueue) -> Iterator[Relay]:
    """A relay at work in a thread of this process, with its chores."""
    made = Relay(source=shop.doors, queues=queue, chores=chores_of(shop.doors, lambda _, __: 0))
    with running(made):
        yield made


@dataclass(slots=True, kw_only=True)
class Workers:
    """Starts parents of workers (`tests.jobs.works`); what they did stands in `log`."""

    folder: Path
    environment: dict[str, str]
    log: WorkLog = field(init=False)
    started: list[RunningProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = WorkLog(self.folder)

    def start(self, **more: str) -> RunningProcess:
        command = [sys.executable, "-m", "tests.jobs.works"]
        log = self.folder / "output"
        process = spawn("workers", command, log=log, env={**self.environment, **more}, cwd=Path.cwd())
        self.started.append(process)
        return process


@pytest.fixture
def workers(shop: Shop, redis_url: str, tmp_path: Path) -> Iterator[Workers]:
    folder = tmp_path / "works"
    folder.mkdir()
    environment = {
        **os.environ,
        "WORKS": str(folder),
        "WORKS_DATABASE": shop.database.url("worker"),
        "WORKS_REDIS": redis_url,
    }
    made = Workers(folder=folder, environment=environment)
    try:
        yield made
    finally:
        for process in made.started:
            process.kill()
