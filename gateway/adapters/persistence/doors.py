"""The doors: what is found before a business is known, and due work in the hands of relay and workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import Engine

from gateway.adapters.persistence.access import key_found
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import borrowed, one
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.transaction import first_id
from gateway.adapters.persistence.worker_session import WorkerSession
from gateway.application.interfaces import (
    Claimed,
    Doors,
    KeyFound,
    LaneLimit,
    LinkDoor,
    LinkFound,
    ReplyFound,
    SessionFound,
)
from gateway.domain.due import DISPATCH_LEASE_S, KINDS, QUEUES, SHARES

_ROW = "%(id)s, %(business)s, %(livemode)s, %(holder)s, %(generation)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDoors(Doors, LinkDoor):
    """Each call is one statement and a transaction of its own, in one round trip."""

    engine: Engine
    clock: UnitClock
    #: Events and logged requests are forgotten after so many days.
    event_days: int = 90
    request_days: int = 30
    #: What connections of each registration code may be asked at a time; without it only the queues' shares bound them.
    limits: Callable[[], Sequence[LaneLimit]] = tuple
    #: Due work is neither claimed nor begun while it says so; None: this machine's clock is believed.
    clock_is_wrong: Callable[[], bool] | None = None
    worker: WorkerSession = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "worker", WorkerSession(self.engine))

    def api_key(self, key_hash: bytes, business_id: UUID | None = None) -> KeyFound | None:
        sql = "SELECT * FROM gateway.find_api_key(%(hash)s, %(business)s)"
        row = self._one(sql, {"hash": key_hash, "business": business_id})
        return None if row is None else key_found(row)

    def note_key_use(self, key_ids: Sequence[UUID]) -> None:
        self._one("SELECT gateway.note_key_use(%(keys)s)", {"keys": list(key_ids)})

    def reply(self, secret_hash: bytes) -> ReplyFound | None:
        row = self._one("SELECT * FROM gateway.find_reply(%(hash)s)", {"hash": secret_hash})
        return None if row is None else ReplyFound(**row._asdict())

    def wanted(self, float_id: UUID, reference: str, *, livemode: bool) -> int | None:
        """How much the payment behind a reference still wants."""
        values = {"float": float_id, "livemode": livemode, "reference": reference}
        row = self._one("SELECT gateway.wanted_by(%(float)s, %(livemode)s, %(reference)s)", values)
        return None if row is None or row[0] is None else int(row[0])

    def promise_pulls(self, codes: Sequence[str]) -> int:
        """Put the reading of histories where nobody has; gives how many."""
        queue, lease_s = KINDS["connection.pull"]
        values = {"codes": list(codes), "queue": queue, "lease": lease_s, "now": self.clock.system()}
        sql = f"SELECT gateway.promise_pulls(%(codes)s::text[], %(queue)s, %(lease)s, {self.clock.sql})"
        row = self._one(sql, values)
        return 0 if row is None else int(row[0])

    def session(self, secret_hash: bytes) -> SessionFound | None:
        row = self._one("SELECT * FROM gateway.find_session(%(hash)s)", {"hash": secret_hash})
        return None if row is None else SessionFound(**row._asdict())

    def link(self, secret_hash: bytes) -> LinkFound | None:
        row = self._one("SELECT * FROM gateway.find_link(%(hash)s)", {"hash": secret_hash})
        return None if row is None else LinkFound(**row._asdict())

    def claim_due(self, rooms: Mapping[str, int], shares: Mapping[str, int] | None = None) -> Sequence[Claimed]:
        of_lanes = "%(shares)s::integer[], %(codes)s::text[], %(caps)s::integer[], %(rates)s::integer[]"
        taken = f"claim_due(%(queues)s::text[], %(rooms)s::integer[], %(lease)s, {self.clock.sql}, {of_lanes})"
        queues = [queue for queue in QUEUES if rooms.get(queue, 0) > 0]
        if not queues or (self.clock_is_wrong is not None and self.clock_is_wrong()):
            return []
        known, limits = {**SHARES, **(shares or {})}, self.limits()
        values = {
            "queues": queues,
            "rooms": [rooms[queue] for queue in queues],
            "lease": DISPATCH_LEASE_S,
            "shares": [known[queue] for queue in queues],
            "codes": [limit.code for limit in limits],
            "caps": [limit.in_flight for limit in limits],
            "rates": [limit.calls_per_s for limit in limits],
        }
        with in_our_words(), borrowed(self.engine) as (driver, _):
            sql = f"SELECT * FROM gateway.{taken}"  # noqa: S608  # nosec B608
            cursor = driver.cursor(row_factory=namedtuple_row)
            rows = cursor.execute(sql, {**values, "now": self.clock.system()}).fetchall()
        return [Claimed(**row._asdict()) for row in rows]

    def due(self, due_id: UUID) -> Claimed | None:
        sql = f"SELECT * FROM gateway.start_due(%(id)s, %(holder)s, {self.clock.sql})"  # noqa: S608  # nosec B608
        with in_our_words():
            if self.clock_is_wrong is not None and self.clock_is_wrong():
                return None
            row = self.worker.one(sql, {"id": due_id, "now": self.clock.system()})
        return None if row is None else Claimed(**row._asdict())

    def finish(self, claimed: Claimed, *, again_at: datetime | None) -> None:
        self._one(f"SELECT gateway.finish_due({_ROW}, %(again)s)", {**_row_of(claimed), "again": again_at})

    def fail(self, claimed: Claimed, *, after_s: int) -> None:
        values = {**_row_of(claimed), "now": self.clock.system(), "after": after_s}
        self._one(f"SELECT gateway.fail_due({_ROW}, {self.clock.sql}, %(after)s)", values)

    def extend(self, claimed: Claimed, seconds: int) -> None:
        self._one(f"SELECT gateway.extend_due({_ROW}, %(seconds)s)", {**_row_of(claimed), "seconds": seconds})

    def free_abandoned(self) -> int:
        row = self._one("SELECT gateway.free_due()", {})
        return 0 if row is None else int(row[0])

    def sweep(self, limit: int) -> int:
        sql = f"SELECT gateway.sweep(%(limit)s, {self.clock.sql})"
        row = self._one(sql, {"limit": limit, "now": self.clock.system()})
        return (0 if row is None else int(row[0])) + sum(
            self._sweep_old(what, days, limit)
            for what, days in (("events", self.event_days), ("requests", self.request_days))
        )

    def _sweep_old(self, what: str, days: int, limit: int) -> int:
        """By the machine's own time, which ids are made by: moving a test clock forgets nothing."""
        before = first_id(self.clock.system() - timedelta(days=days))
        row = self._one(f"SELECT gateway.sweep_{what}(%(before)s, %(limit)s)", {"before": before, "limit": limit})
        return 0 if row is None else int(row[0])

    def _one(self, sql: str, values: Mapping[str, Any]) -> Any:
        with in_our_words():
            return one(self.engine, sql, values)


def _row_of(claimed: Claimed) -> dict[str, Any]:
    return {
        "id": claimed.id,
        "business": claimed.business_id,
        "livemode": claimed.livemode,
        "holder": claimed.holder,
        "generation": claimed.generation,
    }
