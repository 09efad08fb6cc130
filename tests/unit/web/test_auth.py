"""Keys: which are let in, for whom, and how a wrong one is told."""

from __future__ import annotations

from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from gateway.adapters.web.key_memory import KeyMemory
from gateway.application.interfaces import KeyFound
from gateway.domain.ids import Prefix, encode
from tests.unit.web.scripted import (
    BUSINESS,
    KEY,
    KEYS,
    LIVE_KEY,
    OTHER_BUSINESS,
    PAYMENT,
    PLATFORM_KEY,
    REVOKED_KEY,
    World,
    auth,
)

PATH = f"/v1/payments/{PAYMENT}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        KEY,
        f"Basic {KEY}",
        "Bearer",
        "Bearer ",
        "Bearer sk_test_short",
        f"Bearer {KEY}!",
        f"Bearer {KEY} extra",
        "Bearer pk_test_" + "A1b2" * 10,
        f"Bearer {REVOKED_KEY}",
        "Bearer sk_live_" + "A1b3" * 10,
        "Bearer sk_test_" + "x" * 5000,
    ],
)
def test_no_usable_key_is_a_401(client: FlaskClient, world: World, header: str | None) -> None:
    answer = client.get(PATH, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert world.asked == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_opens_its_business_and_mode(client: FlaskClient, world: World, scheme: str) -> None:
    assert client.get(PATH, headers={"Authorization": f"{scheme} {KEY}"}).status_code == 200
    call = world.asked[0][1]
    assert (call.business_id, call.livemode, call.key_id.int) == (BUSINESS, False, 100)
    assert call.request_id.startswith("req_")


def test_the_key_decides_the_mode(client: FlaskClient, world: World) -> None:
    assert client.get(PATH, headers=auth(LIVE_KEY)).status_code == 200
    assert world.asked[0][1].livemode is True


def test_the_own_business_may_be_named(client: FlaskClient) -> None:
    named = {"Gateway-Business": encode(Prefix.BUSINESS, BUSINESS)}
    assert client.get(PATH, headers=auth(**named)).status_code == 200


@pytest.mark.parametrize("named", [encode(Prefix.BUSINESS, OTHER_BUSINESS), "biz_1", "", str(BUSINESS)])
def test_another_business_is_none(client: FlaskClient, world: World, named: str) -> None:
    answer = client.get(PATH, headers=auth(**{"Gateway-Business": named}))
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert world.asked == []


def test_a_platforms_key_is_told_to_name_a_business(client: FlaskClient, world: World) -> None:
    answer = client.get(PATH, headers=auth(PLATFORM_KEY))
    assert (answer.status_code, answer.json["code"]) == (400, "business_required")
    assert world.asked == []


def test_a_found_key_is_believed_for_half_a_second_and_an_unknown_one_never() -> None:
    time, known = 50.0, {b"k": KEYS[sha256(KEY.encode()).digest()]}
    asked: list[bytes] = []

    def look_up(key_hash: bytes) -> KeyFound | None:
        asked.append(key_hash)
        return known.get(key_hash)

    memory = KeyMemory(look_up=look_up, now=lambda: time)
    assert memory(b"k") is memory(b"k") is known[b"k"]
    assert memory(b"x") is memory(b"x") is None
    assert asked == [b"k", b"x", b"x"]
    known.clear()
    time += 0.5
    assert memory(b"k") is None
    assert memory.known == {}


def test_old_keys_are_forgotten() -> None:
    time, one = 50.0, KEYS[sha256(KEY.encode()).digest()]
    memory = KeyMemory(look_up=lambda _: one, now=lambda: time)
    for number in range(4_096):
        memory(number.to_bytes(2, "big"))
    time += 1
    memory(b"another")
    assert list(memory.known) == [b"another"]
