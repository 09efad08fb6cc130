"""The one door for every incoming sum that no call of ours asked for: kept as evidence, then settled by due work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.application.interfaces import Due, OpenUnit, Scope, UnitOfWork
from gateway.domain.businesses import HOUSE
from gateway.domain.connections import Connection
from gateway.domain.external_records import ExternalRecord, RecordState
from gateway.domain.matching import plain_reference
from gateway.domain.proof import Evidence
from ports.report import Grade, MoneyIn, Report, Status

#: What evidence about a sum is kept under.
RECORD_SUBJECT = "external_record"


def house(livemode: bool) -> Scope:
    """The scope of what belongs to no business."""
    return Scope(business_id=HOUSE, livemode=livemode)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMoneyIn:
    """Takes a sum from an announcement, an answer, a history or a statement. Repeats and order don't matter."""

    unit: OpenUnit

    def __call__(
        self,
        livemode: bool,
        connection: Connection | UUID,
        money: MoneyIn,
        grade: Grade,
        secret: UUID | None = None,
        at: datetime | None = None,
        *,
        trusted: bool = False,
    ) -> UUID | None:
        """The record's id; None for a sum without a receipt number, which can't be told from another.

        `connection` is the one whose provider spoke. `secret` names the door of weak news, as for other reports.
        What becomes of the sum is decided by the due work `money.settle`, which is put in the same transaction.
        """
        with self.unit(house(livemode)) as work:
            line = work.connections.get(connection) if isinstance(connection, UUID) else connection
            return self.within(work, line, money, grade, secret, at, trusted=trusted)

    def within(
        self,
        work: UnitOfWork,
        connection: Connection,
        money: MoneyIn,
        grade: Grade,
        secret: UUID | None = None,
        at: datetime | None = None,
        *,
        trusted: bool = False,
    ) -> UUID | None:
        """The same inside an open unit of the house."""
        if not money.receipt_number:
            work.alerts.raise_("money_without_number", connection.id, "a sum was told without its receipt number")
            return None
        record = work.records.known(_new(work, connection, money))
        if _is_told(work.evidence.of(RECORD_SUBJECT, record.id), money, grade, secret) and not (
            trusted and not record.trusted
        ):
            return record.id
        report = Report(status=Status.SUCCEEDED, grade=grade, money=(money,))
        work.evidence.add_report(RECORD_SUBJECT, record.id, report, None if grade.is_strong else secret, at or work.now)
        reference = _reference_after(record, money, grade)
        if reference != record.reference or (trusted and not record.trusted):
            record = replace(record, reference=reference, trusted=record.trusted or trusted, updated=work.now)
            work.records.save(record)
        work.due.put(Due(kind="money.settle", subject_id=record.id, due_at=work.now))
        return record.id


def _new(work: UnitOfWork, connection: Connection, money: MoneyIn) -> ExternalRecord:
    return ExternalRecord(
        id=work.new_id(),
        livemode=work.scope.livemode,
        created=work.now,
        updated=work.now,
        connection_id=connection.id,
        float_id=connection.float_id,
        receipt_namespace=money.receipt_namespace,
        receipt_number=money.receipt_number or "",
        reference=money.reference,
        state=RecordState.ANNOUNCED,
    )


def _is_told(evidence: Sequence[Evidence], money: MoneyIn, grade: Grade, secret: UUID | None) -> bool:
    """Whether the same door said the very same before: an overlapping history says all again every few minutes."""
    door = None if grade.is_strong else secret
    return any(
        e.grade is grade and e.secret == door and e.amount == money.amount and e.happened_at == money.happened_at
        for e in evidence
    )


def _reference_after(record: ExternalRecord, money: MoneyIn, grade: Grade) -> str | None:
    """Strong news has the last word on what was typed; two weak words that differ leave nothing to go by."""
    if not money.reference:
        return record.reference
    if grade.is_strong or record.reference is None:
        return money.reference
    same = plain_reference(record.reference) == plain_reference(money.reference)
    return record.reference if same else ""
