"""Connections' health as rows, and the questions about it that one round trip answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select, update

from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import one
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.tables_of_connections import connection_health as table
from gateway.adapters.persistence.texts import found
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces.health import Breakers, HealthDoor
from gateway.domain.breakers import Breaker, BreakerState


class SqlBreakers(Breakers):
    """Breakers of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, connection_id: UUID, *, lock: bool = False) -> Breaker:
        where = {"livemode": self._tx.scope.livemode, "connection_id": connection_id}
        rows = found(self._tx.raw, table, where, lock=lock)
        if not rows:
            return Breaker()
        row = rows[0]
        return Breaker(
            state=BreakerState(row.state),
            recent=row.recent,
            opens=row.opens,
            opened_at=row.opened_at,
            probe_at=row.probe_at,
            reason=row.reason,
        )

    def save(self, connection_id: UUID, breaker: Breaker) -> None:
        values = {
            "state": breaker.state.value,
            "recent": breaker.recent,
            "opens": breaker.opens,
            "opened_at": breaker.opened_at,
            "probe_at": breaker.probe_at,
            "reason": breaker.reason,
        }
        self._change(connection_id, values)

    def hold(self, connection_id: UUID, until: datetime) -> None:
        self._change(connection_id, {"hold_until": until})

    def settle_alert(self, connection_id: UUID) -> None:
        self._tx.conn.execute(select(func.gateway.settle_degraded(connection_id)))

    def _change(self, connection_id: UUID, values: Mapping[str, Any]) -> None:
        stmt = update(table).where(table.c.livemode == self._tx.scope.livemode, table.c.connection_id == connection_id)
        self._tx.conn.execute(stmt.values(**values))


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlHealth(HealthDoor):
    """Each call is one statement and a transaction of its own."""

    engine: Engine
    clock: UnitClock

    def is_well(self, connection_id: UUID) -> bool:
        return bool(self._value("SELECT gateway.is_well(%(id)s)", {"id": connection_id}))

    def may_retry(self, connection_id: UUID) -> bool:
        return bool(self._value("SELECT gateway.spend_retry(%(id)s)", {"id": connection_id}))

    def backlog_s(self) -> int:
        return int(self._value(f"SELECT gateway.backlog_s({self.clock.sql})", {"now": self.clock.system()}))

    def _value(self, sql: str, values: Mapping[str, Any]) -> Any:
        with in_our_words():
            row = one(self.engine, sql, values)
        return None if row is None else row[0]
