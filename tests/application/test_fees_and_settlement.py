"""Prices frozen at confirm, taxes in their own lines, and money that waits for its banking day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.application.representations import moment
from gateway.domain.errors import InsufficientFunds
from gateway.domain.fees import FeeSchedule, TaxRule
from ports.report import Grade, MoneyIn, Report, Status
from tests.application.harness import COLLECT, World, a_phone, id_of, kes

MakeWorld = Callable[..., World]
VAT_INSIDE = TaxRule(code="vat", rate_bps=1_600)
EXCISE_ON_TOP = TaxRule(code="excise", rate_bps=1_500, inclusive=False)


def pay(world: World, payment: Json, *, place: int = -1) -> None:
    world.call_back(world.rail.pay(world.reference(payment, place)), world.rail.started[place].reply_to)
    world.settle()


def statement(world: World, payment: Json, units: int, number: str, *, place: int = -1) -> None:
    money = (MoneyIn(receipt_namespace="statement", receipt_number=number, amount=kes(units)),)
    report = Report(status=Status.SUCCEEDED, grade=Grade.FILE, money=money)
    world.worker.payments.record(world.attempt_id(payment, place), News(report=report), world.call)


def test_a_fee_is_frozen_at_confirm_and_later_prices_are_for_later_payments(world: World) -> None:
    payment = world.payment()
    world.price(FeeSchedule(id=COLLECT.id, version=2, bps=200), "collect")
    world.confirm(payment)
    world.settle()
    assert world.see(payment)["fee_schedule"].endswith("@2")
    world.clock.forward(1)
    world.price(FeeSchedule(id=COLLECT.id, version=3, bps=900), "collect")
    pay(world, payment)
    assert [r["fee"] for r in world.see(payment)["receipts"]] == [3_000]
    later = world.paid()
    assert world.see(later)["fee_schedule"].endswith("@3")
    assert world.balance() == {"available": 147_000 + 136_500}


def test_a_second_confirm_keeps_the_first_one_s_prices(world: World) -> None:
    payment = world.prompted()
    world.call_back(world.rail.fail(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    world.clock.forward(1)
    world.price(FeeSchedule(id=COLLECT.id, version=2, bps=900), "collect")
    world.confirm(payment)
    world.settle()
    pay(world, payment)
    assert [r["fee"] for r in world.see(payment)["receipts"]] == [2_250]


def test_a_payout_s_fee_is_frozen_at_its_creation(world: World) -> None:
    world.paid()
    payout = world.payout(50_000)
    world.clock.forward(1)
    world.price(FeeSchedule(id=COLLECT.id, version=2, flat_units=9_000), "payout")
    assert (payout["fee"], world.balance()["reserved"]) == (3_000, 53_000)
    assert world.payout(50_000)["fee"] == 9_000


def test_without_a_price_of_its_own_a_business_pays_nothing(make_world: MakeWorld) -> None:
    world = make_world(collect=None, payout_fee=None)
    world.paid()
    assert world.balance() == {"available": 150_000}
    assert world.payout(50_000)["fee"] == 0


def test_taxes_are_lines_of_their_own_on_receipt_and_in_the_books(make_world: MakeWorld) -> None:
    world = make_world(collect=FeeSchedule(id=COLLECT.id, version=1, bps=200, taxes=(VAT_INSIDE, EXCISE_ON_TOP)))
    (receipt,) = world.see(world.paid(100_000))["receipts"]
    assert receipt["fee"] == 1_724
    assert receipt["tax"] == [{"code": "vat", "amount": 276}, {"code": "excise", "amount": 300}]
    assert world.balance() == {"available": 97_700}
    lines = {line.path: line.balance for line in world.operator.use_cases.ledger.trial_balance(livemode=False)}
    assert lines["tax:vat:payable"] >= 276
    assert lines["tax:excise:payable"] >= 300


def test_a_payment_in_parts_is_charged_as_a_payment_in_one(make_world: MakeWorld) -> None:
    """Three parts, each of which alone would be rounded or capped otherwise."""
    world = make_world(
        collect=FeeSchedule(id=COLLECT.id, version=1, bps=333, cap_units=20_000, min_units=50, taxes=(VAT_INSIDE,))
    )
    whole = world.paid(1_000_000)
    (once,) = world.see(whole)["receipts"]
    parts = world.prompted(1_000_000)
    for place, units in enumerate((100, 899_900, 100_000)):
        statement(world, parts, units, f"PART{place}")
        if place < 2:
            world.confirm(parts, phone=a_phone())
            world.settle()
    seen = world.see(parts)
    assert (seen["status"], seen["amount_received"]) == ("succeeded", 1_000_000)
    assert sum(r["fee"] for r in seen["receipts"]) == once["fee"]
    assert sum(t["amount"] for r in seen["receipts"] for t in r["tax"]) == sum(t["amount"] for t in once["tax"])


# Settlement


def test_c5_money_waits_for_its_banking_day_and_is_released_once(make_world: MakeWorld) -> None:
    world = make_world(settlement="T+1")
    payment = world.paid()  # a Tuesday, 10:30 in Nairobi
    available_on = datetime(2026, 11, 24, 21, tzinfo=UTC)  # Wednesday's midnight in Nairobi
    seen = world.see(payment)
    assert seen["settlement"] == {"policy": "T+1", "status": "pending", "available_on": moment(available_on)}
    assert world.balance() == {"pending": 147_750}
    world.advance((available_on - world.now).total_seconds() - 1)
    assert world.balance() == {"pending": 147_750}
    assert "balance.available" not in world.told()
    world.advance(1)
    assert world.balance() == {"available": 147_750}
    assert world.see(payment)["settlement"]["status"] == "available"
    (receipt,) = seen["receipts"]
    assert world.run("receipt.release", id_of(receipt)) is None
    assert world.journals() == ["receipt.booked", "receipt.released"]
    (told,) = [e for e in world.events() if e["type"] == "balance.available"]
    assert told["data"]["object"]["settlement"]["status"] == "available"


def test_a_release_that_is_early_waits(make_world: MakeWorld) -> None:
    world = make_world(settlement="T+1")
    (receipt,) = world.see(world.paid())["receipts"]
    assert world.run("receipt.release", id_of(receipt)) == datetime(2026, 11, 24, 21, tzinfo=UTC)
    assert world.balance() == {"pending": 147_750}


@pytest.mark.parametrize(
    ("paid_on", "days", "expected"),
    [
        (datetime(2026, 11, 27, 12, tzinfo=UTC), 1, datetime(2026, 11, 29, 21, tzinfo=UTC)),  # Friday → Monday
        (datetime(2026, 12, 11, 22, tzinfo=UTC), 1, datetime(2026, 12, 13, 21, tzinfo=UTC)),  # past midnight in Nairobi
        (datetime(2026, 12, 24, 12, tzinfo=UTC), 2, datetime(2026, 12, 28, 21, tzinfo=UTC)),  # over Christmas
    ],
)
def test_available_on_is_a_banking_day_in_nairobi(
    make_world: MakeWorld, paid_on: datetime, days: int, expected: datetime
) -> None:
    world = make_world(settlement=f"T+{days}")
    world.clock.time = paid_on
    payment = world.paid()
    assert world.see(payment)["settlement"]["available_on"] == moment(expected)


def test_pending_money_cannot_be_paid_out(make_world: MakeWorld) -> None:
    world = make_world(settlement="T+1")
    world.paid()
    with pytest.raises(InsufficientFunds):
        world.payout(50_000)
    world.advance(3 * 24 * 3600)
    assert world.payout(50_000)["status"] == "queued"


def test_an_overpayment_does_not_send_available_money_back_to_pending(make_world: MakeWorld) -> None:
    world = make_world(settlement="T+1")
    payment = world.prompted()
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    pay(world, payment, place=1)
    world.advance(2 * 24 * 3600)
    before = world.see(payment)["settlement"]
    assert before["status"] == "available"
    pay(world, payment, place=0)
    world.advance(2 * 24 * 3600)
    assert world.see(payment)["settlement"] == before
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
    assert world.told().count("balance.available") == 1
    assert world.journals() == ["receipt.booked", "receipt.released", "receipt.booked"]


def test_money_of_which_nothing_is_left_after_the_fee_is_released_without_a_posting(make_world: MakeWorld) -> None:
    world = make_world(settlement="T+1", collect=FeeSchedule(id=COLLECT.id, version=1, flat_units=500_000))
    payment = world.paid()
    world.advance(2 * 24 * 3600)
    assert world.see(payment)["settlement"]["status"] == "available"
    assert world.balance() == {}
    assert world.journals() == ["receipt.booked"]


def test_settlement_is_frozen_at_confirm_too(world: World) -> None:
    payment = world.prompted()
    world.run_sql("UPDATE gateway.business SET settlement = 'T+3' WHERE id = :b", b=world.business.id)
    pay(world, payment)
    assert world.balance() == {"available": 147_750}
    world.clock.forward(timedelta(days=1).total_seconds())
    world.paid()
    assert world.balance() == {"available": 147_750, "pending": 147_750}
