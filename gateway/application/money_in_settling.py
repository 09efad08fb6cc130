"""What becomes of an incoming sum: its try's evidence, its payment's receipt, suspense, or a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.attempts import lock
from gateway.application.interfaces import Call, Due, OpenUnit, Page, Providers, Scope, UnitOfWork
from gateway.application.late_lines import wake_waiting
from gateway.application.loose_receipts import loose_receipt
from gateway.application.money_in import RECORD_SUBJECT, house
from gateway.application.reports import News, RecordReport, take_money, tell_conflict
from gateway.domain import postings
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import NotFound
from gateway.domain.external_records import ExternalRecord, Found, LooseReceipt, RecordState, weigh_sum
from gateway.domain.matching import masked_reference
from gateway.domain.proof import Evidence, Finding, Verdict
from ports.payment_rail import LandsIn, RailCapabilities
from ports.registration import LookUp, LookUpBy
from ports.report import MoneyIn, Report, Status

#: A sum that may be another's is looked at again after this.
AGAIN_S = 60
#: And after a day, when a person may be long at it.
LATER_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of a sum: the record, every report of it, what they prove, and whose it is."""

    record: ExternalRecord
    evidence: Sequence[Evidence]
    finding: Finding
    offer: RailCapabilities
    found: Found | None
    owner: UUID | None
    ambiguous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleMoneyIn:
    """Each step is a unit of its own and may be repeated: a crash between two of them changes nothing."""

    unit: OpenUnit
    providers: Providers
    record: RecordReport

    def __call__(self, record_id: UUID, call: Call) -> datetime | None:
        """When to look again, or None."""
        with self.unit(call.scope, call=call) as work:
            known = self._know(work, record_id)
        if known.owner not in (None, HOUSE):
            self._mark(call, record_id, RecordState.BOOKED, known)
            return None
        if known.found is not None:
            self._tell_its_try(known, known.found)
        with self.unit(call.scope, call=call) as work:
            return work.ends(self._close(work, record_id))

    def _know(self, work: UnitOfWork, record_id: UUID, *, lock_it: bool = False) -> Known:
        record = work.records.get(record_id, lock=lock_it)
        offer = self.providers.rail_capabilities(work.connections.get(record.connection_id).code)
        evidence = work.evidence.of(RECORD_SUBJECT, record_id)
        finding = weigh_sum(evidence, trusted=record.trusted, decided=record.decided_units)
        units = finding.amount.units if finding.amount is not None else 0
        # A reference that travels may name nobody; only where none travels may the sum be that of an open prompt.
        ambiguous = not offer.reference_travels and units > 0 and work.records.is_ambiguous(record.float_id, units)
        return Known(
            record=record,
            evidence=evidence,
            finding=finding,
            offer=offer,
            found=work.records.named(record.float_id, record.reference) if record.reference else None,
            owner=work.records.owner(record.receipt_namespace, record.receipt_number),
            ambiguous=ambiguous,
        )

    def _mark(self, call: Call, record_id: UUID, state: RecordState, known: Known) -> None:
        with self.unit(call.scope, call=call) as work:
            wake_waiting(work, original=(known.record.receipt_namespace, known.record.receipt_number))
            _save(work, work.records.get(record_id, lock=True), state, known)

    def _tell_its_try(self, known: Known, found: Found) -> None:
        """In the scope of the business: the reports become the try's, and what they prove is booked."""
        scope = Scope(business_id=found.business_id, livemode=known.record.livemode)
        call = Call(business_id=found.business_id, livemode=known.record.livemode)
        with self.unit(scope, call=call) as work:
            payment, attempt = lock(work, found.attempt_id)
            offer = self.providers.rail_capabilities(attempt.rail)
            if known.finding.verdict is Verdict.CONFLICT:
                # Told one by one, the first of them would be taken.
                if known.record.state is not RecordState.DISMISSED:
                    tell_conflict(work, payment)
                return
            if not offer.one_payment:
                if known.finding.verdict is Verdict.PAID:
                    take_money(work, payment, attempt, offer, known.finding)
                return
            if _is_its_own(work, attempt.id, known.record.receipt_number):
                for news in _as_news(known):
                    self.record.within(work, attempt.id, news)
                self._take_all_the_same(work, known, found.attempt_id)
                return
            if known.finding.verdict is Verdict.PAID:
                take_money(work, payment, attempt, offer, known.finding, apart=True)

    def _take_all_the_same(self, work: UnitOfWork, known: Known, attempt_id: UUID) -> None:
        """What the policy alone proves: an announcement that was trusted, of exactly the sum that was asked.

        And the sum that a person decided for, whatever was asked.
        """
        payment, attempt = lock(work, attempt_id)
        if work.receipts.of_attempt(attempt_id) is not None:
            return
        trusted = known.record.trusted and known.finding.amount == attempt.amount
        if trusted or known.record.decided_units is not None:
            take_money(work, payment, attempt, self.providers.rail_capabilities(attempt.rail), known.finding)

    def _close(self, work: UnitOfWork, record_id: UUID) -> datetime | None:
        """What is left to do once its try has been told."""
        known = self._know(work, record_id, lock_it=True)
        record, finding = known.record, known.finding
        if known.owner is not None:
            _save(work, record, RecordState.SUSPENSE if known.owner == HOUSE else RecordState.BOOKED, known)
            wake_waiting(work, original=(record.receipt_namespace, record.receipt_number))
            return None
        if finding.verdict is Verdict.CONFLICT:
            if record.state is RecordState.DISMISSED and not _is_contradicted_since(known):
                return None
            _save(work, record, RecordState.CONFLICT, known)
            work.alerts.raise_("receipt_conflict", record.id, "reports of one receipt number name different amounts")
            return None
        if finding.verdict is not Verdict.PAID:
            self._ask(work, known)
            return None
        if known.found is not None or known.ambiguous:
            # Its try has it as evidence and can't book it yet; or it may be the sum of a receipt without a number.
            _save(work, record, RecordState.UNMATCHED, known)
            young = work.now < record.created + timedelta(days=1)
            return work.now + timedelta(seconds=AGAIN_S if young else LATER_S)
        if known.offer.lands_in is LandsIn.CLEARING:
            # A partner's order that none of our tries has: it lies with the partner, on no float of ours.
            _save(work, record, RecordState.UNMATCHED, known)
            work.alerts.raise_("receipt_unmatched", record.id, "a partner collected money for an order that isn't ours")
            return work.now + timedelta(seconds=LATER_S)
        self._suspend(work, known)
        return None

    def _ask(self, work: UnitOfWork, known: Known) -> None:
        """Weak news alone: ask by the receipt, where the provider can be asked; else a history or statement tells."""
        offer = known.offer
        if offer.look_up is not LookUp.NONE and offer.look_up_by is LookUpBy.RECEIPT:
            work.due.put(Due(kind="money.look_up", subject_id=known.record.id, due_at=work.now))

    def _suspend(self, work: UnitOfWork, known: Known) -> None:
        """Proved and nobody's: into suspense, and shown to the business whose tag was typed."""
        record, finding = known.record, known.finding
        if finding.amount is None:
            raise ValueError("what is proved names its amount")
        loose = LooseReceipt(
            id=work.new_id(),
            livemode=record.livemode,
            created=work.now,
            updated=work.now,
            float_id=record.float_id,
            receipt_namespace=record.receipt_namespace,
            receipt_number=record.receipt_number,
            amount=finding.amount,
            happened_at=finding.happened_at or work.now,
            payer_hint=finding.payer_hint,
            candidate_id=work.records.candidate(record.reference) if record.reference else None,
            typed_masked=masked_reference(record.reference),
        )
        if not work.loose_receipts.add(loose):
            # Booked by its try in this very moment: the next look finds it.
            work.due.put(Due(kind="money.settle", subject_id=record.id, due_at=work.now))
            return
        work.journal.post(postings.receipt_in_suspense(loose))
        _save(work, record, RecordState.SUSPENSE, known)
        wake_waiting(work, original=(record.receipt_namespace, record.receipt_number))
        if loose.candidate_id is None:
            work.alerts.raise_("receipt_unmatched", loose.id, "money in suspense that bears no business's tag")
        else:
            work.due.put(Due(kind="receipt.offer", subject_id=loose.id, due_at=work.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReceipt:
    """Tell the business whose tag was typed, once, that money of its shoppers may be in suspense."""

    unit: OpenUnit

    def __call__(self, receipt_id: UUID, call: Call) -> datetime | None:
        """None: there is nothing to time."""
        with self.unit(house(call.livemode), read_only=True) as work:
            try:
                loose = work.loose_receipts.get(receipt_id)
            except NotFound:
                # Assigned in the meantime.
                return None
        if loose.candidate_id is None:
            return None
        scope = Scope(business_id=loose.candidate_id, livemode=call.livemode)
        with self.unit(scope, call=Call(business_id=scope.business_id, livemode=scope.livemode)) as work:
            told = {"type": "receipt.unmatched", "object_id": receipt_id}
            if not work.events.page(Page(limit=1, filters=told))[0]:
                work.events.put("receipt.unmatched", receipt_id, loose_receipt(loose))
        return None


def _is_contradicted_since(known: Known) -> bool:
    """Whether strong news came after a person had said that the sum is none of ours."""
    decided = known.record.decided_at
    return decided is None or any(e.is_strong and e.at > decided for e in known.evidence)


def _save(work: UnitOfWork, record: ExternalRecord, state: RecordState, known: Known) -> None:
    owner = known.owner if known.owner not in (None, HOUSE) else record.owner_id
    attempt = known.found.attempt_id if known.found else record.attempt_id
    after = replace(record, state=state, owner_id=owner, attempt_id=attempt)
    if after != record:
        work.records.save(replace(after, updated=work.now))


def _is_its_own(work: UnitOfWork, attempt_id: UUID, number: str) -> bool:
    """Whether the number may be the try's one receipt: it has none yet, or this one, and nobody names another."""
    booked = work.receipts.of_attempt(attempt_id)
    if booked is not None and booked.receipt_number is not None:
        return booked.receipt_number == number
    named = {e.receipt_number for e in work.evidence.of("attempt", attempt_id) if e.receipt_number}
    return not named - {number}


def _as_news(known: Known) -> list[News]:
    """The record's reports as the try's, each by the door that it came through; what a person decided against isn't."""
    record = known.record
    return [
        News(
            report=Report(
                status=Status.SUCCEEDED,
                grade=e.grade,
                money=(
                    MoneyIn(
                        receipt_namespace=record.receipt_namespace,
                        receipt_number=record.receipt_number,
                        amount=e.amount,
                        happened_at=e.happened_at,
                        payer_hint=e.payer_hint,
                    ),
                ),
            ),
            secret=e.secret,
        )
        for e in known.evidence
        if e.amount is None or record.decided_units in (None, e.amount.units)
    ]
