"""The log of requests: found by the id of any error, by its own business alone, and without anything personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask import Flask

from gateway import bootstrap, settings
from gateway.adapters.cli.logs import logs_group
from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.request_log import EXTENSION, Notes
from gateway.adapters.web.settings import WebSettings
from tests.api.world import PUBLIC_URL, Shop, World
from tests.stack import environment_of
from tests.waiting import eventually


@pytest.fixture
def logged(world: World, redis_url: str) -> Iterator[Shop]:
    """A shop of an application that notes what calls came to."""
    found = settings.read(environment_of(world.database, redis_url, PUBLIC_URL))
    web = bootstrap.Gateway(settings=found, role="app")
    app: Flask = create_app(
        web.use_cases,
        WebSettings(
            public_url=PUBLIC_URL,
            new_id=UuidV7(),
            key_limit=None,
            wrong_key_limit=None,
            keep_requests=web.request_log.keep,
        ),
    )
    yield replace(world.a, client=app.test_client())
    app.extensions[EXTENSION].close()
    web.close()


def log_of(shop: Shop, request_id: str) -> Any:
    def there() -> Any:
        answer = shop.call("GET", f"/v1/requests/{request_id}")
        assert answer.status_code == 200
        return answer.json

    return eventually(there)


def test_the_id_of_an_error_leads_to_what_was_asked_and_answered(logged: Shop, world: World) -> None:
    secret_words = {"note": "Wanjiku 0712345678"}
    body = {"amount": 150, "currency": "KES", "description": "0712345678", "metadata": secret_words}
    refused = logged.call("POST", "/v1/payments", body)
    assert refused.status_code == 400
    found = log_of(logged, refused.json["request_id"])
    assert (found["method"], found["route"], found["status"], found["code"]) == (
        "POST",
        "/v1/payments",
        400,
        "amount_not_aligned",
    )
    assert found["api_key"].startswith("key_")
    assert len(found["idempotency_key_hash"]) == 64
    assert found["request"] == {
        "amount": 150,
        "currency": "KES",
        "description": "[text of 10]",
        "metadata": "[1 keys]",
    }
    assert found["response"]["code"] == "amount_not_aligned"
    assert "0712345678" not in json.dumps(found)
    assert "Wanjiku" not in json.dumps(found)
    assert world.b.call("GET", f"/v1/requests/{refused.json['request_id']}").status_code == 404


def test_numbers_and_names_that_could_be_anybody_s_are_not_kept(logged: Shop) -> None:
    body = {"amount": "254712345678", "currency": "0712", "254712345678": 254712345678, "reference": 254712345678}
    refused = logged.call("POST", "/v1/payments", body)
    found = log_of(logged, refused.json["request_id"])
    assert "712345678" not in json.dumps(found)
    assert found["request"]["[name]"] == "[number]"


def test_a_call_that_went_well_is_noted_without_its_bodies(logged: Shop) -> None:
    made = logged.call("POST", "/v1/payments", {"amount": 150_000, "currency": "KES"})
    found = log_of(logged, made.headers["Request-Id"])
    assert (found["status"], found["code"], found["request"], found["response"]) == (201, None, None, None)


def test_an_operator_finds_also_a_stranger_s(logged: Shop, world: World, redis_url: str) -> None:
    refused = logged.client.get("/v1/payments", headers={"Authorization": "Bearer sk_test_" + "x" * 32})
    assert refused.status_code == 401
    found = settings.read(environment_of(world.database, redis_url, PUBLIC_URL))
    operator = bootstrap.Gateway(settings=found, role="operator")

    class Desk:
        def gateway(self, role: str) -> bootstrap.Gateway:
            assert role == "operator"
            return operator

    from click.testing import CliRunner

    def there() -> Any:
        shown = CliRunner().invoke(logs_group, ["get", refused.json["request_id"]], obj=Desk())
        assert shown.exit_code == 0, shown.output
        return json.loads(shown.output)

    shown = eventually(there)
    assert (shown["status"], shown["code"], shown["api_key"]) == (401, "invalid_api_key", None)
    operator.close()


def test_what_can_not_be_written_is_dropped_and_harms_nobody() -> None:
    def away(_: object) -> None:
        raise psycopg.OperationalError("away")

    notes = Notes(keep=away)
    notes.waiting.extend([None] * 3)  # type: ignore[list-item]
    notes.flush()
    assert not notes.waiting


def test_old_notes_are_swept(logged: Shop, world: World) -> None:
    made = logged.call("GET", "/v1/payments")
    log_of(logged, made.headers["Request-Id"])
    with psycopg.connect(world.database.plain_url("owner"), autocommit=True) as conn:
        row = conn.execute("SELECT gateway.sweep_requests('ffffffff-ffff-7fff-bfff-ffffffffffff', 10000)").fetchone()
        assert row is not None
        assert row[0] >= 1
    assert logged.call("GET", f"/v1/requests/{made.headers['Request-Id']}").status_code == 404
