"""What a person decides about a refund when no provider will say: a statement's word, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import refund_views as shown
from gateway.application.interfaces import Call, Directory, Json, OpenUnit, UnitOfWork
from gateway.application.operators import Act, OperatorDesk
from gateway.application.refund_reports import RecordRefundReport, end_failed, hold
from gateway.application.reports import News
from gateway.application.resolutions import Word
from gateway.domain.errors import Conflict
from gateway.domain.refunds import REFUND, Refund, RefundAttempt, RefundAttemptState
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain

_BY_HAND = Failure(kind=FailureKind.OTHER, detail="resolved by a person", try_again=TryAgain.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveRefund:
    """Settle a refund whose outcome is unknown, by what the provider's statement says."""

    unit: OpenUnit
    directory: Directory
    desk: OperatorDesk
    record: RecordRefundReport

    def __call__(self, refund_id: UUID, word: Word, act: Act) -> Json:
        """The refund afterwards. Raises Conflict when nothing of it is open."""
        scope = self.directory.scope_of("refund", refund_id)
        call = Call(business_id=scope.business_id, livemode=scope.livemode)
        with self.unit(scope, call=call) as work:
            refund = work.refunds.get(refund_id)
            attempt = _in_doubt(work, refund)
            if attempt is None:
                raise Conflict(f"this refund is {refund.state.value}: there is nothing to resolve")
            if word.receipt_number is None:
                self._not_done(work, attempt.id)
            else:
                report = Report(
                    status=Status.SUCCEEDED,
                    grade=Grade.FILE,
                    receipt_number=word.receipt_number,
                    amount=attempt.amount,
                )
                self.record.within(work, attempt.id, News(report=report))
        self.desk.note(act, "refund.resolve", refund_id)
        with self.unit(scope, read_only=True) as work:
            return shown.refund(work.refunds.get(refund_id))

    def _not_done(self, work: UnitOfWork, attempt_id: UUID) -> None:
        """A statement that doesn't show it is the last word, also against weak news that called it done."""
        self.record.within(
            work, attempt_id, News(report=Report(status=Status.FAILED, grade=Grade.FILE, failure=_BY_HAND))
        )
        held = hold(work, attempt_id)
        if held.refund.state in REFUND.ends:
            return
        refund = work.refunds.save(replace(held.refund, needs_attention=False))
        if held.attempt.is_open:
            self.record.failed(work, replace(held, refund=refund), _BY_HAND)
        else:
            end_failed(work, refund, held.payment, _BY_HAND)


def _in_doubt(work: UnitOfWork, refund: Refund) -> RefundAttempt | None:
    """The order that the person speaks of: the open one, else the last one of a refund that waits for a person."""
    tries = [a for a in work.refund_attempts.of(refund.id) if a.state is not RefundAttemptState.CREATED]
    if refund.state in REFUND.ends or not tries:
        return None
    return tries[-1] if tries[-1].is_open or refund.needs_attention else None
