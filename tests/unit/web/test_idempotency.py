"""Idempotency-Key: who may leave it out, what it answers, and that no lease outlives its call."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from gateway.application.interfaces import InFlight, Mismatch, Replay
from gateway.domain.errors import (
    Busy,
    Conflict,
    GatewayError,
    Invalid,
    NotFound,
    TooMany,
    Unprocessable,
)
from tests.unit.web.scripted import GOOD_PAYMENT, IDEMPOTENT, PAYMENT, World, auth, raising

BODY = dict(GOOD_PAYMENT)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/payments", BODY),
        (f"/v1/payments/{PAYMENT}/confirm", {"payment_method": {"type": "mpesa", "phone": "0712345678"}}),
        ("/v1/payouts", {**BODY, "destination": {"type": "mpesa_phone", "phone": "0712345678"}}),
    ],
)
def test_what_can_move_money_needs_a_key(world: World, client: FlaskClient, path: str, body: dict[str, object]) -> None:
    without = client.post(path, json=body, headers=auth())
    assert (without.status_code, without.json["code"]) == (400, "idempotency_key_required")
    assert world.asked == []
    assert client.post(path, json=body, headers=auth(**IDEMPOTENT)).status_code in (200, 201)
    assert world.keys.begun[0][2] == 30


def test_elsewhere_it_is_optional_and_kept_a_day(world: World, client: FlaskClient) -> None:
    assert client.post(f"/v1/payments/{PAYMENT}/cancel", headers=auth()).status_code == 200
    assert world.keys.begun == []
    assert client.post(f"/v1/payments/{PAYMENT}/cancel", headers=auth(**IDEMPOTENT)).status_code == 200
    assert world.keys.begun[0][2] == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "ключ"])
def test_a_key_that_is_none_is_refused(world: World, client: FlaskClient, key: str) -> None:
    answer = client.post("/v1/payments", json=BODY, headers=auth(**{"Idempotency-Key": key}))
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_invalid")
    assert world.asked == []


def test_the_use_case_gets_the_lease_and_the_id(world: World, client: FlaskClient) -> None:
    client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    ((_, call),) = world.asked
    assert call.idempotency.key == "order-1"
    assert call.idempotency.object_id.int >= 1000
    assert world.keys.released == 0


def test_the_fingerprint_is_method_path_and_content(world: World, client: FlaskClient) -> None:
    def fingerprint(path: str, body: bytes) -> bytes:
        client.post(path, data=body, content_type="application/json", headers=auth(**IDEMPOTENT))
        return world.keys.begun[-1][1]

    one = fingerprint("/v1/payments", b'{"amount":100,"currency":"KES"}')
    assert fingerprint("/v1/payments", b'{ "currency" : "KES", "amount": 100 }') == one
    assert fingerprint("/v1/payments", b'{"amount":200,"currency":"KES"}') != one
    assert fingerprint("/v1/payments", b'{"amount":100,"currency":"KES","description":null}') != one
    assert fingerprint("/v1/checkout/sessions", b'{"amount":100,"currency":"KES"}') != one
    assert fingerprint(f"/v1/payments/{PAYMENT}/cancel", b"") != fingerprint(f"/v1/payments/{PAYMENT}/refresh", b"")


def test_a_replay_is_the_first_answer(world: World, client: FlaskClient) -> None:
    world.keys.outcome = Replay(status=201, body={"id": PAYMENT})
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.json, answer.content_type) == (201, {"id": PAYMENT}, "application/json")
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert world.asked == []


def test_a_replayed_refusal_is_a_problem_still(world: World, client: FlaskClient) -> None:
    world.keys.outcome = Replay(status=422, body={"status": 422, "code": "insufficient_funds"})
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.headers["Idempotent-Replayed"] == "true"


def test_the_same_call_in_flight_is_a_409_with_a_time(world: World, client: FlaskClient) -> None:
    world.keys.outcome = InFlight(retry_after_s=3)
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_in_progress")
    assert answer.headers["Retry-After"] == "3"
    assert answer.json["retryable"] is True
    assert (world.asked, world.keys.refused, world.keys.released) == ([], [], 0)


def test_another_request_under_the_key_is_a_422(world: World, client: FlaskClient) -> None:
    world.keys.outcome = Mismatch()
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_mismatch")
    assert (world.asked, world.keys.refused, world.keys.released) == ([], [], 0)


@pytest.mark.parametrize(
    "error",
    [
        Invalid("x", code="amount_not_aligned", param="/amount"),
        NotFound("x"),
        Conflict("x", code="illegal_transition"),
        Unprocessable("x"),
    ],
)
def test_a_final_refusal_is_kept_as_it_was_answered(world: World, client: FlaskClient, error: GatewayError) -> None:
    world.say = raising(error)
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert world.keys.refused == [(answer.status_code, answer.json)]
    assert world.keys.released == 0


@pytest.mark.parametrize(
    "error",
    [
        Conflict("x", code="attempt_outcome_unknown", retry_after_s=5),
        Conflict("x", code="attempt_outcome_unknown"),
        Conflict("x", code="stale_version"),
        TooMany("x", code="phone_rate_limited", retry_after_s=60),
        Busy("x"),
        Busy("x", code="rail_unavailable", retry_after_s=60),
        RuntimeError("broken"),
    ],
)
def test_what_may_succeed_later_is_not_kept(world: World, client: FlaskClient, error: Exception) -> None:
    world.say = raising(error)
    answer = client.post("/v1/payments", json=BODY, headers=auth(**IDEMPOTENT))
    assert answer.status_code >= 400
    assert (world.keys.refused, world.keys.released) == ([], 1)
