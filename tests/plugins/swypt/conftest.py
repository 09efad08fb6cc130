"""A provider that answers as a script says, and a rail and a channel that talk to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.swypt.channel import SwyptOfframp
from plugins.swypt.rail import SwyptOnramp
from tests.fakes.context import FakeWorld
from tests.plugins.scripted import ScriptedServer, reply, scripted_server
from tests.plugins.swypt import papers
from tests.plugins.swypt.asking import ASSETS, DEPOSIT, OFFRAMP, ONRAMP, QUOTE


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        running.on(ASSETS, reply(200, papers.ASSETS))
        running.on(QUOTE, reply(200, papers.QUOTE_IN))
        running.on(ONRAMP, reply(200, papers.STARTED))
        running.on(DEPOSIT, reply(200, papers.DEPOSITED))
        running.on(OFFRAMP, reply(200, papers.ORDERED))
        yield running


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def rail(server: ScriptedServer, world: FakeWorld) -> SwyptOnramp:
    return SwyptOnramp.build(papers.rail_values(server.url), world.context)


@pytest.fixture
def channel(server: ScriptedServer, world: FakeWorld) -> SwyptOfframp:
    return SwyptOfframp.build(papers.channel_values(server.url), world.context)
