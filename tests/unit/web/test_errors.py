"""Every error is a problem document, says what to do, and gives nothing away."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import psycopg
import pytest
import sqlalchemy.exc
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from gateway.adapters.web.error_codes import CODES
from gateway.adapters.web.errors_page import SECTIONS
from gateway.domain import errors
from gateway.domain.errors import (
    Busy,
    Conflict,
    Denied,
    IllegalStep,
    InsufficientFunds,
    Invalid,
    NotFound,
    StateRefused,
    TooMany,
    Unauthenticated,
    Unprocessable,
)
from tests.unit.web.scripted import GOOD_PAYMENT, IDEMPOTENT, PAYMENT, World, auth, raising

MEMBERS = {
    "type", "title", "status", "detail", "instance", "code", "param", "request_id", "retryable", "doc_url", "errors"
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("x"), 400),
        (Unauthenticated("x"), 401),
        (Denied("x"), 403),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (StateRefused("x", IllegalStep(state="paid", step="cancel")), 409),
        (Unprocessable("x"), 422),
        (InsufficientFunds("x"), 422),
        (TooMany("x", retry_after_s=7), 429),
        (Busy("x"), 503),
    ],
)
def test_each_refusal_has_its_status(
    world: World, client: FlaskClient, error: errors.GatewayError, status: int
) -> None:
    world.say = raising(error)
    answer = client.get(f"/v1/payments/{PAYMENT}", headers=auth())
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert set(answer.json) >= MEMBERS
    assert (answer.json["status"], answer.json["code"]) == (status, error.code)
    assert answer.json["request_id"] == answer.headers["Request-Id"]
    assert answer.json["type"] == f"https://pay.example/docs/errors#{error.code}"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert ("Retry-After" in answer.headers) == (status in (429, 503))


def test_a_refusal_shows_what_it_brings(world: World, client: FlaskClient) -> None:
    world.say = raising(StateRefused("no", IllegalStep(state="paid", step="cancel", allowed=("return",))))
    answer = client.get(f"/v1/payments/{PAYMENT}", headers=auth())
    assert (answer.json["state"], answer.json["allowed"]) == ("paid", ["return"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "route_not_found"),
        ("GET", "/v1/nowhere", 404, "route_not_found"),
        ("GET", "//v1/payments", 404, "route_not_found"),
        ("GET", "/v1/payments/", 404, "route_not_found"),
        ("GET", "/static/nothing.css", 404, "route_not_found"),
        ("DELETE", "/v1/payments", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/payments", 405, "method_not_allowed"),
        ("PUT", f"/v1/payments/{PAYMENT}", 405, "method_not_allowed"),
        ("GET", "/in/00000000/" + "0" * 32, 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_the_frameworks_own_errors_are_problems_too(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.open(path, method=method, headers=auth())
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert set(answer.json) >= MEMBERS
    assert answer.json["code"] == code
    assert ("Allow" in answer.headers) == (status == 405)


def test_another_content_type_is_refused(client: FlaskClient, world: World) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post(
            "/v1/payments", data=json.dumps(dict(GOOD_PAYMENT)), content_type=content_type, headers=auth(**IDEMPOTENT)
        )
        assert (answer.status_code, answer.json["code"]) == (415, "content_type_not_supported")
    no_type = client.post("/v1/payments", data=b"{}", headers=auth(**IDEMPOTENT))
    assert no_type.status_code == 415
    assert world.asked == []


def test_a_body_above_64_kib_is_refused(client: FlaskClient, world: World) -> None:
    body = {**GOOD_PAYMENT, "description": "x" * 70_000}
    answer = client.post("/v1/payments", json=body, headers=auth(**IDEMPOTENT))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert world.asked == []


@pytest.mark.parametrize("size", [64 * 1024 + 1, 200_000])
@pytest.mark.parametrize("path", ["/v1/payments", "/in/0a1b2c3d/" + "0" * 32])
def test_a_chunked_body_is_refused_and_never_cut(client: FlaskClient, world: World, path: str, size: int) -> None:
    start = json.dumps(dict(GOOD_PAYMENT)).encode()
    answer = client.post(
        path,
        input_stream=io.BytesIO(start + b" " * (size - len(start))),
        content_type="application/json",
        headers=auth(**IDEMPOTENT, **{"Transfer-Encoding": "chunked"}),
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert world.asked == []


def test_a_body_of_64_kib_is_taken(client: FlaskClient, world: World) -> None:
    start = json.dumps(dict(GOOD_PAYMENT)).encode()
    body = start + b" " * (64 * 1024 - len(start))
    answer = client.post("/v1/payments", data=body, content_type="application/json", headers=auth(**IDEMPOTENT))
    assert answer.status_code == 201


def test_bad_json_is_a_400(client: FlaskClient) -> None:
    answer = client.post(
        "/v1/payments", data=b'{"amount":', content_type="application/json", headers=auth(**IDEMPOTENT)
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")


def test_a_fault_of_ours_is_logged_once_and_told_to_nobody(world: World, client: FlaskClient) -> None:
    world.say = raising(RuntimeError("password=hunter2 in table gateway.payment"))
    with capture_logs() as lines:
        answer = client.get(f"/v1/payments/{PAYMENT}", headers=auth())
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert answer.content_type == "application/problem+json"
    assert "hunter2" not in answer.get_data(as_text=True)
    assert "gateway.payment" not in answer.get_data(as_text=True)
    broke = [line for line in lines if line["event"] == "request broke"]
    assert len(broke) == 1
    assert answer.json["retryable"] is True


@pytest.mark.parametrize(
    "error",
    [sqlalchemy.exc.OperationalError("SELECT secret", {}, Exception("refused")), psycopg.OperationalError("gone")],
)
def test_a_database_that_is_away_is_a_503_for_calls_and_callbacks(
    world: World, client: FlaskClient, error: Exception
) -> None:
    world.say = world.received = raising(error)
    for answer in (
        client.post("/v1/payments", json=dict(GOOD_PAYMENT), headers=auth(**IDEMPOTENT)),
        client.post("/in/0a1b2c3d/" + "0" * 32, data=b"{}"),
    ):
        assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "unavailable", True)
        assert answer.headers["Retry-After"] == "2"
        assert "secret" not in answer.get_data(as_text=True)
    assert world.keys.released == 1


def test_every_code_that_the_code_base_uses_is_explained() -> None:
    assert sorted(_codes_used() - CODES.keys()) == []


def test_every_explained_code_is_used() -> None:
    unused = CODES.keys() - _codes_used() - _words_in_web()
    assert sorted(unused) == []


def test_every_code_stands_once_in_the_catalogue() -> None:
    listed = [code for _, codes in SECTIONS.values() for code in codes]
    assert sorted(listed) == sorted(CODES)


_GATEWAY = Path(errors.__file__).parents[1]
#: Met on the operator's command line alone.
_OPERATORS = {
    "backup_failed",
    "configuration_invalid",
    "not_supported",
    "policy_invalid",
    "reason_required",
    "window_invalid",
    "callback_list_invalid",
    "float_short",
    "move_invalid",
    "address_invalid",
    "wallet_known",
    "chain_away",
    "field_unknown",
    "registration_refused",
    "registration_unknown",
    "same_float",
    "settlement_invalid",
    "shop_tag_invalid",
    "statement_account",
    "statement_known",
    "statement_unreadable",
}


def _codes_used() -> set[str]:
    rooms = ("application", "domain", "adapters/web", "adapters/persistence")
    sources = [path.read_text() for room in rooms for path in (_GATEWAY / room).rglob("*.py")]
    found = {code for source in sources for code in re.findall(r'\bcode ?=\s*"([a-z_]+)"', source)}
    return found - {"error"} - _OPERATORS


def _words_in_web() -> set[str]:
    paths = [*(_GATEWAY / "adapters/web").rglob("*.py"), _GATEWAY / "adapters/persistence/failures.py"]
    sources = "".join(path.read_text() for path in paths if path.name != "error_codes.py")
    return set(re.findall(r'"([a-z_]+)"', sources))
