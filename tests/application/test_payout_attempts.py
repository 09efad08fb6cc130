"""Another attempt after a failure that may pass: never beside one that may have been paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.application.interfaces import Json
from gateway.application.resolutions import Word
from gateway.domain.errors import Conflict
from gateway.domain.proof import Verdict
from ports.errors import NotSent, Refused
from ports.report import Grade, Report, Status
from tests.application.harness import ACT, World, id_of, kes
from tests.application.payouts import LATER, answer, record, result, sent, states


@pytest.fixture
def world(world: World) -> World:
    """A business with KES 1,477.50."""
    world.paid()
    return world


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
