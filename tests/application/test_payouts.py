"""Money out: reserved at once, sent once, proved before it is believed, and back in the balance when it wasn't paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway.application.commands import NewPayout
from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.application.resolutions import Word
from gateway.domain.errors import Conflict, InsufficientFunds, Invalid, StateRefused, Unprocessable
from gateway.domain.proof import Verdict
from ports.errors import NotSent, OutcomeUnknown, Refused
from ports.registration import LookUp
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.application.harness import ACT, World, a_phone, id_of, kes
from tests.fakes.channel import FAKE_PHONES

LATER = Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="1", try_again=TryAgain.LATER, after_s=600)


@pytest.fixture
def world(world: World) -> World:
    """A business with KES 1,477.50."""
    world.paid()
    return world


def sent(world: World, amount: int = 50_000) -> Json:
    payout = world.payout(amount)
    world.settle()
    assert world.see(payout)["status"] == "in_transit"
    return payout


def result(world: World, *, place: int = -1) -> None:
    """The provider posts how a payout stands to the URL of its submit."""
    bundle = world.channel.submitted[place]
    world.call_back(world.channel.result(bundle.id), bundle.instructions[0].reply_to)
    world.settle()


def answer(world: World, *, place: int = -1) -> None:
    """The provider answers a question at the question's own URL."""
    question = world.channel.looked_up[place]
    world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()


def record(world: World, payout: Json, report: Report, *, place: int = -1) -> Verdict:
    verdict: Verdict = world.worker.payouts.submit.record(
        world.attempt_id(payout, place), News(report=report), world.call
    )
    return verdict


def states(world: World, payout: Json) -> list[str]:
    seen = world.see(payout)
    return [seen["status"], *(a["status"] for a in seen["attempts"])]


# Creation


def test_b1_a_payout_reserves_amount_and_fee_at_once(world: World) -> None:
    payout = world.payout(50_000)
    assert (payout["status"], payout["fee"]) == ("queued", 3_000)
    assert world.balance() == {"available": 94_750, "reserved": 53_000}
    assert world.told(payout) == ["payout.created", "payout.queued"]


def test_a_payout_that_is_not_covered_leaves_nothing_behind(world: World) -> None:
    before = (world.told(), world.journals(), world.due_kinds())
    with pytest.raises(InsufficientFunds):
        world.payout(147_000)  # covered without its fee
    assert world.balance() == {"available": 147_750}
    assert (world.told(), world.journals(), world.due_kinds()) == before
    assert world.value("SELECT count(*) FROM gateway.payout WHERE business_id = :b", b=world.business.id) == 0


def test_c4_of_many_parallel_payouts_of_the_whole_balance_exactly_one_is_accepted(world: World) -> None:
    """Twenty threads here; two hundred callers are tried against the ledger itself."""

    def ask(_: int) -> str:
        try:
            return str(world.payout(144_700)["status"])
        except InsufficientFunds:
            return "refused"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert sorted(answers) == ["queued", *["refused"] * 19]
    assert world.balance() == {"available": 50, "reserved": 147_700}
    world.settle()
    assert len(world.channel.submitted) == 1


@pytest.mark.parametrize(
    ("kind", "account", "amount", "error", "code"),
    [
        ("mpesa_phone", "0712345678", 50_050, Invalid, "amount_not_aligned"),
        ("mpesa_phone", "0712345678", 900, Invalid, "amount_too_small"),
        ("mpesa_phone", "0712345678", 30_000_000, Invalid, "amount_too_large"),
        ("mpesa_phone", "12", 50_000, Invalid, "phone_invalid"),
        ("cash_in_an_envelope", "0712345678", 50_000, Invalid, "destination_invalid"),
        ("bank_account", "0712345678", 50_000, Unprocessable, "destination_not_available"),
    ],
)
def test_a_payout_that_cannot_be_made_is_refused_by_name(
    world: World, kind: str, account: str, amount: int, error: type[Exception], code: str
) -> None:
    command = NewPayout(amount=amount, currency="KES", destination_kind=kind, account=account)
    with pytest.raises(error) as refused:
        world.web.payouts.create(command, world.call)
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert world.balance() == {"available": 147_750}


def test_without_a_channel_there_is_no_payout(world: World) -> None:
    world.web.lines.channels.clear()  # type: ignore[attr-defined]
    with pytest.raises(Unprocessable) as refused:
        world.payout()
    assert refused.value.code == "destination_not_available"


# Proof


def test_result_and_answer_that_agree_prove_a_payout_paid(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    assert states(world, payout) == ["in_transit", "in_transit"]
    assert len(world.channel.looked_up) == 1  # weak news alone asks, and is not believed
    answer(world)
    seen = world.see(payout)
    assert (seen["status"], seen["receipt_number"], seen["attempts"][0]["status"]) == (
        "paid",
        "FP00000001",
        "succeeded",
    )
    assert world.balance() == {"available": 94_750}
    assert world.float_units(world.channel_float.id) == 100_000_000 - 50_000
    assert world.told(payout)[-2:] == ["payout.in_transit", "payout.paid"]
    assert world.due_kinds() == {}


def test_one_weak_report_alone_is_asked_about_for_as_long_as_it_takes(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up_life_s=3_600))
    world.paid()
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    world.advance(3_600)
    by_the_ladder = len(world.channel.looked_up)
    world.advance(10 * 3600)
    assert states(world, payout) == ["in_transit", "in_transit"]
    assert len(world.channel.looked_up) - by_the_ladder in (9, 10, 11)  # hourly, and for ever
    assert "payout.look_up" in world.due_kinds()
    answer(world)
    assert world.see(payout)["status"] == "paid"


@pytest.mark.parametrize("told", ["waiting", "strange"])
def test_an_answer_that_settles_nothing_wakes_no_further_question(world: World, told: str) -> None:
    """The result says paid, the status says otherwise, at once, each time: that is no reason to ask without end."""
    payout = sent(world)
    reference = world.reference(payout)
    world.channel.pay(reference)
    told_paid = world.channel.result(reference)
    world.channel.of(reference)[-1].code = told
    world.channel.asked = lambda q: world.call_back(world.channel.answer_to(q), q.reply_to)
    world.call_back(told_paid, world.channel.submitted[-1].instructions[0].reply_to)
    world.advance(400)
    assert 3 <= len(world.channel.looked_up) <= 8
    assert world.see(payout)["status"] == "in_transit"


def test_an_answer_on_our_own_connection_is_enough(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up=LookUp.ANSWERS))
    world.paid()
    paid, failed = sent(world), sent(world)
    world.channel.pay(world.reference(paid))
    world.channel.fail(world.reference(failed))
    world.advance(31)
    assert (world.see(paid)["status"], world.see(failed)["status"]) == ("paid", "failed")
    assert world.balance() == {"available": 94_750}


def test_a_failure_that_result_and_answer_agree_on_gives_the_money_back(world: World) -> None:
    payout = sent(world)
    world.channel.fail(world.reference(payout))
    result(world)
    assert world.see(payout)["status"] == "in_transit"
    answer(world)
    seen = world.see(payout)
    assert (seen["status"], seen["error"]["code"]) == ("failed", "destination_invalid")
    assert world.balance() == {"available": 147_750}
    assert world.told(payout)[-1] == "payout.failed"
    assert world.journals()[-2:] == ["payout.accepted", "payout.outcome"]


def test_a_weak_failure_and_two_empty_answers_absence_apart_give_the_money_back(world: World) -> None:
    payout = sent(world)
    reference = world.reference(payout)
    world.channel.fail(reference)
    result(world)
    world.channel.forget(reference)
    answer(world)
    world.advance(300)
    answer(world)
    assert world.see(payout)["status"] == "in_transit"  # not far enough apart
    world.advance(700)
    answer(world)
    assert world.see(payout)["status"] == "failed"
    assert world.balance() == {"available": 147_750}


def test_finding_nothing_alone_never_fails_a_payout(world: World) -> None:
    payout = sent(world)
    world.channel.forget(world.reference(payout))
    for _ in range(4):
        world.advance(3_600)
        answer(world)
    assert world.see(payout)["status"] == "in_transit"
    assert world.balance() == {"available": 94_750, "reserved": 53_000}


def test_a_contradiction_books_nothing_and_needs_a_person(world: World) -> None:
    payout = sent(world)
    reference = world.reference(payout)
    world.channel.fail(reference)
    result(world)
    world.channel.pay(reference)
    answer(world)
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"]) == ("in_transit", True)
    assert world.alerts() == ["payout_contradiction"]
    assert world.balance() == {"available": 94_750, "reserved": 53_000}
    world.channel.on_look_up(
        Report(status=Status.SUCCEEDED, grade=Grade.ANSWER, amount=kes(50_000), receipt_number="FP1")
    )
    world.advance(1_000)
    assert world.see(payout)["status"] == "paid"


def test_a_success_for_another_amount_is_a_contradiction(world: World) -> None:
    payout = sent(world)
    report = Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(70_000), receipt_number="FP1")
    assert record(world, payout, report) is Verdict.CONFLICT
    assert states(world, payout) == ["in_transit", "in_transit"]
    assert world.alerts() == ["payout_contradiction"]


def test_a_success_after_a_booked_failure_is_a_person_s_case(world: World) -> None:
    payout = world.payout()
    world.channel.on_submit(Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER)))
    world.settle()
    assert states(world, payout) == ["failed", "failed"]
    booked = world.journals()
    report = Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000), receipt_number="FP1")
    assert record(world, payout, report) is Verdict.PAID
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"]) == ("failed", True)
    assert (world.alerts(), world.journals()) == (["payout_contradiction"], booked)
    assert world.balance() == {"available": 147_750}


def test_news_of_another_payout_is_ignored_with_an_alert(world: World) -> None:
    mine, theirs = sent(world, 20_000), sent(world, 20_000)
    world.channel.pay(world.reference(theirs))
    world.call_back(world.channel.result(world.reference(theirs)), world.channel.submitted[0].instructions[0].reply_to)
    world.settle()
    assert world.see(mine)["status"] == "in_transit"
    assert world.alerts() == ["foreign_report"]


def test_an_unreadable_result_stays_evidence(world: World) -> None:
    payout = sent(world)
    incoming = replace(world.channel.result(world.reference(payout)), body=b"<html>")
    world.call_back(incoming, world.channel.submitted[-1].instructions[0].reply_to)
    world.settle()
    assert states(world, payout) == ["in_transit", "in_transit"]


# Unknown


def test_b3_an_unknown_payout_is_asked_about_and_never_sent_again(world: World) -> None:
    world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    assert states(world, payout) == ["unknown", "unknown"]
    with pytest.raises(Conflict) as refused:
        world.web.payouts.retry(id_of(payout), world.call)
    assert refused.value.code == "payout_outcome_unknown"
    world.web.payouts.refresh(id_of(payout), world.call)
    world.settle()
    assert len(world.channel.looked_up) == 1
    world.channel.pay(world.reference(payout))
    answer(world)
    result(world)
    assert world.see(payout)["status"] == "paid"
    assert len(world.channel.submitted) == len(world.channel.taken) == 1


def test_an_unknown_payout_that_the_provider_has_is_in_transit_again(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up=LookUp.ANSWERS))
    world.paid()
    world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    world.advance(31)
    assert states(world, payout) == ["in_transit", "in_transit"]
    assert world.told(payout)[-1] == "payout.in_transit"


def test_a_channel_that_answers_no_questions_is_not_asked(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up=LookUp.NONE))
    world.paid()
    payout = sent(world)
    world.advance(3_600)
    assert world.channel.looked_up == []
    record(world, payout, Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000)))
    assert world.see(payout)["status"] == "paid"


@pytest.mark.parametrize("state", ["in_transit", "paid", "failed"])
def test_only_a_queued_payout_can_be_hurried(world: World, state: str) -> None:
    payout = sent(world)
    if state != "in_transit":
        status = Status.SUCCEEDED if state == "paid" else Status.FAILED
        failure = Failure(kind=FailureKind.DESTINATION_INVALID, try_again=TryAgain.NEVER)
        record(world, payout, Report(status=status, grade=Grade.ANSWER, failure=None if state == "paid" else failure))
    with pytest.raises(Conflict) as refused:
        world.web.payouts.retry(id_of(payout), world.call)
    assert refused.value.code == "payout_not_retryable"


def test_a_queued_payout_can_be_hurried(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=500))
    payout = world.payout()
    world.settle()
    world.web.payouts.retry(id_of(payout), world.call)
    world.settle()
    assert states(world, payout) == ["in_transit", "in_transit"]


# Another attempt


def test_a_failure_that_may_pass_is_tried_again_under_a_new_reference_at_most_three_times(world: World) -> None:
    world.channel.on_submit(Refused(LATER), Refused(LATER), Refused(LATER))
    payout = world.payout()
    world.settle()
    seen = world.see(payout)
    assert (seen["status"], seen["waiting_for"]) == ("queued", "another_attempt")
    assert world.balance() == {"available": 94_750, "reserved": 53_000}
    world.advance(599)
    assert len(world.channel.submitted) == 1
    world.advance(1)
    assert len(world.channel.submitted) == 2
    world.advance(600)
    seen = world.see(payout)
    assert (seen["status"], [a["status"] for a in seen["attempts"]]) == ("failed", ["failed"] * 3)
    assert len({b.id for b in world.channel.submitted}) == 3
    assert world.balance() == {"available": 147_750}
    assert world.told(payout).count("payout.queued") == 3
    assert world.journals().count("payout.outcome") == 1


def test_a_second_attempt_that_is_paid_pays_the_payout_once(world: World) -> None:
    world.channel.on_submit(Refused(LATER))
    payout = world.payout()
    world.settle()
    world.advance(601)
    world.channel.pay(world.reference(payout))
    result(world)
    answer(world)
    assert states(world, payout) == ["paid", "failed", "succeeded"]
    assert world.see(payout)["error"] is None
    assert world.balance() == {"available": 94_750}


PAID = Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000), receipt_number="FP1")


def to_be_tried_again(world: World) -> Json:
    """A payout whose first attempt failed for a passing reason."""
    world.channel.on_submit(Refused(LATER))
    payout = world.payout()
    world.settle()
    return payout


def test_proof_that_a_failed_attempt_was_paid_pays_the_payout_and_sends_no_other(world: World) -> None:
    payout = to_be_tried_again(world)
    assert record(world, payout, PAID) is Verdict.PAID
    world.advance(3_600)
    assert states(world, payout) == ["paid", "succeeded"]
    assert len(world.channel.submitted) == 1
    assert world.balance() == {"available": 94_750}
    assert world.alerts() == []


def test_an_attempt_that_waits_to_be_sent_ends_when_an_earlier_one_was_paid(world: World) -> None:
    payout = to_be_tried_again(world)
    world.channel.on_submit(NotSent("no connection", retry_after_s=300))
    world.advance(600)
    assert states(world, payout) == ["queued", "failed", "created"]
    record(world, payout, PAID, place=0)
    world.advance(3_600)
    assert states(world, payout) == ["paid", "succeeded", "failed"]
    assert len(world.channel.submitted) == 2
    assert world.alerts() == []


@pytest.mark.parametrize("then", [Status.SUCCEEDED, Status.FAILED])
def test_an_attempt_that_is_out_when_an_earlier_one_was_paid_is_a_person_s_case(world: World, then: Status) -> None:
    payout = to_be_tried_again(world)
    world.advance(601)
    record(world, payout, PAID, place=0)
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"], world.alerts()) == ("paid", True, ["payout_contradiction"])
    other = replace(PAID, receipt_number="FP2") if then is Status.SUCCEEDED else FAILED
    record(world, payout, other, place=1)
    world.advance(3_600)
    assert states(world, payout) == ["paid", "succeeded", then.value]
    assert world.told(payout).count("payout.paid") == 1
    assert world.journals().count("payout.outcome") == 1
    assert len(world.channel.submitted) == 2
    assert world.balance() == {"available": 94_750}


FAILED = Report(status=Status.FAILED, grade=Grade.ANSWER, failure=LATER)


def doubted(world: World) -> Json:
    """A payout whose first attempt failed, and which weak news calls paid all the same."""
    payout = to_be_tried_again(world)
    record(world, payout, replace(PAID, grade=Grade.SOLICITED))
    return payout


def test_weak_news_that_a_failed_attempt_was_paid_stops_the_next_one_and_asks(world: World) -> None:
    payout = doubted(world)
    world.advance(3_600)
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"], seen["waiting_for"]) == ("queued", True, "attention")
    assert len(world.channel.submitted) == 1
    assert 2 <= len(world.channel.looked_up) <= 5
    with pytest.raises(Conflict) as refused:
        world.web.payouts.retry(id_of(payout), world.call)
    assert refused.value.code == "payout_outcome_unknown"
    with pytest.raises(Conflict) as refused:
        world.web.payouts.cancel(id_of(payout), world.call)
    assert refused.value.code == "payout_not_cancelable"
    assert world.balance() == {"available": 94_750, "reserved": 53_000}


def test_a_failure_of_the_second_attempt_gives_nothing_back_while_the_first_is_in_doubt(world: World) -> None:
    payout = to_be_tried_again(world)
    world.advance(601)
    record(world, payout, replace(PAID, grade=Grade.SOLICITED), place=0)
    record(world, payout, FAILED, place=1)
    world.advance(3_600)
    assert states(world, payout) == ["queued", "failed", "failed"]
    assert world.balance() == {"available": 94_750, "reserved": 53_000}
    assert len(world.channel.submitted) == 2
    assert "payout.failed" not in world.told(payout)


@pytest.mark.parametrize("receipt_number", ["FP1", None])
def test_a_person_settles_a_payout_whose_failed_attempt_is_in_doubt(world: World, receipt_number: str | None) -> None:
    payout = doubted(world)
    settled = world.operator.resolve_payout(id_of(payout), Word(receipt_number=receipt_number), ACT)
    assert settled["status"] == ("failed" if receipt_number is None else "paid")
    assert settled["needs_attention"] is False
    assert world.balance() == {"available": 147_750 if receipt_number is None else 94_750}
    world.advance(3_600)
    assert len(world.channel.submitted) == 1
    with pytest.raises(Conflict):
        world.operator.resolve_payout(id_of(payout), Word(receipt_number="FP1"), ACT)


@pytest.mark.parametrize("receipt_number", ["FP00000001", None])
def test_a_person_settles_a_payout_whose_news_contradict_one_another(world: World, receipt_number: str | None) -> None:
    payout = sent(world)
    world.channel.fail(world.reference(payout))
    result(world)
    world.channel.pay(world.reference(payout))
    answer(world)
    assert world.see(payout)["needs_attention"] is True
    settled = world.operator.resolve_payout(id_of(payout), Word(receipt_number=receipt_number), ACT)
    assert settled["status"] == ("failed" if receipt_number is None else "paid")
    assert world.balance() == {"available": 147_750 if receipt_number is None else 94_750}
    assert world.due_kinds() == {}


def test_a_person_settles_nothing_of_a_payout_that_was_never_sent(world: World) -> None:
    with pytest.raises(Conflict):
        world.operator.resolve_payout(id_of(world.payout()), Word(receipt_number=None), ACT)


def test_a_put_back_payout_that_was_proved_failed_is_tried_again(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=300))
    payout = world.payout()
    world.settle()
    record(world, payout, Report(status=Status.FAILED, grade=Grade.ANSWER, failure=LATER))
    assert states(world, payout) == ["queued", "failed"]
    world.advance(700)
    assert states(world, payout) == ["in_transit", "failed", "in_transit"]


def test_a_put_back_payout_that_was_proved_paid_is_paid(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=300))
    payout = world.payout()
    world.settle()
    record(world, payout, Report(status=Status.SUCCEEDED, grade=Grade.ANSWER, amount=kes(50_000)))
    world.advance(700)
    assert states(world, payout) == ["paid", "succeeded"]
    assert len(world.channel.submitted) == 1


# Cancel and return


def test_b13_a_queued_payout_is_canceled_and_its_money_is_back(world: World) -> None:
    payout = world.payout()
    for _ in range(2):
        assert world.web.payouts.cancel(id_of(payout), world.call)["status"] == "canceled"
    assert world.balance() == {"available": 147_750}
    assert world.told(payout).count("payout.canceled") == 1
    world.advance(60)
    assert world.channel.submitted == []


def test_a_payout_that_was_put_back_can_still_be_canceled(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=300))
    payout = world.payout()
    world.settle()
    world.web.payouts.cancel(id_of(payout), world.call)
    world.advance(600)
    assert states(world, payout) == ["canceled", "failed"]
    assert len(world.channel.submitted) == 1
    assert world.balance() == {"available": 147_750}


@pytest.mark.parametrize("lost", [False, True])
def test_b13_a_payout_that_may_have_left_cannot_be_canceled(world: World, lost: bool) -> None:
    if lost:
        world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    with pytest.raises(StateRefused) as refused:
        world.web.payouts.cancel(id_of(payout), world.call)
    assert refused.value.code == "payout_not_cancelable"
    assert refused.value.extra["state"] == ("unknown" if lost else "in_transit")
    assert world.balance() == {"available": 94_750, "reserved": 53_000}


def test_b2_money_that_comes_back_two_days_later_is_the_business_s_again(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    answer(world)
    world.advance(48 * 3600)
    returned = Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000), receipt_number="FP00000001")
    for _ in range(2):
        assert record(world, payout, returned) is Verdict.RETURNED
    assert world.see(payout)["status"] == "returned"
    assert world.balance() == {"available": 144_750}  # the fee stays earned
    assert world.float_units(world.channel_float.id) == 100_000_000
    assert world.told(payout)[-2:] == ["payout.paid", "payout.returned"]
    assert world.journals().count("payout.returned") == 1


def test_money_that_came_back_before_its_success_was_told_is_booked_both_ways(world: World) -> None:
    payout = sent(world)
    record(world, payout, Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000)))
    record(world, payout, Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000)))
    assert world.told(payout)[-2:] == ["payout.paid", "payout.returned"]
    assert world.balance() == {"available": 144_750}


def test_a_return_that_only_weak_news_tells_is_asked_about(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    answer(world)
    world.channel.give_back(world.reference(payout))
    result(world)
    assert world.see(payout)["status"] == "paid"


def test_money_that_comes_back_from_a_payout_booked_as_failed_is_a_person_s_case(world: World) -> None:
    payout = world.payout()
    world.channel.on_submit(Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER)))
    world.settle()
    record(world, payout, Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000)))
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"]) == ("failed", True)
    assert world.balance() == {"available": 147_750}


def test_a_phone_is_masked_and_a_destination_is_never_shown(world: World) -> None:
    phone = a_phone()
    command = NewPayout(amount=20_000, currency="KES", destination_kind="mpesa_phone", account=phone)
    payout = world.web.payouts.create(command, world.call)
    assert payout["destination"] == {"type": "mpesa_phone", "account": f"{phone[:5]}•••••{phone[-3:]}"}
    world.settle()
    assert world.channel.submitted[-1].instructions[0].destination.account == phone
