"""Bad input: each gets a 400 that names the field, and no use case is asked."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.domain.ids import Prefix, encode
from tests.unit.web.scripted import BUSINESS, GOOD_PAYMENT, IDEMPOTENT, PAYMENT, World, auth

CONFIRM = f"/v1/payments/{PAYMENT}/confirm"
GOOD_METHOD = {"type": "mpesa", "phone": "0712345678"}
GOOD_PAYOUT = {"amount": 100000, "currency": "KES", "destination": {"type": "mpesa_phone", "phone": "0712345678"}}

BAD: list[tuple[str, Any, str, str]] = [
    # (path, body, code, param)
    *[("/v1/payments", {**GOOD_PAYMENT, "amount": wrong}, "amount_invalid", "/amount") for wrong in
      ("100", 100.0, 100.5, True, 0, -1, 10**13, [], {})],
    ("/v1/payments", {**GOOD_PAYMENT, "amount": None}, "parameter_invalid", "/amount"),
    ("/v1/payments", {"currency": "KES"}, "parameter_missing", "/amount"),
    ("/v1/payments", {"amount": 100}, "parameter_missing", "/currency"),
    ("/v1/payments", {**GOOD_PAYMENT, "currency": 404}, "parameter_invalid", "/currency"),
    ("/v1/payments", {**GOOD_PAYMENT, "currency": "KESH"}, "parameter_invalid", "/currency"),
    ("/v1/payments", {**GOOD_PAYMENT, "ammount": 5}, "parameter_unknown", "/ammount"),
    ("/v1/payments", {**GOOD_PAYMENT, "id": "pay_1"}, "parameter_unknown", "/id"),
    ("/v1/payments", {**GOOD_PAYMENT, "a/b~c": 1}, "parameter_unknown", "/a~1b~0c"),
    ("/v1/payments", {**GOOD_PAYMENT, "description": 5}, "parameter_invalid", "/description"),
    ("/v1/payments", {**GOOD_PAYMENT, "description": ""}, "parameter_invalid", "/description"),
    ("/v1/payments", {**GOOD_PAYMENT, "description": "x" * 501}, "parameter_invalid", "/description"),
    ("/v1/payments", {**GOOD_PAYMENT, "description": "a\0b"}, "invalid_characters", "/description"),
    ("/v1/payments", {**GOOD_PAYMENT, "reference": "x" * 101}, "parameter_invalid", "/reference"),
    ("/v1/payments", {**GOOD_PAYMENT, "expires_in": "60"}, "expires_in_invalid", "/expires_in"),
    ("/v1/payments", {**GOOD_PAYMENT, "expires_in": 59}, "expires_in_invalid", "/expires_in"),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": []}, "metadata_invalid", "/metadata"),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": {f"k{n}": "v" for n in range(51)}}, "metadata_too_many_keys",
     "/metadata"),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": {"k": 1}}, "metadata_invalid", "/metadata/k"),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": {"k": "v" * 501}}, "metadata_invalid", "/metadata/k"),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": {"k" * 41: "v"}}, "metadata_invalid", "/metadata/" + "k" * 41),
    ("/v1/payments", {**GOOD_PAYMENT, "metadata": {"": "v"}}, "metadata_invalid", "/metadata/"),
    (CONFIRM, {}, "parameter_missing", "/payment_method"),
    (CONFIRM, {"payment_method": "mpesa"}, "parameter_invalid", "/payment_method"),
    (CONFIRM, {"payment_method": {**GOOD_METHOD, "type": "M-Pesa"}}, "parameter_invalid", "/payment_method/type"),
    (CONFIRM, {"payment_method": {**GOOD_METHOD, "phone": 712345678}}, "parameter_invalid", "/payment_method/phone"),
    (CONFIRM, {"payment_method": {**GOOD_METHOD, "pin": "1234"}}, "parameter_unknown", "/payment_method/pin"),
    *[(CONFIRM, {"payment_method": GOOD_METHOD, "acknowledge_unknown_attempt": wrong}, "parameter_invalid",
       "/acknowledge_unknown_attempt") for wrong in ("true", 1)],
    (f"/v1/payments/{PAYMENT}/cancel", {"reason": "x"}, "parameter_unknown", "/reason"),
    ("/v1/payouts", {**GOOD_PAYOUT, "amount": "100"}, "amount_invalid", "/amount"),
    ("/v1/payouts", {**GOOD_PAYOUT, "destination": {"type": "mpesa_phone"}}, "parameter_missing", "/destination/phone"),
    ("/v1/payouts", {**GOOD_PAYOUT, "state": "paid"}, "parameter_unknown", "/state"),
    ("/v1/checkout/sessions", {**GOOD_PAYMENT, "line_items": [{"name": "a", "amount": 1}, {"name": "b"}]},
     "parameter_missing", "/line_items/1/amount"),
    ("/v1/checkout/sessions", {**GOOD_PAYMENT, "line_items": [{"name": "a", "amount": 1}] * 101},
     "parameter_invalid", "/line_items"),
    ("/v1/checkout/sessions", {**GOOD_PAYMENT, "success_url": "https://x/" + "y" * 2000}, "parameter_invalid",
     "/success_url"),
    ("/v1/customers", {"name": "Wanjiru"}, "parameter_missing", "/phone"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "code", "param"), BAD)
def test_a_bad_body_is_named_and_changes_nothing(
    client: FlaskClient, world: World, path: str, body: Any, code: str, param: str
) -> None:
    answer = client.post(path, json=body, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (answer.json["code"], answer.json["param"]) == (code, param)
    assert [(e["code"], e["param"]) for e in answer.json["errors"]] == [(code, param)]
    assert world.asked == []
    assert world.keys.begun == []


def test_several_faults_are_all_listed(client: FlaskClient) -> None:
    answer = client.post("/v1/payments", json={"amount": "1", "x": 1}, headers=auth(**IDEMPOTENT))
    assert answer.json["code"] == "invalid_request"
    assert {(e["code"], e["param"]) for e in answer.json["errors"]} == {
        ("amount_invalid", "/amount"),
        ("parameter_missing", "/currency"),
        ("parameter_unknown", "/x"),
    }


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "parameter_invalid", "/limit"),
        ("limit=101", "parameter_invalid", "/limit"),
        ("limit=1_0", "parameter_invalid", "/limit"),
        ("limit=+5", "parameter_invalid", "/limit"),
        ("limit=99999999999999999999", "parameter_invalid", "/limit"),
        ("limit=5&limit=6", "parameter_repeated", "/limit"),
        ("page=2", "parameter_unknown", "/page"),
        ("status=paid", "parameter_invalid", "/status"),
        ("reference=a%00b", "invalid_characters", "/reference"),
        ("starting_after=pay_1", "id_invalid", "/starting_after"),
        (f"starting_after={encode(Prefix.PAYOUT, BUSINESS)}", "id_invalid", "/starting_after"),
        ("created[gte]=yesterday", "parameter_invalid", "/created[gte]"),
        ("created[gte]=2026-01-01T00:00:00", "parameter_invalid", "/created[gte]"),
        ("created[gte]=2026-13-01T00:00:00Z", "parameter_invalid", "/created[gte]"),
        ("expand[]=receipts", "parameter_invalid", "/expand[]/0"),
        ("expand=attempts", "parameter_unknown", "/expand"),
    ],
)
def test_a_bad_query_is_named(client: FlaskClient, world: World, query: str, code: str, param: str) -> None:
    answer = client.get(f"/v1/payments?{query}", headers=auth())
    assert answer.status_code == 400
    assert (answer.json["code"], answer.json["param"]) == (code, param)
    assert world.asked == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", f"/v1/payments/{PAYMENT}/attempts"),
        ("get", "/v1/balance"),
        ("post", "/v1/payments"),
        ("post", f"/v1/payments/{PAYMENT}/cancel"),
    ],
)
def test_a_stray_query_is_refused_where_none_is_taken(
    client: FlaskClient, world: World, method: str, path: str
) -> None:
    answer = client.open(f"{path}?dry_run=true", method=method, json=dict(GOOD_PAYMENT), headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.json["code"], answer.json["param"]) == (400, "parameter_unknown", "/dry_run")
    assert world.asked == []


@pytest.mark.parametrize("id_", ["x", "pay_", "pay_" + "0" * 25, "pay_" + "I" * 26, encode(Prefix.PAYOUT, BUSINESS)])
def test_what_has_no_valid_id_does_not_exist(client: FlaskClient, world: World, id_: str) -> None:
    answer = client.get(f"/v1/payments/{id_}", headers=auth())
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert world.asked == []
