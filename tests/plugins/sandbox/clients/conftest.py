"""Each module has a Daraja of its own, and one library that talks to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from tests.plugins.sandbox.clients import installed
from tests.plugins.sandbox.clients.line import Daraja, a_daraja


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the whole session, whichever workers take part."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "daraja-clients"


@pytest.fixture(scope="session")
def python(shared: Path) -> str:
    """The interpreter that has the Python libraries."""
    return str(installed.python(shared) / "bin" / "python")


@pytest.fixture(scope="session")
def node(shared: Path) -> list[str]:
    """The command that drives a library of Node.js, but for its name."""
    return [str(installed.BIN / "node"), str(installed.node(shared) / "drive.js")]


@pytest.fixture(scope="module")
def daraja(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Daraja]:
    folder = tmp_path_factory.mktemp("daraja")
    with a_daraja(folder, seed=crc32(request.module.__name__.encode())) as running:
        yield running
