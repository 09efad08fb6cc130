"""Money out: reserved at once, sent once, and back in the balance when it is proved not paid."""

from __future__ import annotations

from tests.end_to_end.test_pay_in import paid_by
from tests.stack import Stack, a_phone
from tests.waiting import eventually


def disbursed(stack: Stack, payout_id: str) -> int:
    """How often the provider moved money for a payout, by its own journal."""
    attempts = stack.shop.get(f"/v1/payouts/{payout_id}?expand[]=attempts")["attempts"]
    moved = stack.control.get("journal")["counts"]["payouts"]
    return sum(moved.get(attempt["reference"], 0) for attempt in attempts)


def test_b1_a_payout_reserves_at_once_and_is_paid(stack: Stack) -> None:
    paid_by(stack, a_phone(), 500_000)
    before = stack.shop.balance()
    answer = stack.shop.payout(100_000, a_phone())
    assert answer.status == 201
    during = stack.shop.balance()
    assert before["available"] - during["available"] == 103_000
    found = stack.shop.becomes(f"/v1/payouts/{answer['id']}", "paid", within_s=20)
    assert len(found["receipt_number"]) == 10
    after = stack.shop.balance()
    assert after["reserved"] == before["reserved"]
    assert after["available"] == during["available"]
    assert disbursed(stack, answer["id"]) == 1


def test_a_payout_that_fails_gives_the_money_back(stack: Stack) -> None:
    paid_by(stack, a_phone(), 500_000)
    before, phone = stack.shop.balance(), a_phone()
    stack.control.script("not_registered", phone=phone)
    answer = stack.shop.payout(100_000, phone)
    found = stack.shop.becomes(f"/v1/payouts/{answer['id']}", "failed", within_s=20)
    assert found["error"]["provider_code"] == "2040"
    assert stack.shop.balance() == before


def test_b3_a_lost_answer_is_asked_about_and_never_sent_again(stack: Stack) -> None:
    paid_by(stack, a_phone(), 500_000)
    phone = a_phone()
    stack.control.script("lost_ack", phone=phone)
    answer = stack.shop.payout(100_000, phone)
    path = f"/v1/payouts/{answer['id']}"
    stack.shop.becomes(path, "paid", within_s=20)
    assert disbursed(stack, answer["id"]) == 1


def test_b3_a_manual_retry_while_unknown_is_refused(stack: Stack) -> None:
    paid_by(stack, a_phone(), 500_000)
    phone = a_phone()
    stack.control.script("lost_ack", phone=phone, copies=0)
    answer = stack.shop.payout(100_000, phone)
    path = f"/v1/payouts/{answer['id']}"
    stack.shop.becomes(path, "unknown", within_s=20)
    refused = stack.shop.call("POST", f"{path}/retry", {})
    assert refused.status == 409
    assert refused["code"] == "payout_outcome_unknown"
    stack.shop.post(f"{path}/refresh")
    eventually(lambda: stack.shop.post(f"{path}/refresh").body["status"] == "paid", within_s=30, every_s=0.3)
    assert disbursed(stack, answer["id"]) == 1


def test_b13_a_payout_on_its_way_cannot_be_canceled(stack: Stack) -> None:
    paid_by(stack, a_phone(), 500_000)
    answer = stack.shop.payout(100_000, a_phone())
    path = f"/v1/payouts/{answer['id']}"
    eventually(lambda: stack.shop.status_of(path) != "queued")
    refused = stack.shop.call("POST", f"{path}/cancel", {})
    assert refused.status == 409
    assert refused["code"] == "payout_not_cancelable"


def test_a_payout_above_the_balance_is_refused_and_changes_nothing(stack: Stack) -> None:
    before = stack.shop.balance()
    answer = stack.shop.payout(25_000_000, a_phone())
    assert answer.status == 422
    assert answer["code"] == "insufficient_funds"
    assert stack.shop.balance() == before
