"""A world a test, on one database for this whole room; whatever the tests did, its books must hold in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.application.harness import World, broken
from tests.application.processes import Engines
from tests.servers import Database, Databases

MakeWorld = Callable[..., World]


@pytest.fixture(scope="package")
def engines(databases: Databases, migrated: Database) -> Iterator[Engines]:
    with databases.fresh(migrated.name) as database:
        made = Engines.of(database)
        yield made
        made.close()


@pytest.fixture(scope="package")
def _books(engines: Engines) -> Iterator[None]:
    """Nothing that the tests did broke an invariant of the ledger."""
    yield
    world = World(engines=engines)
    try:
        assert broken(world.operator.use_cases.ledger.check()) == []
    finally:
        world.close()


@pytest.fixture
def make_world(engines: Engines, _books: None) -> Iterator[MakeWorld]:
    """Makes a world with other capabilities, prices or settlement than the ordinary ones."""
    made: list[World] = []

    def make(**changes: Any) -> World:
        made.append(World(engines=engines, **changes))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()
