"""Idempotency on the real store: one key, one object, one answer, whatever died or raced in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from gateway.adapters.system import UuidV7
from gateway.adapters.web.bodies import canonical
from gateway.adapters.web.desk import Desk
from gateway.application.interfaces import Begun, Call
from gateway.domain.ids import Prefix, encode
from tests.api.world import Shop, World, a_phone

BODY = {"amount": 130_000, "currency": "KES", "description": "once"}


def post(shop: Shop, key: str, body: Any = None, path: str = "/v1/payments") -> TestResponse:
    return shop.call("POST", path, body or BODY, **{"Idempotency-Key": key})


def run_as_owner(world: World, statement: str, *values: Any) -> int:
    with psycopg.connect(world.database.plain_url("owner"), autocommit=True) as connection:
        return connection.execute(statement, values).rowcount


def test_a_replay_is_the_same_answer_and_makes_nothing(world: World) -> None:
    first = post(world.a, "replay-1")
    again = post(world.a, "replay-1", {"description": "once", "currency": "KES", "amount": 130_000})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Request-Id"] != again.headers["Request-Id"]


def test_another_body_or_path_under_the_key_is_a_mismatch(world: World) -> None:
    assert post(world.a, "mismatch-1").status_code == 201
    other = post(world.a, "mismatch-1", {**BODY, "amount": 140_000})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_mismatch")
    elsewhere = post(world.a, "mismatch-1", BODY, "/v1/checkout/sessions")
    assert (elsewhere.status_code, elsewhere.json["code"]) == (422, "idempotency_mismatch")


def test_keys_of_businesses_and_modes_are_apart(world: World) -> None:
    made = {post(shop, "apart-1").json["id"] for shop in (world.a, world.a_live, world.b, world.b_live)}
    assert len(made) == 4


def test_a_final_refusal_is_replayed_too(world: World) -> None:
    body = {**BODY, "amount": 130_050}
    first, again = post(world.a, "refused-1", body), post(world.a, "refused-1", body)
    assert (first.status_code, first.json["code"]) == (400, "amount_not_aligned")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content_type == "application/problem+json"


def test_a_body_that_its_schema_refuses_does_not_use_the_key_up(world: World) -> None:
    assert post(world.a, "schema-1", {**BODY, "amount": "1"}).status_code == 400
    assert post(world.a, "schema-1").status_code == 201


def test_what_says_come_again_may_come_again_with_its_key(world: World) -> None:
    payment = world.a.confirmed()
    confirm = f"/v1/payments/{payment['id']}/confirm"
    body = {"payment_method": {"type": "mpesa", "phone": a_phone()}}
    refused = post(world.a, "again-1", body, confirm)
    assert (refused.status_code, refused.json["code"]) == (409, "attempt_outcome_unknown")
    assert int(refused.headers["Retry-After"]) >= 1
    world.pay(world.a, payment["id"])
    later = post(world.a, "again-1", body, confirm)
    assert "Idempotent-Replayed" not in later.headers
    assert later.json["code"] == "illegal_transition"


def test_a_race_of_one_key_makes_one_object(world: World) -> None:
    def attempt(_: int) -> tuple[int, Any]:
        shop = Shop(world.app.test_client(), world.a.business, livemode=False, key=world.a.key)
        answer = post(shop, "race-1")
        return answer.status_code, answer.json

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(16)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({body["id"] for status, body in answers if status == 201}) == 1
    assert {body["code"] for status, body in answers if status == 409} <= {"idempotency_in_progress"}


def begun(world: World, key: str) -> Begun:
    """What a process leaves behind that dies between taking the lease and doing the work."""
    desk: Desk = world.app.extensions["gateway"]
    shop = world.a
    found = desk.use_cases.idempotency.begin(
        Call(business_id=shop.business.id, livemode=False),
        key,
        sha256(b"POST /v1/payments\n" + canonical(BODY)).digest(),
        object_id=UuidV7()(),
        keep_days=30,
    )
    assert isinstance(found, Begun)
    return found


def test_a_call_in_flight_is_told_to_wait_and_a_dead_one_is_taken_over_with_its_id(world: World) -> None:
    dead = begun(world, "dead-1")
    waiting = post(world.a, "dead-1")
    assert (waiting.status_code, waiting.json["code"]) == (409, "idempotency_in_progress")
    assert 1 <= int(waiting.headers["Retry-After"]) <= 60
    lapse = "UPDATE gateway.idempotency_key SET lease_until = now() - interval '1 second' WHERE id = %s"
    assert run_as_owner(world, lapse, dead.call.record_id) == 1
    taken = post(world.a, "dead-1")
    assert taken.status_code == 201
    assert taken.json["id"] == encode(Prefix.PAYMENT, dead.call.object_id)
    assert post(world.a, "dead-1").json == taken.json


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payments", BODY),
        ("/v1/checkout/sessions", BODY),
        (
            "/v1/payouts",
            {"amount": 10_000, "currency": "KES", "destination": {"type": "mpesa_phone", "phone": "0712345678"}},
        ),
    ],
)
def test_an_emptied_store_still_makes_no_second_object(world: World, path: str, body: Any) -> None:
    world.paid(world.a)
    first = post(world.a, f"emptied-{path}", body, path)
    assert first.status_code == 201, first.json
    assert run_as_owner(world, "DELETE FROM gateway.idempotency_key WHERE business_id = %s", world.a.business.id)
    again = post(world.a, f"emptied-{path}", body, path)
    assert again.status_code == 201
    assert {**again.json, "url": None} == {**first.json, "url": None}
    assert run_as_owner(world, "DELETE FROM gateway.idempotency_key WHERE business_id = %s", world.a.business.id)
    other = post(world.a, f"emptied-{path}", {**body, "amount": 20_000}, path)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_mismatch")


def test_a_stored_answer_holds_no_secret_in_clear(world: World) -> None:
    made = post(world.a, "sealed-1", BODY, "/v1/checkout/sessions")
    again = post(world.a, "sealed-1", BODY, "/v1/checkout/sessions")
    assert again.json["url"] == made.json["url"]
    secret = made.json["url"].rpartition("/")[2].encode()
    with psycopg.connect(world.database.plain_url("owner")) as connection:
        kept = connection.execute("SELECT answer FROM gateway.idempotency_key WHERE answer IS NOT NULL").fetchall()
    assert kept
    assert not [1 for (answer,) in kept if secret in bytes(answer)]
