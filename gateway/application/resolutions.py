"""What a person decides when no provider will say: a statement's word, entered by hand, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.attempts import lock
from gateway.application.interfaces import Call, Directory, Json, OpenUnit, UnitOfWork
from gateway.application.operators import Act, OperatorDesk
from gateway.application.payout_reports import RecordPayoutReport, fail_payout, release
from gateway.application.reports import News, RecordReport, fail
from gateway.domain.attempts import ASKABLE, DOUBTED
from gateway.domain.errors import Conflict
from gateway.domain.payouts import PAYOUT, Payout, PayoutAttempt, PayoutAttemptState
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status, TryAgain


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the statement says: the receipt number of what was paid, or None for "it isn't there"."""

    receipt_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayout:
    """Settle a payout whose outcome is unknown, by what the provider's statement says."""

    unit: OpenUnit
    directory: Directory
    desk: OperatorDesk
    record: RecordPayoutReport

    def __call__(self, payout_id: UUID, word: Word, act: Act) -> Json:
        """The payout afterwards. Raises Conflict when nothing of it is open."""
        call = _call(self.directory, "payout", payout_id)
        with self.unit(call.scope, call=call) as work:
            payout = work.payouts.get(payout_id, lock=True)
            attempt = _in_doubt(work, payout)
            if attempt is None:
                raise Conflict(f"this payout is {payout.state.value}: there is nothing to resolve")
            report = Report(status=Status.FAILED, grade=Grade.FILE, failure=_by_hand())
            if word.receipt_number is not None:
                report = Report(
                    status=Status.SUCCEEDED,
                    grade=Grade.FILE,
                    receipt_number=word.receipt_number,
                    amount=payout.amount,
                )
            self.record.within(work, attempt.id, News(report=report))
            if word.receipt_number is None:
                _release_all_the_same(work, payout_id, attempt.id)
        self.desk.note(act, "payout.resolve", payout_id)
        with self.unit(call.scope, read_only=True) as work:
            return shown.payout(work.payouts.get(payout_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayment:
    """Settle a payment's open try by what the provider's statement says."""

    unit: OpenUnit
    directory: Directory
    desk: OperatorDesk
    record: RecordReport

    def __call__(self, payment_id: UUID, word: Word, act: Act) -> Json:
        """The payment afterwards; also a failed try may prove paid. Raises Conflict when there is nothing to settle."""
        call = _call(self.directory, "payment", payment_id)
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(payment_id, lock=True)
            states = ASKABLE if word.receipt_number is None else ASKABLE | DOUBTED
            tries = [a for a in work.attempts.of(payment_id) if a.state in states]
            if not tries:
                raise Conflict(f"this payment is {payment.state.value}: no try of it is open")
            attempt = max(tries, key=lambda a: (a.state in ASKABLE, a.number))
            report = Report(status=Status.FAILED, grade=Grade.FILE, failure=_by_hand())
            if word.receipt_number is not None:
                namespace = self.record.providers.rail_capabilities(attempt.rail).receipt_namespace
                money = MoneyIn(receipt_namespace=namespace, receipt_number=word.receipt_number, amount=attempt.amount)
                report = Report(status=Status.SUCCEEDED, grade=Grade.FILE, money=(money,))
            self.record.within(work, attempt.id, News(report=report))
            if word.receipt_number is None:
                # A statement that doesn't show it is the last word, also against a callback that called it paid.
                payment, attempt = lock(work, attempt.id)
                fail(work, payment, attempt, _by_hand())
        self.desk.note(act, "payment.resolve", payment_id)
        with self.unit(call.scope, read_only=True) as work:
            return shown.payment(work.payments.get(payment_id))


def _in_doubt(work: UnitOfWork, payout: Payout) -> PayoutAttempt | None:
    """The attempt that the person speaks of: the open one, else the one that was reported paid after it had failed."""
    tries = [a for a in work.payout_attempts.of(payout.id) if a.state is not PayoutAttemptState.CREATED]
    if payout.state in PAYOUT.ends or not tries:
        return None
    if tries[-1].is_open:
        return tries[-1]
    if not payout.needs_attention:
        return None
    told = (a for a in tries if any(e.status is Status.SUCCEEDED for e in work.evidence.of("payout_attempt", a.id)))
    return next(told, tries[-1])


def _release_all_the_same(work: UnitOfWork, payout_id: UUID, attempt_id: UUID) -> None:
    """A statement that doesn't show it is the last word, also against weak news that called it paid."""
    payout = work.payouts.get(payout_id, lock=True)
    if payout.state in PAYOUT.ends:
        return
    attempt = work.payout_attempts.get(attempt_id, lock=True)
    if attempt.is_open:
        payout = work.payouts.save(replace(payout, needs_attention=False))
        fail_payout(work, payout, attempt, _by_hand())
    else:
        release(work, payout, _by_hand())


def _by_hand() -> Failure:
    return Failure(kind=FailureKind.OTHER, detail="resolved by a person", try_again=TryAgain.NEVER)


def _call(directory: Directory, kind: str, object_id: UUID) -> Call:
    scope = directory.scope_of(kind, object_id)
    return Call(business_id=scope.business_id, livemode=scope.livemode)
