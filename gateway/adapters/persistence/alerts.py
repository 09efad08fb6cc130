"""Alerts as rows: the same open matter is one alert."""

from __future__ import annotations

from uuid import UUID

from gateway.adapters.persistence.tables import alert as table
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Alerts


class SqlAlerts(Alerts):
    """What a person must look at, raised from inside a unit."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def raise_(self, kind: str, subject_id: UUID | None, detail: str) -> None:
        """An alert that is open already, of whichever business, stays as it is."""
        row = {"id": self._tx.new_id(), "kind": kind, "subject_id": subject_id, "detail": detail}
        self._tx.added_once(table, {**row, "raised_at": self._tx.now})
