"""Sums whose reports contradict one another: an operator sees them, and takes the stronger word or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application.interfaces import Due, Json, OpenUnit
from gateway.application.money_in import RECORD_SUBJECT, house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.representations import moment
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.external_records import ExternalRecord, RecordState, strongest_sums
from gateway.domain.ids import Prefix, encode
from gateway.domain.matching import masked_reference
from gateway.domain.proof import Evidence

_OPEN = (RecordState.CONFLICT, RecordState.DISMISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideConflicts:
    """What a person decides is kept on the record; workers book it by the doors that all sums come through."""

    unit: OpenUnit
    desk: OperatorDesk

    def all(self, *, livemode: bool, limit: int = 200) -> list[Json]:
        """Sums in conflict, oldest first, with what each report of them says."""
        with self.unit(house(livemode), read_only=True) as work:
            found = work.records.in_conflict(limit)
            return [_record(one, work.evidence.of(RECORD_SUBJECT, one.id)) for one in found]

    def accept(self, record_id: UUID, act: Act, *, livemode: bool, units: int | None = None) -> int:
        """Take what the strongest report says, or the sum of `units`; gives it in minor units.

        Raises NotFound, Conflict when the sum isn't in conflict, and Invalid (`amount_invalid`) when `units` must be
        said, or no report says so.
        """
        with self.unit(house(livemode)) as work:
            record = _open(work.records.get(record_id, lock=True))
            evidence = work.evidence.of(RECORD_SUBJECT, record_id)
            taken = _sum(evidence, units)
            work.records.save(replace(record, decided_units=taken, decided_at=work.now, updated=work.now))
            work.due.put(Due(kind="money.settle", subject_id=record_id, due_at=work.now))
        self.desk.note(act, f"receipt.decide accept {taken}", record_id)
        return taken

    def dismiss(self, record_id: UUID, act: Act, *, livemode: bool) -> None:
        """Say that it is no money of ours. Strong news that comes later opens the question again.

        Raises NotFound, and Conflict when the sum isn't in conflict.
        """
        with self.unit(house(livemode)) as work:
            record = _open(work.records.get(record_id, lock=True))
            work.records.save(replace(record, state=RecordState.DISMISSED, decided_at=work.now, updated=work.now))
        self.desk.note(act, "receipt.decide dismiss", record_id)


def _open(record: ExternalRecord) -> ExternalRecord:
    if record.state not in _OPEN or record.decided_units is not None:
        raise Conflict(f"this sum is {record.state.value}: there is nothing to decide")
    return record


def _sum(evidence: Sequence[Evidence], units: int | None) -> int:
    told = {e.amount.units for e in evidence if e.amount is not None}
    if units is not None and units in told:
        return units
    strongest = {one.units for one in strongest_sums(evidence)}
    if units is None and len(strongest) == 1:
        return strongest.pop()
    sums = ", ".join(str(one) for one in sorted(strongest if units is None else told))
    raise Invalid(f"say which of these sums, in minor units: {sums}", code="amount_invalid", param="/amount")


def _record(record: ExternalRecord, evidence: Sequence[Evidence]) -> Json:
    return {
        "id": encode(Prefix.EXTERNAL_RECORD, record.id),
        "receipt_number": record.receipt_number,
        "float": encode(Prefix.FLOAT, record.float_id),
        "typed_reference": masked_reference(record.reference),
        "reports": [
            {"at": moment(e.at), "grade": e.grade.value, "amount": e.amount.units, "currency": e.amount.asset.code}
            for e in evidence
            if e.amount is not None
        ],
    }
