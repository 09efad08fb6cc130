"""A payment that is short by no more than the operator forgives is taken as paid; nothing is forgiven by default."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.application.assignments import AssignReceipt
from gateway.application.commands import Confirmation
from gateway.application.interfaces import Json
from gateway.domain.fees import forgiven
from tests.application.harness import World, id_of
from tests.application.places import Place


def at_place(world: World, place: Place, tolerance: int, amount: int = 150_000) -> Json:
    """A payment that was confirmed at the place while so much was forgiven."""
    payment = world.payment(amount)
    confirm = replace(world.web.payments.confirm, tolerance=tolerance)
    confirm(Confirmation(payment_id=id_of(payment), method="mpesa_paybill", phone=None), world.call)
    world.settle()
    return payment


def status(world: World, payment: Json) -> tuple[str, str | None, int]:
    seen = world.see(payment)
    return seen["status"], seen["exception_status"], seen["amount_received"]


@pytest.mark.parametrize(("tolerance", "due", "most"), [(0, 150_000, 0), (500, 150_000, 500), (500, 1_000, 100)])
def test_at_most_a_tenth_of_what_is_due_is_forgiven(tolerance: int, due: int, most: int) -> None:
    assert forgiven(tolerance, due) == most


def test_by_default_every_cent_is_wanted(world: World) -> None:
    place = Place(world)
    payment = at_place(world, place, 0)
    place.proved(149_999, world.reference(payment))
    assert status(world, payment) == ("requires_payment_method", "underpaid", 149_999)


def test_what_is_short_by_no_more_than_that_is_paid_and_what_is_shorter_isn_t(world: World) -> None:
    place = Place(world)
    taken, short = at_place(world, place, 500), at_place(world, place, 500)
    place.proved(149_500, world.reference(taken))
    place.proved(149_499, world.reference(short))
    assert status(world, taken) == ("succeeded", None, 149_500)
    assert status(world, short) == ("requires_payment_method", "underpaid", 149_499)
    assert world.told(taken).count("payment.succeeded") == 1
    place.proved(1, world.reference(short))
    assert status(world, short) == ("succeeded", None, 149_500)


def test_what_was_forgiven_and_comes_all_the_same_is_the_business_s_and_more_is_an_excess(world: World) -> None:
    place = Place(world)
    payment = at_place(world, place, 500)
    for units, exception in ((149_600, None), (400, None), (1_000, "overpaid")):
        place.proved(units, world.reference(payment))
        assert status(world, payment)[:2] == ("succeeded", exception)
    assert world.balance() == {"available": 150_000 - 2_250, "overpayments": 1_000}
    assert world.told(payment).count("payment.succeeded") == 1


def test_a_payment_keeps_what_was_forgiven_when_it_was_confirmed(world: World) -> None:
    place = Place(world)
    payment = at_place(world, place, 500)
    confirm = replace(world.web.payments.confirm, tolerance=0)
    confirm(Confirmation(payment_id=id_of(payment), method="mpesa_paybill", phone=None), world.call)
    world.settle()
    place.proved(149_500, world.reference(payment))
    assert status(world, payment) == ("succeeded", None, 149_500)


def test_money_that_is_assigned_to_a_payment_that_nobody_confirmed_is_forgiven_too(world: World) -> None:
    place = Place(world)
    place.proved(149_900, "somebody")
    (loose,) = place.loose()
    payment = world.payment()
    AssignReceipt(unit=world.operator.units, tolerance=100)(id_of(loose), id_of(payment), world.call)
    assert status(world, payment) == ("succeeded", None, 149_900)


def test_a_second_sum_at_one_place_is_more_than_was_due_and_a_second_try_s_is_a_duplicate(world: World) -> None:
    place = Place(world)
    payment = at_place(world, place, 0)
    for _ in range(2):
        place.proved(150_000, world.reference(payment))
    assert status(world, payment) == ("succeeded", "overpaid", 300_000)
    by_hand = world.paid()
    place.proved(150_000, "somebody")
    (loose,) = place.loose()
    world.operator.money_in.receipts.assign(id_of(loose), id_of(by_hand), world.call)
    assert status(world, by_hand) == ("succeeded", "overpaid", 300_000)
