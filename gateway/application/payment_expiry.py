"""How a payment ends without money: its expiry timer, and what is told then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, Due, OpenUnit, UnitOfWork
from gateway.domain.attempts import Attempt, AttemptState, AttemptStep
from gateway.domain.errors import Conflict
from gateway.domain.payments import PAYMENT, Payment, PaymentStep


def end_unsent(work: UnitOfWork, attempts: Sequence[Attempt]) -> None:
    """End tries that were never sent; the worker that comes for them finds nothing to do."""
    for attempt in attempts:
        if attempt.state is AttemptState.CREATED:
            locked = work.attempts.get(attempt.id, lock=True)
            if locked.state is not AttemptState.CREATED:
                raise Conflict(
                    "a prompt has just been sent; wait until its outcome is known", code="attempt_outcome_unknown"
                )
            work.attempts.save(locked.take(AttemptStep.END, work.now))
            work.due.drop("attempt.submit", attempt.id)


def end_places(work: UnitOfWork, attempts: Sequence[Attempt]) -> None:
    """Nobody is asked to pay there any more; money that comes all the same is taken as late."""
    for attempt in attempts:
        if attempt.pay_to and attempt.is_open:
            locked = work.attempts.get(attempt.id, lock=True)
            if locked.is_open:
                work.attempts.save(locked.take(AttemptStep.END, work.now))
                work.due.drop("attempt.submit", attempt.id)


def announce_session_over(work: UnitOfWork, payment: Payment) -> None:
    """Tell the business that a session completed or expired, when the payment has one."""
    if payment.session_id is None:
        return
    view = shown.session(work.sessions.get(payment.session_id), payment)
    word = "completed" if view["status"] == "complete" else "expired"
    work.events.put(f"checkout.session.{word}", payment.session_id, view)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirePayment:
    """The expiry timer: asks once more before it expires, and never expires what may still be paid."""

    unit: OpenUnit

    def __call__(self, payment_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id, lock=True)
            if not PAYMENT.allows(payment.state, PaymentStep.EXPIRE):
                # Processing: whoever brings the outcome puts the timer again.
                return None
            expired = payment.take(PaymentStep.EXPIRE, work.now, next_action=None)
            if expired.state is payment.state:
                return None
            if work.now < payment.expires_at:
                return payment.expires_at
            tries = work.attempts.of(payment_id)
            attempts = [a for a in tries if a.in_doubt]
            sent = [a for a in attempts if a.state is not AttemptState.CREATED]
            asked = [a for a in sent if a.state is not AttemptState.UNRESOLVED]
            for attempt in asked:
                work.due.put(Due(kind="attempt.look_up", subject_id=attempt.id, due_at=work.now))
            if asked:
                return work.now + timedelta(seconds=60)
            if sent:
                # A person's by now: whoever settles it puts the timer again.
                return None
            end_unsent(work, attempts)
            end_places(work, tries)
            expire(work, expired)
            return None


def expire(work: UnitOfWork, expired: Payment) -> None:
    """Write the expiry and say so; a part that came in stays the business's."""
    expired = work.payments.save(replace(expired, outcome_unknown=False))
    work.events.put("payment.expired", expired.id, shown.payment(expired))
    announce_session_over(work, expired)
