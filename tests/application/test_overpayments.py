"""What was paid too much: kept with one call, or given back with one call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.domain.errors import Invalid
from tests.application.harness import World, id_of, idempotent, under
from tests.fakes.refunds import FAKE_REFUNDING

MakeWorld = Callable[..., World]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A rail that only gives back all of a receipt, at 1.5 %."""
    return make_world(rail_offers=FAKE_REFUNDING)


def doubled(world: World) -> Json:
    """A payment that was paid twice: the shopper answered both prompts."""
    payment = world.prompted()
    world.advance(200)
    world.confirm(payment, acknowledge=True)
    world.settle()
    for place in (0, 1):
        world.call_back(world.rail.pay(world.reference(payment, place)), world.rail.started[place].reply_to)
        world.settle()
    seen = world.see(payment)
    assert (seen["exception_status"], seen["amount_received"]) == ("duplicate", 300_000)
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
    return payment


def test_a_double_payment_is_returned_with_one_call(world: World) -> None:
    payment = doubled(world)
    made = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    assert (made["amount"], made["amount_of_excess"]) == (150_000, 150_000)
    assert world.balance() == {"available": 147_750, "reserved": 150_000}
    world.settle()
    doubled_receipt = world.see(payment)["receipts"][-1]["receipt_number"]
    assert world.rail.orders[-1].receipt_number == doubled_receipt
    world.rail.give()
    world.call_back(world.rail.refund_result(), world.rail.orders[-1].reply_to)
    world.settle()
    assert world.see(made)["status"] == "succeeded"
    assert world.balance() == {"available": 147_750}


def test_a_refund_of_the_excess_that_fails_goes_back_to_overpayments(world: World) -> None:
    payment = doubled(world)
    made = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    world.web.refunds.cancel(id_of(made), world.call)
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
    again = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    assert again["amount_of_excess"] == 150_000


def test_a_refund_over_both_receipts_is_one_order_each(world: World) -> None:
    payment = doubled(world)
    world.paid()
    made = world.web.refunds.create(NewRefund(payment_id=id_of(payment), amount=300_000), world.call)
    for _ in range(2):
        world.settle()
        world.rail.give()
        world.call_back(world.rail.refund_result(), world.rail.orders[-1].reply_to)
        world.settle()
    seen = world.see(made)
    assert (seen["status"], seen["amount_sent"]) == ("succeeded", 300_000)
    assert len({order.receipt_number for order in world.rail.orders}) == 2
    assert world.balance() == {"available": 2 * 147_750 - 150_000}


def test_an_accepted_excess_bears_its_fee_once(world: World) -> None:
    payment = doubled(world)
    call = under(world.call, idempotent(world, "keep-1").call)
    for _ in range(2):
        world.web.refunds.accept_overpayment(id_of(payment), None, call)
    assert world.balance() == {"available": 2 * 147_750}
    with pytest.raises(Invalid) as refused:
        world.web.refunds.accept_overpayment(id_of(payment), None, world.call)
    assert refused.value.code == "nothing_overpaid"


def test_a_part_is_accepted_and_the_rest_refunded(world: World) -> None:
    payment = doubled(world)
    world.web.refunds.accept_overpayment(id_of(payment), 50_000, world.call)
    assert world.balance() == {"available": 147_750 + 49_250, "overpayments": 100_000}
    made = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    assert (made["amount"], made["amount_of_excess"]) == (100_000, 100_000)
    world.settle()
    assert world.channel.submitted[-1].instructions[0].amount.units == 100_000
