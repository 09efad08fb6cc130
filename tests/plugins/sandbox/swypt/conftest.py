"""A simulated Swypt with a stopped clock, and a business that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.sandbox.swypt.world import SandboxSwypt, running_swypt
from tests.plugins.sandbox.swypt.shopper import NOON, V2, Shopper


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxSwypt]:
    with running_swypt(state_dir=tmp_path / "swypt", seed=7, frozen_at=NOON) as running:
        yield running


@pytest.fixture
def shopper(sandbox: SandboxSwypt) -> Shopper:
    return Shopper(sandbox=sandbox, paths=V2)
