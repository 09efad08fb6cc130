"""Reversals and returns on statements whose original nobody has yet: when they are looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Due, UnitOfWork
from gateway.domain.statements import LATE_DAILY_S, LATE_S, LATE_WEEK_S, Statement


def next_late_look(work: UnitOfWork, statement: Statement) -> datetime | None:
    """When a settled statement is looked at again; None when none of its lines waits for an original."""
    if not work.statements.waits(statement.id):
        return None
    young = work.now < statement.created + timedelta(seconds=LATE_WEEK_S)
    return work.now + timedelta(seconds=LATE_S if young else LATE_DAILY_S)


def wake_waiting(work: UnitOfWork, *, float_id: UUID | None = None, original: tuple[str, str] | None = None) -> None:
    """Look now at statements with lines that may have been waiting for what has just come in: a file of the same
    float, or an original by its namespace and number. In a unit of the house."""
    for statement_id in work.statements.waiting(float_id=float_id, original=original):
        work.due.put(Due(kind="statement.settle", subject_id=statement_id, due_at=work.now))
