"""The one place where a provider's word about a collection becomes Receipt, state, event and journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.bookings import out_of_suspense, promise_release, receipt_of
from gateway.application.interfaces import Call, Due, OpenUnit, Providers, UnitOfWork
from gateway.application.payment_expiry import announce_session_over
from gateway.domain import postings
from gateway.domain.attempts import ASKABLE, DOUBTED, Attempt, AttemptState, AttemptStep
from gateway.domain.payments import (
    PAYMENT,
    ExceptionStatus,
    Payment,
    PaymentState,
    PaymentStep,
    PayToAction,
    SettlementStatus,
)
from gateway.domain.proof import Finding, Verdict, weigh_collection
from gateway.domain.receipts import Receipt
from ports.payment_rail import LandsIn, RailCapabilities
from ports.report import Failure, FailureKind, Grade, Report, Status

#: A try's states that hold the payment where it is when another of its tries fails.
LIVE = (AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.SUBMITTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A report and how it came: `secret` is the ReplyTo's id for what came by a callback, None for our own calls.

    `of_start`: it answers the very call that started the try, so it decides which transaction at the provider is ours.
    `of_look_up`: it answers a question of ours, so it wakes no further one: the ladder says when to ask again.
    """

    report: Report
    secret: UUID | None = None
    of_start: bool = False
    of_look_up: bool = False

    @property
    def wakes(self) -> bool:
        """Whether the provider is asked at once: weak news that nobody asked for."""
        return not self.report.grade.is_strong and not self.of_look_up


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """Takes every Report about a collection, from every door. Repeats and order don't matter."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, attempt_id: UUID, news: News, call: Call) -> Verdict:
        """What the news, with all that came before, amounts to; None of it is lost when it amounts to nothing."""
        with self.unit(call.scope, call=call) as work:
            return self.within(work, attempt_id, news)

    def within(self, work: UnitOfWork, attempt_id: UUID, news: News) -> Verdict:
        """The same inside an open unit. Rows are locked payment first, attempt second, as everywhere."""
        payment, attempt = work.attempts.locked(attempt_id)
        offer = self.providers.rail_capabilities(attempt.rail)
        if news.of_start and news.report.provider_reference is not None:
            attempt = replace(attempt, provider_reference=news.report.provider_reference)
        if _is_foreign(attempt, news.report):
            work.alerts.raise_("foreign_report", attempt.id, "a report names another transaction than ours")
            return Verdict.NOTHING
        work.evidence.add_report("attempt", attempt.id, news.report, news.secret, work.now)
        tell_unrecognised(work, attempt.connection_id, news.report)
        attempt = _learn_reference(attempt, news.report)
        finding = weigh_collection(
            work.evidence.of("attempt", attempt.id),
            asked=attempt.amount,
            fixed_amount=offer.fixed_amount,
            started_at=attempt.submitted_at,
            now=work.now,
        )
        self._apply(work, payment, attempt, offer, finding, news)
        return finding.verdict

    def _apply(
        self,
        work: UnitOfWork,
        payment: Payment,
        attempt: Attempt,
        offer: RailCapabilities,
        finding: Finding,
        news: News,
    ) -> None:
        match finding.verdict:
            case Verdict.PAID:
                take_money(work, payment, attempt, offer, finding)
            case Verdict.NOT_PAID:
                fail(work, payment, attempt, finding.failure or Failure(kind=FailureKind.OTHER))
            case Verdict.CONFLICT:
                _contradicted(work, payment, attempt, news)
            case Verdict.ASK if news.wakes:
                _wake(work, attempt)
            case _:
                _acknowledged(work, payment, attempt, offer, news.report)


def tell_unrecognised(work: UnitOfWork, connection_id: UUID, report: Report) -> None:
    """A word that the adapter's table lacks moves nothing, but a person must teach it to the adapter."""
    if report.unrecognised is not None:
        work.alerts.raise_("unrecognised_word", connection_id, f"the provider said {report.unrecognised!r}")


def _is_foreign(attempt: Attempt, report: Report) -> bool:
    """News that names another reference than ours changes nothing."""
    theirs, ours = report.provider_reference, attempt.provider_reference
    other_transaction = theirs is not None and ours is not None and theirs != ours
    return other_transaction or (report.reference is not None and report.reference != attempt.reference)


def _learn_reference(attempt: Attempt, report: Report) -> Attempt:
    """A lost acknowledgement's reference may come with the callback: with it the provider can be asked."""
    if attempt.provider_reference is None and report.provider_reference is not None:
        return replace(attempt, provider_reference=report.provider_reference)
    return attempt


def _acknowledged(
    work: UnitOfWork, payment: Payment, attempt: Attempt, offer: RailCapabilities, report: Report
) -> None:
    """The provider has it and says no more: an answer on our own connection makes an unsure try submitted again."""
    within_window = attempt.blocks_until is None or work.now < attempt.blocks_until
    sure = report.grade is Grade.ANSWER and report.status is Status.PENDING and within_window
    before = attempt.state
    if sure and before in (AttemptState.SUBMITTING, AttemptState.UNKNOWN):
        attempt = attempt.take(AttemptStep.ACKNOWLEDGE, work.now)
    attempt = work.attempts.save(attempt)
    if attempt.state is not before:
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="attempt.look_up", subject_id=attempt.id, due_at=work.now + first))
    _follow_doubt(work, payment, attempt)


def _wake(work: UnitOfWork, attempt: Attempt) -> None:
    """Weak news asks at once, each time it comes; a flood of it asks no more than the rail's floor allows."""
    attempt = replace(attempt, woken=0)
    if attempt.state is AttemptState.CREATED:
        # Put back as not sent, and yet the provider has it: it must not be sent again.
        attempt = attempt.take(AttemptStep.LOSE, work.now)
        work.due.drop("attempt.submit", attempt.id)
    attempt = work.attempts.save(attempt)
    if attempt.state in ASKABLE | DOUBTED:
        work.due.put(Due(kind="attempt.look_up", subject_id=attempt.id, due_at=work.now))


def _contradicted(work: UnitOfWork, payment: Payment, attempt: Attempt, news: News) -> None:
    """Another amount than asked, or reports against one another: nothing is posted, a person is told.

    Weak news asks at once here too; an answer that settles nothing waits for the ladder, or asking would never stop.
    """
    if news.wakes:
        _wake(work, attempt)
    else:
        work.attempts.save(attempt)
    tell_conflict(work, payment)


def tell_conflict(work: UnitOfWork, payment: Payment) -> None:
    """The payment shows it, and a person is told."""
    if payment.exception_status is None:
        work.payments.save(replace(payment, exception_status=ExceptionStatus.CONFLICT, updated=work.now))
    work.alerts.raise_("payment_conflict", payment.id, "reports about the money contradict one another")


def _follow_doubt(work: UnitOfWork, payment: Payment, changed: Attempt) -> None:
    """Keep `outcome_unknown` true exactly while some try is unknown or unresolved."""
    unknown = is_outcome_unknown(work, payment, changed)
    if unknown != payment.outcome_unknown:
        work.payments.save(replace(payment, outcome_unknown=unknown, updated=work.now))


def is_outcome_unknown(work: UnitOfWork, payment: Payment, changed: Attempt | None) -> bool:
    """Whether any try of the payment, as it will be, is in doubt."""
    tries = [changed if changed is not None and a.id == changed.id else a for a in work.attempts.of(payment.id)]
    return any(a.state in (AttemptState.UNKNOWN, AttemptState.UNRESOLVED) for a in tries)


def take_money(
    work: UnitOfWork,
    payment: Payment,
    attempt: Attempt,
    offer: RailCapabilities,
    finding: Finding,
    *,
    apart: bool = False,
) -> None:
    """Book a proved receipt once, and take the payment where the money leads it.

    `apart`: a further number for a try that has its one receipt; it is the payment's and not the try's.
    """
    known = work.receipts.of_attempt(attempt.id) if offer.one_payment and not apart else None
    if known is not None:
        _complete_receipt(work, attempt, known, finding)
        return
    receipt = _book(work, payment, None if apart else attempt, attempt, offer, finding)
    if receipt is None:
        # A strong report named a receipt that is booked already: the same money, told again.
        work.attempts.save(attempt)
        work.alerts.raise_("receipt_known", attempt.id, "a receipt that is booked elsewhere was reported for this try")
        return
    if not apart:
        attempt = work.attempts.save(attempt.take(AttemptStep.SUCCEED, work.now, failure=None))
        _stop_timers(work, attempt)
    move_payment(work, payment, attempt, receipt)


def _complete_receipt(work: UnitOfWork, attempt: Attempt, known: Receipt, finding: Finding) -> None:
    """The number that was missing is filled in once and posts nothing."""
    work.attempts.save(attempt)
    if finding.receipt_number is None or known.receipt_number == finding.receipt_number:
        return
    if known.receipt_number is not None or not work.receipts.name(known.id, finding.receipt_number, finding.payer_hint):
        work.alerts.raise_("receipt_differs", attempt.id, "a second receipt number was reported for one try")


def _book(
    work: UnitOfWork,
    payment: Payment,
    paid: Attempt | None,
    attempt: Attempt,
    offer: RailCapabilities,
    finding: Finding,
) -> Receipt | None:
    """Insert the Receipt and record its journal; None when that receipt number is booked already."""
    receipt = receipt_of(
        work,
        payment,
        amount=finding.amount or attempt.amount,
        float_id=attempt.float_id,
        namespace=offer.receipt_namespace,
        number=finding.receipt_number,
        happened_at=finding.happened_at,
        payer_hint=finding.payer_hint,
        attempt_id=None if paid is None else paid.id,
        sole=offer.one_payment,
        clearing_id=attempt.connection_id if offer.lands_in is LandsIn.CLEARING else None,
    )
    if not work.receipts.add(receipt):
        assigned = out_of_suspense(work, receipt)
        if assigned is not None:
            return assigned
        if finding.number_is_strong or receipt.receipt_number is None:
            return None
        # The number came by weak news and is taken: what the strong news proved stands without it.
        work.alerts.raise_("receipt_number_taken", attempt.id, "a weakly reported receipt number is booked elsewhere")
        receipt = replace(receipt, receipt_number=None)
        if not work.receipts.add(receipt):
            return None
    work.journal.post(postings.receipt_booked(receipt))
    promise_release(work, receipt)
    if offer.delivers:
        work.due.put(Due(kind="conversion.open", subject_id=receipt.id, due_at=work.now, lane=attempt.connection_id))
    return receipt


def _stop_timers(work: UnitOfWork, attempt: Attempt) -> None:
    for kind in ("attempt.window", "attempt.give_up", "attempt.look_up"):
        work.due.drop(kind, attempt.id)


def move_payment(work: UnitOfWork, payment: Payment, attempt: Attempt | None, receipt: Receipt) -> Payment:
    """Count a booked receipt, and take the payment where it leads. `attempt` is what was paid, if it was a try."""
    received = payment.received_units + receipt.amount.units
    newly_paid = not payment.is_paid and payment.covers(received)
    late = payment.state in (PaymentState.EXPIRED, PaymentState.CANCELED) or work.now > payment.expires_at
    exception = _exception_of(work, payment, attempt, receipt, late=late, received=received)
    step = PaymentStep.PAID if payment.covers(received) else PaymentStep.PART_PAID
    moved = work.payments.save(
        payment.take(
            step,
            work.now,
            received_units=received,
            exception_status=exception,
            outcome_unknown=is_outcome_unknown(work, payment, attempt),
            next_action=_still_to_do(payment, received),
            last_error=None if newly_paid else payment.last_error,
            succeeded_at=payment.succeeded_at or (work.now if newly_paid else None),
            **_settlement_of(receipt, work.now),
        )
    )
    _announce(work, moved, receipt, newly_paid=newly_paid, late=late)
    return moved


def _still_to_do(payment: Payment, received: int) -> PayToAction | None:
    """Where the rest can be paid, while the payment is open: a place takes money more than once."""
    action = payment.next_action
    is_open = payment.state not in PAYMENT.ends and not payment.covers(received)
    return action if is_open and isinstance(action, PayToAction) else None


def _settlement_of(receipt: Receipt, now: datetime) -> dict[str, Any]:
    """How far the business's credit is after this receipt; an overpayment changes nothing about it."""
    if not receipt.due_units:
        return {}
    if receipt.bucket == "available":
        return {"settlement_status": SettlementStatus.AVAILABLE, "available_on": now}
    return {"settlement_status": SettlementStatus.PENDING, "available_on": receipt.available_on}


def _exception_of(
    work: UnitOfWork, payment: Payment, attempt: Attempt | None, receipt: Receipt, *, late: bool, received: int
) -> ExceptionStatus | None:
    if not payment.covers(received):
        return ExceptionStatus.UNDERPAID
    if payment.is_paid and not receipt.over_units:
        # What was forgiven came all the same.
        return payment.exception_status
    if payment.is_paid:
        # Twice paid are two tries; a second sum at one place, or one that a person assigned, is more than was due.
        others = (a for a in work.attempts.of(payment.id) if attempt is not None and a.id != attempt.id)
        doubled = any(a.state is AttemptState.SUCCEEDED for a in others)
        return ExceptionStatus.DUPLICATE if doubled else ExceptionStatus.OVERPAID
    if receipt.over_units:
        return ExceptionStatus.OVERPAID
    return ExceptionStatus.PAID_LATE if late else None


def _announce(work: UnitOfWork, payment: Payment, receipt: Receipt, *, newly_paid: bool, late: bool) -> None:
    work.events.put("receipt.received", receipt.id, shown.receipt(receipt))
    view = shown.payment(payment)
    if newly_paid:
        work.due.drop("payment.expire", payment.id)
        work.events.put("payment.succeeded", payment.id, view)
        if late:
            work.events.put("payment.paid_late", payment.id, view)
        announce_session_over(work, payment)
    if payment.exception_status is ExceptionStatus.DUPLICATE:
        work.events.put("payment.duplicate", payment.id, view)
    if payment.exception_status is ExceptionStatus.UNDERPAID:
        work.events.put("payment.underpaid", payment.id, view)
    if receipt.over_units:
        work.events.put("payment.overpaid", payment.id, view)
    if receipt.reversed_units:
        # It came out of suspense, where the provider had taken of it already.
        work.events.put("payment.reversed", payment.id, view)


def fail(work: UnitOfWork, payment: Payment, attempt: Attempt, failure: Failure) -> None:
    """Book a proved failure; the payment takes another try unless one is out already. A success is never undone."""
    failed = attempt.take(AttemptStep.FAIL, work.now)
    if failed.state is attempt.state:
        work.attempts.save(attempt)
        return
    attempt = work.attempts.save(replace(failed, failure=failure))
    _stop_timers(work, attempt)
    if failure.kind is FailureKind.SET_UP:
        work.connections.pause(attempt.connection_id, f"provider says set-up: {failure.provider_code}", work.now)
        work.alerts.raise_("connection_paused", attempt.connection_id, f"set-up failure {failure.provider_code}")
    others = [a for a in work.attempts.of(payment.id) if a.id != attempt.id and not a.pay_to]
    if any(a.state in LIVE or (a.is_open and a.number > attempt.number) for a in others):
        _follow_doubt(work, payment, attempt)
        return
    moved = work.payments.save(
        payment.take(
            PaymentStep.ATTEMPT_FAILED,
            work.now,
            last_error=failure if not payment.is_paid else payment.last_error,
            next_action=None,
            outcome_unknown=is_outcome_unknown(work, payment, attempt),
        )
    )
    if not moved.is_paid:
        work.events.put("payment.attempt_failed", moved.id, shown.payment(moved))
    if work.now >= moved.expires_at and moved.state is PaymentState.REQUIRES_PAYMENT_METHOD:
        work.due.put(Due(kind="payment.expire", subject_id=moved.id, due_at=work.now))
