"""The memory that processes share: unreadable to others, one lock holder at a time, and no error when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from gateway.adapters.jobs.shared_memory import RedisMemory
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.servers import free_port
from tests.persistence.shop import MASTER
from tests.waiting import eventually

COLUMN = "shared_memory"


def memory_at(url: str, master: str = MASTER) -> RedisMemory:
    vault = Vault.of(master)
    return RedisMemory(
        url,
        seal=lambda plain: vault.seal(plain, column=COLUMN, business_id=None),
        open=lambda sealed: vault.open_text(sealed, column=COLUMN, business_id=None),
    )


@pytest.fixture
def memory(redis_url: str) -> RedisMemory:
    return memory_at(redis_url)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


def test_what_is_put_is_there_for_other_processes_until_it_ends(
    memory: RedisMemory, redis_url: str, client: redis.Redis
) -> None:
    assert memory.get("token:1") is None
    memory.put("token:1", "a-planted-token ✓", life_s=60)
    assert memory_at(redis_url).get("token:1") == "a-planted-token ✓"
    [key] = found(client)
    assert 55 < int(client.ttl(key)) <= 60
    memory.put("token:1", "another", life_s=60)
    assert memory.get("token:1") == "another"
    memory.put("token:2", "dead on arrival", life_s=0)
    assert memory.get("token:2") is None


def found(client: redis.Redis) -> list[Any]:
    return list(client.scan_iter("*"))


def test_redis_holds_nothing_readable(memory: RedisMemory, client: redis.Redis) -> None:
    memory.put("token:1", "a-planted-token", life_s=60)
    for key in found(client):
        assert b"planted" not in bytes(client.get(key))  # type: ignore[arg-type]


def test_what_cannot_be_opened_is_as_good_as_lost(memory: RedisMemory, redis_url: str, client: redis.Redis) -> None:
    memory.put("token:1", "value", life_s=60)
    other_key = "k2:" + "QkJC" * 10 + "QkI="
    assert memory_at(redis_url, other_key).get("token:1") is None
    [key] = found(client)
    client.set(key, b"written by a stranger")
    assert memory.get("token:1") is None


def test_one_at_a_time_holds_the_lock(memory: RedisMemory, redis_url: str) -> None:
    other = memory_at(redis_url)
    with memory.only_one("refresh", life_s=5) as mine:
        assert mine
        with other.only_one("refresh", life_s=5) as theirs:
            assert not theirs
        with other.only_one("another", life_s=5) as free:
            assert free
        with other.only_one("refresh", life_s=5) as still:
            assert not still, "who doesn't hold it doesn't release it"
    with other.only_one("refresh", life_s=5) as after:
        assert after


def test_a_lock_that_ran_out_is_not_released_for_its_next_holder(
    memory: RedisMemory, redis_url: str, client: redis.Redis
) -> None:
    with memory.only_one("refresh", life_s=5) as mine:
        assert mine
        client.flushall()
        other = memory_at(redis_url).only_one("refresh", life_s=5)
        assert other.__enter__()
    with memory.only_one("refresh", life_s=5) as again:
        assert not again, "it is the other's still"
    other.__exit__(None, None, None)


def test_of_many_threads_one_wins(memory: RedisMemory) -> None:
    winners: list[bool] = []
    done = threading.Event()

    def try_it() -> None:
        with memory.only_one("rush", life_s=5) as mine:
            winners.append(mine)
            if mine:
                done.wait(5)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(winners) == 8)
    done.set()
    for thread in threads:
        thread.join()
    assert winners.count(True) == 1


def test_an_error_inside_still_releases(memory: RedisMemory) -> None:
    with pytest.raises(KeyError), memory.only_one("refresh", life_s=5):
        raise KeyError
    with memory.only_one("refresh", life_s=5) as after:
        assert after


def test_without_redis_there_is_nothing_and_everybody_works_for_himself() -> None:
    lost = memory_at(f"redis://127.0.0.1:{free_port()}/0")
    lost.put("token:1", "value", life_s=60)
    assert lost.get("token:1") is None
    with lost.only_one("refresh", life_s=5) as mine:
        assert mine
