"""The proof rule: which news moves money, in any order and however often it is told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.proof import (
    PROVISIONAL_S,
    Evidence,
    Finding,
    Verdict,
    agreed_facts,
    weigh_collection,
    weigh_payout,
)
from ports.money import KES, Money
from ports.report import Failure, FailureKind, Grade, Status

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)
ASKED, OTHER = (Money(units=units, asset=KES) for units in (150_000, 90_000))
CALL, SECOND, LINE = (UUID(int=n) for n in (1, 2, 3))
WRONG_PIN = Failure(kind=FailureKind.WRONG_PIN, provider_code="2001")
CANCELED = Failure(kind=FailureKind.CANCELED_BY_PAYER, provider_code="1032")


def said(status: Status, grade: Grade = Grade.ANSWER, *, at_s: int = 0, **values: Any) -> Evidence:
    if not grade.is_strong:
        values.setdefault("secret", CALL)
    return Evidence(at=NOW + timedelta(seconds=at_s), grade=grade, status=status, **values)


QUERY_PAID = said(Status.SUCCEEDED)
CALLBACK_PAID = said(Status.SUCCEEDED, Grade.SOLICITED, receipt_number="UJ6", amount=ASKED, happened_at=NOW)
C2B_PAID = said(Status.SUCCEEDED, Grade.ANNOUNCED, secret=LINE, receipt_number="UJ6", amount=ASKED)
STATEMENT = said(Status.SUCCEEDED, Grade.FILE, receipt_number="UJ6", amount=ASKED, happened_at=NOW)
QUERY_FAILED = said(Status.FAILED, failure=WRONG_PIN)
CALLBACK_FAILED = said(Status.FAILED, Grade.SOLICITED, failure=CANCELED)
PENDING = said(Status.PENDING)
NO_NEWS = said(Status.NO_NEWS)


def collect(
    evidence: Sequence[Evidence], *, fixed: bool = True, started: datetime | None = LONG_AGO, now: datetime = NOW
) -> Finding:
    return weigh_collection(evidence, asked=ASKED, fixed_amount=fixed, started_at=started, now=now)


@pytest.mark.parametrize(
    ("evidence", "verdict", "number"),
    [
        ([], Verdict.NOTHING, None),
        ([PENDING, NO_NEWS], Verdict.NOTHING, None),
        ([CALLBACK_PAID], Verdict.ASK, None),  # a forged callback looks the same
        ([CALLBACK_PAID, CALLBACK_PAID], Verdict.ASK, None),  # told twice through one door
        ([QUERY_PAID], Verdict.PAID, None),
        ([CALLBACK_PAID, QUERY_PAID], Verdict.PAID, "UJ6"),
        ([CALLBACK_PAID, C2B_PAID], Verdict.PAID, "UJ6"),
        ([STATEMENT], Verdict.PAID, "UJ6"),
        ([CALLBACK_FAILED], Verdict.ASK, None),
        ([QUERY_FAILED], Verdict.NOT_PAID, None),
        ([CALLBACK_FAILED, QUERY_FAILED], Verdict.NOT_PAID, None),
        ([QUERY_FAILED, QUERY_PAID], Verdict.PAID, None),  # success beats failure for ever
        ([QUERY_FAILED, CALLBACK_PAID], Verdict.ASK, None),
    ],
)
def test_a_push_by_example(evidence: list[Evidence], verdict: Verdict, number: str | None) -> None:
    found = collect(evidence)
    assert (found.verdict, found.receipt_number) == (verdict, number)
    assert found.amount == (ASKED if verdict is Verdict.PAID else None)


def test_a_prompt_s_failure_is_provisional_at_first() -> None:
    for seconds, verdict in ((0, Verdict.ASK), (PROVISIONAL_S - 1, Verdict.ASK), (PROVISIONAL_S, Verdict.NOT_PAID)):
        now = LONG_AGO + timedelta(seconds=seconds)
        assert collect([QUERY_FAILED], now=now).verdict is verdict
        assert collect([QUERY_FAILED, CALLBACK_FAILED], now=now).verdict is Verdict.NOT_PAID
        assert collect([CALLBACK_FAILED], now=now).verdict is Verdict.ASK


def test_the_reason_of_a_failure_is_the_proved_one() -> None:
    """A callback alone could be forged: its reason pauses no connection and shows on no page."""
    set_up = Failure(kind=FailureKind.SET_UP, provider_code="x")
    forged = said(Status.FAILED, Grade.SOLICITED, failure=set_up)
    assert collect([forged, QUERY_FAILED]).failure == WRONG_PIN
    vague = said(Status.FAILED, failure=Failure(kind=FailureKind.OTHER))
    assert collect([vague, QUERY_FAILED, said(Status.FAILED)]).failure == WRONG_PIN


def test_another_amount_than_asked_is_a_conflict_until_strong_news_names_it() -> None:
    less = said(Status.SUCCEEDED, Grade.SOLICITED, receipt_number="UJ6", amount=OTHER)
    assert collect([less]).verdict is Verdict.CONFLICT
    assert collect([less, QUERY_PAID]).verdict is Verdict.CONFLICT
    named = said(Status.SUCCEEDED, Grade.FILE, receipt_number="UJ6", amount=OTHER)
    found = collect([less, QUERY_PAID, named])
    assert (found.verdict, found.amount) == (Verdict.PAID, OTHER)
    assert collect([less, STATEMENT]).amount == ASKED
    assert collect([named, STATEMENT]).verdict is Verdict.CONFLICT, "two strong reports that contradict one another"


def test_an_open_rail_believes_an_amount_that_is_proved() -> None:
    a, b = (
        said(Status.SUCCEEDED, Grade.ANNOUNCED, secret=secret, receipt_number="UJ6", amount=OTHER)
        for secret in (LINE, CALL)
    )
    assert collect([a], fixed=False).verdict is Verdict.ASK
    assert collect([a, b], fixed=False).amount == OTHER
    assert collect([QUERY_PAID], fixed=False).verdict is Verdict.ASK, "silent about the amount, which is open"


def test_weak_news_must_agree_on_receipt_and_amount() -> None:
    def weak(secret: UUID, number: str | None, amount: Money | None) -> Evidence:
        return said(Status.SUCCEEDED, Grade.SOLICITED, secret=secret, receipt_number=number, amount=amount)

    (fact,) = agreed_facts([weak(CALL, "A", ASKED), weak(SECOND, "A", ASKED), weak(LINE, "A", ASKED)])
    assert (fact.receipt_number, fact.amount) == ("A", ASKED)
    for other in (
        weak(CALL, "A", ASKED),
        weak(SECOND, "B", ASKED),
        weak(SECOND, "A", OTHER),
        weak(SECOND, None, ASKED),
        weak(SECOND, "A", None),
    ):
        assert agreed_facts([weak(CALL, "A", ASKED), other]) == []
    assert agreed_facts([weak(CALL, None, ASKED), weak(SECOND, None, ASKED)]) == []
    two_pairs = [weak(s, n, ASKED) for s in (CALL, SECOND) for n in ("A", "B")]
    assert collect(two_pairs).verdict is Verdict.CONFLICT
    assert pay(two_pairs).verdict is Verdict.CONFLICT


def test_numbers_of_weak_news_are_taken_unless_they_contradict() -> None:
    forged = said(Status.SUCCEEDED, Grade.SOLICITED, secret=SECOND, receipt_number="XXX", amount=ASKED)
    assert collect([CALLBACK_PAID, QUERY_PAID]).receipt_number == "UJ6"
    assert not collect([CALLBACK_PAID, QUERY_PAID]).number_is_strong
    assert collect([CALLBACK_PAID, forged, QUERY_PAID]).receipt_number is None
    found = collect([forged, CALLBACK_PAID, STATEMENT])
    assert (found.receipt_number, found.number_is_strong) == ("UJ6", True)


def pay(evidence: Sequence[Evidence], *, absence_s: int | None = 600) -> Finding:
    return weigh_payout(evidence, asked=ASKED, absence_s=absence_s)


def empty(at_s: int, grade: Grade = Grade.ANSWER, secret: UUID | None = None) -> Evidence:
    return Evidence(
        at=NOW + timedelta(seconds=at_s), grade=grade, status=Status.NO_NEWS, secret=secret, found_nothing=True
    )


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        ([], Verdict.NOTHING),
        ([PENDING, NO_NEWS], Verdict.NOTHING),
        ([CALLBACK_PAID], Verdict.ASK),
        ([QUERY_PAID], Verdict.PAID),
        ([CALLBACK_PAID, said(Status.SUCCEEDED, Grade.SOLICITED, secret=SECOND, receipt_number="UJ6", amount=ASKED)],
         Verdict.PAID),
        ([QUERY_FAILED], Verdict.NOT_PAID),
        ([CALLBACK_FAILED], Verdict.ASK),
        ([CALLBACK_FAILED, CALLBACK_FAILED], Verdict.ASK),
        ([CALLBACK_FAILED, said(Status.FAILED, Grade.SOLICITED, secret=SECOND)], Verdict.NOT_PAID),
        ([empty(0), empty(900)], Verdict.NOTHING),  # "not found" alone never fails a payout
        ([CALLBACK_FAILED, empty(0)], Verdict.ASK),
        ([CALLBACK_FAILED, empty(0), empty(599)], Verdict.ASK),
        ([CALLBACK_FAILED, empty(0), empty(600)], Verdict.NOT_PAID),
        ([QUERY_FAILED, CALLBACK_PAID], Verdict.CONFLICT),
        ([QUERY_FAILED, QUERY_PAID], Verdict.PAID),
        ([said(Status.RETURNED)], Verdict.RETURNED),
        ([QUERY_PAID, said(Status.RETURNED)], Verdict.RETURNED),
        ([said(Status.RETURNED, Grade.SOLICITED)], Verdict.ASK),
        ([said(Status.SUCCEEDED, amount=OTHER)], Verdict.CONFLICT),
        ([said(Status.SUCCEEDED, amount=OTHER), QUERY_PAID], Verdict.CONFLICT),
    ],
)  # fmt: skip
def test_a_payout_by_example(evidence: list[Evidence], verdict: Verdict) -> None:
    assert pay(evidence).verdict is verdict


def test_absence_never_fails_a_channel_that_doesn_t_declare_it() -> None:
    assert pay([CALLBACK_FAILED, empty(0), empty(9_000)], absence_s=None).verdict is Verdict.ASK


def test_one_empty_look_up_is_not_two() -> None:
    assert pay([CALLBACK_FAILED, empty(0)], absence_s=0).verdict is Verdict.ASK
    assert pay([CALLBACK_FAILED, empty(0), empty(0)], absence_s=0).verdict is Verdict.ASK, "one, told twice"


def test_who_knows_one_secret_can_t_fail_a_payout_alone() -> None:
    """Answers of questions come by callback too (M-Pesa's status query): each question's own door counts once."""
    weak = Grade.SOLICITED
    assert pay([CALLBACK_FAILED, empty(0, weak, CALL), empty(900, weak, CALL)]).verdict is Verdict.ASK
    assert pay([CALLBACK_FAILED, empty(0, weak, SECOND), empty(900, weak, SECOND)]).verdict is Verdict.ASK
    assert pay([CALLBACK_FAILED, empty(0, weak, SECOND), empty(900, weak, LINE)]).verdict is Verdict.NOT_PAID


def test_a_payout_s_finding_says_what_was_proved() -> None:
    found = pay([CALLBACK_PAID, QUERY_PAID])
    assert (found.amount, found.receipt_number, found.number_is_strong, found.happened_at) == (ASKED, "UJ6", False, NOW)
    assert pay([CALLBACK_FAILED, QUERY_FAILED]).failure == WRONG_PIN


weak_secrets = st.sampled_from([CALL, SECOND, LINE])
evidences = st.builds(
    lambda grade, secret, **values: Evidence(grade=grade, secret=None if grade.is_strong else secret, **values),
    at=st.integers(0, 2_000).map(lambda s: NOW + timedelta(seconds=s)),
    grade=st.sampled_from(Grade),
    secret=weak_secrets,
    status=st.sampled_from(Status),
    receipt_number=st.sampled_from([None, "A", "B"]),
    amount=st.sampled_from([None, ASKED, OTHER]),
    happened_at=st.sampled_from([None, NOW, LONG_AGO]),
    failure=st.sampled_from([None, WRONG_PIN, CANCELED, Failure(kind=FailureKind.OTHER)]),
    found_nothing=st.booleans(),
    payer_hint=st.sampled_from([None, "x", "y"]),
)


@given(
    evidence=st.lists(evidences, max_size=6),
    seed=st.integers(0, 10**6),
    fixed=st.booleans(),
    started=st.sampled_from([None, NOW, LONG_AGO]),
    absence_s=st.sampled_from([None, 0, 600]),
)
@settings(max_examples=200)
def test_order_and_repeats_don_t_matter(
    evidence: list[Evidence], seed: int, fixed: bool, started: datetime | None, absence_s: int | None
) -> None:
    numbers = random.Random(seed)
    again = evidence + [numbers.choice(evidence) for _ in range(numbers.randrange(3)) if evidence]
    numbers.shuffle(again)
    assert collect(again, fixed=fixed, started=started) == collect(evidence, fixed=fixed, started=started)
    assert pay(again, absence_s=absence_s) == pay(evidence, absence_s=absence_s)


@given(evidence=st.lists(evidences, max_size=6), fixed=st.booleans())
@settings(max_examples=200)
def test_money_moves_by_strong_news_or_by_two_secrets(evidence: list[Evidence], fixed: bool) -> None:
    for found, decided in (
        (collect(evidence, fixed=fixed), (Verdict.PAID, Verdict.NOT_PAID)),
        (pay(evidence), (Verdict.PAID, Verdict.RETURNED, Verdict.NOT_PAID)),
    ):
        if found.verdict in decided:
            strong = any(e.is_strong for e in evidence)
            assert strong or len({e.secret for e in evidence}) >= 2
        assert (found.amount is not None) == (found.verdict in (Verdict.PAID, Verdict.RETURNED))
        if found.verdict is Verdict.NOT_PAID:
            assert not any(e.status is Status.SUCCEEDED for e in evidence)


@given(evidence=st.lists(evidences, max_size=5), more=evidences)
@settings(max_examples=200)
def test_a_proved_success_is_never_called_a_failure_later(evidence: list[Evidence], more: Evidence) -> None:
    if collect(evidence).verdict is Verdict.PAID:
        assert collect([*evidence, more]).verdict in (Verdict.PAID, Verdict.CONFLICT)
    if pay(evidence).verdict is Verdict.PAID:
        assert pay([*evidence, more]).verdict in (Verdict.PAID, Verdict.RETURNED, Verdict.CONFLICT)
