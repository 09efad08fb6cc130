"""Refunds: full, partial, many; never above what arrived; decided once, whatever the provider says and when."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway.application.commands import ListQuery
from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.domain.errors import Busy, Conflict, GatewayError, InsufficientFunds, Invalid, Unprocessable
from ports.errors import AlreadyTaken, NotSent, OutcomeUnknown, Refused
from ports.payment_rail import RefundDestination
from tests.application.harness import FREE, World, a_phone, id_of, idempotent, under
from tests.fakes.refunds import FAILURES, FAKE_PARTS, FAKE_REFUNDING

MakeWorld = Callable[..., World]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A rail that gives back in parts too; collecting is free, so that a refund of all is covered."""
    return make_world(rail_offers=FAKE_PARTS, collect=FREE)


@pytest.fixture
def whole(make_world: MakeWorld) -> World:
    """A rail that only gives back all of a receipt."""
    return make_world(rail_offers=FAKE_REFUNDING, collect=FREE)


def refund(world: World, payment: Json, amount: int | None = None, **more: Any) -> Json:
    return world.web.refunds.create(NewRefund(payment_id=id_of(payment), amount=amount, **more), world.call)


def result(world: World, place: int = -1) -> None:
    """The provider posts how an order stands to the URL of its order, and then answers the question it woke."""
    world.call_back(world.rail.refund_result(place), world.rail.orders[place].reply_to)
    world.settle()


def done(world: World, place: int = -1) -> None:
    world.rail.give(place)
    result(world, place)
    world.advance(5)


def status(world: World, one: Json) -> str:
    return str(world.see(one)["status"])


def test_a_refund_is_reserved_sent_and_proved(world: World) -> None:
    payment = world.paid()
    made = refund(world, payment)
    assert (made["status"], made["amount"], made["payment"]) == ("pending", 150_000, payment["id"])
    assert world.balance() == {"reserved": 150_000}
    assert world.see(payment)["amount_refunded"] == 150_000
    world.settle()
    assert status(world, made) == "submitted"
    assert world.rail.orders[-1].receipt_number == world.see(payment)["receipts"][0]["receipt_number"]
    done(world)
    seen = world.see(made)
    assert (seen["status"], seen["amount_sent"], seen["receipt_number"]) == ("succeeded", 150_000, "RV00000001")
    assert world.balance() == {}
    assert world.float_units(world.rail_float.id) == 0
    assert world.told(made) == ["refund.created", "refund.submitted", "refund.succeeded"]
    assert world.see(payment)["receipts"][0]["amount_refunded"] == 150_000


def test_three_parts_that_add_up_pass_and_a_fourth_of_one_unit_does_not(world: World) -> None:
    payment = world.paid(30_000)
    for _ in range(3):
        refund(world, payment, 10_000)
        world.settle()
        done(world)
    assert world.see(payment)["amount_refunded"] == 30_000
    with pytest.raises(Invalid) as refused:
        refund(world, payment, 1)
    assert (refused.value.code, refused.value.param) == ("refund_exceeds_remaining", "/amount")
    assert world.balance() == {}


def test_of_fifty_full_refunds_at_once_exactly_one_is_made(world: World) -> None:
    payment = world.paid()

    def one(_: int) -> str:
        for _ in range(50):
            try:
                return str(refund(world, payment)["status"])
            except Busy:
                continue
            except GatewayError as error:
                return error.code
        return "busy"

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(one, range(50)))
    assert sorted(told) == ["pending"] + ["refund_exceeds_remaining"] * 49
    assert world.balance() == {"reserved": 150_000}


def test_a_refund_beyond_the_balance_leaves_nothing_behind(make_world: MakeWorld) -> None:
    world = make_world(rail_offers=FAKE_PARTS)
    payment = world.paid()
    with pytest.raises(InsufficientFunds):
        refund(world, payment)
    assert world.see(payment)["amount_refunded"] == 0
    assert world.balance() == {"available": 147_750}


def test_canceled_before_it_is_sent_it_gives_the_money_back(world: World) -> None:
    payment = world.paid()
    made = refund(world, payment)
    world.web.refunds.cancel(id_of(made), world.call)
    world.settle()
    assert (status(world, made), world.balance(), world.rail.orders) == ("canceled", {"available": 150_000}, [])
    assert world.see(payment)["amount_refunded"] == 0
    again = refund(world, payment)
    world.settle()
    with pytest.raises(Conflict) as refused:
        world.web.refunds.cancel(id_of(again), world.call)
    assert refused.value.code == "refund_not_cancelable"


def test_a_repeat_under_one_key_is_one_refund(world: World) -> None:
    payment = world.paid()
    key = idempotent(world, "refund-1").call
    call = under(world.call, key)
    first = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), call)
    again = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), call)
    assert first["id"] == again["id"]
    assert world.balance() == {"reserved": 150_000}


@pytest.mark.parametrize("error", [OutcomeUnknown("silence"), AlreadyTaken("known", provider_reference="refund-1")])
def test_an_unknown_refund_is_asked_about_and_never_sent_again(world: World, error: Exception) -> None:
    payment = world.paid()
    world.rail.on_refund(error)
    made = refund(world, payment)
    world.settle()
    assert status(world, made) == "unknown"
    world.advance(7_200)
    assert len(world.rail.orders) == 1
    world.rail.give()
    world.advance(3_700)
    assert (status(world, made), len(world.rail.orders)) == ("succeeded", 1)


def test_a_worker_that_died_while_it_sent_leaves_it_unknown(world: World) -> None:
    made = refund(world, world.paid())
    world.settle()
    world.run_sql("UPDATE gateway.refund_attempt SET state = 'submitting' WHERE refund_id = :r", r=id_of(made))
    world.run("refund.submit", id_of(made))
    assert (status(world, made), len(world.rail.orders)) == ("unknown", 1)


def test_what_was_not_sent_goes_again_under_the_same_reference(world: World) -> None:
    world.rail.on_refund(NotSent("no connection", retry_after_s=5))
    made = refund(world, world.paid())
    world.settle()
    assert (status(world, made), world.see(made)["waiting_for"]) == ("pending", "channel_unavailable")
    world.advance(10)
    assert status(world, made) == "submitted"
    assert len({order.reference for order in world.rail.orders}) == 1


def test_a_definite_refusal_goes_as_a_payout_to_who_paid(whole: World) -> None:
    world = whole
    payment = world.payment()
    phone = a_phone()
    world.confirm(payment, phone=phone)
    world.settle()
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    world.rail.on_refund(Refused(FAILURES["too_old"]))
    made = refund(world, payment)
    world.settle()
    world.advance(31)
    (instruction,) = world.channel.submitted[-1].instructions
    assert (instruction.destination.account, instruction.amount.units) == (phone, 150_000)
    world.channel.pay(instruction.reference)
    world.call_back(world.channel.result(instruction.reference), instruction.reply_to)
    world.settle()
    question = world.channel.looked_up[-1]
    world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()
    seen = world.see(made)
    assert seen["status"] == "succeeded"
    assert [(a["way"], a["status"]) for a in seen["attempts"]] == [("rail", "failed"), ("payout", "succeeded")]
    assert world.balance() == {}
    assert world.float_units(world.rail_float.id) == 150_000
    assert world.float_units(world.channel_float.id) == 100_000_000 - 150_000


def test_a_refusal_that_nothing_helps_ends_it_and_pays_nobody(world: World) -> None:
    payment = world.paid()
    world.rail.on_refund(Refused(FAILURES["already"]))
    made = refund(world, payment)
    world.settle()
    world.advance(120)
    seen = world.see(made)
    assert (seen["status"], seen["error"]["provider_code"]) == ("failed", "already")
    assert (world.balance(), world.channel.submitted) == ({"available": 150_000}, [])
    assert world.see(payment)["amount_refunded"] == 0
    assert world.told(made)[-1] == "refund.failed"


def test_a_refusal_for_now_is_tried_again_with_another_reference(world: World) -> None:
    world.rail.on_refund(Refused(FAILURES["later"]))
    made = refund(world, world.paid())
    world.settle()
    assert status(world, made) == "pending"
    world.advance(61)
    assert status(world, made) == "submitted"
    assert len({order.reference for order in world.rail.orders}) == 2


def test_a_part_that_the_rail_can_not_give_back_goes_as_a_payout(whole: World) -> None:
    payment = whole.paid()
    refund(whole, payment, 50_000)
    whole.settle()
    assert whole.rail.orders == []
    assert whole.channel.submitted[-1].instructions[0].amount.units == 50_000


def test_where_a_destination_is_required_it_must_be_named(make_world: MakeWorld) -> None:
    world = make_world(rail_offers=replace(FAKE_PARTS, refund_destination=RefundDestination.REQUIRED), collect=FREE)
    payment = world.paid()
    with pytest.raises(Invalid) as refused:
        refund(world, payment)
    assert (refused.value.code, refused.value.param) == ("destination_required", "/destination")
    phone = a_phone()
    made = refund(world, payment, destination_kind="mpesa_phone", account=phone)
    world.settle()
    assert world.rail.orders[-1].payer == phone
    assert phone not in str(world.see(made))


def test_where_it_goes_back_to_its_origin_a_destination_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        refund(world, world.paid(), destination_kind="mpesa_phone", account=a_phone())
    assert (refused.value.code, refused.value.param) == ("destination_not_allowed", "/destination")


def test_a_rail_that_gives_nothing_back_says_so(make_world: MakeWorld) -> None:
    world = make_world(collect=FREE)
    with pytest.raises(Unprocessable) as refused:
        refund(world, world.paid())
    assert refused.value.code == "refund_not_supported"


def test_weak_news_alone_moves_nothing(world: World) -> None:
    world.rail.reachable = True
    made = refund(world, world.paid())
    world.settle()
    forged = world.rail.give()
    world.rail.given[-1].code = "waiting"
    world.call_back(forged, world.rail.orders[-1].reply_to)
    world.settle()
    assert (status(world, made), world.balance()) == ("submitted", {"reserved": 150_000})


def test_lists_show_refunds_of_a_payment(world: World) -> None:
    payment = world.paid()
    first, second = refund(world, payment, 10_000), refund(world, payment, 20_000)
    page = world.web.refunds.read.page(ListQuery(filters={"payment_id": id_of(payment)}), world.call)
    assert [r["id"] for r in page["data"]] == [second["id"], first["id"]]
    shown = world.web.payments.read.get(id_of(payment), world.call, ("refunds",))
    assert [r["id"] for r in shown["refunds"]] == [first["id"], second["id"]]
