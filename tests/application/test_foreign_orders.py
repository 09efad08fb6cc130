"""News that names what the provider knows as another order of ours proves nothing, and stops a person's eye."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.application.reports import News
from gateway.domain.proof import Verdict
from ports.errors import AlreadyTaken
from ports.report import Grade, Report, Status
from tests.application.harness import FREE, World, id_of, kes
from tests.application.payouts import record, sent
from tests.fakes.refunds import FAKE_REFUNDING

MakeWorld = Callable[..., World]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    made = make_world(rail_offers=FAKE_REFUNDING, collect=FREE)
    made.paid(1_000_000)
    return made


def refunded(world: World) -> Json:
    """A refund that the provider has, with an id of its own."""
    made = world.web.refunds.create(NewRefund(payment_id=id_of(world.paid())), world.call)
    world.settle()
    assert world.see(made)["status"] == "submitted"
    return made


def told(theirs: str, units: int, status: Status = Status.SUCCEEDED) -> Report:
    return Report(
        status=status, grade=Grade.ANSWER, provider_reference=theirs, receipt_number="FO00000001", amount=kes(units)
    )


def record_refund(world: World, refund: Json, report: Report) -> Verdict:
    attempt = id_of(world.see(refund)["attempts"][-1])
    verdict: Verdict = world.worker.refunds.record(attempt, News(report=report), world.call)
    return verdict


def alerts_about(world: World, one: Json) -> list[str]:
    ids = [id_of(one), *(id_of(a) for a in world.see(one)["attempts"])]
    sql = "SELECT kind FROM gateway.alert WHERE subject_id = ANY (:i) AND resolved_at IS NULL ORDER BY kind"
    return [row[0] for row in world.rows(sql, i=ids)]


def test_another_refund_s_success_isn_t_taken_for_this_one_s(world: World) -> None:
    one, two = refunded(world), refunded(world)
    theirs = world.rail.given[-1].provider_reference
    before = world.balance()
    assert record_refund(world, one, told(theirs, 150_000)) is Verdict.CONFLICT
    seen = world.see(one)
    assert (seen["status"], seen["needs_attention"], seen["receipt_number"]) == ("submitted", True, None)
    assert alerts_about(world, one) == ["foreign_report", "refund_contradiction"]
    assert world.balance() == before
    assert record_refund(world, two, told(theirs, 150_000)) is Verdict.PAID
    assert world.see(two)["status"] == "succeeded"


def test_a_payout_s_success_isn_t_taken_for_a_refund_s_nor_the_reverse(world: World) -> None:
    refund = refunded(world)
    payout = sent(world, 150_000)
    of_refund = world.rail.given[-1].provider_reference
    of_payout = world.channel.taken[-1].provider_reference
    assert record_refund(world, refund, told(of_payout, 150_000)) is Verdict.CONFLICT
    assert record(world, payout, told(of_refund, 150_000)) is Verdict.CONFLICT
    assert [world.see(one)["status"] for one in (refund, payout)] == ["submitted", "in_transit"]
    assert [world.see(one)["needs_attention"] for one in (refund, payout)] == [True, True]
    assert alerts_about(world, payout) == ["foreign_report", "payout_contradiction"]
    # Their own news still decides, and then nobody has to look.
    assert record_refund(world, refund, told(of_refund, 150_000)) is Verdict.PAID
    assert record(world, payout, told(of_payout, 150_000)) is Verdict.PAID
    assert [world.see(one)["status"] for one in (refund, payout)] == ["succeeded", "paid"]
    assert [world.see(one)["needs_attention"] for one in (refund, payout)] == [False, False]


def test_another_payout_s_failure_isn_t_taken_for_this_one_s(world: World) -> None:
    one = sent(world)
    sent(world)
    theirs = world.channel.taken[-1].provider_reference
    assert record(world, one, told(theirs, 50_000, Status.FAILED)) is Verdict.CONFLICT
    assert (world.see(one)["status"], world.see(one)["needs_attention"]) == ("in_transit", True)


def test_an_acknowledgement_that_names_another_s_transaction_is_as_good_as_silence(world: World) -> None:
    refunded(world)
    theirs = world.rail.given[-1].provider_reference
    answer = Report(status=Status.PENDING, grade=Grade.ANSWER, provider_reference=theirs)
    world.rail.on_refund(answer)
    made = world.web.refunds.create(NewRefund(payment_id=id_of(world.paid())), world.call)
    world.settle()
    assert (world.see(made)["status"], world.see(made)["needs_attention"]) == ("unknown", True)
    # It is asked about by our own reference, which this rail keeps.
    world.rail.give()
    world.rail.refund_questions.clear()
    world.run("refund.look_up", id_of(world.see(made)["attempts"][-1]))
    world.settle()
    assert [q.provider_reference for q in world.rail.refund_questions] == [None]
    assert (world.see(made)["status"], world.see(made)["needs_attention"]) == ("succeeded", False)


def test_a_payout_s_acknowledgement_likewise_and_a_known_reference_s(world: World) -> None:
    sent(world)
    theirs = world.channel.taken[-1].provider_reference
    world.channel.on_submit(AlreadyTaken("known", provider_reference=theirs))
    payout = world.payout(50_000)
    world.settle()
    assert world.see(payout)["status"] == "unknown"
    sql = "SELECT provider_reference FROM gateway.payout_attempt WHERE id = :a"
    assert world.value(sql, a=world.attempt_id(payout)) is None
    mine = world.channel.taken[-1].provider_reference
    assert record(world, payout, told(mine, 50_000)) is Verdict.PAID
