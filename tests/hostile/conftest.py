"""One web process with two threads, and nothing behind it but the database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.servers import RunningValkey, spawn
from tests.servers import Database, Databases
from tests.stack import Stack, a_stack, ready
from tests.waiting import eventually


@pytest.fixture(scope="package")
def stack(databases: Databases, migrated: Database, valkey: RunningValkey, scratch: Path) -> Iterator[Stack]:
    """The real gunicorn, as operators start it, but impatient."""
    with (
        databases.fresh(migrated.name) as fresh,
        a_stack(fresh, valkey.url_for(5), scratch / "hostile", start=()) as made,
    ):
        command = [sys.executable, "-m", "gunicorn", "--config", "python:tests.hostile.hasty", "wsgi:app"]
        made.processes["serve"] = spawn(
            "serve",
            command,
            log=made.logs / "serve.log",
            env={**made.environment, "GATEWAY_WEB_THREADS": "2"},
            cwd=Path.cwd(),
        )
        eventually(lambda: ready(made.url), within_s=20, every_s=0.05)
        yield made
