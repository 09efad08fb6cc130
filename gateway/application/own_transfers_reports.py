"""The one place where a word about a move of our own money becomes state and journal: it arrives by proof alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import (
    Due,
    Providers,
    UnitOfWork,
)
from gateway.application.reports import News
from gateway.domain import postings
from gateway.domain.ids import Prefix, encode
from gateway.domain.own_transfers import OwnState, OwnTransfer
from gateway.domain.proof import Verdict, weigh_payout
from gateway.domain.statements import KeptLine
from ports.payout_channel import ChannelCapabilities
from ports.registration import LookUp, LookUpBy
from ports.report import Failure, FailureKind, Grade, Report, Status

#: What evidence about an own transfer is kept under.
OWN_SUBJECT = "own_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOwnReport:
    """Takes every Report about an own transfer, from every door. Repeats and order don't matter."""

    providers: Providers

    def within(self, work: UnitOfWork, transfer_id: UUID, news: News) -> Verdict:
        """What the news, with all that came before, amounts to."""
        transfer = work.own_transfers.get(transfer_id, lock=True)
        report = news.report
        if report.reference is not None and report.reference != transfer.reference:
            work.alerts.raise_("foreign_report", transfer.id, "a report names another reference than ours")
            return Verdict.NOTHING
        work.evidence.add_report(OWN_SUBJECT, transfer.id, report, news.secret, work.now)
        if report.receipt_number is not None and report.grade is not Grade.FILE and transfer.is_open:
            _add_what_a_statement_said(work, transfer, report.receipt_number)
        if report.provider_reference is not None and transfer.provider_reference is None:
            transfer = replace(transfer, provider_reference=report.provider_reference)
        finding = weigh_payout(work.evidence.of(OWN_SUBJECT, transfer.id), asked=transfer.amount, absence_s=None)
        match finding.verdict:
            case Verdict.PAID:
                arrive(work, transfer, finding.receipt_number, finding.happened_at or work.now)
            case Verdict.NOT_PAID:
                come_back(work, transfer, finding.failure or Failure(kind=FailureKind.OTHER))
            case Verdict.CONFLICT:
                work.own_transfers.save(transfer)
                detail = "reports about a move of our own money contradict one another"
                work.alerts.raise_("own_transfer_unknown", transfer.id, detail)
            case _:
                self._pending(work, transfer, news)
        return finding.verdict

    def _pending(self, work: UnitOfWork, transfer: OwnTransfer, news: News) -> None:
        """Acknowledged, or only weak news of it: the provider is asked where there is something to ask with."""
        report = news.report
        sure = report.grade is Grade.ANSWER and report.status is Status.PENDING and not report.asked
        if sure and transfer.state in (OwnState.SUBMITTING, OwnState.UNKNOWN):
            transfer = replace(transfer, state=OwnState.SUBMITTED)
        transfer = work.own_transfers.save(replace(transfer, updated=work.now))
        offer = self.providers.channel_capabilities(work.connections.get(transfer.connection_id).code)
        plain = report.status in (Status.SUCCEEDED, Status.FAILED)
        if transfer.is_open and can_ask(transfer, offer) and (sure or plain):
            # Asked again at once only for news that came by itself: two answers that differ would keep us asking.
            wait = 0 if plain and not news.of_look_up else offer.look_up_ladder_s[0]
            due_at = work.now + timedelta(seconds=wait)
            work.due.put(Due(kind="own.look_up", subject_id=transfer.id, due_at=due_at))


def _add_what_a_statement_said(work: UnitOfWork, transfer: OwnTransfer, number: str) -> None:
    """Its line may have come before anybody knew the number: it is the same proof then."""
    line = work.statements.own_line((transfer.source_id, transfer.target_id), number)
    if line is not None:
        work.evidence.add_report(OWN_SUBJECT, transfer.id, own_report(line), None, work.now)


def own_report(line: KeptLine) -> Report:
    """A statement's word that a move of our own money was done."""
    return Report(
        status=Status.SUCCEEDED,
        grade=Grade.FILE,
        receipt_number=line.receipt_number,
        amount=line.amount,
        happened_at=line.happened_at,
    )


def can_ask(transfer: OwnTransfer, offer: ChannelCapabilities) -> bool:
    """Whether the channel answers questions and we hold what its question must name."""
    if offer.look_up is LookUp.NONE or transfer.state is OwnState.CREATED:
        return False
    return offer.look_up_by is LookUpBy.OUR_REFERENCE or transfer.provider_reference is not None


def arrive(work: UnitOfWork, transfer: OwnTransfer, number: str | None, at: datetime) -> None:
    """Book the arrival, once. After a booked failure it is a person's case: nothing is posted."""
    if not transfer.is_open:
        if transfer.state is OwnState.FAILED:
            detail = "a move of our own money is proved after it was booked as not done"
            work.alerts.raise_("own_transfer_unknown", transfer.id, detail)
        return
    done = replace(transfer, state=OwnState.SUCCEEDED, receipt_number=number, updated=work.now)
    work.own_transfers.save(done)
    _end(work, done, done.target_id, at)


def come_back(work: UnitOfWork, transfer: OwnTransfer, failure: Failure) -> None:
    """Book that it never left: what was on its way is on its source again, under the key that an arrival would have."""
    if not transfer.is_open:
        return
    failed = replace(transfer, state=OwnState.FAILED, failure=failure, updated=work.now)
    work.own_transfers.save(failed)
    if failed.sends:
        _end(work, failed, failed.source_id, work.now)


def _end(work: UnitOfWork, transfer: OwnTransfer, float_id: UUID, at: datetime) -> None:
    name = encode(Prefix.OWN_TRANSFER, transfer.id)
    journal = postings.own_received(name, float_id, transfer.amount.units, livemode=transfer.livemode, at=at)
    work.journal.post(journal)
    work.floats.settle("own_transfer_unknown", transfer.id)
    work.due.drop("own.look_up", transfer.id)
