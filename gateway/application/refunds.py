"""Refunds as a business asks for them: create, cancel, read. Money is reserved at creation, from the excess first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from gateway.application import refund_views as shown
from gateway.application.amounts import check_bounds
from gateway.application.answers import answered, refuse_other_request
from gateway.application.commands import ListQuery
from gateway.application.debts import refuse_debtors
from gateway.application.interfaces import AlreadyMade, Call, Due, Json, OpenUnit, Providers, UnitOfWork
from gateway.application.lists import listed, page_of
from gateway.application.refund_ways import Origin, origin_of, payer_of, payout_line
from gateway.domain.errors import Conflict, IllegalStep, Invalid, StateRefused, Unprocessable
from gateway.domain.payments import Payment
from gateway.domain.phones import mask, to_e164
from gateway.domain.postings_of_refunds import refund_accepted, refund_decided
from gateway.domain.receipts import Receipt
from gateway.domain.refunds import (
    REFUND,
    Refund,
    RefundAttemptState,
    RefundAttemptStep,
    RefundState,
    RefundStep,
    drawn,
    excess,
    refundable,
    returned,
    share_out,
)
from ports.abilities import Ability
from ports.money import Money
from ports.payment_rail import RefundDestination
from ports.payout_channel import Destination, DestinationKind
from ports.report import Failure, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """`amount` in minor units; None: the excess of an overpaid payment, else all that is left.

    `destination_kind` and `account` (a phone as typed) only for rails that can't send it to where it came from.
    """

    payment_id: UUID
    amount: int | None = None
    destination_kind: str | None = None
    account: str | None = None
    reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRefund:
    """Reserve the amount and hand it to a worker: one transaction, refused when what is left doesn't cover it."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, command: NewRefund, call: Call) -> Json:
        """The refund, `pending`. Raises Invalid (`refund_exceeds_remaining`), Conflict (`business_owes`), and
        InsufficientFunds as the unit closes; nothing is left behind then."""
        try:
            with self.unit(call.scope, call=call) as work:
                payment = work.payments.get(command.payment_id, lock=True)
                work.refunds.made_by(call.idempotency)
                refuse_debtors(work)
                refund = self._new(work, command, payment, call)
                work.refunds.add(refund, call.idempotency)
                _draw(work, refund, payment)
                work.journal.post(refund_accepted(refund))
                work.due.put(Due(kind="refund.submit", subject_id=refund.id, due_at=work.now))
                view = shown.refund(refund)
                work.events.put("refund.created", refund.id, view)
                return answered(work, 201, view)
        except AlreadyMade as made:
            refuse_other_request(made)
            with self.unit(call.scope, call=call) as work:
                return answered(work, 201, shown.refund(work.refunds.get(made.object_id)))

    def _new(self, work: UnitOfWork, command: NewRefund, payment: Payment, call: Call) -> Refund:
        receipts = work.receipts.of(payment.id)
        amount = _amount(command, payment, receipts)
        destination = self._destination(work, command, receipts, amount)
        parts = share_out(receipts, amount.units)
        return Refund(
            id=call.idempotency.object_id if call.idempotency else work.new_id(),
            business_id=call.business_id,
            livemode=call.livemode,
            created=work.now,
            updated=work.now,
            metadata=dict(command.metadata),
            payment_id=payment.id,
            amount=amount,
            over_units=sum(part.over_units for part in parts),
            parts=parts,
            destination=destination,
            destination_masked=None if destination is None else mask(destination.account),
            reason=command.reason,
        )

    def _destination(
        self, work: UnitOfWork, command: NewRefund, receipts: Sequence[Receipt], amount: Money
    ) -> Destination | None:
        """Where it goes, by what the rail declares: None for "to where it came from"."""
        origin = origin_of(work, self.providers, receipts[-1])
        rule = RefundDestination.ORIGIN if origin is None else origin.offer.refund_destination
        if origin is not None:
            check_bounds(amount, 1, amount.units, origin.offer.amount_granularity)
        if rule is RefundDestination.NONE:
            raise not_supported()
        if rule is RefundDestination.REQUIRED:
            return _named(command)
        if command.account is not None:
            raise Invalid(
                "this payment goes back to where it came from; leave the destination out",
                code="destination_not_allowed",
                param="/destination",
            )
        self._some_way(work, origin, receipts[-1])
        return None

    def _some_way(self, work: UnitOfWork, origin: Origin | None, receipt: Receipt) -> None:
        over_rail = origin is not None and Ability.REFUND in origin.offer.abilities
        if over_rail or (payer_of(work, receipt) and payout_line(work, self.providers)):
            return
        raise not_supported()


def not_supported() -> Unprocessable:
    """Nothing gives this payment back."""
    return Unprocessable(
        "nothing can give this payment back over the way it came; pay the customer with a payout instead",
        code="refund_not_supported",
        param="/payment",
    )


def _amount(command: NewRefund, payment: Payment, receipts: Sequence[Receipt]) -> Money:
    left = refundable(receipts)
    wanted = command.amount if command.amount is not None else min(excess(receipts), left) or left
    if not left or wanted > left:
        raise Invalid(
            f"of this payment {left} minor units are left to refund",
            code="refund_exceeds_remaining",
            param="/amount",
        )
    return Money(units=wanted, asset=payment.amount.asset)


def _named(command: NewRefund) -> Destination:
    if command.account is None:
        raise Invalid(
            "this payment can't go back to where it came from; say where it should go",
            code="destination_required",
            param="/destination",
        )
    phone = to_e164(command.account, param="/destination/phone")
    return Destination(kind=DestinationKind.MPESA_PHONE, account=phone)


def _draw(work: UnitOfWork, refund: Refund, payment: Payment) -> None:
    """Receipts and payment remember what is being refunded, so that it can't be refunded again."""
    for part in refund.parts:
        work.receipts.save(drawn(work.receipts.get(part.receipt_id, lock=True), part, work.now))
    work.payments.save(replace(payment, refunded_units=payment.refunded_units + refund.amount.units, updated=work.now))


def give_back_unsent(work: UnitOfWork, refund: Refund, payment: Payment) -> None:
    """What of a refund didn't go can be refunded again. The outcome's journal is the caller's."""
    gone = {a.receipt_id for a in work.refund_attempts.of(refund.id) if a.state is RefundAttemptState.SUCCEEDED}
    kept = [part for part in refund.parts if part.receipt_id not in gone]
    for part in kept:
        work.receipts.save(returned(work.receipts.get(part.receipt_id, lock=True), part, work.now))
    units = sum(part.units for part in kept)
    work.payments.save(replace(payment, refunded_units=payment.refunded_units - units, updated=work.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefund:
    """Cancel before anything was sent; the reservation goes back."""

    unit: OpenUnit

    def __call__(self, refund_id: UUID, call: Call) -> Json:
        """The refund, canceled. Raises StateRefused (`refund_not_cancelable`) once it may have been sent."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(work.refunds.get(refund_id).payment_id, lock=True)
            refund = work.refunds.get(refund_id, lock=True)
            if not REFUND.allows(refund.state, RefundStep.CANCEL):
                raise _not_cancelable(refund.state)
            if refund.state is RefundState.CANCELED:
                return answered(work, 200, shown.refund(refund))
            if refund.needs_attention or refund.sent_units:
                raise Conflict("a part of this refund may have gone already", code="refund_not_cancelable")
            _end_unsent(work, refund)
            refund = work.refunds.save(refund.take(RefundStep.CANCEL, work.now, waiting_for=None))
            give_back_unsent(work, refund, payment)
            work.due.drop("refund.submit", refund.id)
            work.journal.post(refund_decided(refund, (), work.now))
            view = shown.refund(refund)
            work.events.put("refund.canceled", refund.id, view)
            return answered(work, 200, view)


def _end_unsent(work: UnitOfWork, refund: Refund) -> None:
    """A try that was put back as not sent ends with the refund; one that may have been sent forbids canceling."""
    for attempt in work.refund_attempts.of(refund.id):
        if not attempt.is_open:
            continue
        if attempt.state is not RefundAttemptState.CREATED:
            raise _not_cancelable(refund.state)
        ended = attempt.take(RefundAttemptStep.FAIL, work.now)
        work.refund_attempts.save(replace(ended, failure=Failure(kind=FailureKind.OTHER, detail="canceled unsent")))


def _not_cancelable(state: RefundState) -> StateRefused:
    refusal = IllegalStep(state=state.value, step=RefundStep.CANCEL.value, allowed=REFUND.allowed(state))
    return StateRefused(
        f"this refund is {state.value}; only a pending refund can be canceled", refusal, code="refund_not_cancelable"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRefunds:
    """Read refunds and their attempts."""

    unit: OpenUnit

    def get(self, refund_id: UUID, call: Call, expand: Sequence[str] = ()) -> Json:
        """One refund; `expand` may name `attempts`."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            refund = work.refunds.get(refund_id)
            attempts = work.refund_attempts.of(refund_id) if "attempts" in expand else None
            return shown.refund(refund, attempts=attempts)

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of refunds, newest first; attempts of the whole page come in one query."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.refunds.page(page_of(query))
            wanted = "attempts" in query.expand and found
            tries = work.refund_attempts.of_many([r.id for r in found]) if wanted else None
            rows = [shown.refund(r, attempts=None if tries is None else tries.get(r.id, ())) for r in found]
            return listed(rows, more)
