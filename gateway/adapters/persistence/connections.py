"""Connections as rows: pooled, so every business of the mode sees that they exist; the configuration is sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import ScalarSelect, bindparam, case, func, select, update

from gateway.adapters.persistence.tables import connection as table
from gateway.adapters.persistence.tables import connection_health as health
from gateway.adapters.persistence.tables import halt
from gateway.adapters.persistence.texts import as_text
from gateway.adapters.persistence.transaction import Transaction
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import Connections
from gateway.domain.breakers import BreakerState
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.errors import NotFound
from gateway.domain.external_records import Policy
from gateway.domain.maintenance import Operation

CONFIG = "connection.config"
#: What any role may read.
OPEN_COLUMNS = [c for c in table.c if c.name != "config"]
#: What the operator stopped for the mode, found on the way: it costs no round trip of its own.
_HALTED = (
    select(func.array_agg(halt.c.what)).where(halt.c.livemode == table.c.livemode).scalar_subquery().label("halted")
)
OPEN_AND_HALTED: list[Any] = [*OPEN_COLUMNS, _HALTED]
_ONE = as_text(select(table, _HALTED).where(table.c.livemode == bindparam("mode"), table.c.id == bindparam("wanted")))


class SqlConnections(Connections):
    """Connections of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def for_method(self, codes: Sequence[str]) -> Connection | None:
        paused = case((table.c.state == ConnectionState.PAUSED.value, 1), else_=0)
        stmt = select(*OPEN_AND_HALTED).where(table.c.livemode == self._tx.scope.livemode, table.c.code.in_(codes))
        stmt = stmt.order_by(paused, _is_broken(self._tx.now), table.c.created, table.c.id)
        found = [connection_of(row) for row in self._tx.conn.execute(stmt)]
        # One that is in its maintenance stands behind any that isn't.
        active = (c for c in found if c.state is not ConnectionState.PAUSED)
        working = (c for c in active if c.operation.closed_until(self._tx.now) is None)
        return next(working, found[0] if found else None)

    def get(self, connection_id: UUID) -> Connection:
        reading = self._tx.raw.cursor(row_factory=namedtuple_row)
        row: Any = reading.execute(_ONE, {"mode": self._tx.scope.livemode, "wanted": connection_id}).fetchone()
        if row is None:
            raise NotFound("there is no such connection")
        return connection_of(row, opened(self._tx.vault, row.config))

    def pause(self, connection_id: UUID, reason: str, now: datetime) -> None:
        stmt = update(table).where(
            table.c.livemode == self._tx.scope.livemode,
            table.c.id == connection_id,
            table.c.state != ConnectionState.PAUSED.value,
        )
        paused = {"state": ConnectionState.PAUSED.value, "paused_for": reason, "updated": now}
        self._tx.conn.execute(stmt.values(**paused, version=table.c.version + 1))


def _is_broken(now: datetime) -> ScalarSelect[Any]:
    """1 while a breaker is open and no probe is due: others go first."""
    broken = (health.c.state != BreakerState.CLOSED.value) & (health.c.probe_at > now)
    stmt = select(case((broken, 1), else_=0)).where(health.c.connection_id == table.c.id)
    return stmt.correlate(table).scalar_subquery()


def sealed(vault: Vault, config: Mapping[str, object]) -> bytes:
    """A configuration as it is kept; a connection belongs to no business."""
    return vault.seal(json.dumps(dict(config)), column=CONFIG, business_id=None)


def opened(vault: Vault, kept: bytes) -> Mapping[str, object]:
    """A configuration as an adapter is built from it."""
    config: dict[str, object] = json.loads(vault.open(kept, column=CONFIG, business_id=None))
    return config


def connection_of(row: Any, config: Mapping[str, object] | None = None) -> Connection:
    """The connection of a row, with its configuration where that was opened."""
    return Connection(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        title=row.title,
        code=row.code,
        tag=row.tag,
        float_id=row.float_id,
        state=ConnectionState(row.state),
        paused_for=row.paused_for,
        config=config or {},
        policy=Policy.read(row.policy),
        operation=Operation.read(row.policy),
        halted=frozenset(getattr(row, "halted", None) or ()),
    )
