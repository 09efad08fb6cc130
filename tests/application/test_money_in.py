"""Money that nobody prompted for: places to pay to, announcements, suspense, assignment, history."""

from __future__ import annotations

import json

import pytest

from gateway.domain.errors import Conflict, NotFound, Unprocessable
from gateway.domain.external_records import Policy
from gateway.domain.ids import Prefix, encode
from ports.callback import Door, Incoming
from tests.application.harness import ACT, World, broken, id_of, idempotent, under
from tests.application.places import Place
from tests.fakes.places import till


def suspense_of(world: World) -> int:
    name = f"suspense:{encode(Prefix.FLOAT, world.rail_float.id)}"
    lines = world.operator.use_cases.ledger.trial_balance(livemode=world.livemode)
    return sum(abs(line.balance) for line in lines if line.path == name)


def test_a_place_is_told_and_paid_as_the_history_proves(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    seen = world.see(payment)
    reference = world.reference(payment)
    assert seen["status"] == "requires_action"
    assert seen["next_action"]["type"] == "pay_to"
    assert seen["next_action"]["pay_to"] == {"paybill": "400200", "account": reference}
    assert world.told(payment) == ["payment.created", "payment.requires_action"]
    place.proved(150_000, reference.lower().replace("0", "o"))
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"]) == ("succeeded", None)
    assert world.balance() == {"available": 147_750}
    place.pull()
    assert world.balance() == {"available": 147_750}


def test_an_announcement_alone_moves_nothing_and_asks_by_its_receipt(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    one = place.rail.paid(150_000, world.reference(payment))
    place.announce(one)
    place.announce(one)
    assert world.see(payment)["status"] == "requires_action"
    assert {q.receipt_number for q in place.rail.asked} == {one.receipt_number}
    place.answer(one)
    assert world.see(payment)["status"] == "succeeded"
    assert [r["receipt_number"] for r in world.see(payment)["receipts"]] == [one.receipt_number]


def test_two_addresses_of_one_connection_prove_nothing_together(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    one = place.rail.paid(150_000, world.reference(payment))
    place.announce(one)
    world.operator.money_in.register(place.line.id, ACT)
    place.addresses = place.rail.registered[-1]
    place.announce(one)
    assert world.see(payment)["status"] == "requires_action"


def test_parts_add_up_and_the_fee_does_not_depend_on_the_split(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    reference = world.reference(payment)
    place.proved(50_000, reference)
    seen = world.see(payment)
    assert (seen["exception_status"], seen["amount_received"]) == ("underpaid", 50_000)
    assert seen["status"] != "succeeded"
    assert seen["next_action"]["amount_left"] == 100_000
    place.proved(90_000, reference)
    place.proved(40_000, reference)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"]) == ("succeeded", "overpaid")
    assert world.balance() == {"available": 147_750, "overpayments": 30_000}
    assert sum(r["fee"] for r in seen["receipts"]) == 2_250


def test_a_place_ends_with_its_payment_and_late_money_still_counts(world: World) -> None:
    place, payment = Place(world), world.payment(expires_in_s=60)
    place.confirm(payment)
    world.advance(61)
    assert world.see(payment)["status"] == "expired"
    assert world.attempt(payment)["status"] == "ended"
    place.proved(150_000, world.reference(payment))
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"]) == ("succeeded", "paid_late")
    assert "payment.paid_late" in world.told(payment)


def test_a_place_does_not_keep_a_payment_from_being_canceled_or_prompted(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    world.confirm(payment)
    assert [a["status"] for a in world.see(payment)["attempts"]] == ["submitted", "created"]
    other = world.payment()
    place.confirm(other)
    canceled = world.web.payments.cancel(id_of(other), world.call)
    assert canceled["status"] == "canceled"
    assert world.attempt(other)["status"] == "ended"


def test_money_of_nobody_waits_in_suspense_until_an_operator_assigns_it(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.proved(150_000, "SCHOOL FEES")
    (loose,) = place.loose()
    assert suspense_of(world) == 150_000
    with pytest.raises(NotFound):
        world.web.use_cases.receipts.read.get(id_of(loose), world.call)
    with pytest.raises(NotFound):
        world.web.use_cases.receipts.assign(id_of(loose), id_of(payment), world.call)
    receipts = world.operator.money_in.receipts
    for _ in range(2):
        receipts.to_payment(id_of(loose), id_of(payment), ACT)
    assert suspense_of(world) == 0
    assert world.see(payment)["status"] == "succeeded"
    assert world.balance() == {"available": 147_750}
    with pytest.raises(Conflict):
        receipts.to_payment(id_of(loose), id_of(world.payment()), ACT)


def test_a_business_sees_and_assigns_what_bears_its_tag(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.proved(60_000, f"{world.business.shop_tag}-254712345678")
    (loose,) = place.loose()
    desk = world.web.use_cases.receipts
    assert desk.read.get(id_of(loose), world.call)["typed_reference"] == f"{world.business.shop_tag}-…678"
    assert world.told(loose) == ["receipt.unmatched"]
    desk.assign(id_of(loose), id_of(payment), world.call)
    desk.assign(id_of(loose), id_of(payment), world.call)
    assert world.told(loose) == ["receipt.unmatched", "receipt.assigned", "receipt.received"]
    assert world.see(payment)["exception_status"] == "underpaid"
    assert place.loose() == []


def test_a_push_s_callback_and_its_confirmation_are_two_doors(world: World) -> None:
    place, payment = Place(world), world.prompted()
    reference = world.reference(payment)
    world.rail.reachable = False
    callback = world.rail.pay(reference)
    world.call_back(callback, world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] != "succeeded"
    place.announce(place.rail.paid(150_000, reference, number=world.rail.of(reference)[-1].receipt_number))
    assert world.see(payment)["status"] == "succeeded"
    assert world.balance() == {"available": 147_750}
    place.pull()
    assert world.balance() == {"available": 147_750}


def test_a_further_number_for_a_paid_prompt_is_a_receipt_of_its_own(world: World) -> None:
    place, payment = Place(world), world.paid()
    place.proved(150_000, world.reference(payment))
    seen = world.see(payment)
    assert [r["attempt"] is None for r in seen["receipts"]] == [False, True]
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}


def test_a_till_s_row_is_not_taken_while_a_prompt_of_that_sum_is_open(world: World) -> None:
    place, payment = Place(world, till()), world.prompted()
    one = place.proved(150_000, None)
    assert place.loose() == []
    reference = world.reference(payment)
    callback = world.rail.pay(reference)
    world.rail.of(reference)[-1].receipt_number = one.receipt_number
    callback = world.rail.callback(reference)
    world.call_back(callback, world.rail.started[-1].reply_to)
    world.settle()
    assert [r["receipt_number"] for r in world.see(payment)["receipts"]] == [one.receipt_number]
    world.advance(61)
    assert (place.loose(), suspense_of(world)) == ([], 0)
    assert world.balance() == {"available": 147_750}


def test_suspense_gives_back_what_a_prompt_turns_out_to_have_paid(world: World) -> None:
    place, payment = Place(world, till()), world.payment()
    one = place.proved(150_000, None)
    assert suspense_of(world) == 150_000
    world.confirm(payment)
    world.settle()
    reference = world.reference(payment)
    world.rail.pay(reference)
    world.rail.of(reference)[-1].receipt_number = one.receipt_number
    world.call_back(world.rail.callback(reference), world.rail.started[-1].reply_to)
    world.settle()
    assert (world.see(payment)["status"], suspense_of(world)) == ("succeeded", 0)
    assert world.float_units(world.rail_float.id) == 150_000
    assert world.balance() == {"available": 147_750}


def test_an_announcement_is_believed_from_a_listed_address_up_to_the_ceiling(world: World) -> None:
    place = Place(world)
    policy = Policy(announced_addresses=("196.201.214.200",), announced_ceiling_units=200_000)
    world.operator.money_in.set_policy(place.line.id, policy, ACT)
    small, large, elsewhere = world.payment(), world.payment(250_000), world.payment()
    for payment, peer in ((small, "196.201.214.200"), (large, "196.201.214.200"), (elsewhere, "10.0.0.1")):
        place.confirm(payment)
        units = payment["amount_due"]
        place.announce(place.rail.paid(units, world.reference(payment)), peer=peer)
    assert [world.see(p)["status"] for p in (small, large, elsewhere)] == [
        "succeeded",
        "requires_action",
        "requires_action",
    ]


def test_validation_is_answered_within_the_request(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    reference = world.reference(payment)
    validation = place.addresses.validation
    assert validation is not None

    def asked(typed: str, units: int) -> str:
        body = json.dumps({"reference": typed, "units": units}).encode()
        return str(json.loads(place.post(Incoming(body=body, door=Door.CONNECTION), validation))["answer"])

    assert asked("nobody", 5) == "accept"
    world.operator.money_in.set_policy(place.line.id, Policy(validation=True), ACT)
    assert asked(f" {reference.lower()} ", 150_000) == "accept"
    assert asked(reference, 100) == "wrong_amount"
    assert asked("nobody", 150_000) == "unknown_reference"
    broken_body = Incoming(body=b"<xml/>", door=Door.CONNECTION)
    assert json.loads(place.post(broken_body, validation))["answer"] == "accept"
    assert world.value("SELECT count(*) FROM gateway.external_record WHERE connection_id = :c", c=place.line.id) == 0


def test_a_replayed_confirm_makes_no_second_try_though_the_store_was_emptied(world: World) -> None:
    payment = world.payment()
    first = idempotent(world, "confirm-1")
    world.confirm(payment, call=under(world.call, first.call))
    world.settle()
    world.rail.fail(world.reference(payment))
    world.run_sql("DELETE FROM gateway.idempotency_key WHERE business_id = :b", b=world.business.id)
    again = idempotent(world, "confirm-1")
    world.confirm(payment, call=under(world.call, again.call))
    assert len(world.see(payment)["attempts"]) == 1
    with pytest.raises(Unprocessable):
        world.confirm(world.payment(), call=under(world.call, again.call))


def test_histories_are_promised_by_themselves_and_read_in_pages(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    place.rail.pages = 2
    reference = world.reference(payment)
    for _ in range(5):
        place.rail.paid(30_000, reference)
    world.worker.doors.promise_pulls([place.line.code])
    assert world.worker.doors.promise_pulls([place.line.code]) == 0
    world.settle()
    assert world.see(payment)["status"] == "succeeded"
    _since, until, _ = place.rail.pulled[-1]
    world.advance(600)
    assert place.rail.pulled[-1][0] < until
    assert len(world.see(payment)["receipts"]) == 5


def test_the_books_hold_with_suspense(world: World) -> None:
    Place(world).proved(77_700, "WHO KNOWS")
    assert broken(world.operator.use_cases.ledger.check()) == []
    assert suspense_of(world) == 77_700
