"""Due work as a unit puts it: kept until the unit closes, then written with its events."""

from __future__ import annotations

from uuid import UUID

from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Due, DueWork, Json
from gateway.domain.due import KINDS


class SqlDueWork(DueWork):
    """The outbox, from inside a unit."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, *due: Due) -> None:
        """Raises KeyError for a kind that `gateway.domain.due` doesn't list: nobody would ever do it."""
        for one in due:
            queue, lease_s = KINDS[one.kind]
            self._tx.due.append(
                {
                    "kind": one.kind,
                    "queue": queue,
                    "lease_s": lease_s,
                    "subject_id": str(one.subject_id),
                    "due_at": one.due_at.isoformat(),
                    "lane": None if one.lane is None else str(one.lane),
                }
            )

    def drop(self, kind: str, subject_id: UUID) -> None:
        dropped: Json = {"kind": kind, "subject_id": str(subject_id)}
        self._tx.due.append(dropped)
