"""Three local nodes for the session; each test finds them as they were prepared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.sandbox.chains.node import running_nodes
from tests.plugins.chains.bench import Bench, Prepared, bench_on, prepared


@pytest.fixture(scope="session")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Prepared]]:
    with running_nodes(tmp_path_factory.mktemp("chains")) as nodes:
        yield {name: prepared(node) for name, node in nodes.items()}


@pytest.fixture
def celo(chains: dict[str, Prepared]) -> Iterator[Bench]:
    with bench_on(chains["celo"]) as bench:
        yield bench


@pytest.fixture
def twice(chains: dict[str, Prepared]) -> Iterator[Bench]:
    """Celo behind two endpoints."""
    with bench_on(chains["celo"], endpoints=2) as bench:
        yield bench


@pytest.fixture
def polygon(chains: dict[str, Prepared]) -> Iterator[Bench]:
    with bench_on(chains["polygon"]) as bench:
        yield bench


@pytest.fixture
def base(chains: dict[str, Prepared]) -> Iterator[Bench]:
    with bench_on(chains["base"]) as bench:
        yield bench
