"""Time asserts nothing: windows, grace, expiry, late money, second prompts, and when a payment may be canceled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.application.commands import Confirmation
from gateway.application.interfaces import Json
from gateway.application.representations import moment
from gateway.domain.errors import Conflict, Denied, Invalid, StateRefused, TooMany, Unprocessable
from ports.callback import Incoming
from tests.application.harness import ACT, World, a_phone, id_of

DAY = 24 * 3600


def called_back(world: World, incoming: Incoming, *, place: int = -1) -> None:
    world.call_back(incoming, world.rail.started[place].reply_to)
    world.settle()


def states(world: World, payment: Json) -> list[str]:
    return [a["status"] for a in world.see(payment)["attempts"]]


def test_a_prompt_s_window_ends_in_processing_and_its_grace_in_unknown(world: World) -> None:
    payment = world.prompted()
    seen = world.see(payment)
    sent = world.now
    assert seen["next_action"] == {
        "type": "prompt",
        "expires_at": moment(sent + timedelta(seconds=90)),
        "resend_after": moment(sent + timedelta(seconds=150)),
        "pay_to": None,
        "amount_left": 150_000,
    }
    world.advance(89)
    assert (world.see(payment)["status"], states(world, payment)) == ("requires_action", ["submitted"])
    world.advance(1)
    assert (world.see(payment)["status"], states(world, payment)) == ("processing", ["submitted"])
    world.advance(59)
    assert world.see(payment)["outcome_unknown"] is False
    world.advance(1)
    seen = world.see(payment)
    assert (seen["status"], states(world, payment), seen["outcome_unknown"]) == ("processing", ["unknown"], True)
    assert world.told(payment)[2:] == ["payment.processing"]


def test_a3_a_success_forty_minutes_later_is_an_ordinary_success(world: World) -> None:
    payment = world.prompted()
    statuses = [event["data"]["object"]["status"] for event in world.events(payment)]
    world.advance(40 * 60)
    called_back(world, world.rail.pay(world.reference(payment)))
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["outcome_unknown"]) == ("succeeded", None, False)
    statuses = [event["data"]["object"]["status"] for event in world.events(payment)]
    assert statuses == ["requires_payment_method", "requires_action", "processing", "succeeded"]
    assert not [t for t in world.told() if "failed" in t]
    assert world.due_kinds() == {}


def test_questions_go_by_the_ladder_and_end_with_its_life(world: World) -> None:
    payment = world.prompted()
    asked: list[float] = []
    started = world.now
    for _ in range(40):
        before = len(world.rail.looked_up)
        world.advance(30)
        asked += [(world.now - started).total_seconds()] * (len(world.rail.looked_up) - before)
    assert 5 <= len(asked) <= 15
    assert asked[-1] <= 930
    world.advance(3_600)
    assert len(world.rail.looked_up) == len(asked)
    assert "attempt.look_up" not in world.due_kinds()
    assert states(world, payment) == ["unknown"]


def test_an_unknown_try_that_the_provider_still_has_stays_unknown_after_its_window(world: World) -> None:
    payment = world.prompted()
    world.advance(400)
    assert states(world, payment) == ["unknown"]
    assert world.told(payment).count("payment.processing") == 1


def test_after_a_day_without_an_outcome_a_person_is_told(world: World) -> None:
    payment = world.payment(expires_in_s=7 * DAY)
    world.confirm(payment)
    world.advance(DAY - 60)
    assert (states(world, payment), world.alerts()) == (["unknown"], [])
    world.advance(120)
    seen = world.see(payment)
    assert (seen["attempts"][0]["status"], seen["status"], seen["outcome_unknown"]) == (
        "unresolved",
        "processing",
        True,
    )
    assert world.alerts() == ["attempt_unresolved"]
    called_back(world, world.rail.pay(world.reference(payment)))
    assert world.see(payment)["status"] == "succeeded"


def test_a_try_whose_window_was_never_closed_is_given_up_on_as_unknown(world: World) -> None:
    payment = world.payment(expires_in_s=7 * DAY)
    world.confirm(payment)
    world.settle()
    world.clock.forward(DAY + 10)
    world.run("attempt.give_up", world.attempt_id(payment))
    seen = world.see(payment)
    assert (seen["attempts"][0]["status"], seen["outcome_unknown"]) == ("unresolved", True)
    assert world.run("attempt.give_up", world.attempt_id(payment)) is None


# A second prompt


def test_a6_a_second_prompt_waits_for_the_first_one_s_window(world: World) -> None:
    payment = world.prompted()
    world.advance(100)
    with pytest.raises(Conflict) as refused:
        world.confirm(payment, acknowledge=True)
    assert (refused.value.code, refused.value.retry_after_s) == ("attempt_outcome_unknown", 50)
    assert len(world.see(payment)["attempts"]) == 1


def test_a6_after_a_proved_failure_a_second_prompt_needs_no_acknowledgement(world: World) -> None:
    payment = world.prompted()
    called_back(world, world.rail.fail(world.reference(payment)))
    world.confirm(payment)
    world.settle()
    assert states(world, payment) == ["failed", "submitted"]


def test_a6_after_a_silent_window_a_second_prompt_needs_the_caller_s_word(world: World) -> None:
    payment = world.prompted()
    world.advance(151)
    with pytest.raises(Conflict) as refused:
        world.confirm(payment)
    assert (refused.value.code, refused.value.retry_after_s) == ("attempt_outcome_unknown", 30)
    world.confirm(payment, acknowledge=True)
    world.settle()
    seen = world.see(payment)
    assert (seen["status"], states(world, payment)) == ("requires_action", ["unknown", "submitted"])
    assert seen["outcome_unknown"] is True


def test_a7_when_both_prompts_are_paid_the_second_is_an_overpayment(world: World) -> None:
    payment = world.prompted()
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    called_back(world, world.rail.pay(world.reference(payment, 1)), place=1)
    assert world.see(payment)["outcome_unknown"] is True
    called_back(world, world.rail.pay(world.reference(payment, 0)), place=0)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["amount_received"]) == ("succeeded", "duplicate", 300_000)
    assert seen["outcome_unknown"] is False
    assert [(r["amount_to_payment"], r["amount_overpaid"], r["fee"]) for r in seen["receipts"]] == [
        (150_000, 0, 2_250),
        (0, 150_000, 0),
    ]
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
    types = world.told(payment)
    assert types[-2:] == ["payment.duplicate", "payment.overpaid"]
    assert types.count("payment.succeeded") == 1


def test_an_earlier_prompt_that_fails_leaves_the_later_one_alone(world: World) -> None:
    payment = world.prompted()
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    called_back(world, world.rail.fail(world.reference(payment, 0)), place=0)
    seen = world.see(payment)
    assert (seen["status"], states(world, payment)) == ("requires_action", ["failed", "submitted"])
    assert (seen["outcome_unknown"], seen["last_error"]) == (False, None)
    assert "payment.attempt_failed" not in world.told(payment)


def test_a_later_prompt_that_fails_leaves_the_earlier_one_in_doubt(world: World) -> None:
    payment = world.prompted()
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    called_back(world, world.rail.fail(world.reference(payment, 1)), place=1)
    seen = world.see(payment)
    assert (seen["status"], seen["outcome_unknown"]) == ("requires_payment_method", True)
    with pytest.raises(Conflict):
        world.confirm(payment)
    called_back(world, world.rail.pay(world.reference(payment, 0)), place=0)
    assert (world.see(payment)["status"], world.see(payment)["outcome_unknown"]) == ("succeeded", False)


def test_an_old_window_that_closes_late_leaves_a_new_prompt_s_payment_alone(world: World) -> None:
    """Workers were away while the first window closed; by then the second prompt is on the phone."""
    payment = world.prompted()
    world.clock.forward(151)
    world.confirm(payment, acknowledge=True)
    world.run("attempt.submit", world.attempt_id(payment, 1))
    world.run("attempt.window", world.attempt_id(payment, 0))
    seen = world.see(payment)
    assert (seen["status"], states(world, payment)) == ("requires_action", ["unknown", "submitted"])
    assert "payment.processing" not in world.told(payment)


def test_a_prompt_that_waits_to_be_sent_blocks_another(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    with pytest.raises(Conflict) as refused:
        world.confirm(payment)
    assert refused.value.retry_after_s == 5


def test_a_paid_payment_takes_no_further_prompt(world: World) -> None:
    payment = world.paid()
    with pytest.raises(StateRefused) as refused:
        world.confirm(payment, acknowledge=True)
    assert refused.value.extra["state"] == "succeeded"


# The phone


def test_j15_the_sixth_prompt_to_one_phone_in_ten_minutes_is_refused_over_all_businesses(world: World) -> None:
    phone = a_phone()
    other = world.of(world.add_business())
    for call in (world.call, other, world.call, other, world.call):
        world.confirm(world.payment(call=call), phone=phone, call=call)
        world.clock.forward(60)
    refused_payment = world.payment(call=other)
    with pytest.raises(TooMany) as refused:
        world.confirm(refused_payment, phone="0" + phone[4:], call=other)
    assert (refused.value.code, refused.value.retry_after_s) == ("phone_rate_limited", 300)
    assert world.see(refused_payment, call=other)["attempts"] == []
    world.confirm(refused_payment, call=other)  # another phone is free
    world.clock.forward(301)
    world.confirm(world.payment(), phone=phone)


def test_a_method_without_a_rail_and_a_rail_without_the_amount_are_refused(world: World) -> None:
    payment = world.payment()
    command = Confirmation(payment_id=id_of(payment), method="carrier_pigeon", phone=a_phone())
    with pytest.raises(Unprocessable) as refused:
        world.web.payments.confirm(command, world.call)
    assert refused.value.code == "method_not_available"
    for amount, code in ((150_050, "amount_not_aligned"), (30_000_000, "amount_too_large"), (50, "amount_not_aligned")):
        with pytest.raises(Invalid) as invalid:
            world.payment(amount)
        assert invalid.value.code == code


def test_live_mode_waits_for_the_operator(make_world: Any) -> None:
    world = make_world(livemode=True)
    assert world.payment()["livemode"] is True
    closed = world.of(world.operator.desk.add_business(world.platform_id, "Closed", "SHUT", ACT))
    with pytest.raises(Denied) as refused:
        world.payment(call=closed)
    assert refused.value.code == "capability_closed"
