"""Every documented operation, reached with a real answer that is held against its documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.api.contract import Contract
from tests.api.kinds import about
from tests.api.world import Shop, World, a_phone


class Journey:
    """Walks operation by operation, checks each answer, and remembers which were answered well."""

    def __init__(self, shop: Shop, contract: Contract) -> None:
        self.shop, self.contract = shop, contract
        self.reached: set[tuple[str, str]] = set()

    def go(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer: TestResponse = self.shop.call(method, path, body)
        assert answer.status_code == status, (path, answer.json)
        self.contract.check(method, path, answer)
        self.reached.add((self.contract.operation_of(method, path)[0], method.lower()))
        return answer.json if answer.get_data() else None


def test_every_operation_answers_as_documented(world: World) -> None:
    contract = Contract(world.a.get("/openapi.json"))
    journey = Journey(world.a, contract)
    go = journey.go
    endpoint = go("POST", "/v1/webhook_endpoints", {"url": "https://shop.example/hooks"}, 201)
    assert endpoint["secret"].startswith("whsec_")

    payment = go("POST", "/v1/payments", {"amount": 150_000, "currency": "KES", "metadata": {"a": "b"}}, 201)
    path = f"/v1/payments/{payment['id']}"
    method = {"payment_method": {"type": "mpesa", "phone": a_phone()}}
    assert go("POST", f"{path}/confirm", method)["status"] == "requires_action"
    go("POST", f"{path}/refresh")
    world.pay(world.a, payment["id"])
    paid = go("GET", f"{path}?expand[]=attempts&expand[]=receipts")
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 150_000)
    assert len(paid["attempts"]) == len(paid["receipts"]) == 1
    assert len(go("GET", f"{path}/attempts")["data"]) == 1
    assert go("GET", f"{path}/receipts")["data"][0]["fee"] == 2_250
    assert {"event", "journal", "report"} <= {step["kind"] for step in go("GET", f"{path}/timeline")["data"]}
    go("GET", "/v1/payments?expand[]=attempts&status=succeeded")
    other = world.a.payment()
    assert go("POST", f"/v1/payments/{other['id']}/cancel")["status"] == "canceled"

    session = go("POST", "/v1/checkout/sessions", {"amount": 20_000, "currency": "KES", "line_items": []}, 201)
    assert "/c/" in session["url"]
    assert go("GET", f"/v1/checkout/sessions/{session['id']}")["url"] is None
    assert go("GET", f"/v1/checkout/sessions?payment={session['payment']}")["data"][0]["id"] == session["id"]
    assert go("POST", f"/v1/checkout/sessions/{session['id']}/expire")["status"] == "expired"

    customer = go("POST", "/v1/customers", {"phone": a_phone(), "name": "Wanjiru"}, 201)
    go("GET", f"/v1/customers/{customer['id']}")
    go("GET", "/v1/customers")

    wanted = {"amount": 50_000, "currency": "KES", "destination": {"type": "mpesa_phone", "phone": a_phone()}}
    payout = go("POST", "/v1/payouts", wanted, 201)
    where = f"/v1/payouts/{payout['id']}"
    go("GET", f"{where}?expand[]=attempts")
    go("GET", "/v1/payouts?expand[]=attempts")
    go("GET", f"{where}/attempts")
    go("POST", f"{where}/refresh")
    go("POST", f"{where}/retry")
    assert go("POST", f"{where}/cancel")["status"] == "canceled"
    go("GET", f"{where}/timeline")

    go("GET", "/v1/balance")
    moves = go("GET", "/v1/balance_transactions")["data"]
    assert go("GET", f"/v1/balance_transactions/{moves[0]['id']}") == moves[0]
    go("GET", "/v1/business")

    events = go("GET", "/v1/events")["data"]
    assert go("GET", f"/v1/events/{events[0]['id']}") == events[0]
    go("GET", "/v1/webhook_endpoints")
    mine = f"/v1/webhook_endpoints/{endpoint['id']}"
    assert go("GET", mine)["secret"] is None
    assert go("GET", f"{mine}/deliveries")["data"][0]["status"] == "pending"
    assert go("PATCH", mine, {"enabled": False})["status"] == "disabled"
    go("DELETE", mine, status=204)

    go("GET", "/v1/test_helpers/clock")
    go("POST", "/v1/test_helpers/clock/advance", {"seconds": 1})
    _money_back(world, go)
    _keys_and_links(go)
    _webhooks_again(world.a, go)
    _platform(world, contract, journey)
    ids = world.furnish(world.a)
    for path, operation, _ in contract.operations():
        if operation == "get" and (path, operation) not in journey.reached:
            go("GET", path.format(**ids))
    assert {(path, method) for path, method, _ in contract.operations()} - journey.reached == set()


def _money_back(world: World, go: Any) -> None:
    """Refunds, quotes, an excess kept, and a receipt that found its payment."""
    quote = {"type": "payout", "amount": "max", "currency": "KES", "destination": "mpesa_phone"}
    assert go("POST", "/v1/quotes", quote, 201)["object"] == "quote"
    paid = world.paid(world.a)
    refund = go("POST", "/v1/refunds", {"payment": paid, "amount": 10_000}, 201)
    assert go("POST", f"/v1/refunds/{refund['id']}/cancel")["status"] == "canceled"
    wanted, loose = world.a.payment(150_000), world.loose("DUKAA-9Z", 150_000)
    assert go("GET", "/v1/receipts?status=unmatched")["data"][0]["id"] == loose
    go("POST", f"/v1/receipts/{loose}/assign", {"payment": wanted["id"]})
    over, loose = world.a.payment(10_000), world.loose("DUKAA-9Y", 25_000)
    go("POST", f"/v1/receipts/{loose}/assign", {"payment": over["id"]})
    kept = go("POST", f"/v1/payments/{over['id']}/accept_overpayment", {"amount": 5_000})
    assert kept["exception_status"] == "overpaid"


def _keys_and_links(go: Any) -> None:
    """Keys by the API, and links that customers open."""
    key = go("POST", "/v1/api_keys", {"kind": "restricted", "name": "reports", "scopes": ["payments:read"]}, 201)
    rolled = go("POST", f"/v1/api_keys/{key['id']}/roll", {"expires_in": 60})
    go("POST", f"/v1/api_keys/{rolled['id']}/revoke")
    link = go("POST", "/v1/payment_links", {"amount": 50_000, "currency": "KES"}, 201)
    assert go("PATCH", f"/v1/payment_links/{link['id']}", {"active": False})["active"] is False


def _webhooks_again(shop: Shop, go: Any) -> None:
    """A new secret, a test, and news sent once more."""
    made = shop.post("/v1/webhook_endpoints", {"url": "https://shop.example/hooks", "enabled_events": ["*"]})
    mine = f"/v1/webhook_endpoints/{made['id']}"
    go("POST", f"{mine}/rotate_secret", {"overlap_s": 60})
    go("POST", f"{mine}/test", status=202)
    delivery = shop.get(f"{mine}/deliveries")["data"][0]
    go("POST", f"{mine}/deliveries/{delivery['id']}/redeliver")
    go("POST", f"{mine}/replay", {"since": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}, 202)


def _platform(world: World, contract: Contract, journey: Journey) -> None:
    """What only a platform's key may call."""
    walk = Journey(world.platform(), contract)
    made = walk.go("POST", "/v1/businesses", {"name": "Duka C", "shop_tag": "DUKAC"}, 201)
    walk.go("PATCH", f"/v1/businesses/{made['id']}", {"name": "Duka Cha Tatu"})
    walk.go("GET", f"/v1/businesses/{made['id']}")
    walk.go("GET", "/v1/businesses")
    journey.reached |= walk.reached


def test_every_documented_example_works(world: World) -> None:
    """On objects that exist; what needs more than that is reached above."""
    document = world.a.get("/openapi.json")
    world.paid(world.a, 500_000)
    ids = world.furnish(world.a)
    fresh = {"payment_id": world.a.payment()["id"]}
    for path, method, operation in Contract(document).operations():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content and path not in _ELSEWHERE:
            real = path.format(**{**ids, **fresh})
            example = about(content["example"], ids)
            if "reference" in example:
                example["reference"] = f"example-{path}"
            answer = world.a.call(method.upper(), real, example)
            assert answer.status_code in (200, 201, 202), (path, answer.json)


#: Examples about an object in a state of its own, or of a platform's key.
_ELSEWHERE = {
    "/v1/webhook_endpoints/{endpoint_id}/replay",
    "/v1/receipts/{receipt_id}/assign",
    "/v1/payments/{payment_id}/accept_overpayment",
    "/v1/businesses",
    "/v1/businesses/{business_id}",
}


def test_events_are_as_their_webhooks_are_documented(world: World) -> None:
    import jsonschema

    contract = Contract(world.a.get("/openapi.json"))
    world.furnish(world.a)
    seen = set()
    for event in world.a.get("/v1/events?limit=100")["data"]:
        item = contract.document["webhooks"][event["type"]]["post"]
        schema = item["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(contract.strict(schema)).validate(event)
        seen.add(event["type"])
    assert {"payment.created", "payment.succeeded", "receipt.received", "payout.created"} <= seen
