"""The provider took collected money back: seen on a statement or in a report, recorded once, owed by the business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, Due, OpenUnit, UnitOfWork
from gateway.application.refund_reports import RecordRefundReport
from gateway.application.reports import News
from gateway.domain.businesses import HOUSE
from gateway.domain.postings_of_refunds import reversal_booked, suspense_reversed
from gateway.domain.proof import Verdict
from gateway.domain.receipts import Receipt
from gateway.domain.refunds import RefundAttempt, RefundAttemptState, Way
from gateway.domain.reversals import Reversal, SeenReversal
from ports.report import Report, Status


class ReversalOutcome(Enum):
    """What a seen reversal was: new and owed, our own refund, told before, of a receipt nobody has, or too weak."""

    BOOKED = "booked"
    OUR_REFUND = "our_refund"
    KNOWN = "known"
    NO_RECEIPT = "no_receipt"
    TOO_WEAK = "too_weak"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReversal:
    """Once per reversal number. Our own refund is proved by it; money in suspense comes out of it; of anything else the
    whole sum becomes owed.

    Runs as a worker or an operator: the receipt may be any business's.
    """

    unit: OpenUnit
    record: RecordRefundReport

    def __call__(self, seen: SeenReversal, *, livemode: bool) -> ReversalOutcome:
        """What it was. `NO_RECEIPT` leaves nothing behind: show the line to it again once the receipt is there."""
        if not seen.grade.is_strong:
            return ReversalOutcome.TOO_WEAK
        house = Call(business_id=HOUSE, livemode=livemode)
        with self.unit(house.scope, call=house) as work:
            taken = take_out_of_suspense(work, seen)
            found = work.reversals.whose(seen.namespace, seen.receipt_number, livemode=livemode)
        if taken is not None:
            return taken
        if found is None or found[1].business_id == HOUSE:
            # Nobody's yet, or it came into suspense in this very moment: the line is looked at again.
            return ReversalOutcome.NO_RECEIPT
        receipt_id, scope = found
        call = Call(business_id=scope.business_id, livemode=scope.livemode)
        with self.unit(scope, call=call) as work:
            return self.within(work, receipt_id, seen)

    def within(self, work: UnitOfWork, receipt_id: UUID, seen: SeenReversal) -> ReversalOutcome:
        """The same inside an open unit of the receipt's business."""
        payment = work.payments.get(work.receipts.get(receipt_id).payment_id, lock=True)
        receipt = work.receipts.get(receipt_id, lock=True)
        if work.reversals.is_known(seen.namespace, seen.reversal_number):
            return ReversalOutcome.KNOWN
        ours = _our_own(work.refund_attempts.of_receipt(receipt_id), seen)
        if ours is not None and self._proves(work, ours, seen):
            work.reversals.add(_reversal(work, receipt, seen, ours.refund_id))
            return ReversalOutcome.OUR_REFUND
        reversal = _reversal(work, receipt, seen, None)
        if not work.reversals.add(reversal):
            return ReversalOutcome.KNOWN
        work.receipts.save(
            replace(receipt, reversed_units=receipt.reversed_units + seen.amount.units, updated=work.now)
        )
        work.journal.post(reversal_booked(reversal, receipt.float_id))
        work.due.put(Due(kind="owed.sweep", subject_id=reversal.id, due_at=work.now))
        work.alerts.raise_("payment_reversed", payment.id, f"the provider took {seen.amount} back")
        work.events.put("payment.reversed", payment.id, shown.payment(payment))
        return ReversalOutcome.BOOKED

    def _proves(self, work: UnitOfWork, ours: RefundAttempt, seen: SeenReversal) -> bool:
        """Tell the refund. A refund that is decided already learns no more than the number."""
        report = Report(
            status=Status.SUCCEEDED,
            grade=seen.grade,
            receipt_number=seen.reversal_number,
            amount=seen.amount,
            happened_at=seen.happened_at,
        )
        return self.record.within(work, ours.id, News(report=report)) is Verdict.PAID


def take_out_of_suspense(work: UnitOfWork, seen: SeenReversal) -> ReversalOutcome | None:
    """In a unit of the house: what the provider took back comes out of suspense.

    None when the receipt isn't there; once somebody has it, it never comes back.
    """
    loose = work.loose_receipts.find(seen.namespace, seen.receipt_number)
    if loose is None:
        return None
    reversal = Reversal(
        id=work.new_id(),
        business_id=HOUSE,
        livemode=loose.livemode,
        created=work.now,
        payment_id=None,
        receipt_id=loose.id,
        receipt_namespace=seen.namespace,
        reversal_number=seen.reversal_number,
        amount=seen.amount,
        happened_at=seen.happened_at,
        grade=seen.grade,
    )
    if not work.reversals.add(reversal):
        return ReversalOutcome.KNOWN
    work.loose_receipts.take_back(loose, seen.amount.units)
    work.journal.post(suspense_reversed(reversal, loose.float_id))
    return ReversalOutcome.BOOKED


def _our_own(attempts: Sequence[RefundAttempt], seen: SeenReversal) -> RefundAttempt | None:
    """The order of ours that this reversal is: by its number, else one of the same sum that may have been done and
    whose number isn't known. One that was booked as failed isn't it: that money left all the same, and is owed."""
    over_rail = [a for a in attempts if a.way is Way.RAIL and a.amount == seen.amount]
    for attempt in over_rail:
        if attempt.receipt_number == seen.reversal_number:
            return attempt
    for attempt in over_rail:
        sent = attempt.sends > 0 and attempt.state is not RefundAttemptState.FAILED
        if sent and attempt.receipt_number is None:
            return attempt
    return None


def _reversal(work: UnitOfWork, receipt: Receipt, seen: SeenReversal, refund_id: UUID | None) -> Reversal:
    return Reversal(
        id=work.new_id(),
        business_id=receipt.business_id,
        livemode=receipt.livemode,
        created=work.now,
        payment_id=receipt.payment_id,
        receipt_id=receipt.id,
        receipt_namespace=seen.namespace,
        reversal_number=seen.reversal_number,
        amount=seen.amount,
        happened_at=seen.happened_at,
        grade=seen.grade,
        refund_id=refund_id,
    )
