"""How a sum becomes a payment's receipt: split and charged by its terms, new or out of suspense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Due, UnitOfWork
from gateway.domain import postings
from gateway.domain.calendar import banking_day_after
from gateway.domain.errors import Conflict
from gateway.domain.fees import NO_CHARGE, Charge, SettlementKind
from gateway.domain.payments import Payment
from gateway.domain.postings_of_refunds import reversal_followed
from gateway.domain.receipts import Receipt, share_of
from gateway.domain.reversals import Reversal
from ports.money import Money


def out_of_suspense(work: UnitOfWork, receipt: Receipt) -> Receipt | None:
    """The same sum may have been proved before anybody knew whose it is: then it comes out of suspense."""
    if receipt.receipt_number is None:
        return None
    loose = work.loose_receipts.find(receipt.receipt_namespace, receipt.receipt_number)
    if loose is None or loose.amount != receipt.amount:
        return None
    return take_loose(work, replace(receipt, id=loose.id, created=loose.created))


def take_loose(work: UnitOfWork, receipt: Receipt) -> Receipt | None:
    """Make a receipt in suspense the business's, once; None when somebody was faster."""
    if not work.loose_receipts.take(receipt):
        return None
    reversals = work.reversals.of_receipt(receipt.id)
    receipt = replace(receipt, reversed_units=sum(one.amount.units for one in reversals))
    work.journal.post(postings.receipt_assigned(receipt, work.now))
    promise_release(work, receipt)
    work.events.put("receipt.assigned", receipt.id, shown.receipt(receipt))
    _owe_what_was_taken_back(work, receipt, reversals)
    return receipt


def _owe_what_was_taken_back(work: UnitOfWork, receipt: Receipt, reversals: Sequence[Reversal]) -> None:
    """The provider took of it while it was nobody's: the business has it all now, and owes so much."""
    for reversal in reversals:
        work.journal.post(reversal_followed(reversal, receipt.float_id, work.now))
        work.due.put(Due(kind="owed.sweep", subject_id=reversal.id, due_at=work.now))
        work.alerts.raise_("payment_reversed", receipt.payment_id, f"the provider took {reversal.amount} back")


def promise_release(work: UnitOfWork, receipt: Receipt) -> None:
    """The day on which a pending receipt becomes available."""
    if receipt.bucket == "pending" and receipt.available_on is not None:
        work.due.put(Due(kind="receipt.release", subject_id=receipt.id, due_at=receipt.available_on))


def receipt_of(
    work: UnitOfWork,
    payment: Payment,
    *,
    amount: Money,
    float_id: UUID,
    namespace: str,
    number: str | None,
    happened_at: datetime | None,
    payer_hint: str | None,
    attempt_id: UUID | None,
    sole: bool,
    clearing_id: UUID | None = None,
) -> Receipt:
    """A receipt of the payment, split and charged by its frozen terms. Raises Conflict when it has none."""
    terms = payment.terms
    if terms is None:
        raise Conflict("the payment was never confirmed, so it has no terms to book by")
    share = share_of(
        terms,
        due_units=payment.amount_due.units,
        received_before=payment.received_units,
        charged_before=charged_before(work.receipts.of(payment.id)) if payment.received_units else NO_CHARGE,
        arrived=amount.units,
    )
    happened = happened_at or work.now
    # Nothing of a pure overpayment is the payment's, so nothing of it waits.
    waits = terms.settlement.kind is not SettlementKind.INSTANT and share.due_units > 0
    return Receipt(
        id=work.new_id(),
        business_id=payment.business_id,
        livemode=payment.livemode,
        created=work.now,
        updated=work.now,
        payment_id=payment.id,
        attempt_id=attempt_id,
        float_id=float_id,
        clearing_id=clearing_id,
        receipt_namespace=namespace,
        receipt_number=number,
        amount=amount,
        due_units=share.due_units,
        over_units=share.over_units,
        charge=share.charge,
        bucket="pending" if waits else "available",
        happened_at=happened,
        available_on=banking_day_after(work.now, terms.settlement.days) if waits else None,
        payer_hint=payer_hint,
        sole=sole,
    )


def charged_before(receipts: Sequence[Receipt]) -> Charge:
    """What earlier receipts of the payment were charged, line by line."""
    total = NO_CHARGE
    for earlier in receipts:
        total = total + earlier.charge
    return total
