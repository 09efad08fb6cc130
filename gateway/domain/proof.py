"""The proof rule: which news moves money, which only wakes a question, and which is a contradiction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from ports.money import Money
from ports.report import Failure, FailureKind, Grade, Status

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
    if strong:
        settled = started_at is None or (now - started_at).total_seconds() >= PROVISIONAL_S
        if settled or len(failed) > len(strong):
            return Finding(verdict=Verdict.NOT_PAID, failure=_reason(strong))
        return _ASK
    return _ASK if failed else _NOTHING


def _weigh_paid(paid: Sequence[Evidence], asked: Money, fixed_amount: bool) -> Finding:
    strong = [e for e in paid if e.is_strong]
    named = {e.amount for e in strong if e.amount is not None}
    if len(named) > 1:
        return _CONFLICT
    if named:
        # Strong news with the amount is the last word on it.
        return _proved(paid, named.pop())
    if fixed_amount and {e.amount for e in paid if e.amount is not None} - {asked}:
        return _CONFLICT
    if strong and fixed_amount:
        return _proved(paid, asked)
    agreed = agreed_facts(paid)
    if not agreed:
        return _ASK
    if len(agreed) > 1:
        return _CONFLICT
    # What two doors agreed on is one receipt: its number is a part of the proof.
    return replace(_proved(paid, agreed[0].amount), receipt_number=agreed[0].receipt_number, number_is_strong=True)


def agreed_facts(weak: Sequence[Evidence]) -> list[Evidence]:
    """One report of each receipt and amount that came by two different secrets. More than one is a contradiction."""
    doors: dict[tuple[str, Money], dict[UUID | None, Evidence]] = {}
    for e in weak:
        if e.receipt_number and e.amount:
            doors.setdefault((e.receipt_number, e.amount), {})[e.secret] = e
    return [next(iter(by.values())) for by in doors.values() if len(by) > 1]


def _proved(paid: Sequence[Evidence], amount: Money | None) -> Finding:
    """What is known of money that moved, whoever told it first.

    A number that only weak news bears is taken when no other weak news contradicts it.
    """
    strong_numbers = {e.receipt_number for e in paid if e.is_strong and e.receipt_number}
    weak_numbers = {e.receipt_number for e in paid if e.receipt_number and e.amount in (None, amount)}
    number = min(strong_numbers, default=None) or _only(weak_numbers)
    bearers = [e for e in paid if number is not None and e.receipt_number == number]
    strong = [e for e in paid if e.is_strong]
    return Finding(
        verdict=Verdict.PAID,
        amount=amount,
        receipt_number=number,
        number_is_strong=bool(strong_numbers),
        happened_at=_earliest(bearers) or _earliest(strong) or _earliest(paid),
        payer_hint=_hint(bearers) or _hint(paid),
    )


def weigh_payout(evidence: Sequence[Evidence], *, asked: Money, absence_s: int | None) -> Finding:
    """What all news of one payout attempt amounts to. Order and repeats don't matter.

    Paid, returned and failed need one strong report, or two weak ones by different secrets that agree. A failure is
    also proved by one weak report of it and two look-ups, `absence_s` apart, that found nothing. Proved money beats a
    failure; a failure beside a success that isn't proved stays unknown: neither is booked.
    """
    for status, verdict in ((Status.RETURNED, Verdict.RETURNED), (Status.SUCCEEDED, Verdict.PAID)):
        found = _payout_proved([e for e in evidence if e.status is status], asked, verdict)
        if found is not None:
            return found
    paid = any(e.status is Status.SUCCEEDED for e in evidence)
    failed = [e for e in evidence if e.status is Status.FAILED]
    if failed and paid:
        return _CONFLICT
    strong = [e for e in failed if e.is_strong]
    if strong or len({e.secret for e in failed}) >= 2 or _absent(evidence, failed, absence_s):
        return Finding(verdict=Verdict.NOT_PAID, failure=_reason(strong or failed))
    if failed or paid or any(e.status is Status.RETURNED for e in evidence):
        return _ASK
    return _NOTHING


def _payout_proved(found: Sequence[Evidence], asked: Money, verdict: Verdict) -> Finding | None:
    strong = [e for e in found if e.is_strong]
    proof = strong or agreed_facts(found)
    if not proof:
        return None
    if {e.amount for e in proof if e.amount is not None} - {asked} or (not strong and len(proof) > 1):
        return _CONFLICT
    numbers = {e.receipt_number for e in proof if e.receipt_number}
    told = {e.receipt_number for e in found if e.receipt_number}
    number = min(numbers, default=None) or _only(told)
    bearers = [e for e in found if number is not None and e.receipt_number == number]
    return Finding(
        verdict=verdict,
        amount=asked,
        receipt_number=number,
        number_is_strong=bool(strong and numbers),
        happened_at=_earliest(strong) or _earliest(bearers) or _earliest(found),
    )


def _absent(evidence: Sequence[Evidence], failed: Sequence[Evidence], absence_s: int | None) -> bool:
    """Whether a reported failure is borne out by two empty look-ups, far enough apart.

    Where answers come by callback, each door counts once, and the door that reported the failure not at all: whoever
    knows one secret can't prove a failure alone.
    """
    if not failed or absence_s is None:
        return False
    told = {e.secret for e in failed}
    empty = [e for e in evidence if e.found_nothing]
    times = {e.at for e in empty if e.is_strong}
    for secret in {e.secret for e in empty if not e.is_strong} - told:
        times.add(min(e.at for e in empty if not e.is_strong and e.secret == secret))
    return len(times) >= 2 and (max(times) - min(times)).total_seconds() >= absence_s


def _reason(failed: Sequence[Evidence]) -> Failure | None:
    """The reason that says most; ties in an order of their own, so that who told it first doesn't matter."""
    told = [e.failure for e in failed if e.failure is not None]
    return min(
        told,
        key=lambda f: (f.kind is FailureKind.OTHER, f.kind.value, f.provider_code, f.detail, f.try_again.value),
        default=None,
    )


def _only(values: set[str]) -> str | None:
    """The one value, or None where there are none or several."""
    return next(iter(values)) if len(values) == 1 else None


def _earliest(found: Sequence[Evidence]) -> datetime | None:
    return min((e.happened_at for e in found if e.happened_at is not None), default=None)


def _hint(found: Sequence[Evidence]) -> str | None:
    return min((e.payer_hint for e in found if e.payer_hint), default=None)
