"""PostgreSQL or Redis away: the API says so, and never that it is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from gateway import bootstrap
from gateway.adapters.servers import free_port
from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.settings import Probe, WebSettings
from tests.api.world import PUBLIC_URL, World

SECRET = "0" * 32


def _client(gateway: bootstrap.Gateway, limiter_url: str | None = None) -> FlaskClient:
    probes = tuple(Probe(name=name, check=check, required=required) for name, check, required in gateway.probes)
    settings = WebSettings(public_url=PUBLIC_URL, new_id=UuidV7(), probes=probes)
    return create_app(gateway.use_cases, settings, limiter_url=limiter_url).test_client()


@pytest.fixture
def homeless(world: World) -> Iterator[bootstrap.Gateway]:
    """A web process whose database doesn't answer."""
    nowhere = f"postgresql+psycopg://gateway_app@127.0.0.1:{free_port(0)}/gateway"
    gateway = bootstrap.Gateway(settings=replace(world.worker.settings, database_app=nowhere), role="app")
    yield gateway
    gateway.close()


def test_without_a_database_calls_callbacks_and_readiness_say_503(world: World, homeless: bootstrap.Gateway) -> None:
    client = _client(homeless)
    headers = {"Authorization": f"Bearer {world.a.key}", "Idempotency-Key": "away-1"}
    for answer in (
        client.get("/v1/balance", headers=headers),
        client.post("/v1/payments", json={"amount": 10_000, "currency": "KES"}, headers=headers),
        client.post(f"/in/0a1b2c3d/{SECRET}", data=b"{}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (503, "unavailable")
    assert client.get("/healthz").status_code == 200


def test_without_redis_everything_works_and_readiness_says_degraded(world: World) -> None:
    nowhere = f"redis://127.0.0.1:{free_port(0)}/0"
    gateway = bootstrap.Gateway(settings=replace(world.worker.settings, redis_url=nowhere), role="app")
    client = _client(gateway, limiter_url=nowhere)
    headers = {"Authorization": f"Bearer {world.a.key}", "Idempotency-Key": "away-2"}
    made = client.post("/v1/payments", json={"amount": 10_000, "currency": "KES"}, headers=headers)
    assert made.status_code == 201
    assert client.get("/v1/balance").status_code == 401
    assert client.post(f"/in/0a1b2c3d/{SECRET}", data=b"{}").status_code == 404
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "degraded")
    gateway.close()
