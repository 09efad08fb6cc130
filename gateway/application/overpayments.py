"""What was paid too much: the business keeps it here, or gives it back by a refund."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.answers import answered
from gateway.application.interfaces import Call, Json, OpenUnit, UnitOfWork
from gateway.domain.errors import Invalid
from gateway.domain.fees import charge_on_more
from gateway.domain.payments import Payment
from gateway.domain.postings_of_refunds import overpayment_accepted
from gateway.domain.refunds import Acceptance, excess
from ports.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptOverpayment:
    """Keep an excess: the fee that is due on it, and the rest becomes available. Once under an idempotency key."""

    unit: OpenUnit

    def __call__(self, payment_id: UUID, amount: int | None, call: Call) -> Json:
        """The payment. `amount` in minor units; all of the excess when None. Raises Invalid (`nothing_overpaid`)."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id, lock=True)
            earlier = work.overpayments.of(payment.id)
            if call.idempotency is not None and any(a.id == call.idempotency.object_id for a in earlier):
                return answered(work, 200, shown.payment(payment))
            over = excess(work.receipts.of(payment.id))
            units = over if amount is None else amount
            if not 0 < units <= over:
                raise Invalid(
                    f"of this payment {over} minor units are an excess", code="nothing_overpaid", param="/amount"
                )
            kept = _kept(work, payment, units, sum(a.amount.units for a in earlier), len(earlier), call)
            work.overpayments.add(kept)
            _spend(work, payment.id, units)
            work.journal.post(overpayment_accepted(kept))
            payment = work.payments.save(replace(payment, updated=work.now))
            view = shown.payment(payment)
            work.events.put("balance.available", payment.id, view)
            return answered(work, 200, view)


def _kept(work: UnitOfWork, payment: Payment, units: int, before: int, count: int, call: Call) -> Acceptance:
    if payment.terms is None:
        raise Invalid("this payment was never confirmed", code="nothing_overpaid", param="/amount")
    base = payment.terms.base_units or payment.amount_due.units
    return Acceptance(
        id=call.idempotency.object_id if call.idempotency else work.new_id(),
        business_id=payment.business_id,
        livemode=payment.livemode,
        created=work.now,
        payment_id=payment.id,
        number=count + 1,
        amount=Money(units=units, asset=payment.amount.asset),
        charge=charge_on_more(payment.terms, base + before, units),
    )


def _spend(work: UnitOfWork, payment_id: UUID, units: int) -> None:
    """The receipts remember that so much of their excess is used, the oldest first."""
    for receipt in work.receipts.of(payment_id):
        take = min(receipt.over_units - receipt.over_spent_units, units)
        if take:
            work.receipts.save(replace(receipt, over_spent_units=receipt.over_spent_units + take, updated=work.now))
            units -= take
