"""The one place where a provider's word about a refund becomes state, event and journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from gateway.application import refund_views as shown
from gateway.application.foreign_orders import FOREIGN, is_anothers
from gateway.application.interfaces import Call, Due, OpenUnit, Providers, UnitOfWork
from gateway.application.refund_ways import way_of
from gateway.application.refunds import give_back_unsent
from gateway.application.reports import News, tell_unrecognised
from gateway.domain.payments import Payment
from gateway.domain.postings_of_refunds import refund_decided
from gateway.domain.proof import Finding, Verdict, weigh_payout
from gateway.domain.refunds import (
    REFUND,
    Refund,
    RefundAttempt,
    RefundAttemptState,
    RefundAttemptStep,
    RefundStep,
    Way,
)
from ports.registration import Capabilities
from ports.report import Failure, FailureKind, Grade, Report, Status

#: Reports and addresses about refund attempts are kept under this word; by a channel, under the second one.
REFUND_SUBJECT = "refund"
REFUND_PAYOUT_SUBJECT = "refund_payout"
#: The least wait before another order.
TRY_AGAIN_S = 30


def subject_of(attempt: RefundAttempt) -> str:
    """The word under which its evidence is kept, which also says whose callbacks its callbacks are."""
    return REFUND_SUBJECT if attempt.way is Way.RAIL else REFUND_PAYOUT_SUBJECT


def offer_of(providers: Providers, attempt: RefundAttempt) -> Capabilities:
    """What the rail or channel of the attempt declares."""
    if attempt.way is Way.RAIL:
        return providers.rail_capabilities(attempt.code)
    return providers.channel_capabilities(attempt.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A refund under its locks, taken in one order everywhere: payment, refund, attempt."""

    payment: Payment
    refund: Refund
    attempt: RefundAttempt


def hold(work: UnitOfWork, attempt_id: UUID) -> Held:
    """Lock all three."""
    refund_id = work.refund_attempts.get(attempt_id).refund_id
    payment = work.payments.get(work.refunds.get(refund_id).payment_id, lock=True)
    refund = work.refunds.get(refund_id, lock=True)
    return Held(payment=payment, refund=refund, attempt=work.refund_attempts.get(attempt_id, lock=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefundReport:
    """Takes every Report about a refund attempt, from every door. Repeats and order don't matter."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, attempt_id: UUID, news: News, call: Call) -> Verdict:
        """What the news, with all that came before, amounts to."""
        with self.unit(call.scope, call=call) as work:
            return self.within(work, attempt_id, news)

    def within(self, work: UnitOfWork, attempt_id: UUID, news: News) -> Verdict:
        """The same inside an open unit."""
        held = hold(work, attempt_id)
        attempt, report = held.attempt, news.report
        if report.reference is not None and report.reference != attempt.reference:
            work.alerts.raise_("foreign_report", attempt.id, "a report names another reference than ours")
            return Verdict.NOTHING
        theirs = report.provider_reference
        if theirs != attempt.provider_reference and self.is_anothers(work, attempt, theirs):
            _foreign(work, held, news, offer_of(self.providers, attempt))
            return Verdict.CONFLICT
        work.evidence.add_report(subject_of(attempt), attempt.id, report, news.secret, work.now)
        tell_unrecognised(work, attempt.connection_id, report)
        if theirs is not None and (attempt.provider_reference is None or news.of_start):
            attempt = replace(attempt, provider_reference=theirs)
        if report.status is Status.NO_NEWS and report.failure is not None:
            # The question itself was refused for our set-up: a person is told before the next one locks the account.
            _pause(work, attempt, report.failure)
        finding = weigh_payout(
            work.evidence.of(subject_of(attempt), attempt.id), asked=attempt.amount, absence_s=self._absence_s(attempt)
        )
        self._apply(work, replace(held, attempt=attempt), finding, news)
        return finding.verdict

    def is_anothers(self, work: UnitOfWork, attempt: RefundAttempt, theirs: str | None) -> bool:
        """Whether the provider knows another order under the id `theirs`."""
        namespace = offer_of(self.providers, attempt).receipt_namespace
        return is_anothers(work, self.providers, attempt.id, namespace, theirs)

    def _absence_s(self, attempt: RefundAttempt) -> int | None:
        if attempt.way is Way.RAIL:
            return None
        return self.providers.channel_capabilities(attempt.code).absence_s

    def _apply(self, work: UnitOfWork, held: Held, finding: Finding, news: News) -> None:
        attempt = held.attempt
        told = news.report.status in (Status.SUCCEEDED, Status.RETURNED)
        match finding.verdict:
            case Verdict.PAID:
                gone(work, held, finding)
            case Verdict.NOT_PAID:
                self.failed(work, held, finding.failure or Failure(kind=FailureKind.OTHER))
            case Verdict.CONFLICT | Verdict.RETURNED:
                _doubt(work, held, news, "reports about the refund contradict one another")
            case Verdict.ASK if attempt.state is RefundAttemptState.FAILED and told:
                _doubt(work, held, news, "an order that failed is reported done")
            case Verdict.ASK if attempt.is_open and (news.wakes or _needs_a_second(attempt, news)):
                _wake(work, held)
            case _:
                _acknowledged(work, held, offer_of(self.providers, attempt), news.report)

    def failed(self, work: UnitOfWork, held: Held, failure: Failure) -> None:
        """A proved failure: another order where one can help, else what is reserved goes back."""
        ended = held.attempt.take(RefundAttemptStep.FAIL, work.now)
        if ended.state is not RefundAttemptState.FAILED or ended.state is held.attempt.state:
            return
        attempt = work.refund_attempts.save(replace(ended, failure=failure, woken=None))
        work.due.drop("refund.look_up", attempt.id)
        if failure.kind is FailureKind.SET_UP:
            _pause(work, attempt, failure)
        refund = held.refund
        if refund.state in REFUND.ends:
            return
        if refund.needs_attention:
            # An earlier order may have been done: the money stays reserved until a person has looked.
            work.refunds.save(refund.take(RefundStep.NEXT, work.now, failure=failure, waiting_for="attention"))
            return
        if self._another_way(work, refund, attempt):
            wait = max(failure.after_s or 0, TRY_AGAIN_S)
            next_one(work, refund.take(RefundStep.NEXT, work.now, failure=failure), wait_s=wait)
            return
        end_failed(work, refund, held.payment, failure)

    def _another_way(self, work: UnitOfWork, refund: Refund, attempt: RefundAttempt) -> bool:
        part = next(p for p in refund.parts if p.receipt_id == attempt.receipt_id)
        tries = list(work.refund_attempts.of(refund.id))
        return way_of(work, self.providers, refund, part, work.receipts.get(part.receipt_id), tries) is not None


def next_one(work: UnitOfWork, refund: Refund, *, wait_s: int = 0) -> None:
    """Another order will be made, for this receipt or for the next one."""
    work.refunds.save(replace(refund, waiting_for="another_attempt" if wait_s else None))
    work.due.put(Due(kind="refund.submit", subject_id=refund.id, due_at=work.now + timedelta(seconds=wait_s)))


def end_failed(work: UnitOfWork, refund: Refund, payment: Payment, failure: Failure) -> None:
    """Book that a refund, or what is left of it, didn't go: the business has that money again."""
    failed = refund.take(RefundStep.FAIL, work.now, failure=failure, waiting_for=None, needs_attention=False)
    failed = work.refunds.save(failed)
    give_back_unsent(work, failed, payment)
    work.due.drop("refund.submit", failed.id)
    work.journal.post(refund_decided(failed, work.refund_attempts.of(failed.id), work.now))
    work.events.put("refund.failed", failed.id, shown.refund(failed))


def gone(work: UnitOfWork, held: Held, finding: Finding) -> None:
    """Book the success once. After a booked failure or cancellation it is a person's case: nothing is posted."""
    refund, attempt, number = held.refund, held.attempt, finding.receipt_number
    before = attempt.state
    if before is RefundAttemptState.SUCCEEDED:
        if number is not None and attempt.receipt_number is None:
            work.refund_attempts.save(replace(attempt, receipt_number=number))
            _learn_number(work, refund, number)
        elif number not in (None, attempt.receipt_number):
            _needs_attention(work, refund, "two numbers are told of one refund")
        return
    if not REFUND.allows(refund.state, RefundStep.SUCCEED):
        work.refund_attempts.save(attempt)
        _needs_attention(work, refund, "proved done after it was booked as not done")
        return
    succeeded = attempt.take(RefundAttemptStep.SUCCEED, work.now, failure=None, receipt_number=number)
    work.refund_attempts.save(succeeded)
    work.due.drop("refund.look_up", attempt.id)
    others = [a for a in work.refund_attempts.of(refund.id) if a.id != attempt.id]
    doubled = before is RefundAttemptState.FAILED and any(
        a.receipt_id == attempt.receipt_id and a.state is not RefundAttemptState.FAILED for a in others
    )
    if doubled or refund.state in REFUND.ends:
        _needs_attention(work, refund, "two orders for one receipt were done, or may be")
        return
    sent = refund.sent_units + attempt.amount.units
    refund = replace(refund, sent_units=sent, receipt_number=refund.receipt_number or number, failure=None)
    if sent < refund.amount.units:
        next_one(work, refund.take(RefundStep.NEXT, work.now))
        return
    happened = finding.happened_at or work.now
    done = work.refunds.save(
        refund.take(RefundStep.SUCCEED, work.now, waiting_for=None, succeeded_at=happened, needs_attention=False)
    )
    work.due.drop("refund.submit", done.id)
    work.journal.post(refund_decided(done, work.refund_attempts.of(done.id), happened))
    work.events.put("refund.succeeded", done.id, shown.refund(done))


def _learn_number(work: UnitOfWork, refund: Refund, number: str) -> None:
    if refund.receipt_number is None:
        work.refunds.save(replace(refund, receipt_number=number, updated=work.now))


def _wake(work: UnitOfWork, held: Held) -> None:
    attempt = replace(held.attempt, woken=0)
    if attempt.state is RefundAttemptState.CREATED:
        # Put back as not sent, and yet the provider has it: it must not be sent again.
        attempt = attempt.take(RefundAttemptStep.LOSE, work.now)
        work.refunds.save(held.refund.take(RefundStep.LOSE, work.now, waiting_for=None))
        work.due.drop("refund.submit", held.refund.id)
    attempt = work.refund_attempts.save(attempt)
    work.due.put(Due(kind="refund.look_up", subject_id=attempt.id, due_at=work.now))


def _needs_a_second(attempt: RefundAttempt, news: News) -> bool:
    """A plain answer that came unsigned is proved by a second one at another address: it is asked for soon, once."""
    plain = news.report.status in (Status.SUCCEEDED, Status.FAILED)
    return news.of_look_up and plain and attempt.woken is None


def _doubt(work: UnitOfWork, held: Held, news: News, why: str) -> None:
    """Nothing is booked and nothing further is sent: a person is told, and the provider is asked once more."""
    attempt = held.attempt
    if news.wakes:
        attempt = replace(attempt, woken=0)
        work.due.put(Due(kind="refund.look_up", subject_id=attempt.id, due_at=work.now))
    work.refund_attempts.save(attempt)
    _needs_attention(work, held.refund, why)


def _foreign(work: UnitOfWork, held: Held, news: News, offer: Capabilities) -> None:
    """It proves nothing of this order; an acknowledgement that names another's transaction is as good as silence."""
    work.alerts.raise_("foreign_report", held.attempt.id, FOREIGN)
    refund = held.refund
    if refund.state in REFUND.ends:
        return
    if news.of_start:
        lost = work.refund_attempts.save(held.attempt.take(RefundAttemptStep.LOSE, work.now))
        refund = work.refunds.save(refund.take(RefundStep.LOSE, work.now))
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="refund.look_up", subject_id=lost.id, due_at=work.now + first))
    _needs_attention(work, refund, FOREIGN)


def _acknowledged(work: UnitOfWork, held: Held, offer: Capabilities, report: Report) -> None:
    sure = report.grade is Grade.ANSWER and report.status is Status.PENDING
    attempt = held.attempt
    unsure = attempt.state in (RefundAttemptState.SUBMITTING, RefundAttemptState.UNKNOWN)
    if not sure or not unsure:
        work.refund_attempts.save(attempt)
        return
    fresh = attempt.state is RefundAttemptState.SUBMITTING and attempt.number == 1
    attempt = work.refund_attempts.save(attempt.take(RefundAttemptStep.ACKNOWLEDGE, work.now))
    refund = work.refunds.save(held.refund.take(RefundStep.ACKNOWLEDGE, work.now))
    if fresh:
        work.events.put("refund.submitted", refund.id, shown.refund(refund))
    first = timedelta(seconds=offer.look_up_ladder_s[0])
    work.due.put(Due(kind="refund.look_up", subject_id=attempt.id, due_at=work.now + first))


def _needs_attention(work: UnitOfWork, refund: Refund, why: str) -> None:
    if not refund.needs_attention:
        work.refunds.save(replace(refund, needs_attention=True, updated=work.now))
    work.alerts.raise_("refund_contradiction", refund.id, why)


def _pause(work: UnitOfWork, attempt: RefundAttempt, failure: Failure) -> None:
    reason = f"the provider says set-up: {failure.provider_code}"
    work.connections.pause(attempt.connection_id, reason, work.now)
    work.alerts.raise_("connection_paused", attempt.connection_id, reason)
