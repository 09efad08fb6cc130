"""How a payment ends without money, and what becomes of money that comes afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.domain.errors import Conflict, StateRefused
from ports.callback import Incoming
from ports.report import Grade, Report, Status
from tests.application.harness import World, id_of

DAY = 24 * 3600


def called_back(world: World, incoming: Incoming, *, place: int = -1) -> None:
    world.call_back(incoming, world.rail.started[place].reply_to)
    world.settle()


def states(world: World, payment: Json) -> list[str]:
    return [a["status"] for a in world.see(payment)["attempts"]]


# Expiry


def test_a_payment_that_nobody_pays_expires(world: World) -> None:
    payment = world.payment(expires_in_s=600)
    world.advance(599)
    assert world.see(payment)["status"] == "requires_payment_method"
    world.advance(1)
    assert world.see(payment)["status"] == "expired"
    assert world.told(payment) == ["payment.created", "payment.expired"]
    with pytest.raises(StateRefused):
        world.confirm(payment)


def test_an_expiry_timer_that_is_late_takes_no_prompt_any_more(world: World) -> None:
    payment = world.payment(expires_in_s=600)
    world.clock.forward(601)
    with pytest.raises(Conflict) as refused:
        world.confirm(payment)
    assert refused.value.code == "payment_expired"
    assert world.run("payment.expire", id_of(payment)) is None
    assert world.run("payment.expire", id_of(payment)) is None
    assert world.told(payment).count("payment.expired") == 1


def test_an_expiry_timer_that_is_early_waits(world: World) -> None:
    payment = world.payment(expires_in_s=600)
    assert world.run("payment.expire", id_of(payment)) == world.now + timedelta(seconds=600)


def test_a_payment_does_not_expire_while_a_prompt_s_outcome_is_open(world: World) -> None:
    payment = world.payment(expires_in_s=60)
    world.confirm(payment)
    world.settle()
    asked = len(world.rail.looked_up)
    world.advance(61)
    assert world.see(payment)["status"] == "requires_action"
    assert len(world.rail.looked_up) > asked  # it asks once more before it would expire
    world.advance(3_600)
    assert world.see(payment)["status"] == "processing"
    called_back(world, world.rail.fail(world.reference(payment)))
    assert world.see(payment)["status"] == "expired"
    assert world.told(payment)[-2:] == ["payment.attempt_failed", "payment.expired"]


def test_a_payment_with_an_unresolved_try_is_not_looked_at_every_minute_for_ever(world: World) -> None:
    """The first prompt stays unresolved, the second one fails: the payment waits for a person, not for a timer."""
    payment = world.payment(expires_in_s=2 * DAY)
    world.confirm(payment)
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    called_back(world, world.rail.fail(world.reference(payment, 1)))
    world.advance(2 * DAY)
    assert (world.see(payment)["status"], states(world, payment)) == (
        "requires_payment_method",
        ["unresolved", "failed"],
    )
    assert "payment.expire" not in world.due_kinds()
    called_back(world, world.rail.fail(world.reference(payment, 0)), place=0)
    assert world.see(payment)["status"] == "expired"


def test_a_prompt_that_was_never_sent_ends_with_its_payment(world: World) -> None:
    world.rail.reachable = False
    payment = world.payment(expires_in_s=60)
    world.confirm(payment)
    world.advance(120)
    assert (world.see(payment)["status"], states(world, payment)) == ("expired", ["ended"])
    world.rail.reachable = True
    world.advance(600)
    assert world.rail.tries == []


def test_a5_money_after_expiry_is_kept_as_paid_late(world: World) -> None:
    payment = world.payment(expires_in_s=200)
    world.confirm(payment)
    world.settle()
    called_back(world, world.rail.fail(world.reference(payment)))
    world.advance(200)
    assert world.see(payment)["status"] == "expired"
    called_back(world, world.rail.pay(world.reference(payment)))
    world.advance(5)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"]) == ("succeeded", "paid_late")
    assert world.told(payment)[-2:] == ["payment.succeeded", "payment.paid_late"]
    assert world.balance() == {"available": 147_750}
    assert world.journals() == ["receipt.booked"]


def strongly_paid(world: World, payment: Json) -> None:
    """Strong news from another door: a try that was never sent has no callback."""
    report = Report(status=Status.SUCCEEDED, grade=Grade.ANSWER)
    world.worker.payments.record(world.attempt_id(payment), News(report=report), world.call)


def test_money_after_a_cancel_is_paid_late_too(world: World) -> None:
    world.rail.reachable = False
    payment = world.payment()
    world.confirm(payment)
    world.settle()
    world.web.payments.cancel(id_of(payment), world.call)
    assert states(world, payment) == ["ended"]
    strongly_paid(world, payment)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"]) == ("succeeded", "paid_late")


# Cancel and refresh


def test_a_payment_is_canceled_before_anything_was_sent(world: World) -> None:
    fresh, waiting = world.payment(), world.payment()
    world.confirm(waiting)
    for payment in (fresh, waiting):
        for _ in range(2):  # the same again is the same
            assert world.web.payments.cancel(id_of(payment), world.call)["status"] == "canceled"
        assert world.told(payment).count("payment.canceled") == 1
    world.advance(DAY)
    assert world.rail.started == []
    assert (states(world, waiting), world.due_kinds()) == (["ended"], {})


@pytest.mark.parametrize("wait", [0, 100, 200, DAY + 100])
def test_a_payment_whose_prompt_was_sent_cannot_be_canceled(world: World, wait: int) -> None:
    payment = world.payment(expires_in_s=3 * DAY)
    world.confirm(payment)
    world.advance(wait)
    with pytest.raises(Conflict):
        world.web.payments.cancel(id_of(payment), world.call)
    assert world.see(payment)["status"] in ("requires_action", "processing")


def test_a_payment_can_be_canceled_after_its_prompt_failed_but_not_once_paid(world: World) -> None:
    payment = world.prompted()
    called_back(world, world.rail.fail(world.reference(payment)))
    world.web.payments.cancel(id_of(payment), world.call)
    assert world.see(payment)["status"] == "canceled"
    with pytest.raises(StateRefused) as refused:
        world.web.payments.cancel(id_of(world.paid()), world.call)
    assert (refused.value.code, refused.value.extra["state"]) == ("illegal_transition", "succeeded")


def test_a_prompt_that_goes_out_while_a_cancel_is_decided_wins(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    world.run("attempt.submit", world.attempt_id(payment))
    with pytest.raises(Conflict) as refused:
        world.web.payments.cancel(id_of(payment), world.call)
    assert refused.value.code == "attempt_outcome_unknown"


def test_refresh_asks_at_once_but_never_faster_than_the_rail_allows(world: World) -> None:
    payment = world.prompted()
    world.rail.pay(world.reference(payment))
    for _ in range(5):
        shown = world.web.payments.refresh(id_of(payment), world.call)
    assert shown["status"] == "requires_action"
    world.settle()
    assert len(world.rail.looked_up) == 1
    assert world.see(payment)["status"] == "succeeded"
    second = world.prompted()
    for _ in range(5):
        world.web.payments.refresh(id_of(second), world.call)
        world.settle()
    assert len([q for q in world.rail.looked_up if q.reference == world.reference(second)]) == 1
