"""What a business reads: objects, lists, balances and customers, each its own alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.application.commands import ListQuery
from gateway.application.interfaces import Json
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.ids import Prefix, decode
from tests.application.harness import World, a_phone, id_of


def ids(page: Json) -> list[str]:
    return [row["id"] for row in page["data"]]


def test_a_list_goes_from_new_to_old_in_pages(world: World) -> None:
    made = [world.payment(100 * n)["id"] for n in range(1, 6)]
    read = world.web.payments.read
    first = read.page(ListQuery(limit=2), world.call)
    assert (ids(first), first["has_more"]) == (made[:2:-1], True)
    second = read.page(ListQuery(limit=3, starting_after=decode(Prefix.PAYMENT, first["next_cursor"])), world.call)
    assert (ids(second), second["has_more"], second["next_cursor"]) == (made[2::-1], False, None)
    back = read.page(ListQuery(limit=2, ending_before=decode(Prefix.PAYMENT, made[2])), world.call)
    assert ids(back) == made[:2:-1]


def test_a_list_is_filtered_and_expanded(world: World) -> None:
    paid, other = world.paid(), world.payment(reference="cart 3")
    read = world.web.payments.read
    assert ids(read.page(ListQuery(filters={"reference": "cart 3"}), world.call)) == [other["id"]]
    shown = read.page(ListQuery(expand=("attempts",)), world.call)["data"]
    assert [len(p["attempts"]) for p in shown] == [0, 1]
    assert ids(read.attempts(id_of(paid), world.call)) == [a["id"] for a in world.see(paid)["attempts"]]
    assert ids(read.receipts(id_of(paid), world.call)) == [r["id"] for r in world.see(paid)["receipts"]]
    later = ListQuery(created_gt=world.now + timedelta(seconds=1))
    assert ids(read.page(later, world.call)) == []


def test_payouts_are_listed_with_their_attempts(world: World) -> None:
    world.paid()
    sent = world.payout(20_000)
    world.settle()
    queued = world.payout(20_000)
    read = world.web.payouts.read
    shown = read.page(ListQuery(expand=("attempts",)), world.call)["data"]
    assert [(p["id"], len(p["attempts"])) for p in shown] == [(queued["id"], 0), (sent["id"], 1)]
    assert ids(read.page(ListQuery(filters={"state": "queued"}), world.call)) == [queued["id"]]
    assert ids(read.attempts(id_of(sent), world.call)) == [world.attempt(sent)["id"]]


def test_another_business_s_object_is_not_found(world: World) -> None:
    payment, other = world.paid(), world.of(world.add_business())
    payout = world.payout(20_000)
    live = replace(world.call, livemode=True)
    for call in (other, live):
        for read in (
            lambda call: world.web.payments.read.get(id_of(payment), call),
            lambda call: world.web.payments.read.timeline(id_of(payment), call),
            lambda call: world.web.payments.read.attempts(id_of(payment), call),
            lambda call: world.web.payments.cancel(id_of(payment), call),
            lambda call: world.web.payments.refresh(id_of(payment), call),
            lambda call: world.web.payouts.read.get(id_of(payout), call),
            lambda call: world.web.payouts.cancel(id_of(payout), call),
        ):
            with pytest.raises(NotFound):
                read(call)
        assert world.web.payments.read.page(ListQuery(), call)["data"] == []
        assert world.balance(call) == {}


def test_balance_transactions_say_what_moved_the_balance(world: World) -> None:
    world.paid()
    payout = world.payout(20_000)
    world.web.payouts.cancel(id_of(payout), world.call)
    balances = world.web.use_cases.balances
    page = balances.transactions(ListQuery(), world.call)
    assert len(page["data"]) == 3
    one = page["data"][0]
    assert balances.transaction(decode(Prefix.BALANCE_TRANSACTION, one["id"]), world.call) == one
    assert balances.transactions(ListQuery(limit=1), world.call)["has_more"] is True
    with pytest.raises(NotFound):
        balances.transaction(id_of(payout), world.call)


def test_an_empty_balance_has_all_six_buckets(world: World) -> None:
    shown = world.web.use_cases.balances.now(world.call)
    names = ("pending", "available", "reserved", "withheld", "overpayments", "owed")
    assert [shown[name] for name in names] == [[{"amount": 0, "currency": "KES"}]] * 6
    assert world.web.use_cases.balances.business(world.call)["name"] == world.business.name


def test_a22_a_phone_typed_any_way_is_one_customer_whose_number_is_masked(world: World) -> None:
    save, read = world.web.use_cases.save_customer, world.web.use_cases.customers
    made = [
        save(world.call, phone=typed)["id"] for typed in ("0712 345 678", "+254712345678", "254712345678", "712345678")
    ]
    assert len(set(made)) == 1
    named = save(world.call, phone="0712345678", name="Njeri", email="n@shop.example", metadata={"vip": "yes"})
    assert (named["name"], named["phone"], named["metadata"]) == ("Njeri", "+2547•••••678", {"vip": "yes"})
    assert save(world.call, phone="0712345678") == named
    assert read.get(id_of(named), world.call) == named
    assert ids(read.page(ListQuery(filters={"phone": "0712345678"}), world.call)) == [named["id"]]
    assert ids(read.page(ListQuery(filters={"phone": a_phone()}), world.call)) == []
    assert ids(read.page(ListQuery(), world.call)) == [named["id"]]
    with pytest.raises(Invalid):
        read.page(ListQuery(filters={"phone": "12"}), world.call)


def test_a22_a_payer_becomes_the_same_customer_of_each_business_alone(world: World) -> None:
    phone = a_phone()
    other = world.of(world.add_business())
    for call in (world.call, world.call, other):
        world.confirm(world.payment(call=call), phone=phone, call=call)
    read = world.web.use_cases.customers
    (mine,) = ids(read.page(ListQuery(), world.call))
    (theirs,) = ids(read.page(ListQuery(), other))
    assert mine != theirs
    listed = world.web.payments.read.page(ListQuery(filters={"customer_id": decode("cus", mine)}), world.call)
    assert len(listed["data"]) == 2
