"""A world a test, on one database a module; whatever a module did, its books must hold in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.application.harness import Engines, World, broken
from tests.servers import Database

MakeWorld = Callable[..., World]


@pytest.fixture(scope="module")
def engines(module_database: Database) -> Iterator[Engines]:
    made = Engines.of(module_database)
    yield made
    made.close()


@pytest.fixture(scope="module")
def _books(engines: Engines) -> Iterator[None]:
    """Nothing that a module's tests did broke an invariant of the ledger."""
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
