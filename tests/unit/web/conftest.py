"""The scripted application."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.unit.web.scripted import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.shared_client()
