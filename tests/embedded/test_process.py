"""A killed parent leaves nothing, and a child that fails says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.adapters.servers import ServerTrouble, spawn
from tests.embedded.conftest import is_running
from tests.waiting import eventually

_PARENT = """
import sys, time
from pathlib import Path
from gateway.adapters.servers import embedded_postgres, embedded_valkey
place = Path(sys.argv[1])
with embedded_postgres(place / "p", durable=False) as postgres, embedded_valkey(place / "v") as valkey:
    print(postgres.pid, valkey.pid, flush=True)
    sys.stdin.read()
"""


def test_a_killed_parent_leaves_nothing(place: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        parent.kill()
    eventually(lambda: not any(map(is_running, pids)))
    assert eventually(lambda: not (place / "p" / "data" / "postmaster.pid").exists()), "it shut down in good order"


def test_a_child_that_ends_early_says_why(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = spawn("the child", ["/bin/sh", "-c", "echo no such luck; exit 3"], log=log, env={}, cwd=tmp_path)
    with pytest.raises(ServerTrouble, match=r"(?s)the child ended at once with status 3.*child\.log.*no such luck"):
        child.wait_until(lambda: False, within_s=5)
    child.stop()


def test_a_child_that_dawdles_is_told_of(tmp_path: Path) -> None:
    sleeper = spawn("the sleeper", ["/bin/sleep", "60"], log=tmp_path / "log", env={}, cwd=tmp_path)
    with pytest.raises(ServerTrouble, match=r"the sleeper was not ready within 0\.05 s"):
        sleeper.wait_until(lambda: False, within_s=0.05)
    sleeper.stop()
    assert not sleeper.alive


def test_one_that_ignores_a_polite_word_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; echo deaf; while :; do /bin/sleep 0.05; done"
    deaf = spawn("the deaf", ["/bin/sh", "-c", script], log=tmp_path / "log", env={}, cwd=tmp_path)
    deaf.wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), within_s=5)
    deaf.stop(within_s=0.1)
    assert not deaf.alive
