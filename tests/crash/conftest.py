"""Durable servers of this room's own: fsync on, since they are killed too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.servers import RunningPostgres, RunningValkey, embedded_postgres, embedded_valkey
from tests.servers import Database, Databases, databases_of


@pytest.fixture(scope="package")
def durable_postgres(scratch: Path) -> Iterator[RunningPostgres]:
    """A PostgreSQL that keeps its word."""
    with embedded_postgres(scratch / "durable-postgres") as running:
        yield running


@pytest.fixture(scope="package")
def durable_databases(durable_postgres: RunningPostgres) -> Databases:
    """Databases on it."""
    return databases_of(durable_postgres)


@pytest.fixture(scope="package")
def durable_valkey(scratch: Path) -> Iterator[RunningValkey]:
    """A Valkey of this room's own."""
    with embedded_valkey(scratch / "durable-valkey") as running:
        yield running


@pytest.fixture(scope="package")
def durable_template(durable_databases: Databases) -> Iterator[Database]:
    """Migrated once, copied for each module."""
    from gateway.adapters.persistence.migrate import migrate

    with durable_databases.fresh() as template:
        migrate(template.url("owner"))
        yield template
