"""The proof rule: which news moves money, which only wakes a question, and which is a contradiction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from ports.money import Money
from ports.report import Failure, Grade, Status

#: A prompt's FAILED from a look-up is provisional for so long after the prompt, unless a callback agrees.
PROVISIONAL_S = 120


class Verdict(Enum):
    """What a pile of evidence amounts to."""

    NOTHING = "nothing"
    """No news: wait for the next question."""
    ASK = "ask"
    """Weak news alone: wake the look-up."""
    PAID = "paid"
    NOT_PAID = "not_paid"
    RETURNED = "returned"
    CONFLICT = "conflict"
    """Reports contradict one another, or name another amount: nothing is posted until strong news with the amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One report as it was kept. `secret` says by which door's secret weak news came (None for strong news)."""

    at: datetime
    grade: Grade
    status: Status
    secret: UUID | None = None
    receipt_number: str | None = None
    amount: Money | None = None
    happened_at: datetime | None = None
    failure: Failure | None = None
    found_nothing: bool = False
    payer_hint: str | None = None

    @property
    def is_strong(self) -> bool:
        """Whether it can move money by itself."""
        return self.grade.is_strong


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict and what was proved: the amount that moved, the receipt's number and time where known."""

    verdict: Verdict
    amount: Money | None = None
    receipt_number: str | None = None
    number_is_strong: bool = False
    happened_at: datetime | None = None
    failure: Failure | None = None
    payer_hint: str | None = None


_NOTHING = Finding(verdict=Verdict.NOTHING)
_ASK = Finding(verdict=Verdict.ASK)
_CONFLICT = Finding(verdict=Verdict.CONFLICT)


def weigh_collection(
    evidence: Sequence[Evidence], *, asked: Money, fixed_amount: bool, started_at: datetime | None, now: datetime
) -> Finding:
    """What all news of one collection attempt amounts to. Order and repeats don't matter.

    Success: one strong report (silent on the amount is enough where it is fixed and nobody names another), or two weak
    ones by different secrets that agree on receipt and amount. Failure: a strong FAILED, older than `PROVISIONAL_S`
    after the start or with a callback that agrees, and nobody who says paid.
    """
    paid = [e for e in evidence if e.status is Status.SUCCEEDED]
    if paid:
        return _weigh_paid(paid, asked, fixed_amount)
    failed = [e for e in evidence if e.status is Status.FAILED]
    strong = [e for e in failed if e.is_strong]
    weak = [e for e in failed if not e.is_strong]
    if strong:
        settled = started_at is None or (now - started_at).total_seconds() >= PROVISIONAL_S
        if settled or weak:
            return Finding(verdict=Verdict.NOT_PAID, failure=(weak or strong)[-1].failure)
        return _ASK
    return _ASK if weak else _NOTHING


def _weigh_paid(paid: Sequence[Evidence], asked: Money, fixed_amount: bool) -> Finding:
    strong = [e for e in paid if e.is_strong]
    named = [e for e in strong if e.amount is not None]
    if named:
        # Strong news with the amount is the last word on it.
        return _proved(paid, named[-1].amount)
    amounts = {e.amount for e in paid if e.amount is not None}
    if fixed_amount and amounts - {asked}:
        return _CONFLICT
    if strong and fixed_amount:
        return _proved(paid, asked)
    pair = agreeing_pair(paid)
    if pair is not None:
        return _proved(paid, pair.amount)
    return _ASK


def agreeing_pair(weak: Sequence[Evidence]) -> Evidence | None:
    """One of two weak reports that came by different secrets and agree on receipt and amount; None without such two."""
    for i, one in enumerate(weak):
        for other in weak[i + 1 :]:
            same = one.receipt_number == other.receipt_number and one.amount == other.amount
            if same and one.receipt_number and one.amount and one.secret != other.secret:
                return one
    return None


def _proved(paid: Sequence[Evidence], amount: Money | None) -> Finding:
    strong_numbers = [e for e in paid if e.is_strong and e.receipt_number]
    numbers = strong_numbers or [e for e in paid if e.receipt_number and e.amount in (None, amount)]
    number = numbers[0] if numbers else None
    when = next((e.happened_at for e in (*numbers, *paid) if e.happened_at), None)
    return Finding(
        verdict=Verdict.PAID,
        amount=amount,
        receipt_number=number.receipt_number if number else None,
        number_is_strong=bool(strong_numbers),
        happened_at=when,
        payer_hint=next((e.payer_hint for e in paid if e.payer_hint), None),
    )


def weigh_payout(evidence: Sequence[Evidence], *, asked: Money, absence_s: int | None) -> Finding:
    """What all news of one payout attempt amounts to. Order and repeats don't matter.

    Paid, returned and failed need one strong report, or two weak ones by different secrets that agree. A failure is
    also proved by one weak report of it and two look-ups, `absence_s` apart, that found nothing. Contradiction stays
    unknown: neither is booked.
    """
    for status, verdict in ((Status.RETURNED, Verdict.RETURNED), (Status.SUCCEEDED, Verdict.PAID)):
        found = _payout_proved([e for e in evidence if e.status is status], asked, verdict)
        if found is not None:
            return found
    paid = any(e.status is Status.SUCCEEDED for e in evidence)
    failed = [e for e in evidence if e.status is Status.FAILED]
    if failed and paid:
        return _CONFLICT
    if any(e.is_strong for e in failed) or len({e.secret for e in failed}) >= 2 or _absent(evidence, failed, absence_s):
        return Finding(verdict=Verdict.NOT_PAID, failure=failed[-1].failure)
    if failed or paid or any(e.status is Status.RETURNED for e in evidence):
        return _ASK
    return _NOTHING


def _payout_proved(found: Sequence[Evidence], asked: Money, verdict: Verdict) -> Finding | None:
    if not found:
        return None
    strong = [e for e in found if e.is_strong]
    one = strong[-1] if strong else agreeing_pair(found)
    if one is None:
        return None
    if one.amount is not None and one.amount != asked:
        return _CONFLICT
    number = next((e.receipt_number for e in (one, *found) if e.receipt_number), None)
    when = next((e.happened_at for e in (one, *found) if e.happened_at), None)
    return Finding(verdict=verdict, amount=asked, receipt_number=number, happened_at=when)


def _absent(evidence: Sequence[Evidence], failed: Sequence[Evidence], absence_s: int | None) -> bool:
    """Whether a reported failure is borne out by two empty look-ups, far enough apart."""
    if not failed or absence_s is None:
        return False
    empty = [e.at for e in evidence if e.found_nothing]
    return bool(empty) and (max(empty) - min(empty)).total_seconds() >= absence_s
