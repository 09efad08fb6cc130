"""One running gateway for all tests of this room: each makes payments of its own on a phone of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Database
from tests.stack import Stack, a_stack


@pytest.fixture(scope="package")
def package_database(databases, migrated) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """A database for the whole room."""
    with databases.fresh(migrated.name) as fresh:
        yield fresh


@pytest.fixture(scope="package")
def stack(package_database: Database, valkey, scratch: Path) -> Iterator[Stack]:  # type: ignore[no-untyped-def]
    """The running gateway."""
    with a_stack(package_database, valkey.url_for(1), scratch / "end_to_end") as running:
        yield running
        running.check_books()
