"""Money that no try of ours brought goes back over the rail that told of it, where that rail can give it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.domain.errors import Invalid, Unprocessable
from ports.abilities import Ability, RefundOrder, Refunds
from ports.payment_rail import Question, RailCapabilities, RefundDestination
from ports.report import Grade, Report, Status
from tests.application.harness import ACT, FREE, World, a_phone, id_of
from tests.application.places import Place
from tests.fakes.places import FAKE_PLACE, FakePlace

MakeWorld = Callable[..., World]


@dataclass(kw_only=True)
class GivingPlace(FakePlace, Refunds):
    """A place that gives money back at once, by its receipt number."""

    orders: list[RefundOrder] = field(default_factory=list)

    def refund(self, order: RefundOrder) -> Report:
        self.orders.append(order)
        return Report(
            status=Status.SUCCEEDED,
            grade=Grade.ANSWER,
            reference=order.reference,
            receipt_number=f"{order.receipt_number}R",
            amount=order.amount,
        )

    def look_up_refund(self, question: Question) -> Report:
        return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)


def offering(rule: RefundDestination, *abilities: Ability) -> RailCapabilities:
    return replace(FAKE_PLACE, refund_destination=rule, abilities=(*FAKE_PLACE.abilities, *abilities))


ORIGIN = offering(RefundDestination.ORIGIN, Ability.REFUND)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(collect=FREE)


def assigned(world: World, place: Place, units: int = 150_000) -> Json:
    """A payment that an operator gave a sum in suspense to."""
    one = place.proved(units, "somebody")
    payment = world.payment()
    (loose,) = [r for r in place.loose() if r["receipt_number"] == one.receipt_number]
    world.operator.money_in.receipts.to_payment(id_of(loose), id_of(payment), ACT)
    world.settle()
    return world.see(payment)


def refund(world: World, payment: Json, **more: object) -> Json:
    made: Json = world.web.refunds.create(NewRefund(payment_id=id_of(payment), **more), world.call)  # type: ignore[arg-type]
    world.settle()
    return world.see(made)


def test_assigned_money_goes_back_over_the_place_that_it_was_paid_to(world: World) -> None:
    place = Place(world, ORIGIN, GivingPlace)
    payment = assigned(world, place)
    assert payment["receipts"][0]["attempt"] is None
    made = refund(world, payment)
    assert (made["status"], world.balance()) == ("succeeded", {})
    assert isinstance(place.rail, GivingPlace)
    (order,) = place.rail.orders
    assert (order.receipt_number, order.payer) == (payment["receipts"][0]["receipt_number"], None)
    assert world.float_units(world.rail_float.id) == 0


def test_a_second_sum_at_a_prompt_s_reference_goes_back_to_the_place_too(world: World) -> None:
    place = Place(world, ORIGIN, GivingPlace)
    payment = world.paid()
    place.rail.paid(150_000, world.reference(payment))
    place.pull()
    seen = world.see(payment)
    assert (seen["amount_received"], seen["receipts"][-1]["attempt"]) == (300_000, None)
    made = refund(world, payment)
    assert (made["status"], made["amount"]) == ("succeeded", 150_000)
    assert world.balance() == {"available": 150_000}


def test_where_the_place_wants_a_destination_it_is_paid_out_there(world: World) -> None:
    place = Place(world, offering(RefundDestination.REQUIRED))
    payment = assigned(world, place)
    with pytest.raises(Invalid) as refused:
        refund(world, payment)
    assert refused.value.code == "destination_required"
    made = refund(world, payment, destination_kind="mpesa_phone", account=a_phone())
    assert (made["status"], made["attempts"][0]["way"]) == ("submitted", "payout")


@pytest.mark.parametrize("offers", [FAKE_PLACE, offering(RefundDestination.ORIGIN)])
def test_a_place_that_gives_nothing_back_says_so_and_nothing_is_reserved(
    world: World, offers: RailCapabilities
) -> None:
    payment = assigned(world, Place(world, offers))
    with pytest.raises(Unprocessable) as refused:
        refund(world, payment)
    assert refused.value.code == "refund_not_supported"
    assert world.balance() == {"available": 150_000}


def test_money_whose_connection_is_no_rail_of_this_process_isn_t_refunded(world: World) -> None:
    place = Place(world, ORIGIN, GivingPlace)
    payment = assigned(world, place)
    for process in (world.web, world.worker, world.operator):
        rails = process.lines_.rails
        assert isinstance(rails, dict)
        del rails[place.line.code]
    with pytest.raises(Unprocessable):
        refund(world, payment)
