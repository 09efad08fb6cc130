"""The log of requests as rows: written in batches past every unit, read inside one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, select

from gateway.adapters.persistence.engines import one
from gateway.adapters.persistence.tables import request_log as table
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import LoggedRequest, Requests, RequestSink


class SqlRequests(Requests):
    """Calls of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, request_id: UUID) -> LoggedRequest | None:
        row = self._tx.conn.execute(select(table).where(self._tx.own(table), table.c.id == request_id)).first()
        return None if row is None else _logged(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRequestLog(RequestSink):
    """The other end: one statement a batch. The commit isn't waited for; a crash may cost the last of them."""

    engine: Engine

    def keep(self, rows: Sequence[LoggedRequest]) -> None:
        told = json.dumps([_row(row) for row in rows], separators=(",", ":"))
        one(self.engine, "SELECT gateway.keep_requests(%(rows)s::jsonb)", {"rows": told})

    def find(self, request_id: UUID) -> LoggedRequest | None:
        with self.engine.connect() as conn:
            row = conn.execute(select(table).where(table.c.id == request_id)).first()
        return None if row is None else _logged(row)


def _row(logged: LoggedRequest) -> dict[str, Any]:
    return {
        "id": str(logged.id),
        "business_id": str(logged.business_id),
        "livemode": logged.livemode,
        "at": logged.at.isoformat(),
        "key_id": str(logged.key_id) if logged.key_id else None,
        "method": logged.method,
        "route": logged.route,
        "status": logged.status,
        "duration_ms": logged.duration_ms,
        "code": logged.code,
        "idempotency_key": logged.idempotency_key.hex() if logged.idempotency_key else None,
        "request": logged.request,
        "response": logged.response,
    }


def _logged(row: Row[Any]) -> LoggedRequest:
    return LoggedRequest(**row._mapping)
