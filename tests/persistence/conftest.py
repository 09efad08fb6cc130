"""A fresh database with a small world in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.persistence.books import Books
from tests.persistence.shop import Shop
from tests.servers import Database


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    made = Shop(database=database)
    yield made
    made.close()


@pytest.fixture
def books(database: Database) -> Iterator[Books]:
    made = Books(database=database)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_books(module_database: Database) -> Iterator[Books]:
    """For tests that each trade as a business of their own."""
    made = Books(database=module_database)
    made.know_assets()
    yield made
    made.close()
