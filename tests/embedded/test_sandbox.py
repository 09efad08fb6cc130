"""`sandbox`, with stand-ins for our own processes: all of it starts, keeps, recovers, and leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.embedded.conftest import is_running
from tests.waiting import eventually

COMMAND = (sys.executable, "-m", "tests.embedded.sandbox_double")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running sandbox and what it has said."""

    popen: subprocess.Popen[str]
    place: Path
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def known(self) -> dict[str, Any]:
        return json.loads((self.place / "sandbox.json").read_text())

    def processes(self) -> set[int]:
        """Every living process it or a child of it started: each has the folder in its environment, or works there."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                text = (entry / "environ").read_bytes() + os.fsencode((entry / "cwd").readlink())
            except OSError:
                continue
            if os.fsencode(self.place) in text and is_running(int(entry.name)):
                found.add(int(entry.name))
        return found - {self.popen.pid}


@contextmanager
def _started(place: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    output = place.with_suffix(".txt")
    with output.open("w") as out:
        popen = subprocess.Popen(
            [*COMMAND, "--dir", place, "--port", "0", *options],
            cwd=ROOT,
            env={**os.environ, "MARK": str(place), **(env or {})},
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    sandbox = Sandbox(popen=popen, place=place, output=output)
    try:
        yield sandbox
    finally:
        popen.kill()
        popen.wait()


def _ready(sandbox: Sandbox) -> None:
    eventually(lambda: "is open for business" in sandbox.said() or sandbox.popen.poll() is not None, within_s=30)
    assert "is open for business" in sandbox.said(), sandbox.said()


def _stopped(sandbox: Sandbox, by: signal.Signals) -> None:
    began = time.monotonic()
    sandbox.popen.send_signal(by)
    assert sandbox.popen.wait(timeout=10) == 0, sandbox.said()
    assert time.monotonic() - began < 8
    assert sandbox.processes() == set()
    assert sandbox.said().endswith("stopped; nothing is left running\n")


def test_it_shows_what_to_open_keeps_its_data_and_leaves_nothing(place: Path) -> None:
    with _started(place) as first:
        _ready(first)
        known = first.known()
        assert {known["checkout"], known["phone"], known["shop"], known["docs"], known["secret_key"]} <= set(
            first.said().split()
        )
        assert f"curl -s {known['api']}/v1/checkout/sessions" in first.said()
        assert urlopen(known["docs"]).status == 200  # noqa: S310
        names = [Path("/proc", str(pid), "comm").read_text().strip() for pid in first.processes()]
        assert {"postgres", "valkey-server", "sleep"} < set(names)
        assert len([name for name in names if name.startswith("python")]) == 5
        assert "Start 1 with 1 key" in first.said()
        assert (place / "sandbox.json").stat().st_mode & 0o077 == 0
        _stopped(first, signal.SIGINT)
    with _started(place) as second:
        _ready(second)
        assert "Start 2 with 1 key" in second.said()
        assert second.known()["phone"] == known["phone"]
        _stopped(second, signal.SIGTERM)
    forgotten = subprocess.run([*COMMAND, "--dir", place, "--reset"], cwd=ROOT, capture_output=True, check=True)
    assert b"forgotten" in forgotten.stdout
    assert not place.exists()


def test_a_killed_process_is_told_of_and_started_again(place: Path) -> None:
    with _started(place, env={"TIDY": "yes"}) as sandbox:
        _ready(sandbox)
        before = sandbox.known()["pids"]["worker"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: "worker ended with signal 9; starting it again" in sandbox.said())
        eventually(lambda: sandbox.known()["pids"]["worker"] != before)
        assert is_running(sandbox.known()["pids"]["worker"])
        refused = subprocess.run([*COMMAND, "--dir", place], cwd=ROOT, capture_output=True, check=False, text=True)
        assert refused.returncode == 1
        assert "a sandbox is running in" in refused.stderr
        assert len(sandbox.processes()) > 5
        sandbox.popen.kill()
        eventually(lambda: sandbox.processes() == set(), within_s=8)


def test_one_that_does_not_come_up_is_named_with_its_log_and_all_stop(place: Path) -> None:
    with _started(place, env={"BROKEN": "relay"}) as sandbox:
        assert sandbox.popen.wait(timeout=30) == 1
        assert "relay ended with status 1" in sandbox.said()
        assert f"{place}/logs/relay.log" in sandbox.said()
        assert "relay can't go on" in sandbox.said()
        assert sandbox.processes() == set()


def test_a_busy_port_is_told_of_and_another_taken(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with _started(place, "--port", str(port)) as sandbox:
            _ready(sandbox)
            assert f"port {port} is taken: the API uses " in sandbox.said()
            assert not sandbox.known()["api"].endswith(f":{port}")
            _stopped(sandbox, signal.SIGTERM)


@pytest.mark.parametrize(
    ("env", "options", "sentence"),
    [
        ({"GATEWAY_ENVIRONMENT": "production"}, (), "GATEWAY_ENVIRONMENT is production"),
        ({"GATEWAY_DATABASE_URL_APP": "postgresql+psycopg://x@127.0.0.1/x"}, (), "GATEWAY_DATABASE_URL_OWNER"),
        ({}, ("--reset",), "does not look like a sandbox"),
    ],
)
def test_it_refuses_with_a_sentence(
    tmp_path: Path, env: dict[str, str], options: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    done = subprocess.run(
        [*COMMAND, "--dir", tmp_path, *options],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "precious.txt").exists()
