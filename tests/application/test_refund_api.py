"""Refunds, kept excess and quotes over HTTP, each answer held against its documentation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.settings import WebSettings
from tests.api.contract import Contract
from tests.application.harness import ACT, FREE, World, a_phone
from tests.fakes.refunds import FAKE_PARTS

MakeWorld = Callable[..., World]


class Shop:
    """A business's calls, checked against the documentation."""

    def __init__(self, world: World) -> None:
        _, self.key = world.operator.desk.issue_key(world.business, livemode=False, name="tests", act=ACT)
        settings = WebSettings(public_url="https://pay.example", new_id=UuidV7(), test_clock=None)
        app = create_app(world.web.use_cases, settings)
        self.client: FlaskClient = app.test_client()
        self.contract = Contract(self.client.get("/openapi.json").json or {})
        self.numbers = count(1)

    def go(self, method: str, path: str, body: Any = None, status: int = 200, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or f"call-{next(self.numbers)}"
        answer = self.client.open(path, method=method, json=body, headers=headers)
        assert answer.status_code == status, (path, answer.json)
        self.contract.check(method, path, answer)
        return answer.json


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(rail_offers=FAKE_PARTS, collect=FREE)


def test_refunds_over_http_are_as_documented(world: World) -> None:
    shop = Shop(world)
    payment = world.paid()
    wanted = {"payment": payment["id"], "amount": 50_000, "reason": "one shirt", "metadata": {"a": "b"}}
    made = shop.go("POST", "/v1/refunds", wanted, 201, key="once")
    assert shop.go("POST", "/v1/refunds", wanted, 201, key="once") == made
    where = f"/v1/refunds/{made['id']}"
    world.settle()
    seen = shop.go("GET", f"{where}?expand[]=attempts")
    assert (seen["status"], len(seen["attempts"])) == ("submitted", 1)
    assert shop.go("POST", f"{where}/cancel", status=409)["code"] == "refund_not_cancelable"
    page = shop.go("GET", f"/v1/refunds?payment={payment['id']}&status=submitted&expand[]=attempts")
    assert [one["id"] for one in page["data"]] == [made["id"]]
    assert shop.go("GET", f"/v1/payments/{payment['id']}?expand[]=refunds")["refunds"][0]["id"] == made["id"]
    other = shop.go("POST", "/v1/refunds", {"payment": payment["id"]}, 201)
    assert other["amount"] == 100_000
    assert shop.go("POST", f"/v1/refunds/{other['id']}/cancel")["status"] == "canceled"


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"amount": 150_001}, 400, "refund_exceeds_remaining", "/amount"),
        ({"amount": 50}, 400, "amount_not_aligned", "/amount"),
        ({"amount": 0}, 400, "amount_invalid", "/amount"),
        ({"amonut": 100}, 400, "parameter_unknown", "/amonut"),
        ({"payment": "pay_0"}, 400, "id_invalid", "/payment"),
        (
            {"destination": {"type": "mpesa_phone", "phone": "0712345678"}},
            400,
            "destination_not_allowed",
            "/destination",
        ),
    ],
)
def test_bad_refunds_are_refused_with_the_field_s_name(
    world: World, change: dict[str, Any], status: int, code: str, param: str
) -> None:
    shop = Shop(world)
    payment = world.paid()
    problem = shop.go("POST", "/v1/refunds", {"payment": payment["id"], **change}, status)
    assert (problem["code"], problem["errors"][0]["param"] if problem["errors"] else problem["param"]) == (code, param)
    assert world.balance() == {"available": 150_000}


def test_quotes_and_excess_over_http_are_as_documented(world: World) -> None:
    shop = Shop(world)
    payment = world.paid()
    asked = {"type": "payment", "amount": 150_000, "currency": "KES", "method": "mpesa"}
    quote = shop.go("POST", "/v1/quotes", asked, 201)
    assert quote["customer_total"] == 150_000
    most = {"type": "payout", "amount": "max", "currency": "KES", "destination": "mpesa_phone"}
    largest = shop.go("POST", "/v1/quotes", most, 201)
    assert (largest["amount"], largest["total"]) == (147_000, 150_000)
    assert shop.go("POST", "/v1/quotes", {**asked, "amount": "max"}, 400)["param"] == "/amount"
    to = {"type": "mpesa_phone", "phone": a_phone()}
    order = {"amount": 147_000, "currency": "KES", "destination": to, "quote": largest["id"]}
    assert shop.go("POST", "/v1/payouts", order, 201)["fee"] == 3_000
    wrong = {**order, "quote": quote["id"]}
    assert shop.go("POST", "/v1/payouts", wrong, 422)["code"] == "quote_mismatch"
    keep = f"/v1/payments/{payment['id']}/accept_overpayment"
    assert shop.go("POST", keep, {"amount": 100}, 400)["code"] == "nothing_overpaid"
    new = shop.go("POST", "/v1/payments", {"amount": 150_000, "currency": "KES"}, 201)
    method = {"payment_method": {"type": "mpesa", "phone": a_phone()}, "quote": quote["id"]}
    confirmed = shop.go("POST", f"/v1/payments/{new['id']}/confirm", method)
    assert confirmed["fee_schedule"] == quote["fee_schedule"]
