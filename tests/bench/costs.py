"""What payments cost whatever else the machine does: processor time of each process, jobs and transactions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Counters at one moment, or the difference of two: `cpu_ms` by process with all it started."""

    cpu_ms: Mapping[str, float]
    jobs: float
    rows: float
    transactions: float

    def since(self, before: Costs, payments: int) -> Costs:
        """What one of so many payments cost."""
        return Costs(
            cpu_ms={name: (ms - before.cpu_ms[name]) / payments for name, ms in self.cpu_ms.items()},
            jobs=(self.jobs - before.jobs) / payments,
            rows=(self.rows - before.rows) / payments,
            transactions=(self.transactions - before.transactions) / payments,
        )


def mean(all_: Sequence[Costs]) -> Costs:
    """The mean of several costs of the same processes."""
    n = len(all_)
    return Costs(
        cpu_ms={name: sum(one.cpu_ms[name] for one in all_) / n for name in all_[0].cpu_ms},
        jobs=sum(one.jobs for one in all_) / n,
        rows=sum(one.rows for one in all_) / n,
        transactions=sum(one.transactions for one in all_) / n,
    )


def read(pids: Mapping[str, int], database_url: str, redis_url: str) -> Costs:
    """The counters now. PostgreSQL's backends tell of their transactions once a second."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as conn:
        told = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        transactions = _number(conn, told)
        rows = _number(conn, "SELECT count(*) FROM gateway.outbox WHERE done_at IS NOT NULL AND claimed > 0")
    with redis.Redis.from_url(redis_url) as client:
        commands = client.info("commandstats")
    jobs = float(commands.get("cmdstat_rpush", {}).get("calls", 0))
    cpu = {name: cpu_ms(pid) for name, pid in pids.items()}
    return Costs(cpu_ms=cpu, jobs=jobs, rows=rows, transactions=transactions)


def _number(conn: psycopg.Connection, sql: str) -> float:
    found = conn.execute(sql.encode()).fetchone()
    return float(found[0]) if found else 0.0


def cpu_ms(pid: int) -> float:
    """Processor time that a process and all that it started have used; the dead count once they are collected."""
    return sum(_ticks(each) for each in family(pid)) * _TICK_MS


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        # It ended just now; what it used is its parent's.
        return 0
    return sum(int(part) for part in stat.rpartition(")")[2].split()[11:15])


def family(pid: int) -> Iterator[int]:
    """The process and all that it started."""
    yield pid
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))
