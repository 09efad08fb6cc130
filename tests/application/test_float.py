"""What a float can promise: never more than it holds, the oldest payout first, over all businesses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.application.interfaces import Call, Json
from gateway.application.reports import News
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.application.harness import World, id_of

MakeWorld = Callable[..., World]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A business with KES 14,775 and a float without a shilling."""
    made = make_world(funded=0)
    made.paid(1_500_000)
    return made


def statuses(world: World, *payouts: Json) -> list[str]:
    return [world.see(p)["status"] for p in payouts]


def test_a_payout_without_float_waits_and_says_why(world: World) -> None:
    payout = world.payout(50_000)
    world.settle()
    seen = world.see(payout)
    assert (seen["status"], seen["waiting_for"], seen["attempts"]) == ("queued", "insufficient_channel_float", [])
    assert world.channel.submitted == []
    assert world.alerts() == ["float_low"]
    world.fund(50_000)
    world.advance(60)
    assert statuses(world, payout) == ["in_transit"]
    assert world.see(payout)["waiting_for"] is None


def test_the_queue_drains_oldest_first_and_a_smaller_one_does_not_overtake(world: World) -> None:
    large, small, third = world.payout(200_000), world.payout(20_000), world.payout(30_000)
    world.settle()
    world.fund(100_000)
    world.advance(120)
    assert statuses(world, large, small, third) == ["queued"] * 3
    world.fund(120_000)
    world.advance(120)
    assert statuses(world, large, small, third) == ["in_transit", "in_transit", "queued"]
    assert [b.instructions[0].amount.units for b in world.channel.submitted] == [200_000, 20_000]
    world.fund(30_000)
    world.advance(120)
    assert statuses(world, third) == ["in_transit"]


def test_what_is_on_its_way_stays_promised_until_its_outcome_is_known(world: World) -> None:
    world.fund(50_000)
    first, second = world.payout(50_000), world.payout(50_000)
    world.advance(180)
    assert statuses(world, first, second) == ["in_transit", "queued"]
    failure = Failure(kind=FailureKind.DESTINATION_INVALID, try_again=TryAgain.NEVER)
    report = Report(status=Status.FAILED, grade=Grade.ANSWER, failure=failure)
    world.worker.payouts.submit.record(world.attempt_id(first), News(report=report), world.call)
    world.advance(60)
    assert statuses(world, first, second) == ["failed", "in_transit"]


def test_a_canceled_payout_no_longer_stands_before_the_others(world: World) -> None:
    world.fund(20_000)
    large, small = world.payout(200_000), world.payout(20_000)
    world.advance(60)
    world.web.payouts.cancel(id_of(large), world.call)
    world.advance(60)
    assert statuses(world, large, small) == ["canceled", "in_transit"]


def test_a_float_is_promised_over_all_businesses(world: World) -> None:
    other = world.of(world.add_business())
    payment = world.payment(500_000, call=other)
    world.confirm(payment, call=other)
    world.settle()
    paid = world.rail.pay(world.rail.started[-1].reference)
    world.call_back(paid, world.rail.started[-1].reply_to)
    world.settle()
    world.fund(60_000)
    first = world.payout(50_000, call=other)
    second = world.payout(50_000)
    world.advance(120)
    assert world.see(first, call=other)["status"] == "in_transit"
    assert world.see(second)["status"] == "queued"


def test_workers_at_once_never_promise_more_than_the_float_holds(world: World) -> None:
    world.fund(150_000)
    payouts = [world.payout(50_000) for _ in range(6)]

    def submit(payout: Json) -> None:
        handler = world.process("worker").handlers["payout.submit"]
        handler(id_of(payout), Call(business_id=world.business.id, livemode=False))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(submit, payouts))
    assert len(world.channel.submitted) <= 3
    world.advance(120)
    assert statuses(world, *payouts) == ["in_transit"] * 3 + ["queued"] * 3
    assert len(world.channel.submitted) == 3


def test_short_of_float_one_goes_and_the_alert_ends_with_the_top_up(make_world: MakeWorld) -> None:
    world = make_world(funded=100_000)
    world.paid(1_500_000)
    first, second, third = world.payout(70_000), world.payout(70_000), world.payout(20_000)
    world.settle()
    assert statuses(world, first, second, third) == ["in_transit", "queued", "queued"]
    assert world.see(second)["waiting_for"] == "insufficient_channel_float"
    assert world.alerts() == ["float_low"]
    detail = world.value("SELECT detail FROM gateway.alert WHERE business_id = :b", b=world.business.id)
    assert detail == "payouts wait: 40000 minor units are missing"
    world.fund(10_000)
    assert world.alerts() == ["float_low"]
    world.fund(50_000)
    assert world.alerts() == []
    world.advance(60)
    assert statuses(world, first, second, third) == ["in_transit"] * 3
    assert [b.instructions[0].amount.units for b in world.channel.submitted] == [70_000, 70_000, 20_000]
    assert world.alerts() == []
