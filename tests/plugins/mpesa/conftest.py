"""A provider that answers as a script says, and a rail and a channel that talk to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from tests.fakes.context import FakeWorld
from tests.plugins.mpesa.asking import B2C, OAUTH, PUSH, QUERY, STATUS
from tests.plugins.mpesa.papers import B2C_OK, PUSH_OK, TOKEN_OK, channel_values, query_answer, rail_values
from tests.plugins.scripted import ScriptedServer, reply, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        running.on(OAUTH, reply(200, TOKEN_OK))
        running.on(PUSH, reply(200, PUSH_OK))
        running.on(QUERY, reply(200, query_answer("0")))
        running.on(B2C, reply(200, B2C_OK))
        running.on(STATUS, reply(200, B2C_OK))
        yield running


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def rail(server: ScriptedServer, world: FakeWorld) -> MpesaPush:
    return MpesaPush.build(rail_values(server.url), world.context)


@pytest.fixture
def channel(server: ScriptedServer, world: FakeWorld) -> MpesaB2c:
    return MpesaB2c.build(channel_values(server.url), world.context)
