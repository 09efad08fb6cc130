"""Connections as rows: pooled, so every business of the mode sees that they exist; the configuration is sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, select, update

from gateway.adapters.persistence.tables import connection as table
from gateway.adapters.persistence.transaction import Transaction
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import Connections
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.errors import NotFound
from gateway.domain.external_records import Policy

CONFIG = "connection.config"
#: What any role may read.
OPEN_COLUMNS = [c for c in table.c if c.name != "config"]


class SqlConnections(Connections):
    """Connections of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def for_method(self, codes: Sequence[str]) -> Connection | None:
        paused = case((table.c.state == ConnectionState.PAUSED.value, 1), else_=0)
        stmt = select(*OPEN_COLUMNS).where(table.c.livemode == self._tx.scope.livemode, table.c.code.in_(codes))
        row = self._tx.conn.execute(stmt.order_by(paused, table.c.created, table.c.id).limit(1)).first()
        return None if row is None else connection_of(row)

    def get(self, connection_id: UUID) -> Connection:
        stmt = select(table).where(table.c.livemode == self._tx.scope.livemode, table.c.id == connection_id)
        row = self._tx.conn.execute(stmt).first()
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


def sealed(vault: Vault, config: Mapping[str, object]) -> bytes:
    """A configuration as it is kept; a connection belongs to no business."""
    return vault.seal(json.dumps(dict(config)), column=CONFIG, business_id=None)


def opened(vault: Vault, kept: bytes) -> Mapping[str, object]:
    """A configuration as an adapter is built from it."""
    config: dict[str, object] = json.loads(vault.open(kept, column=CONFIG, business_id=None))
    return config


def connection_of(row: Row[Any], config: Mapping[str, object] | None = None) -> Connection:
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
    )
