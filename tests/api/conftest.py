"""One application and database for all tests of this room; each test makes objects of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.adapters.servers import RunningValkey
from tests.api.world import World, a_world
from tests.servers import Database, Databases


@pytest.fixture(scope="package")
def package_database(databases: Databases, migrated: Database) -> Iterator[Database]:
    """A database for the whole room."""
    with databases.fresh(migrated.name) as fresh:
        yield fresh


@pytest.fixture(scope="package")
def world(package_database: Database, valkey: RunningValkey) -> Iterator[World]:
    """The real application."""
    with a_world(package_database, valkey.url_for(2)) as made:
        yield made
