"""A fresh database with a small world in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.persistence.shop import Shop
from tests.servers import Database


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    made = Shop(database=database)
    yield made
    made.close()
