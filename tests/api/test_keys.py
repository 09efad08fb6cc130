"""Keys on the real application."""

from __future__ import annotations

from hashlib import sha256

import psycopg

from gateway.application.operators import Act
from gateway.bootstrap import Gateway
from tests.api.world import Shop, World
from tests.waiting import eventually


def _issue(world: World) -> Shop:
    settings = world.worker.settings
    operator = Gateway(settings=settings, role="operator")
    act = Act(actor="tests", reason="a key to revoke")
    _, secret = operator.desk.issue_key(world.a.business, livemode=False, name="short-lived", act=act)
    operator.close()
    return Shop(client=world.app.test_client(), business=world.a.business, livemode=False, key=secret)


def test_a_revoked_key_stops_within_a_second(world: World) -> None:
    shop = _issue(world)
    assert shop.call("GET", "/v1/balance").status_code == 200
    with psycopg.connect(world.database.plain_url("owner"), autocommit=True) as connection:
        revoke = "UPDATE gateway.api_key SET revoked_at = now() WHERE key_hash = %s"
        assert connection.execute(revoke, (sha256(shop.key.encode()).digest(),)).rowcount == 1

    def refused() -> bool:
        return shop.call("GET", "/v1/balance").status_code == 401

    assert eventually(refused, within_s=1.0)
    assert shop.call("GET", "/v1/balance").json["code"] == "invalid_api_key"


def test_an_expired_key_is_none(world: World) -> None:
    shop = _issue(world)
    with psycopg.connect(world.database.plain_url("owner"), autocommit=True) as connection:
        lapse = "UPDATE gateway.api_key SET expires_at = now() - interval '1 second' WHERE key_hash = %s"
        assert connection.execute(lapse, (sha256(shop.key.encode()).digest(),)).rowcount == 1
    assert shop.call("GET", "/v1/balance").status_code == 401
