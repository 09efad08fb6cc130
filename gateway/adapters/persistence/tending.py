"""Chores of the relay about floats and counts, and the samples of metrics: functions past the policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import borrowed, one
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.transaction import first_id
from gateway.application.interfaces.floats import Samples
from gateway.domain.due import KINDS

#: Rows whose ids are older than this are all committed: an id is made at most so long before its commit.
_SETTLED = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTending(Samples):
    """Each call is one statement and a transaction of its own."""

    engine: Engine
    clock: UnitClock

    def promise(self, kind: str, codes: Sequence[str]) -> int:
        """Put that work about connections of these codes where nobody has; gives how many."""
        queue, lease_s = KINDS[kind]
        sql = f"SELECT gateway.promise_tending(%(kind)s, %(codes)s::text[], %(queue)s, %(lease)s, {self.clock.sql})"
        values = {"kind": kind, "codes": list(codes), "queue": queue, "lease": lease_s, "now": self.clock.system()}
        return self._count(sql, values)

    def watch_floats(self) -> int:
        """Tell a person of floats below their thresholds; gives how many are."""
        return self._count(f"SELECT gateway.watch_floats({self.clock.sql})", {"now": self.clock.system()})

    def tally(self, settled: timedelta = _SETTLED) -> int:
        """Count the calls and requests since the last time; gives how many counts grew."""
        # By the machine's own time, which ids are made by.
        return self._count("SELECT gateway.tally(%(until)s)", {"until": first_id(self.clock.system() - settled)})

    def __call__(self) -> Sequence[tuple[str, Mapping[str, Any], float]]:
        sql = f"SELECT name, labels, value FROM gateway.metrics({self.clock.sql})"  # noqa: S608  # nosec B608
        with in_our_words(), borrowed(self.engine) as (driver, _):
            rows = driver.execute(sql, {"now": self.clock.system()}).fetchall()
        return [(name, labels, value) for name, labels, value in rows]

    def _count(self, sql: str, values: Mapping[str, Any]) -> int:
        with in_our_words():
            row = one(self.engine, sql, values)
        return 0 if row is None else int(row[0])
