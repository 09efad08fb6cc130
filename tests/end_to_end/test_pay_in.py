"""Money in: from an order to the balance, on good days and bad ones. Row numbers are those of the feature list."""

from __future__ import annotations

import pytest
import requests

from tests.stack import Stack, a_phone, a_receiver
from tests.waiting import eventually


def paid_by(stack: Stack, phone: str, amount: int = 150_000) -> str:
    """A payment that the phone paid; gives its id."""
    payment = stack.shop.payment(amount)
    assert stack.shop.confirm(payment["id"], phone).status == 200
    stack.control.decide(phone)
    stack.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded")
    return str(payment["id"])


def prompts_to(stack: Stack, payment_id: str) -> int:
    """How many prompts the provider showed for a payment, by its own journal."""
    attempts = stack.shop.get(f"/v1/payments/{payment_id}/attempts")["data"]
    counts = stack.control.get("journal")["counts"]["prompts"]
    return sum(counts.get(attempt["reference"], 0) for attempt in attempts)


def test_a_payment_raises_the_balance_once_net_of_the_fee(stack: Stack) -> None:
    before = stack.shop.balance()
    payment_id = paid_by(stack, a_phone(), 150_000)
    after = stack.shop.balance()
    assert after["available"] - before["available"] == 150_000 - 2_250  # 1.5 %
    receipt = eventually(lambda: stack.shop.get(f"/v1/payments/{payment_id}/receipts")["data"])[0]
    assert receipt["amount"] == 150_000
    assert receipt["fee"] == 2_250
    assert len(receipt["receipt_number"]) == 10


def test_a1_a_declined_try_and_a_second_one_are_two_attempts_and_one_credit(stack: Stack) -> None:
    before = stack.shop.balance()["available"]
    payment, phone = stack.shop.payment(100_000), a_phone()
    path = f"/v1/payments/{payment['id']}"
    stack.shop.confirm(payment["id"], phone)
    stack.control.decide(phone, "cancel")
    stack.shop.becomes(path, "requires_payment_method")
    other = a_phone()
    stack.shop.confirm(payment["id"], other)
    stack.control.decide(other)
    stack.shop.becomes(path, "succeeded")
    attempts = stack.shop.get(f"{path}?expand[]=attempts")["attempts"]
    assert [a["status"] for a in attempts] == ["failed", "succeeded"]
    assert len({a["id"] for a in attempts}) == len({a["reference"] for a in attempts}) == 2
    assert stack.shop.balance()["available"] - before == 98_500


def test_a4_a_forged_callback_is_kept_as_evidence_and_changes_nothing(stack: Stack) -> None:
    payment, phone = stack.shop.payment(), a_phone()
    path = f"/v1/payments/{payment['id']}"
    stack.shop.confirm(payment["id"], phone)
    url = eventually(lambda: callback_url(stack, phone))
    events = len(stack.shop.events())
    forged = {
        "Body": {
            "stkCallback": {
                "MerchantRequestID": "1",
                "CheckoutRequestID": "ws_CO_1",
                "ResultCode": 0,
                "ResultDesc": "ok",
                "CallbackMetadata": {
                    "Item": [
                        {"Name": "Amount", "Value": 1500.0},
                        {"Name": "MpesaReceiptNumber", "Value": "FORGED0001"},
                        {"Name": "TransactionDate", "Value": 20261124101010},
                    ]
                },
            }
        }
    }
    assert requests.post(url, json=forged, timeout=5).status_code == 200
    timeline = eventually(lambda: [e for e in stack.shop.get(f"{path}/timeline")["data"] if "callback" in e["kind"]])
    assert timeline
    assert stack.shop.status_of(path) == "requires_action"
    assert len(stack.shop.events()) == events
    stack.control.decide(phone)
    stack.shop.becomes(path, "succeeded")


def callback_url(stack: Stack, phone: str) -> str:
    """The callback URL of the newest prompt to a phone, as the provider was given it."""
    asked = [
        e for e in stack.control.get("journal")["entries"] if str(e.get("request", {}).get("PhoneNumber")) == phone
    ]
    return str(asked[-1]["request"]["CallBackURL"]) if asked else ""


def test_a_callback_to_an_unknown_address_is_a_404(stack: Stack) -> None:
    reply = requests.post(f"{stack.url}/in/{'0' * 8}/{'0' * 32}", json={}, timeout=5)
    assert reply.status_code == 404
    assert reply.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("wrong_pin", "wrong_pin"),
        ("insufficient_funds", "insufficient_funds"),
        ("cancel", "canceled_by_payer"),
    ],
)
def test_a_decline_says_why_and_the_shopper_can_try_again(stack: Stack, behaviour: str, kind: str) -> None:
    payment, phone = stack.shop.payment(), a_phone()
    stack.control.script(behaviour, phone=phone)
    stack.shop.confirm(payment["id"], phone)
    found = stack.shop.becomes(f"/v1/payments/{payment['id']}", "requires_payment_method")
    assert found["last_error"]["code"] == kind


@pytest.mark.parametrize("behaviour", ["duplicate_callback", "callback_first"])
def test_news_in_any_order_and_number_credits_once(stack: Stack, behaviour: str) -> None:
    before = stack.shop.balance()["available"]
    payment, phone = stack.shop.payment(20_000), a_phone()
    stack.control.script(behaviour, phone=phone)
    stack.shop.confirm(payment["id"], phone)
    stack.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded", within_s=20)
    assert stack.shop.balance()["available"] - before == 19_700
    assert len(stack.shop.get(f"/v1/payments/{payment['id']}/receipts")["data"]) == 1


@pytest.mark.parametrize("behaviour", ["pending_4999", "pending_500"])
def test_both_forms_of_pending_are_pending(stack: Stack, behaviour: str) -> None:
    payment, phone = stack.shop.payment(20_000), a_phone()
    path = f"/v1/payments/{payment['id']}"
    stack.control.script(behaviour, phone=phone, settle_s=2)
    stack.shop.confirm(payment["id"], phone)
    eventually(lambda: stack.shop.get(f"{path}/attempts")["data"][0]["status"] == "submitted")
    stack.shop.post(f"{path}/refresh")
    asked = eventually(lambda: [e for e in stack.shop.get(f"{path}/timeline")["data"] if "look up" in e["summary"]])
    assert asked[0]["detail"]["outcome"] == "pending"
    assert stack.shop.status_of(path) == "requires_action"
    stack.shop.becomes(path, "succeeded", within_s=20)


def test_a_lost_acknowledgement_is_settled_by_its_callback_with_one_prompt(stack: Stack) -> None:
    payment, phone = stack.shop.payment(), a_phone()
    stack.control.script("lost_ack", phone=phone)
    stack.shop.confirm(payment["id"], phone)
    stack.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded")
    assert prompts_to(stack, payment["id"]) == 1


def test_a22_a_number_typed_three_ways_is_one_customer_and_never_shown_whole(stack: Stack) -> None:
    phone = a_phone()
    typed = [f"0{phone[3:]}", f"+{phone}", phone]
    made = [stack.shop.post("/v1/customers", {"phone": text}).body for text in typed]
    assert len({customer["id"] for customer in made}) == 1
    assert phone[5:9] not in made[0]["phone"]
    assert "•" in made[0]["phone"]


def test_a6_a_second_prompt_waits_for_the_first_ones_outcome(stack: Stack) -> None:
    payment, phone = stack.shop.payment(), a_phone()
    stack.shop.confirm(payment["id"], phone)
    second = stack.shop.confirm(payment["id"], phone)
    assert second.status == 409
    assert second["code"] == "attempt_outcome_unknown"
    assert int(second.headers["Retry-After"]) > 0
    stack.control.decide(phone, "cancel")
    stack.shop.becomes(f"/v1/payments/{payment['id']}", "requires_payment_method")
    assert stack.shop.confirm(payment["id"], a_phone()).status == 200


def test_j15_the_sixth_prompt_to_one_phone_is_refused(stack: Stack) -> None:
    phone = a_phone()
    for _ in range(5):
        payment = stack.shop.payment(10_000)
        assert stack.shop.confirm(payment["id"], phone).status == 200
    sixth = stack.shop.confirm(stack.shop.payment(10_000)["id"], phone)
    assert sixth.status == 429
    assert sixth["code"] == "phone_rate_limited"
    assert int(sixth.headers["Retry-After"]) > 0


def test_webhooks_tell_the_shop_in_order_and_signed(stack: Stack) -> None:
    from standardwebhooks import Webhook

    with a_receiver() as receiver:
        endpoint = stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url}).body
        payment_id = paid_by(stack, a_phone())
        eventually(lambda: "payment.succeeded" in receiver.types())
        mine = [e for e in receiver.events() if e["data"]["object"]["id"] == payment_id]
        assert sorted(e["sequence"] for e in mine) == list(range(1, len(mine) + 1))
        headers, body = receiver.received[0]
        Webhook(endpoint["secret"]).verify(body, headers)
        stack.shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
