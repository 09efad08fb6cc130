"""What proves a payout paid or not paid, and what is a person's case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.proof import Verdict
from ports.errors import Refused
from ports.registration import LookUp
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.application.harness import World, kes
from tests.application.payouts import answer, record, result, sent, states
from tests.fakes.channel import FAKE_PHONES


@pytest.fixture
def world(world: World) -> World:
    """A business with KES 1,477.50."""
    world.paid()
    return world


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


def test_a_plain_answer_whose_result_was_lost_is_asked_for_once_more_at_once(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    world.channel.asked = lambda q: world.call_back(world.channel.answer_to(q), q.reply_to)
    world.advance(FAKE_PHONES.look_up_ladder_s[0] + 10)
    assert world.see(payout)["status"] == "paid"
    assert len(world.channel.looked_up) == 2


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
