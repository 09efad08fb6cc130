"""Bad input on the real application: the documented refusal, and nothing is different afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.contract import Contract
from tests.api.world import Shop, World, a_phone

NEW = {"amount": 150_000, "currency": "KES"}


def _state(shop: Shop) -> list[Any]:
    paths = ("/v1/payments", "/v1/payouts", "/v1/checkout/sessions", "/v1/customers", "/v1/webhook_endpoints")
    return [shop.get(f"{path}?limit=100")["data"] for path in (*paths, "/v1/events")] + [shop.get("/v1/balance")]


def _payout(**more: Any) -> dict[str, Any]:
    return {"amount": 50_000, "currency": "KES", "destination": {"type": "mpesa_phone", "phone": "0712345678"}, **more}


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "param"),
    [
        ("/v1/payments", {**NEW, "amount": 150_050}, 400, "amount_not_aligned", "/amount"),
        ("/v1/payments", {**NEW, "amount": 10**12}, 400, "amount_too_large", "/amount"),
        ("/v1/payments", {**NEW, "amount": 10**30}, 400, "amount_invalid", "/amount"),
        ("/v1/payments", {**NEW, "amount": 0}, 400, "amount_invalid", "/amount"),
        ("/v1/payments", {**NEW, "currency": "USD"}, 400, "currency_not_supported", "/currency"),
        ("/v1/payments", {**NEW, "currency": "kes"}, 400, "currency_not_supported", "/currency"),
        ("/v1/payments", {**NEW, "status": "succeeded"}, 400, "parameter_unknown", "/status"),
        ("/v1/payments", {**NEW, "business": "biz_1"}, 400, "parameter_unknown", "/business"),
        ("/v1/checkout/sessions", {**NEW, "success_url": "javascript:alert(1)"}, 400, "url_invalid", "/success_url"),
        ("/v1/checkout/sessions", {**NEW, "cancel_url": "/cart"}, 400, "url_invalid", "/cancel_url"),
        ("/v1/checkout/sessions", {**NEW, "cancel_url": "https://[::1"}, 400, "url_invalid", "/cancel_url"),
        ("/v1/checkout/sessions", {**NEW, "cancel_url": "https://x.example/\r\nSet-Cookie: a=b"}, 400, "url_invalid",
         "/cancel_url"),
        ("/v1/checkout/sessions", {**NEW, "success_url": "https://u:p@x.example"}, 400, "url_invalid", "/success_url"),
        ("/v1/customers", {"phone": "12345"}, 400, "phone_invalid", "/phone"),
        ("/v1/customers", {"phone": "+255712345678"}, 400, "phone_invalid", "/phone"),
        ("/v1/customers", {"phone": "0712345678'; DROP TABLE"}, 400, "phone_invalid", "/phone"),
        ("/v1/payouts", _payout(amount=10**11), 400, "amount_too_large", "/amount"),
        ("/v1/payouts", _payout(amount=50_050), 400, "amount_not_aligned", "/amount"),
        ("/v1/payouts", _payout(destination={"type": "mpesa_phone", "phone": "1"}), 400, "phone_invalid",
         "/destination/phone"),
        ("/v1/payouts", _payout(destination={"type": "till", "phone": "0712345678"}), 400, "parameter_invalid",
         "/destination/type"),
        ("/v1/webhook_endpoints", {"url": "ftp://shop.example"}, 400, "url_invalid", "/url"),
        ("/v1/webhook_endpoints", {"url": "https://169.254.169.254/latest"}, 400, "url_invalid", "/url"),
        ("/v1/webhook_endpoints", {"url": "https://10.0.0.1/"}, 400, "url_invalid", "/url"),
        ("/v1/webhook_endpoints", {"url": "https://shop.example", "enabled_events": ["payment.paid"]}, 400,
         "event_type_unknown", "/enabled_events/0"),
        ("/v1/webhook_endpoints", {"url": "https://shop.example", "enabled_events": []}, 400, "parameter_invalid",
         "/enabled_events"),
    ],
)  # fmt: skip
def test_a_bad_body_changes_nothing(world: World, path: str, body: Any, status: int, code: str, param: str) -> None:
    shop = world.b
    before = _state(shop)
    answer = shop.call("POST", path, body)
    assert (answer.status_code, answer.json["code"], answer.json["param"]) == (status, code, param), answer.json
    Contract(shop.get("/openapi.json")).check("POST", path, answer)
    assert _state(shop) == before


@pytest.mark.parametrize("phone", ["", "0612345678", "071234567", "07123456789", "254712345678x"])
def test_a_bad_phone_sends_no_prompt(world: World, phone: str) -> None:
    payment = world.b.payment()
    body = {"payment_method": {"type": "mpesa", "phone": phone}}
    answer = world.b.call("POST", f"/v1/payments/{payment['id']}/confirm", body)
    assert (answer.status_code, answer.json["param"]) == (400, "/payment_method/phone")
    assert world.b.get(f"/v1/payments/{payment['id']}") == payment
    assert world.b.get(f"/v1/payments/{payment['id']}/attempts")["data"] == []


def test_a_way_to_pay_that_nobody_connected_is_named(world: World) -> None:
    payment = world.b.payment()
    body = {"payment_method": {"type": "pigeon", "phone": a_phone()}}
    answer = world.b.call("POST", f"/v1/payments/{payment['id']}/confirm", body)
    found = (answer.status_code, answer.json["code"], answer.json["param"])
    assert found == (422, "method_not_available", "/payment_method/type")
    assert world.b.get(f"/v1/payments/{payment['id']}") == payment
    quote = {"type": "payment", "amount": 150_000, "currency": "KES", "method": "pigeon"}
    answer = world.b.call("POST", "/v1/quotes", quote)
    assert (answer.status_code, answer.json["code"]) == (422, "method_not_available")


def test_a_payout_above_the_balance_leaves_nothing_behind(world: World) -> None:
    before = _state(world.b_live)
    answer = world.b_live.call("POST", "/v1/payouts", _payout(amount=15_000_000))
    assert (answer.status_code, answer.json["code"]) == (422, "insufficient_funds")
    assert _state(world.b_live) == before


def test_a_second_prompt_waits_for_the_first(world: World) -> None:
    payment = world.b.confirmed()
    body = {"payment_method": {"type": "mpesa", "phone": a_phone()}}
    answer = world.b.call("POST", f"/v1/payments/{payment['id']}/confirm", body)
    assert (answer.status_code, answer.json["code"]) == (409, "attempt_outcome_unknown")
    assert int(answer.headers["Retry-After"]) >= 1
    assert len(world.b.get(f"/v1/payments/{payment['id']}/attempts")["data"]) == 1


def test_a_reference_belongs_to_one_order(world: World) -> None:
    first = world.b.payment(reference="order-77")
    taken = world.b.call("POST", "/v1/payments", {**NEW, "reference": "order-77"})
    assert (taken.status_code, taken.json["code"]) == (409, "reference_taken")
    assert [p["id"] for p in world.b.get("/v1/payments?reference=order-77")["data"]] == [first["id"]]
    assert world.b_live.payment(reference="order-77")["id"] != first["id"]


def test_a_sixth_prompt_to_one_number_waits(world: World) -> None:
    phone = a_phone()
    for _ in range(5):
        payment = world.b.payment()
        world.b.post(f"/v1/payments/{payment['id']}/confirm", {"payment_method": {"type": "mpesa", "phone": phone}})
    sixth = world.b.payment()
    body = {"payment_method": {"type": "mpesa", "phone": phone}}
    answer = world.b.call("POST", f"/v1/payments/{sixth['id']}/confirm", body)
    assert (answer.status_code, answer.json["code"]) == (429, "phone_rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1
