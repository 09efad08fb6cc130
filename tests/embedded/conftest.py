"""A folder for each test's own servers, and a look at what is still running."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest

_numbers = count()


@pytest.fixture
def place(scratch: Path) -> Path:
    """A path nothing lies at yet, where the servers' account may go."""
    return scratch / f"place-{next(_numbers)}"


def is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended and is not collected yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path("/proc", str(pid), "stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
