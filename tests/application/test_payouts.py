"""Money out: reserved at once, sent once, proved before it is believed, and back in the balance when it wasn't paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway.application.commands import NewPayout
from gateway.domain.errors import Conflict, InsufficientFunds, Invalid, StateRefused, Unprocessable
from gateway.domain.proof import Verdict
from ports.errors import NotSent, OutcomeUnknown, Refused
from ports.registration import LookUp
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.application.harness import World, a_phone, id_of, kes
from tests.application.payouts import answer, record, result, sent, states
from tests.fakes.channel import FAKE_PHONES


@pytest.fixture
def world(world: World) -> World:
    """A business with KES 1,477.50."""
    world.paid()
    return world


def test_b1_a_payout_reserves_amount_and_fee_at_once(world: World) -> None:
    payout = world.payout(50_000)
    assert (payout["status"], payout["fee"]) == ("queued", 3_000)
    assert world.balance() == {"available": 94_750, "reserved": 53_000}
    assert world.told(payout) == ["payout.created", "payout.queued"]


def test_a_payout_that_is_not_covered_leaves_nothing_behind(world: World) -> None:
    before = (world.told(), world.journals(), world.due_kinds())
    with pytest.raises(InsufficientFunds):
        world.payout(147_000)  # covered without its fee
    assert world.balance() == {"available": 147_750}
    assert (world.told(), world.journals(), world.due_kinds()) == before
    assert world.value("SELECT count(*) FROM gateway.payout WHERE business_id = :b", b=world.business.id) == 0


def test_c4_of_many_parallel_payouts_of_the_whole_balance_exactly_one_is_accepted(world: World) -> None:
    """Twenty threads here; two hundred callers are tried against the ledger itself."""

    def ask(_: int) -> str:
        try:
            return str(world.payout(144_700)["status"])
        except InsufficientFunds:
            return "refused"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert sorted(answers) == ["queued", *["refused"] * 19]
    assert world.balance() == {"available": 50, "reserved": 147_700}
    world.settle()
    assert len(world.channel.submitted) == 1


@pytest.mark.parametrize(
    ("kind", "account", "amount", "error", "code"),
    [
        ("mpesa_phone", "0712345678", 50_050, Invalid, "amount_not_aligned"),
        ("mpesa_phone", "0712345678", 900, Invalid, "amount_too_small"),
        ("mpesa_phone", "0712345678", 30_000_000, Invalid, "amount_too_large"),
        ("mpesa_phone", "12", 50_000, Invalid, "phone_invalid"),
        ("cash_in_an_envelope", "0712345678", 50_000, Invalid, "destination_invalid"),
        ("bank_account", "0712345678", 50_000, Unprocessable, "destination_not_available"),
    ],
)
def test_a_payout_that_cannot_be_made_is_refused_by_name(
    world: World, kind: str, account: str, amount: int, error: type[Exception], code: str
) -> None:
    command = NewPayout(amount=amount, currency="KES", destination_kind=kind, account=account)
    with pytest.raises(error) as refused:
        world.web.payouts.create(command, world.call)
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert world.balance() == {"available": 147_750}


def test_without_a_channel_there_is_no_payout(world: World) -> None:
    world.web.lines.channels.clear()  # type: ignore[attr-defined]
    with pytest.raises(Unprocessable) as refused:
        world.payout()
    assert refused.value.code == "destination_not_available"


# Unknown


def test_b3_an_unknown_payout_is_asked_about_and_never_sent_again(world: World) -> None:
    world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    assert states(world, payout) == ["unknown", "unknown"]
    with pytest.raises(Conflict) as refused:
        world.web.payouts.retry(id_of(payout), world.call)
    assert refused.value.code == "payout_outcome_unknown"
    world.web.payouts.refresh(id_of(payout), world.call)
    world.settle()
    assert len(world.channel.looked_up) == 1
    world.channel.pay(world.reference(payout))
    answer(world)
    result(world)
    assert world.see(payout)["status"] == "paid"
    assert len(world.channel.submitted) == len(world.channel.taken) == 1


def test_an_unknown_payout_that_the_provider_has_is_in_transit_again(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up=LookUp.ANSWERS))
    world.paid()
    world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    world.advance(31)
    assert states(world, payout) == ["in_transit", "in_transit"]
    assert world.told(payout)[-1] == "payout.in_transit"


def test_a_channel_that_answers_no_questions_is_not_asked(make_world: Any) -> None:
    world = make_world(channel_offers=replace(FAKE_PHONES, look_up=LookUp.NONE))
    world.paid()
    payout = sent(world)
    world.advance(3_600)
    assert world.channel.looked_up == []
    record(world, payout, Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000)))
    assert world.see(payout)["status"] == "paid"


@pytest.mark.parametrize("state", ["in_transit", "paid", "failed"])
def test_only_a_queued_payout_can_be_hurried(world: World, state: str) -> None:
    payout = sent(world)
    if state != "in_transit":
        status = Status.SUCCEEDED if state == "paid" else Status.FAILED
        failure = Failure(kind=FailureKind.DESTINATION_INVALID, try_again=TryAgain.NEVER)
        record(world, payout, Report(status=status, grade=Grade.ANSWER, failure=None if state == "paid" else failure))
    with pytest.raises(Conflict) as refused:
        world.web.payouts.retry(id_of(payout), world.call)
    assert refused.value.code == "payout_not_retryable"


def test_a_queued_payout_can_be_hurried(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=500))
    payout = world.payout()
    world.settle()
    world.web.payouts.retry(id_of(payout), world.call)
    world.settle()
    assert states(world, payout) == ["in_transit", "in_transit"]


# Cancel and return


def test_b13_a_queued_payout_is_canceled_and_its_money_is_back(world: World) -> None:
    payout = world.payout()
    for _ in range(2):
        assert world.web.payouts.cancel(id_of(payout), world.call)["status"] == "canceled"
    assert world.balance() == {"available": 147_750}
    assert world.told(payout).count("payout.canceled") == 1
    world.advance(60)
    assert world.channel.submitted == []


def test_a_payout_that_was_put_back_can_still_be_canceled(world: World) -> None:
    world.channel.on_submit(NotSent("no connection", retry_after_s=300))
    payout = world.payout()
    world.settle()
    world.web.payouts.cancel(id_of(payout), world.call)
    world.advance(600)
    assert states(world, payout) == ["canceled", "failed"]
    assert len(world.channel.submitted) == 1
    assert world.balance() == {"available": 147_750}


@pytest.mark.parametrize("lost", [False, True])
def test_b13_a_payout_that_may_have_left_cannot_be_canceled(world: World, lost: bool) -> None:
    if lost:
        world.channel.on_submit(OutcomeUnknown("silence"))
    payout = world.payout()
    world.settle()
    with pytest.raises(StateRefused) as refused:
        world.web.payouts.cancel(id_of(payout), world.call)
    assert refused.value.code == "payout_not_cancelable"
    assert refused.value.extra["state"] == ("unknown" if lost else "in_transit")
    assert world.balance() == {"available": 94_750, "reserved": 53_000}


def test_b2_money_that_comes_back_two_days_later_is_the_business_s_again(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    answer(world)
    world.advance(48 * 3600)
    returned = Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000), receipt_number="FP00000001")
    for _ in range(2):
        assert record(world, payout, returned) is Verdict.RETURNED
    assert world.see(payout)["status"] == "returned"
    assert world.balance() == {"available": 144_750}  # the fee stays earned
    assert world.float_units(world.channel_float.id) == 100_000_000
    assert world.told(payout)[-2:] == ["payout.paid", "payout.returned"]
    assert world.journals().count("payout.returned") == 1


def test_money_that_came_back_before_its_success_was_told_is_booked_both_ways(world: World) -> None:
    payout = sent(world)
    record(world, payout, Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000)))
    record(world, payout, Report(status=Status.SUCCEEDED, grade=Grade.FILE, amount=kes(50_000)))
    assert world.told(payout)[-2:] == ["payout.paid", "payout.returned"]
    assert world.balance() == {"available": 144_750}


def test_a_return_that_only_weak_news_tells_is_asked_about(world: World) -> None:
    payout = sent(world)
    world.channel.pay(world.reference(payout))
    result(world)
    answer(world)
    world.channel.give_back(world.reference(payout))
    result(world)
    assert world.see(payout)["status"] == "paid"


def test_money_that_comes_back_from_a_payout_booked_as_failed_is_a_person_s_case(world: World) -> None:
    payout = world.payout()
    world.channel.on_submit(Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER)))
    world.settle()
    record(world, payout, Report(status=Status.RETURNED, grade=Grade.FILE, amount=kes(50_000)))
    seen = world.see(payout)
    assert (seen["status"], seen["needs_attention"]) == ("failed", True)
    assert world.balance() == {"available": 147_750}


def test_a_phone_is_masked_and_a_destination_is_never_shown(world: World) -> None:
    phone = a_phone()
    command = NewPayout(amount=20_000, currency="KES", destination_kind="mpesa_phone", account=phone)
    payout = world.web.payouts.create(command, world.call)
    assert payout["destination"] == {"type": "mpesa_phone", "account": f"{phone[:5]}•••••{phone[-3:]}"}
    world.settle()
    assert world.channel.submitted[-1].instructions[0].destination.account == phone
