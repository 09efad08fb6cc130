"""The tests' own databases: copies of a template that know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import redis

from tests.servers import Database, Databases


@pytest.fixture
def template(databases: Databases) -> Iterator[Database]:
    with databases.fresh() as made:
        with psycopg.connect(made.plain_url("owner")) as connection:
            connection.execute("CREATE TABLE word (it text)")
        yield made


def test_a_copy_has_what_the_template_had_and_is_alone(databases: Databases, template: Database) -> None:
    with databases.fresh(template.name) as one, databases.fresh(template.name) as other:
        with psycopg.connect(one.plain_url("owner")) as connection:
            connection.execute("INSERT INTO word VALUES ('mine')")
        with psycopg.connect(other.plain_url("owner")) as connection:
            assert connection.execute("SELECT * FROM word").fetchall() == []


def test_a_session_left_open_does_not_keep_a_database(databases: Databases) -> None:
    with databases.fresh() as left:
        connection = psycopg.connect(left.plain_url("owner"))
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_each_role_has_its_address(empty_database: Database) -> None:
    where = f"@127.0.0.1:{empty_database.server.port}/{empty_database.name}"
    assert empty_database.url("worker") == f"postgresql+psycopg://gateway_worker{where}"
    assert empty_database.plain_url("read") == f"postgresql://gateway_read{where}"


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_finds_valkey_empty(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", turn)
