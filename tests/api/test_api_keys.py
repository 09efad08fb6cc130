"""Keys by the API: made within what their maker has, rolled with an overlap, revoked, bound to addresses."""

from __future__ import annotations

from itertools import count
from typing import Any

import psycopg
import pytest

from tests.api.world import Shop, World
from tests.waiting import eventually

_APART = count(1_000)


def _with(world: World, key: str) -> Shop:
    numbers = count(next(_APART) * 1_000)
    return Shop(client=world.app.test_client(), business=world.a.business, livemode=False, key=key, numbers=numbers)


def _new(world: World, **body: Any) -> Any:
    return world.a.post("/v1/api_keys", {"name": "tests", **body})


def test_a_key_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    made = _new(world)
    assert made["secret"].startswith("sk_test_")
    assert _with(world, made["secret"]).call("GET", "/v1/balance").status_code == 200
    listed = world.a.get("/v1/api_keys?limit=100")["data"]
    assert made["id"] in [one["id"] for one in listed]
    assert all("secret" not in one for one in listed)
    assert made["masked"].endswith(made["secret"][-4:])
    with psycopg.connect(world.database.plain_url("owner")) as conn:
        rows = conn.execute("SELECT k::text FROM gateway.api_key k").fetchall()
        audits = conn.execute("SELECT actor FROM gateway.audit WHERE action = 'api_key.created'").fetchall()
    assert not [row for row in rows if made["secret"] in row[0] or made["secret"].encode().hex() in row[0]]
    assert audits
    assert all(actor.startswith("key key_") for (actor,) in audits)


def test_rolling_keeps_both_for_the_overlap_and_then_one(world: World) -> None:
    old = _new(world)
    new = world.a.post(f"/v1/api_keys/{old['id']}/roll", {"expires_in": 3600})
    assert new["id"] != old["id"]
    assert [_with(world, one["secret"]).call("GET", "/v1/balance").status_code for one in (old, new)] == [200, 200]
    again = world.a.call("POST", f"/v1/api_keys/{old['id']}/roll", {})
    assert (again.status_code, again.json["code"]) == (409, "key_ended")
    at_once = world.a.post(f"/v1/api_keys/{new['id']}/roll", {"expires_in": 0})
    assert eventually(lambda: _with(world, new["secret"]).call("GET", "/v1/balance").status_code == 401, within_s=2)
    assert _with(world, at_once["secret"]).call("GET", "/v1/balance").status_code == 200
    types = [one["type"] for one in world.a.get("/v1/events?limit=100")["data"]]
    assert {"api_key.created", "api_key.rolled"} <= set(types)


def test_a_revoked_key_ends_within_a_second(world: World) -> None:
    made = _new(world)
    shop = _with(world, made["secret"])
    assert shop.call("GET", "/v1/balance").status_code == 200
    assert world.a.post(f"/v1/api_keys/{made['id']}/revoke")["revoked_at"] is not None
    assert eventually(lambda: shop.call("GET", "/v1/balance").status_code == 401, within_s=1.0)


def test_a_restricted_key_gives_no_more_than_it_has(world: World) -> None:
    scopes = ["api_keys:read", "api_keys:write", "payments:read"]
    maker = _with(world, _new(world, kind="restricted", scopes=scopes)["secret"])
    more = maker.call("POST", "/v1/api_keys", {"name": "x", "kind": "restricted", "scopes": ["payouts:write"]})
    assert (more.status_code, more.json["code"]) == (403, "scope_not_held")
    secret = maker.call("POST", "/v1/api_keys", {"name": "x", "kind": "secret"})
    assert (secret.status_code, secret.json["code"]) == (403, "scope_not_held")
    whole = _new(world)
    for act in ("roll", "revoke"):
        touched = maker.call("POST", f"/v1/api_keys/{whole['id']}/{act}")
        assert (touched.status_code, touched.json["code"]) == (403, "scope_not_held")
    less = maker.post("/v1/api_keys", {"name": "x", "kind": "restricted", "scopes": ["payments:read"]})
    assert _with(world, less["secret"]).call("GET", "/v1/payments").status_code == 200
    refused = _with(world, less["secret"]).call("GET", "/v1/payouts")
    assert (refused.status_code, refused.json["code"], refused.json["scope"]) == (403, "missing_scope", "payouts:read")


@pytest.mark.parametrize(
    ("listed", "peer", "status"),
    [
        ("203.0.113.0/24", "203.0.113.9", 200),
        ("203.0.113.0/24", "::ffff:203.0.113.9", 200),
        ("203.0.113.0/24", "203.0.114.9", 403),
        ("2001:db8::/32", "2001:db8::1", 200),
        ("2001:db8::/32", "2001:db9::1", 403),
    ],
)
def test_a_key_is_used_from_its_addresses_alone(world: World, listed: str, peer: str, status: int) -> None:
    key = _new(world, addresses=[listed])["secret"]
    answer = world.app.test_client().get(
        "/v1/balance",
        headers={"Authorization": f"Bearer {key}", "X-Forwarded-For": "203.0.113.9"},
        environ_overrides={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status, answer.json


@pytest.mark.parametrize("addresses", [["10.0.0.1/8"], ["everywhere"], ["10.0.0.0/33"]])
def test_a_wrong_network_is_told(world: World, addresses: list[str]) -> None:
    answer = world.a.call("POST", "/v1/api_keys", {"name": "x", "addresses": addresses})
    assert (answer.status_code, answer.json["code"]) == (400, "address_list_invalid")
    assert answer.json["param"] == "/addresses/0"


def test_when_a_key_was_used_is_kept_to_the_minute(world: World) -> None:
    made = _new(world)
    assert _with(world, made["secret"]).call("GET", "/v1/balance").status_code == 200

    def used() -> Any:
        return world.a.get(f"/v1/api_keys/{made['id']}")["last_used"]

    assert str(eventually(used, within_s=5)).endswith(":00.000000Z")


@pytest.mark.parametrize(
    "text", ["4111111111111111", "card 4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"]
)
def test_a_card_number_is_refused_and_nowhere_logged(
    world: World, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for body, param in (
        ({"amount": 1_000_00, "currency": "KES", "description": text}, "/description"),
        ({"amount": 1_000_00, "currency": "KES", "metadata": {"note": text}}, "/metadata/note"),
        ({"amount": 1_000_00, "currency": "KES", "metadata": {text[:40]: "x"}}, "/metadata"),
        ({"amount": 1_000_00, "currency": "KES", text: "x"}, ""),
    ):
        answer = world.a.call("POST", "/v1/payments", body)
        assert (answer.status_code, answer.json["code"], answer.json["param"]) == (400, "card_data_refused", param)
        assert text not in answer.get_data(as_text=True)
    assert world.a.call("GET", f"/v1/payments?reference={text}").json["code"] == "card_data_refused"
    keyed = world.a.call("POST", "/v1/payments", {"amount": 1_000_00, "currency": "KES"}, Idempotency_Key=text)
    assert keyed.json["code"] == "card_data_refused"
    out, err = capfd.readouterr()
    assert text not in out + err


def test_money_takes_no_unknown_field(world: World) -> None:
    for path in ("/v1/payments", "/v1/payouts", "/v1/checkout/sessions", "/v1/refunds", "/v1/customers"):
        answer = world.a.call("POST", path, {"amount": 1_000_00, "currency": "KES", "amount_received": 5, "fee": 0})
        assert answer.status_code == 400, path
        assert "parameter_unknown" in [fault["code"] for fault in answer.json["errors"]], path
