"""A full disk under PostgreSQL and under Redis, while a shop sells: refused with a clear word, and nothing lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.chaos import judge
from tests.chaos.disk import full_disk
from tests.chaos.plan import FINAL_FAILURES, Order, Plan, make_plan
from tests.chaos.scene import Scene, a_scene
from tests.chaos.traffic import Traffic, fund
from tests.waiting import eventually

pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def scene(scratch: Path) -> Iterator[Scene]:
    """One installation for both servers' full disks."""
    with a_scene(scratch / "disk", seed=31) as running:
        fund(running, "disk")
        yield running


def _plan(seed: int) -> Plan:
    """Orders that M-Pesa doesn't refuse: a refusal whose callback was lost takes two minutes to be believed."""
    plan = make_plan(seed, payments=10, payouts=3, kills=0)
    return replace(plan, payments=tuple(map(_paid, plan.payments)), payouts=tuple(map(_paid, plan.payouts)))


def _paid(order: Order) -> Order:
    return replace(order, behaviour="success") if order.behaviour in FINAL_FAILURES else order


def test_postgresql_without_disk_refuses_and_afterwards_nothing_is_lost(scene: Scene) -> None:
    traffic = Traffic(scene, _plan(31), "disk-postgresql")
    time.sleep(0.2)
    with full_disk(scene.postgres.process.pid):
        (answer,) = eventually(lambda: _refused(scene), within_s=20, every_s=0.2)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["retryable"] is True
    scene.kill("postgresql")
    _holds(scene, traffic)


def test_redis_without_disk_costs_seconds_and_nothing_else(scene: Scene) -> None:
    with full_disk(scene.valkey.process.pid, room=64):
        traffic = Traffic(scene, _plan(32), "disk-redis")
        time.sleep(3)
    _holds(scene, traffic)


def _refused(scene: Scene) -> list[requests.Response]:
    """The first answer that says no, to an order that would have to be written down."""
    reply = requests.post(
        f"{scene.stack.url}/v1/payments",
        json={"amount": 20_000, "currency": "KES"},
        headers={"Authorization": f"Bearer {scene.stack.shop.key}", "Idempotency-Key": f"full-{time.monotonic()}"},
        timeout=20,
    )
    return [reply] if reply.status_code == 503 else []


def _holds(scene: Scene, traffic: Traffic) -> None:
    made = traffic.wait()

    def settled() -> bool:
        verdict = judge.look(scene.stack.shop, scene.stack.control, made)
        assert not verdict.faults
        assert not verdict.open_, verdict.open_
        return True

    eventually(settled, within_s=60, every_s=0.5)
    assert judge.judge_money(scene.stack.shop, scene.stack.control, scene.database) == []
    scene.books()
