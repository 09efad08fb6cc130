"""`python -m tests.jobs.works`: workers whose work is to write down that they worked, on a test's database.

WORKS is a folder: each run appends `start SUBJECT PID NANOSECONDS` and `end SUBJECT PID` to its file `log`. A run waits
while there is a file `hold`, and fails while there is one named `fail`. Webhooks are sent by the product's own work.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from gateway.adapters.cli.worker import parse_processes
from gateway.adapters.jobs.queue import Bell
from gateway.adapters.jobs.supervisor import Supervisor
from gateway.adapters.jobs.tasks import RunDue
from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.doors import SqlDoors
from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.unit_of_work import SqlUnits
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.system import SystemChance, SystemClock, UuidV7
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import Call
from gateway.application.jobs import Handler, RunDueWork
from gateway.domain.due import KINDS
from tests.persistence.shop import MASTER, Noted

FOLDER = Path(os.environ["WORKS"])


def note(*words: object) -> None:
    """One line, written at once."""
    with (FOLDER / "log").open("a") as log:
        log.write(" ".join(map(str, words)) + "\n")


def work(subject: UUID, _: Call) -> datetime | None:
    """The work of every kind but one."""
    note("start", subject, os.getpid(), time.time_ns())
    while (FOLDER / "hold").exists():
        time.sleep(0.01)
    if (FOLDER / "fail").exists():
        raise RuntimeError("it was told to fail")
    note("end", subject, os.getpid())
    return None


def equip() -> RunDue:
    """In the child: a worker's doors and handlers."""
    engine = open_engine(os.environ["WORKS_DATABASE"], threads=2)
    clock = UnitClock(system=SystemClock())
    units = SqlUnits(
        engine=engine,
        vault=Vault.of(MASTER),
        clock=clock,
        new_id=UuidV7(),
        books=Noted(),
        reads_secrets=True,
        ring=Bell(os.environ["WORKS_REDIS"]).ring,
    )
    sender = SafeWebhookSender(now=SystemClock(), allow_loopback=True)
    deliver = DeliverWebhook(unit=units, sender=sender, chance=SystemChance())
    handlers: dict[str, Handler] = {
        **dict.fromkeys(KINDS, work),
        "webhook.deliver": deliver,
        "webhook.deliver_slowly": replace(deliver, slowly=True),
    }
    ring = Bell(os.environ["WORKS_REDIS"]).ring
    return RunDueWork(doors=SqlDoors(engine=engine, clock=clock), handlers=handlers, ring=ring)


if __name__ == "__main__":
    sys.exit(
        Supervisor(
            redis_url=os.environ["WORKS_REDIS"],
            equip=equip,
            processes=parse_processes(os.environ.get("WORKS_PROCESSES", "pay=2,ask=1,send=1,tend=0")),
            drain_s=float(os.environ.get("WORKS_DRAIN_S", "10")),
            linger_s=float(os.environ.get("WORKS_LINGER_S", "20")),
        ).run()
    )
