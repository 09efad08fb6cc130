"""Rate limits: by key in the process, by address for strangers, and what happens when Redis is away."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.adapters.web.limits_alone import KeyLimit
from gateway.domain.errors import NotFound, TooMany
from tests.unit.web.scripted import LIVE_KEY, PAYMENT, World, auth, raising

PATH = f"/v1/payments/{PAYMENT}"
CALLBACK = "/in/0a1b2c3d/" + "0" * 32


def test_a_key_has_its_calls_and_gets_them_back_evenly() -> None:
    time = 50.0
    limit, key = KeyLimit(calls=10, window_s=5, now=lambda: time), UUID(int=1)
    left = [limit.take(key) for _ in range(10)]
    assert left[0] == ('"key";q=10;w=5', '"key";r=9;t=1')
    assert left[-1][1] == '"key";r=0;t=5'
    with pytest.raises(TooMany) as caught:
        limit.take(key)
    assert caught.value.retry_after_s == 1
    limit.take(UUID(int=2))
    time += 0.5
    limit.take(key)
    with pytest.raises(TooMany):
        limit.take(key)
    time += 5
    assert [limit.take(key) for _ in range(10)]


def test_a_refused_call_does_not_lengthen_the_wait() -> None:
    time = 50.0
    limit, key = KeyLimit(calls=1, window_s=10, now=lambda: time), UUID(int=1)
    limit.take(key)
    for _ in range(100):
        with pytest.raises(TooMany):
            limit.take(key)
    time += 10
    assert limit.take(key)


def test_idle_keys_are_forgotten() -> None:
    time = 50.0
    limit = KeyLimit(calls=10, window_s=1, now=lambda: time)
    for number in range(10_000):
        limit.take(UUID(int=number))
    time += 2
    limit.take(UUID(int=99_999))
    assert len(limit.full_at) == 1


def test_a_key_over_its_limit_gets_a_429_and_others_do_not(world: World) -> None:
    client = world.client(key_limit="2/minute")
    first = client.get(PATH, headers=auth())
    assert first.headers["RateLimit-Policy"] == '"reads";q=2;w=60'
    assert first.headers["RateLimit"].startswith('"reads";r=1;t=')
    assert client.get(PATH, headers=auth()).status_code == 200
    third = client.get(PATH, headers=auth())
    assert (third.status_code, third.content_type) == (429, "application/problem+json")
    assert (third.json["code"], third.json["retryable"]) == ("rate_limited", True)
    assert 1 <= int(third.headers["Retry-After"]) <= 60
    assert client.get(PATH, headers=auth(LIVE_KEY)).status_code == 200


def test_wrong_keys_of_one_address_are_limited_and_right_ones_are_not(world: World) -> None:
    client = world.client(wrong_key_limit="3/minute")
    assert [client.get(PATH).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    limited = client.get(PATH)
    assert limited.content_type == "application/problem+json"
    assert 1 <= int(limited.headers["Retry-After"]) <= 61
    assert client.get(PATH, headers=auth()).status_code == 200
    elsewhere = client.get(PATH, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 401


def test_unknown_callbacks_of_one_address_are_limited_and_known_ones_are_not(world: World) -> None:
    client = world.client(unknown_callback_limit="2/minute")
    world.received = raising(NotFound("x"))
    assert [client.post(CALLBACK).status_code for _ in range(4)] == [404, 404, 429, 429]
    world.received = lambda *_, **__: (b"{}", "application/json")
    assert [client.post(CALLBACK).status_code for _ in range(4)] == [200] * 4


def test_without_redis_each_process_counts_alone(world: World) -> None:
    client = world.client(wrong_key_limit="2/minute", limiter_url="redis://127.0.0.1:1/0")
    assert [client.get(PATH).status_code for _ in range(4)] == [401, 401, 429, 429]


def test_the_address_comes_from_trusted_proxies_alone(world: World) -> None:
    def knock(trusted: int) -> list[int]:
        client = world.client(wrong_key_limit="1/minute", trusted_proxies=trusted)
        addresses = ("198.51.100.1", "198.51.100.2", "198.51.100.1")
        return [client.get(PATH, headers={"X-Forwarded-For": one}).status_code for one in addresses]

    assert knock(0) == [401, 429, 429]
    assert knock(1) == [401, 401, 429]
