"""Whose money in suspense is: a business says it of its own, an operator of any; once, whoever else says so too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.answers import answered
from gateway.application.bookings import receipt_of, take_loose
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Directory, Due, Json, OpenUnit, UnitOfWork
from gateway.application.lists import listed, page_of
from gateway.application.loose_receipts import loose_receipt
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.reports import move_payment
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.fees import Terms, forgiven
from gateway.domain.payments import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignReceipt:
    """Give a receipt in suspense to a payment of the call's business. `tolerance`: what may be short of what is due."""

    unit: OpenUnit
    tolerance: int = 0

    def __call__(self, receipt_id: UUID, payment_id: UUID, call: Call) -> Json:
        """The receipt as it is now. Given to that payment before: the same answer, and nothing happens.

        Raises NotFound for a receipt that the business may not see, Conflict (`receipt_assigned`) when another
        payment has it.
        """
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id, lock=True)
            before = _assigned_before(work, receipt_id, payment_id)
            if before is not None:
                return answered(work, 200, before)
            loose = work.loose_receipts.get(receipt_id)
            if loose.is_gone:
                raise Conflict("the provider has taken this money back", code="receipt_reversed")
            payment = with_terms(work, payment, self.tolerance)
            receipt = receipt_of(
                work,
                payment,
                amount=loose.amount,
                float_id=loose.float_id,
                namespace=loose.receipt_namespace,
                number=loose.receipt_number,
                happened_at=loose.happened_at,
                payer_hint=loose.payer_hint,
                attempt_id=None,
                sole=False,
            )
            taken = take_loose(work, replace(receipt, id=loose.id, created=loose.created, version=loose.version + 1))
            if taken is None:
                raise Conflict("this receipt has found its payment", code="receipt_assigned")
            move_payment(work, payment, None, taken)
            return answered(work, 200, shown.receipt(taken))


def _assigned_before(work: UnitOfWork, receipt_id: UUID, payment_id: UUID) -> Json | None:
    try:
        known = work.receipts.get(receipt_id)
    except NotFound:
        return None
    if known.payment_id != payment_id:
        raise Conflict("this receipt has found its payment", code="receipt_assigned")
    return shown.receipt(known)


def with_terms(work: UnitOfWork, payment: Payment, tolerance: int = 0) -> Payment:
    """A payment that was never confirmed takes the terms of today: its money is booked by some."""
    if payment.terms is not None:
        return payment
    fee = work.businesses.fee_schedule("collect", work.now)
    settlement, under = work.businesses.get().settlement, forgiven(tolerance, payment.amount_due.units)
    return replace(payment, terms=Terms(fee=fee, settlement=settlement, under_units=under))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipts:
    """Receipts as a business reads them: its own, and those in suspense that bear its tag."""

    unit: OpenUnit

    def get(self, receipt_id: UUID, call: Call) -> Json:
        """One of them. Raises NotFound."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            try:
                return shown.receipt(work.receipts.get(receipt_id))
            except NotFound:
                loose = work.loose_receipts.get(receipt_id)
                if loose.candidate_id != call.business_id:
                    raise
                return loose_receipt(loose)

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of the business's receipts, newest first; those in suspense with the filter `status: unmatched`."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            if query.filters.get("status") == "unmatched":
                loose, more = work.loose_receipts.of_business(page_of(query))
                return listed([loose_receipt(one) for one in loose], more)
            found, more = work.receipts.page(page_of(query))
            return listed([shown.receipt(one) for one in found], more)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateReceipts:
    """The operator's side of suspense."""

    unit: OpenUnit
    directory: Directory
    desk: OperatorDesk
    assign: AssignReceipt

    def unmatched(self, *, livemode: bool, limit: int = 200) -> list[Json]:
        """What is in suspense, oldest first."""
        with self.unit(house(livemode), read_only=True) as work:
            return [loose_receipt(one) for one in work.loose_receipts.all(limit)]

    def to_payment(self, receipt_id: UUID, payment_id: UUID, act: Act) -> Json:
        """Assign it to a payment of whichever business. Raises NotFound and Conflict as for a business."""
        scope = self.directory.scope_of("payment", payment_id)
        call = Call(business_id=scope.business_id, livemode=scope.livemode)
        done = self.assign(receipt_id, payment_id, call)
        self.desk.note(act, "receipt.assign", receipt_id)
        return done

    def to_business(self, receipt_id: UUID, business_id: UUID, act: Act, *, livemode: bool) -> None:
        """Let a business see it and assign it itself: money belongs to a payment, and only it knows to which."""
        with self.unit(house(livemode)) as work:
            work.loose_receipts.offer(receipt_id, business_id)
            work.due.put(Due(kind="receipt.offer", subject_id=receipt_id, due_at=work.now))
        self.desk.note(act, "receipt.offer", receipt_id)
