"""A simulator with a stopped clock, and a merchant who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.sandbox.world import SandboxMpesa, running_sandbox
from tests.plugins.sandbox.merchant import NOON, Inbox, Merchant, open_inbox


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with open_inbox() as opened:
        yield opened


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxMpesa]:
    with running_sandbox(state_dir=tmp_path / "mpesa", seed=7, frozen_at=NOON) as running:
        yield running


@pytest.fixture
def merchant(sandbox: SandboxMpesa, inbox: Inbox) -> Merchant:
    return Merchant(sandbox, inbox)
