"""The one place where a provider's word about a payout becomes state, event and journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.foreign_orders import FOREIGN, is_anothers
from gateway.application.interfaces import Call, Due, OpenUnit, Providers, UnitOfWork
from gateway.application.reports import News, tell_unrecognised
from gateway.domain import postings
from gateway.domain.conversions import ConversionStep
from gateway.domain.ledger import Journal
from gateway.domain.payouts import (
    PAYOUT,
    Payout,
    PayoutAttempt,
    PayoutAttemptState,
    PayoutAttemptStep,
    PayoutState,
    PayoutStep,
)
from gateway.domain.postings_of_treasury import cost_of, payout_paid_from_chain
from gateway.domain.proof import Finding, Verdict, weigh_payout
from ports.payout_channel import ChannelCapabilities
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain

#: So many instructions are tried for one payout before it fails.
ATTEMPTS_MAX = 3
#: The least wait before another instruction.
TRY_AGAIN_S = 30

__all__ = ["News", "RecordPayoutReport", "fail_payout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayoutReport:
    """Takes every Report about a payout attempt, from every door. Repeats and order don't matter."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, attempt_id: UUID, news: News, call: Call) -> Verdict:
        """What the news, with all that came before, amounts to."""
        with self.unit(call.scope, call=call) as work:
            return self.within(work, attempt_id, news)

    def within(self, work: UnitOfWork, attempt_id: UUID, news: News) -> Verdict:
        """The same inside an open unit. Rows are locked payout first, attempt second, as everywhere."""
        payout = work.payouts.get(work.payout_attempts.get(attempt_id).payout_id, lock=True)
        attempt = work.payout_attempts.get(attempt_id, lock=True)
        report = news.report
        if report.reference is not None and report.reference != attempt.reference:
            work.alerts.raise_("foreign_report", attempt.id, "a report names another reference than ours")
            return Verdict.NOTHING
        offer = self.providers.channel_capabilities(attempt.channel)
        theirs = report.provider_reference
        if theirs != attempt.provider_reference and self.is_anothers(work, attempt, theirs):
            _foreign(work, payout, attempt, offer, news)
            return Verdict.CONFLICT
        work.evidence.add_report("payout_attempt", attempt.id, report, news.secret, work.now)
        tell_unrecognised(work, attempt.connection_id, report)
        if theirs is not None and (attempt.provider_reference is None or news.of_start):
            attempt = replace(attempt, provider_reference=theirs)
        if report.status is Status.NO_NEWS and report.failure is not None:
            # The question itself was refused for our set-up: a person is told before the next one locks the account.
            _pause(work, attempt, report.failure)
        finding = weigh_payout(
            work.evidence.of("payout_attempt", attempt.id), asked=attempt.amount, absence_s=offer.absence_s
        )
        _apply(work, payout, attempt, offer, finding, news)
        return finding.verdict

    def is_anothers(self, work: UnitOfWork, attempt: PayoutAttempt, theirs: str | None) -> bool:
        """Whether the provider knows another order under the id `theirs`."""
        namespace = self.providers.channel_capabilities(attempt.channel).receipt_namespace
        return is_anothers(work, self.providers, attempt.id, namespace, theirs)


def _foreign(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, offer: ChannelCapabilities, news: News) -> None:
    """It proves nothing of this order; an acknowledgement that names another's transaction is as good as silence."""
    work.alerts.raise_("foreign_report", attempt.id, FOREIGN)
    if payout.state in PAYOUT.ends or payout.state is PayoutState.PAID:
        return
    if news.of_start:
        lost = work.payout_attempts.save(attempt.take(PayoutAttemptStep.LOSE, work.now))
        payout = work.payouts.save(payout.take(PayoutStep.LOSE, work.now))
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="payout.look_up", subject_id=lost.id, due_at=work.now + first))
    _needs_attention(work, payout, FOREIGN)


def _apply(
    work: UnitOfWork,
    payout: Payout,
    attempt: PayoutAttempt,
    offer: ChannelCapabilities,
    finding: Finding,
    news: News,
) -> None:
    match finding.verdict:
        case Verdict.PAID:
            pay(work, payout, attempt, finding)
        case Verdict.RETURNED:
            give_back(work, payout, attempt, finding)
        case Verdict.NOT_PAID:
            fail_payout(work, payout, attempt, finding.failure or Failure(kind=FailureKind.OTHER))
        case Verdict.CONFLICT:
            _doubt(work, payout, attempt, news, "reports about the payout contradict one another")
        case Verdict.ASK if attempt.state is PayoutAttemptState.FAILED and _tells_of_money(news.report):
            _doubt(work, payout, attempt, news, "an attempt that failed is reported paid")
        case Verdict.ASK if attempt.is_open and (news.wakes or _needs_a_second(attempt, news)):
            _wake(work, payout, attempt)
        case _:
            _acknowledged(work, payout, attempt, offer, news.report)


def _wake(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt) -> None:
    attempt = replace(attempt, woken=0)
    if attempt.state is PayoutAttemptState.CREATED:
        # Put back as not sent, and yet the provider has it: it must not be sent again.
        attempt = attempt.take(PayoutAttemptStep.LOSE, work.now)
        work.payouts.save(payout.take(PayoutStep.LOSE, work.now, waiting_for=None))
        work.due.drop("payout.submit", payout.id)
    attempt = work.payout_attempts.save(attempt)
    work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now))


def _needs_a_second(attempt: PayoutAttempt, news: News) -> bool:
    """An answer that is plain but came unsigned is proved by a second one at another address: it is asked for soon,
    and once, or two answers that differ would keep us asking."""
    plain = news.report.status in (Status.SUCCEEDED, Status.FAILED, Status.RETURNED)
    return news.of_look_up and plain and attempt.woken is None


def _tells_of_money(report: Report) -> bool:
    return report.status in (Status.SUCCEEDED, Status.RETURNED)


def _doubt(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, news: News, why: str) -> None:
    """Nothing is booked and nothing further is sent: a person is told, and the provider is asked once more."""
    if news.wakes:
        attempt = replace(attempt, woken=0)
        work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now))
    work.payout_attempts.save(attempt)
    _needs_attention(work, payout, why)


def _acknowledged(
    work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, offer: ChannelCapabilities, report: Report
) -> None:
    sure = report.grade is Grade.ANSWER and report.status is Status.PENDING and not report.asked
    before = attempt.state
    if not sure or before not in (PayoutAttemptState.SUBMITTING, PayoutAttemptState.UNKNOWN):
        work.payout_attempts.save(attempt)
        return
    attempt = work.payout_attempts.save(attempt.take(PayoutAttemptStep.ACKNOWLEDGE, work.now))
    payout = work.payouts.save(payout.take(PayoutStep.ACKNOWLEDGE, work.now))
    work.events.put("payout.in_transit", payout.id, shown.payout(payout))
    first = timedelta(seconds=offer.look_up_ladder_s[0])
    work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now + first))


def _needs_attention(work: UnitOfWork, payout: Payout, why: str) -> None:
    if not payout.needs_attention:
        work.payouts.save(replace(payout, needs_attention=True, updated=work.now))
    work.alerts.raise_("payout_contradiction", payout.id, why)


def pay(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, finding: Finding) -> None:
    """Book the success once. After a booked failure or cancellation it is a person's case: nothing is posted."""
    if not PAYOUT.allows(payout.state, PayoutStep.PAY):
        work.payout_attempts.save(attempt)
        _needs_attention(work, payout, "proved paid after it was booked as not paid")
        return
    number = finding.receipt_number
    succeeded = attempt.take(PayoutAttemptStep.SUCCEED, work.now, failure=None)
    work.payout_attempts.save(replace(succeeded, receipt_number=attempt.receipt_number or number))
    doubled = _end_others(work, payout, attempt)
    paid = payout.take(
        PayoutStep.PAY,
        work.now,
        waiting_for=None,
        failure=None,
        needs_attention=doubled,
        receipt_number=payout.receipt_number or number,
    )
    if paid.state is payout.state:
        if attempt.state is not PayoutAttemptState.SUCCEEDED:
            _needs_attention(work, payout, "two attempts of one payout were paid")
        return
    happened = finding.happened_at or work.now
    paid = work.payouts.save(replace(paid, paid_at=happened))
    _stop_timers(work, payout, attempt)
    work.journal.post(_outcome(work, paid, attempt, happened))
    work.events.put("payout.paid", paid.id, shown.payout(paid))


def _outcome(work: UnitOfWork, paid: Payout, attempt: PayoutAttempt, at: datetime) -> Journal:
    """What the books make of it: money left a float, or tokens had left a wallet before."""
    conversion = work.conversions.of_source(attempt.id)
    if conversion is None:
        return postings.payout_paid(paid, attempt.float_id, at)
    tokens, fiat = work.conversions.positions(conversion.tokens.asset.code, paid.amount.asset.code)
    work.conversions.save(
        conversion.take(
            ConversionStep.ARRIVE, work.now, got_units=conversion.tokens.units, converted_units=paid.amount.units
        )
    )
    return payout_paid_from_chain(paid, conversion, cost_of(conversion.tokens.units, tokens, fiat), at)


def _end_others(work: UnitOfWork, payout: Payout, paid: PayoutAttempt) -> bool:
    """End an attempt that wasn't sent. Gives whether another one may have left: its money is then paid twice."""
    for other in work.payout_attempts.of(payout.id):
        if other.id == paid.id or not other.is_open:
            continue
        if other.state is not PayoutAttemptState.CREATED:
            work.alerts.raise_("payout_contradiction", payout.id, "paid by one attempt while another is out")
            return True
        ended = work.payout_attempts.get(other.id, lock=True).take(PayoutAttemptStep.FAIL, work.now)
        work.payout_attempts.save(replace(ended, failure=Failure(kind=FailureKind.OTHER, detail="not needed")))
    return False


def give_back(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, finding: Finding) -> None:
    """The money came back: what was paid is the business's again."""
    if payout.state is PayoutState.RETURNED:
        return
    if payout.state is not PayoutState.PAID:
        # It left and came back before its success was told: both facts are booked, in their order.
        pay(work, payout, attempt, finding)
        payout = work.payouts.get(payout.id, lock=True)
        if payout.state is not PayoutState.PAID:
            return
    returned = work.payouts.save(payout.take(PayoutStep.RETURN, work.now))
    work.journal.post(postings.payout_returned(returned, attempt.float_id, finding.happened_at or work.now))
    work.events.put("payout.returned", returned.id, shown.payout(returned))


def fail_payout(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, failure: Failure) -> None:
    """A proved failure: another instruction where that can help, else the reservation goes back."""
    failed = attempt.take(PayoutAttemptStep.FAIL, work.now)
    if failed.state is not PayoutAttemptState.FAILED or failed.state is attempt.state:
        return
    attempt = work.payout_attempts.save(replace(failed, failure=failure, woken=None))
    work.due.drop("payout.look_up", attempt.id)
    _keep_account_of_tokens(work, attempt)
    if failure.kind is FailureKind.SET_UP:
        _pause(work, attempt, failure)
    if payout.state in PAYOUT.ends:
        return
    if payout.needs_attention:
        # An earlier attempt may have been paid: the money stays reserved until a person has looked.
        work.payouts.save(payout.take(PayoutStep.TRY_AGAIN, work.now, failure=failure, waiting_for="attention"))
        return
    if _may_help(failure, attempt):
        again = work.payouts.save(
            payout.take(PayoutStep.TRY_AGAIN, work.now, failure=failure, waiting_for="another_attempt")
        )
        wait = timedelta(seconds=max(failure.after_s or 0, TRY_AGAIN_S))
        work.due.put(Due(kind="payout.submit", subject_id=again.id, due_at=work.now + wait))
        work.events.put("payout.queued", again.id, shown.payout(again))
        return
    _stop_timers(work, payout, attempt)
    release(work, payout, failure)


def _keep_account_of_tokens(work: UnitOfWork, attempt: PayoutAttempt) -> None:
    """What had left for it is still with the partner, which owes it until it comes back or a person decides."""
    conversion = work.conversions.of_source(attempt.id)
    if conversion is None or not conversion.is_open:
        return
    work.conversions.save(conversion.take(ConversionStep.FAIL, work.now))
    if conversion.tx is not None:
        work.alerts.raise_("tokens_left", conversion.id, "a payout failed after its tokens had left")


def release(work: UnitOfWork, payout: Payout, failure: Failure) -> None:
    """Book that a payout wasn't paid: amount and fee are the business's again."""
    failed = payout.take(PayoutStep.FAIL, work.now, failure=failure, waiting_for=None, needs_attention=False)
    failed = work.payouts.save(failed)
    work.journal.post(postings.payout_not_paid(failed, work.now))
    work.events.put("payout.failed", failed.id, shown.payout(failed))


def _pause(work: UnitOfWork, attempt: PayoutAttempt, failure: Failure) -> None:
    reason = f"the provider says set-up: {failure.provider_code}"
    work.connections.pause(attempt.connection_id, reason, work.now)
    work.alerts.raise_("connection_paused", attempt.connection_id, reason)


def _may_help(failure: Failure, attempt: PayoutAttempt) -> bool:
    if failure.kind is FailureKind.SET_UP:
        return True
    return failure.try_again is TryAgain.LATER and attempt.number < ATTEMPTS_MAX


def _stop_timers(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt) -> None:
    work.due.drop("payout.look_up", attempt.id)
    work.due.drop("payout.submit", payout.id)
