"""A checkout session from creation to its end, and what the shopper's page says at each moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.application.checkout import PageState, Visit
from gateway.application.commands import ListQuery, NewSession
from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.domain.errors import Conflict, Invalid, NotFound
from ports.errors import OutcomeUnknown
from ports.report import Grade, MoneyIn, Report, Status
from tests.application.harness import World, a_phone, id_of, kes


def opened(world: World, amount: int = 150_000, **more: Any) -> tuple[Json, str]:
    """A session and its page's secret."""
    session = world.web.checkout.create(NewSession(amount=amount, currency="KES", **more), world.call)
    return session, session["url"].rsplit("/", 1)[1]


def show(world: World, secret: str) -> Visit:
    return world.web.checkout.visit.show(secret)


def pay(world: World, secret: str, *, acknowledge: bool = False) -> None:
    world.web.checkout.visit.pay(secret, a_phone(), acknowledge_unknown=acknowledge, request_id="req_page")
    world.settle()


def called_back(world: World, end: str = "paid") -> None:
    reference = world.rail.started[-1].reference
    told = world.rail.pay(reference) if end == "paid" else world.rail.fail(reference, end)
    world.call_back(told, world.rail.started[-1].reply_to)
    world.settle()


def test_a_session_makes_its_payment_at_once_and_its_url_is_shown_once(world: World) -> None:
    session, secret = opened(world, reference="cart 1", line_items=(("Tea", 100_000), ("Cups", 50_000)))
    assert session["url"] == f"https://pay.example/c/{secret}"
    assert len(secret) == 32
    assert (session["status"], session["payment_status"]) == ("open", "requires_payment_method")
    read = world.web.checkout.read.get(id_of(session), world.call)
    assert read == {**session, "url": None}
    assert session["line_items"] == [{"name": "Tea", "amount": 100_000}, {"name": "Cups", "amount": 50_000}]
    listed = world.web.checkout.read.page(ListQuery(), world.call)["data"]
    assert listed == [read]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (NewSession(amount=150_050, currency="KES"), "amount_not_aligned"),
        (NewSession(amount=30_000_000, currency="KES"), "amount_too_large"),
        (NewSession(amount=0, currency="KES"), "amount_invalid"),
        (NewSession(amount=150_000, currency="XYZ"), "currency_not_supported"),
        (NewSession(amount=150_000, currency="KES", expires_in_s=5), "expires_in_invalid"),
        (NewSession(amount=150_000, currency="KES", success_url="javascript:alert(1)"), "url_invalid"),
        (NewSession(amount=150_000, currency="KES", cancel_url="https://a:b@shop.example"), "url_invalid"),
    ],
)
def test_a_session_that_could_never_be_paid_is_refused_by_name(world: World, command: NewSession, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.web.checkout.create(command, world.call)
    assert refused.value.code == code
    assert world.told() == []


def test_a13_the_page_tells_the_truth_from_choice_to_receipt(world: World) -> None:
    _, secret = opened(world, success_url="https://shop.example/thanks", description="Order 7")
    first = show(world, secret)
    assert (first.state, first.may_pay, first.left_units) == (PageState.CHOOSE, True, 150_000)
    assert (first.shop, first.description, first.account) == (world.business.name, "Order 7", None)
    world.web.checkout.visit.pay(secret, a_phone(), acknowledge_unknown=False)
    assert show(world, secret).state is PageState.SENDING
    world.settle()
    waiting = show(world, secret)
    assert (waiting.state, waiting.prompt_until) == (PageState.WAITING, world.now + timedelta(seconds=90))
    assert waiting.account == world.rail.started[-1].reference
    assert waiting.payer is not None
    assert "•••••" in waiting.payer
    called_back(world)
    paid = show(world, secret)
    assert (paid.state, paid.receipt_number, paid.left_units, paid.may_pay) == (PageState.PAID, "FK00000001", 0, False)


def test_the_page_says_when_a_prompt_s_outcome_is_not_known(world: World) -> None:
    _, secret = opened(world)
    pay(world, secret)
    world.advance(91)
    assert show(world, secret).state is PageState.CONFIRMING
    assert show(world, secret).may_pay_again is False
    world.advance(60)
    unknown = show(world, secret)
    assert (unknown.state, unknown.may_pay, unknown.may_pay_again) == (PageState.UNKNOWN, True, True)
    with pytest.raises(Conflict):
        pay(world, secret)
    pay(world, secret, acknowledge=True)
    assert show(world, secret).state is PageState.WAITING


def test_the_page_says_when_a_prompt_is_late_or_perhaps_there(world: World) -> None:
    _, secret = opened(world)
    world.rail.reachable = False
    pay(world, secret)
    assert show(world, secret).state is PageState.SENDING
    world.advance(16)
    assert show(world, secret).state is PageState.DELAYED
    world.rail.reachable = True
    world.rail.on_start(OutcomeUnknown("silence"))
    world.advance(10)
    assert show(world, secret).state is PageState.PERHAPS_WAITING


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("wrong_pin", PageState.WRONG_PIN),
        ("broke", PageState.NO_MONEY),
        ("canceled", PageState.CANCELED_ON_PHONE),
        ("silence", PageState.UNREACHABLE),
        ("limit", PageState.OVER_LIMIT),
        ("set_up", PageState.NOT_POSSIBLE),
    ],
)
def test_the_page_says_why_it_failed_and_takes_another_try(world: World, end: str, state: PageState) -> None:
    _, secret = opened(world)
    pay(world, secret)
    called_back(world, end)
    failed = show(world, secret)
    assert (failed.state, failed.may_pay, failed.may_pay_again, failed.again_at) == (state, True, False, None)


def test_a_success_without_its_number_yet_is_a_success(world: World) -> None:
    _, secret = opened(world)
    pay(world, secret)
    world.rail.pay(world.rail.started[-1].reference)
    world.advance(31)
    assert show(world, secret).state is PageState.PAID_NUMBER_TO_COME


def test_a_session_ends_with_its_payment(world: World) -> None:
    left, secret = opened(world)
    world.web.checkout.visit.leave(secret)
    assert show(world, secret).state is PageState.SHOP_CANCELED
    assert world.web.checkout.read.get(id_of(left), world.call)["status"] == "expired"
    over, secret = opened(world, expires_in_s=60)
    world.clock.forward(61)
    assert (show(world, secret).state, show(world, secret).may_pay) == (PageState.EXPIRED, False)
    world.settle()
    assert world.web.checkout.read.get(id_of(over), world.call)["status"] == "expired"
    third, secret = opened(world)
    assert world.web.checkout.expire(id_of(third), world.call)["status"] == "expired"
    with pytest.raises(Conflict):
        pay(world, secret)


def test_a_session_cannot_be_ended_while_a_prompt_is_out(world: World) -> None:
    session, secret = opened(world)
    pay(world, secret)
    with pytest.raises(Conflict):
        world.web.checkout.expire(id_of(session), world.call)
    with pytest.raises(Conflict):
        world.web.checkout.visit.leave(secret)
    assert show(world, secret).state is PageState.WAITING


def test_late_and_partial_money_is_said_to_be_what_it_is(world: World) -> None:
    _, secret = opened(world, expires_in_s=200)
    pay(world, secret)
    called_back(world, "canceled")
    world.advance(200)
    called_back(world)
    world.advance(5)
    assert show(world, secret).state is PageState.PAID_LATE
    session, secret = opened(world)
    pay(world, secret)
    attempt_id = world.attempt_id({"object": "payment", "id": session["payment"]})
    report = Report(status=Status.SUCCEEDED, grade=Grade.FILE, money=part(world))
    world.worker.payments.record(attempt_id, News(report=report), world.call)
    partly = show(world, secret)
    assert (partly.state, partly.received_units, partly.left_units) == (PageState.PART_PAID, 50_000, 100_000)


def part(world: World) -> Any:
    return (MoneyIn(receipt_namespace="statement", receipt_number=f"PART{world.number}", amount=kes(50_000)),)


def test_a_secret_that_opens_nothing_is_not_found(world: World) -> None:
    session, _ = opened(world)
    for secret in ("0" * 32, session["id"], ""):
        with pytest.raises(NotFound):
            show(world, secret)
