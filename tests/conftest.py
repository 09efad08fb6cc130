"""Fixtures every room may use: real servers for the session, a fresh migrated database for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from gateway.adapters.servers import RunningPostgres, RunningValkey, embedded_postgres, embedded_valkey
from tests.servers import Database, Databases, databases_of, scratch_folder


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for the session's servers, gone afterwards."""
    with scratch_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(scratch: Path) -> Iterator[RunningPostgres]:
    """One PostgreSQL for the session (under xdist: for the worker). It does not fsync; crash tests start their own."""
    with embedded_postgres(scratch / "postgres", durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def valkey(scratch: Path) -> Iterator[RunningValkey]:
    """One Valkey for the session, in memory only."""
    with embedded_valkey(scratch / "valkey", durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def databases(postgres: RunningPostgres) -> Databases:
    return databases_of(postgres)


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> Iterator[Database]:
    """The template: migrated once, copied for each test. Never connect to it, or it can't be copied."""
    from gateway.adapters.persistence.migrate import migrate

    with databases.fresh() as template:
        migrate(template.url("owner"))
        yield template


@pytest.fixture
def database(databases: Databases, migrated: Database) -> Iterator[Database]:
    """A fresh migrated database for one test: `.name`, `.url(role)`; roles owner, app, worker, operator, read."""
    with databases.fresh(migrated.name) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def module_database(databases: Databases, migrated: Database) -> Iterator[Database]:
    """The same for a whole module: for tests that each make a business of their own and look at nothing else."""
    with databases.fresh(migrated.name) as fresh:
        yield fresh


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[Database]:
    """A database nothing was migrated in."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
def redis_url(valkey: RunningValkey) -> str:
    """The session's Valkey, emptied for this test."""
    with redis.Redis.from_url(valkey.url_for()) as client:
        client.flushall()
    return valkey.url_for()
