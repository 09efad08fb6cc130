"""A rotation of master keys: killed in the middle, run again, and the old key dropped."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Mapping

import psycopg
import pytest

from gateway import bootstrap, settings
from gateway.adapters.persistence.resealing import SqlResealing
from gateway.adapters.persistence.vault import CannotOpen, Vault
from gateway.application.interfaces import Page
from gateway.application.key_rotation import Progress, RotateKeys
from gateway.domain.errors import Conflict
from tests.persistence.shop import MASTER, Shop
from tests.servers import Database
from tests.stack import environment_of

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (11, 12))
ENDPOINTS = 40


def _environment(database: Database, masters: str, **more: str) -> dict[str, str]:
    found = environment_of(database, "redis://127.0.0.1:1/0", "http://127.0.0.1:8080")
    return {**found, "GATEWAY_MASTER_KEY": masters, **more}


def _rotation(environment: Mapping[str, str]) -> tuple[bootstrap.Gateway, RotateKeys]:
    gateway = bootstrap.Gateway(settings=settings.read(environment), role="operator")
    return gateway, gateway.rotate_keys


def _under(database: Database) -> dict[str, int]:
    """Sealed secrets of endpoints by master key, counted without our code."""
    asked = """SELECT convert_from(substring(secret FROM 3 FOR get_byte(secret, 1)), 'UTF8'), count(*)
               FROM gateway.webhook_endpoint GROUP BY 1"""
    with psycopg.connect(database.plain_url("owner")) as conn:
        return {str(name): int(rows) for name, rows in conn.execute(asked)}


@pytest.fixture
def sealed(shop: Shop) -> Shop:
    """A shop whose rows are sealed under the old key."""
    shop.vault = Vault.of(f"old:{OLD}")
    for _ in range(ENDPOINTS):
        shop.endpoint(shop.a)
    shop.payout(shop.b)
    return shop


def test_a_rotation_killed_anywhere_is_finished_by_the_next(sealed: Shop) -> None:
    environment = _environment(sealed.database, f"new:{NEW},old:{OLD},{MASTER}")
    command = [sys.executable, "-m", "gateway", "keys", "rotate", "--batch", "3"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("webhook_endpoint.secret"):
            os.kill(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    half = _under(sealed.database)
    assert 0 < half.get("new", 0) < ENDPOINTS, "it was killed in the middle"
    assert sum(half.values()) >= ENDPOINTS

    gateway, rotate = _rotation(environment)
    told: list[Progress] = []
    assert rotate(told.append, batch=7) >= ENDPOINTS - half["new"]
    assert {one.place.table for one in told} == {"webhook_endpoint"}, "all before it was done when it was killed"
    assert all(not places for master, places in rotate.status().items() if master != "new")
    assert rotate(told.append) == 0, "again: nothing to do"
    gateway.close()
    assert _under(sealed.database) == {"new": sum(half.values())}


def test_the_old_key_may_be_dropped_when_the_look_up_key_stays(sealed: Shop) -> None:
    phones = sealed.vault.blind("+254712345678", "phone")
    both = _environment(sealed.database, f"new:{NEW},old:{OLD},{MASTER}")
    gateway, rotate = _rotation(both)
    rotate(lambda _: None)
    gateway.close()
    alone = settings.read(_environment(sealed.database, f"new:{NEW}", GATEWAY_LOOK_UP_KEY=OLD))
    later = bootstrap.Gateway(settings=alone, role="worker")
    assert later.vault.blind("+254712345678", "phone") == phones, "a phone is found as before"
    with later.units(sealed.a, read_only=True) as work:
        found, _ = work.endpoints.page(Page(limit=100))
        assert len({one.secret for one in found}) >= 1
        assert all(one.secret.startswith("whsec_") for one in found)
    later.close()


def test_a_value_that_cannot_be_opened_stops_it_and_is_named(sealed: Shop) -> None:
    with psycopg.connect(sealed.database.plain_url("owner"), autocommit=True) as conn:
        conn.execute(
            "UPDATE gateway.payout SET destination = set_byte(destination, length(destination) - 1,"
            " get_byte(destination, length(destination) - 1) # 1)"
        )
    gateway, rotate = _rotation(_environment(sealed.database, f"new:{NEW},old:{OLD},{MASTER}"))
    with pytest.raises((Conflict, CannotOpen), match="payout"):
        rotate(lambda _: None)
    gateway.close()


def test_what_somebody_writes_meanwhile_is_left_as_they_made_it(sealed: Shop) -> None:
    """The old value is compared as it is written: nothing is overwritten by what was read before."""
    with psycopg.connect(sealed.database.plain_url("operator"), autocommit=True) as conn:
        row = conn.execute("SELECT id, secret FROM gateway.webhook_endpoint LIMIT 1").fetchone()
        assert row is not None
        stale = bytes(row[1][:-1]) + bytes([row[1][-1] ^ 1])
        written = conn.execute(
            "SELECT gateway.reseal('webhook_endpoint', 'secret', %s, %s, %s)", ([row[0]], [stale], [row[1]])
        ).fetchone()
        assert written == (0,)


def test_every_column_of_bytes_is_either_sealed_or_a_hash(sealed: Shop) -> None:
    """A new column is found in the catalog: what isn't named as a hash is rotated, and must bear the vault's form."""
    gateway, rotate = _rotation(_environment(sealed.database, f"old:{OLD}"))
    assert isinstance(rotate.rows, SqlResealing)
    places = {f"{one.table}.{one.column}" for one in rotate.rows.columns()}
    assert places >= {
        "attempt.provider_reference",
        "connection.config",
        "customer.email",
        "customer.name",
        "customer.phone",
        "idempotency_key.answer",
        "payout.destination",
        "provider_callback.body",
        "webhook_endpoint.previous_secret",
        "webhook_endpoint.secret",
    }
    assert not {place for place in places if "hash" in place or "hmac" in place}
    gateway.close()
