"""A key's limit as its callers meet it: two web processes, one Redis, and a clock that stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from gateway import bootstrap
from gateway.adapters.servers import RunningValkey
from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.desk import desk
from gateway.adapters.web.settings import WebSettings
from tests.api.contract import Contract
from tests.api.world import PUBLIC_URL, World

#: Twelve and a half seconds into a minute.
NOW = 1_700_000_040.0 - 1_700_000_040.0 % 60 + 12.5


@pytest.fixture
def processes(world: World, valkey: RunningValkey) -> Iterator[list[Flask]]:
    """Two web processes that let a key read six times a minute, and write as often."""
    web = bootstrap.Gateway(settings=world.worker.settings, role="app")
    settings = WebSettings(
        public_url=PUBLIC_URL, new_id=UuidV7(), key_limit="6/minute", wrong_key_limit=None, address_limit=None,
    )  # fmt: skip
    apps = [create_app(web.use_cases, settings, limiter_url=valkey.url_for(4)) for _ in range(2)]
    at(apps, NOW)
    yield apps
    web.close()


def at(apps: list[Flask], now: float) -> None:
    """Set the clocks of all."""
    for app in apps:
        with app.app_context():
            limits: Any = desk().guards
            limits.reads.now = limits.writes.now = lambda: now


def test_the_seventh_call_is_told_when_the_window_ends(world: World, processes: list[Flask]) -> None:
    key = world.a.post("/v1/api_keys", {"kind": "secret", "name": "limits"})["secret"]
    headers = {"Authorization": f"Bearer {key}"}
    clients = [app.test_client() for app in processes]
    answers = [clients[n % 2].get("/v1/balance", headers=headers) for n in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert [answer.headers["RateLimit"] for answer in answers[:6]] == [
        f'"reads";r={left};t=48' for left in range(5, -1, -1)
    ]
    assert {answer.headers["RateLimit-Policy"] for answer in answers[:6]} == {'"reads";q=6;w=60'}
    contract = Contract(world.a.get("/openapi.json"))
    for answer in answers[6:]:
        assert answer.headers["Retry-After"] == "48"
        assert (answer.json["code"], answer.json["retryable"]) == ("rate_limited", True)
        contract.check("GET", "/v1/balance", answer)
    made = clients[0].post(
        "/v1/payments", json={"amount": 10_000, "currency": "KES"}, headers={**headers, "Idempotency-Key": "w"}
    )
    assert made.status_code == 201, "writes are counted apart"
    at(processes, NOW + 47.4)
    assert clients[1].get("/v1/balance", headers=headers).headers["Retry-After"] == "1"
    at(processes, NOW + 48)
    assert clients[1].get("/v1/balance", headers=headers).status_code == 200
