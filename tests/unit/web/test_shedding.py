"""What web answers while work waits: 503 with Retry-After for lists and new objects, and all else as ever."""

from __future__ import annotations

from gateway.application.shedding import Shedding
from tests.unit.web.scripted import PAYMENT, World, auth

NEW = {"amount": 100_000, "currency": "KES"}


def test_lists_and_new_objects_are_shed_and_one_s_own_reading_and_callbacks_are_not(world: World) -> None:
    client = world.client(shedding=Shedding(after_s=30, backlog_s=lambda: 31, monotonic=lambda: 0.0))
    key = auth(**{"Idempotency-Key": "k1"})
    for shed in (client.post("/v1/payments", json=NEW, headers=key), client.get("/v1/payments", headers=auth())):
        assert (shed.status_code, shed.json["code"], shed.json["retryable"]) == (503, "busy", True)
        assert shed.headers["Retry-After"] == "5"
    assert world.asked == [], "nothing was begun"
    assert world.keys.begun == [], "no key was spent"
    assert client.get(f"/v1/payments/{PAYMENT}", headers=auth()).status_code == 200
    assert client.post(f"/v1/payments/{PAYMENT}/refresh", headers=key).status_code == 200
    assert client.post(f"/in/{'a' * 8}/{'b' * 32}", data=b"{}").status_code in (200, 404)
    assert client.get("/healthz").status_code == 200


def test_without_a_backlog_nothing_is_shed(world: World) -> None:
    client = world.client(shedding=Shedding(after_s=30, backlog_s=lambda: 30, monotonic=lambda: 0.0))
    assert client.get("/v1/payments", headers=auth()).status_code == 200
