"""Lines about money that left, came back or was taken back: matched with what is ours, and told to it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application.interfaces import Call, OpenUnit
from gateway.application.own_transfers_reports import RecordOwnReport, own_report
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.refund_reports import RecordRefundReport
from gateway.application.reports import News
from gateway.application.reversals import RecordReversal, ReversalOutcome
from gateway.domain.own_transfers import OwnState
from gateway.domain.payouts import PayoutState
from gateway.domain.refunds import RefundAttemptState
from gateway.domain.reversals import SeenReversal
from gateway.domain.statements import KeptLine, Match, MoneyOut, Outcome, Statement
from ports.report import Grade, Report, Status

#: What became of a line, and what it was matched with.
Became = tuple[Outcome, Match | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchMoneyOut:
    """Finds whose a line is, of any business, and reports it there as a statement's word."""

    unit: OpenUnit
    payouts: RecordPayoutReport
    refunds: RecordRefundReport
    reversals: RecordReversal
    own: RecordOwnReport

    def payout(self, statement: Statement, line: KeptLine, call: Call) -> Became | None:
        """Money left: the payout, or the refund by a payout, that it proves. None when no order of ours fits it."""
        found = self._named(statement, line.receipt_number, line.reference, call)
        if found is None:
            return None
        if found.receipt_number not in (None, line.receipt_number):
            # Our order is booked under another number: this would be its money a second time.
            return Outcome.CONFLICT, _match(found)
        report = Report(
            status=Status.SUCCEEDED,
            grade=Grade.FILE,
            receipt_number=line.receipt_number,
            amount=line.amount,
            happened_at=line.happened_at,
        )
        if found.kind == "refund_attempt":
            return self._refund(statement, found, report), _match(found)
        ends = (PayoutState.PAID, PayoutState.RETURNED)
        return self._payout(statement, found, report, ends), _match(found)

    def returned(self, statement: Statement, line: KeptLine, call: Call) -> Became | None:
        """A payout's money came back. None when nobody has the payout that the line names."""
        found = self._named(statement, line.original_receipt or "", None, call)
        if found is None:
            return None
        if found.kind == "refund_attempt":
            # Whom the money belongs to now is for a person: the payment may have been refunded another way.
            return Outcome.CONFLICT, _match(found)
        report = Report(
            status=Status.RETURNED,
            grade=Grade.FILE,
            receipt_number=line.original_receipt,
            amount=line.amount,
            happened_at=line.happened_at,
        )
        return self._payout(statement, found, report, (PayoutState.RETURNED,)), _match(found)

    def reversal(self, statement: Statement, line: KeptLine) -> Became | None:
        """Money that came in was taken back. None when nothing has that receipt."""
        if line.original_receipt is None:
            return None
        seen = SeenReversal(
            namespace=statement.receipt_namespace,
            receipt_number=line.original_receipt,
            reversal_number=line.receipt_number,
            amount=line.amount,
            happened_at=line.happened_at,
            grade=Grade.FILE,
        )
        outcome = self.reversals(seen, livemode=statement.livemode)
        return None if outcome is ReversalOutcome.NO_RECEIPT else (Outcome.MATCHED, None)

    def own_transfer(self, statement: Statement, line: KeptLine, call: Call) -> Became | None:
        """Our own money left one of our floats for another, or arrived there. None when no order of ours fits it."""
        with self.unit(call.scope, call=call) as work:
            found = work.statements.own_transfer(statement.float_id, line)
            if found is None:
                return None
            self.own.within(work, found, News(report=own_report(line)))
            moved = work.own_transfers.get(found)
        agreed = moved.state is OwnState.SUCCEEDED and moved.amount == line.amount
        return Outcome.MATCHED if agreed else Outcome.CONFLICT, Match(kind="own_transfer", id=found)

    def _named(self, statement: Statement, number: str, reference: str | None, call: Call) -> MoneyOut | None:
        with self.unit(call.scope, call=call, read_only=True) as work:
            return work.statements.money_out(statement.float_id, number, reference)

    def _payout(self, statement: Statement, found: MoneyOut, report: Report, ends: tuple[PayoutState, ...]) -> Outcome:
        """Report it, and see whether the payout now stands as the line says."""
        whose = _call(found.business_id, statement)
        with self.unit(whose.scope, call=whose) as work:
            self.payouts.within(work, found.attempt_id, News(report=report))
        with self.unit(whose.scope, call=whose, read_only=True) as work:
            agreed = work.payouts.get(found.object_id).state in ends
        return Outcome.MATCHED if agreed and _same_sum(found, report) else Outcome.CONFLICT

    def _refund(self, statement: Statement, found: MoneyOut, report: Report) -> Outcome:
        whose = _call(found.business_id, statement)
        with self.unit(whose.scope, call=whose) as work:
            self.refunds.within(work, found.attempt_id, News(report=report))
        with self.unit(whose.scope, call=whose, read_only=True) as work:
            agreed = work.refund_attempts.get(found.attempt_id).state is RefundAttemptState.SUCCEEDED
        return Outcome.MATCHED if agreed and _same_sum(found, report) else Outcome.CONFLICT


def _same_sum(found: MoneyOut, report: Report) -> bool:
    return report.amount is not None and report.amount.units == found.amount_units


def _match(found: MoneyOut) -> Match:
    return Match(kind="payout" if found.kind == "payout_attempt" else "refund", id=found.object_id)


def _call(business_id: UUID, statement: Statement) -> Call:
    return Call(business_id=business_id, livemode=statement.livemode)
