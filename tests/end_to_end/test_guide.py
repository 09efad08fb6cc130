"""The API guide, followed word by word: its blocks run in order, and each answer it shows is the answer that came.

The marks: `sh run` runs; `sh given` is replaced by what is true here; `python file=…` is saved; `sh background` is
left running; `json shows` and `text shows` are what the block before printed (`…` stands for anything); `text heard` is
what the block in the background prints, sooner or later.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.servers import free_port, spawn
from tests.docs.papers import DOCS, Block, blocks_of
from tests.servers import Database, Databases
from tests.stack import Stack, a_stack
from tests.waiting import eventually

GUIDE = DOCS / "api-guide.md"
MARKS = {"sh run", "sh given", "sh background", "json shows", "text shows", "text heard", "json", "text", "mermaid"}
ANYTHING = "…"
#: Newcomers wait for a person; these blocks wait for machines.
BLOCK_WITHIN_S = 60


@pytest.fixture(scope="module")
def stack(databases: Databases, migrated: Database, valkey: Any, scratch: Path) -> Iterator[Stack]:
    """A gateway of its own: the guide moves the clock, and tells what a fresh sandbox holds."""
    with databases.fresh(migrated.name) as fresh, a_stack(fresh, valkey.url_for(2), scratch / "guide") as running:
        yield running
        running.check_books()


class Reader:
    """Somebody at a terminal who does what the guide says. Variables and functions live on from block to block."""

    def __init__(self, folder: Path, given: dict[str, str]) -> None:
        self.folder, self.given = folder, given
        self.printed = ""
        self.left_running: list[Any] = []
        (folder / "memory").write_text("")

    def follow(self, block: Block) -> None:
        """Do what the block says, or hold what it shows against what happened."""
        if block.mark.startswith("file="):
            (self.folder / block.mark.removeprefix("file=")).write_text(block.text)
            return
        match f"{block.language} {block.mark}".strip():
            case "sh given":
                self._take_given(block)
            case "sh run":
                self.printed = self._run(block.text)
            case "sh background":
                self._leave_running(block.text)
            case "json shows":
                assert_like(json.loads(block.text), json.loads(self.printed), "")
            case "text shows":
                assert_lines(block.text, self.printed)
            case "text heard":
                eventually(lambda: assert_lines(block.text, self._heard()), within_s=20, every_s=0.05)

    def _take_given(self, block: Block) -> None:
        named = set(re.findall(r"^(\w+)=", block.text, re.MULTILINE))
        assert named == set(self.given), "the guide's first variables and the test's are not the same"
        self.printed = self._run("\n".join(f"{name}='{value}'" for name, value in self.given.items()))

    def _run(self, script: str) -> str:
        whole = f"set -a; . ./memory; set -euo pipefail\n{script}\n{{ export -p; declare -f; }} > ./memory.new\n"
        done = subprocess.run(
            ["bash", "-c", whole + "mv ./memory.new ./memory"],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=BLOCK_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def _leave_running(self, script: str) -> None:
        command = [shutil.which("bash") or "bash", "-c", f"set -a; . ./memory\n{script}"]
        self.left_running.append(
            spawn("reader", command, log=self.folder / "heard", env=self._environment(), cwd=self.folder)
        )

    def _heard(self) -> str:
        return (self.folder / "heard").read_text()

    def _environment(self) -> dict[str, str]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        return {**ours, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}

    def leave(self) -> None:
        """End what was left running."""
        for process in self.left_running:
            process.kill()


def assert_like(shown: Any, came: Any, where: str) -> None:
    """What the guide shows must be in what came: objects may hold more, `…` is anything."""
    if shown == ANYTHING:
        return
    if isinstance(shown, dict):
        assert isinstance(came, dict), where
        for name, inner in shown.items():
            assert name in came, f"{where}/{name} is missing"
            assert_like(inner, came[name], f"{where}/{name}")
    elif isinstance(shown, list):
        assert isinstance(came, list), where
        assert len(shown) <= len(came), f"{where}: fewer than {len(shown)}"
        for place, inner in enumerate(shown):
            assert_like(inner, came[place], f"{where}/{place}")
    elif isinstance(shown, str) and ANYTHING in shown:
        assert re.fullmatch(_pattern(shown), str(came)), f"{where}: {came!r} is not like {shown!r}"
    else:
        assert came == shown, f"{where}: {came!r}, and the guide says {shown!r}"


def assert_lines(shown: str, came: str) -> bool:
    """Each line that the guide shows must be a line of what came, in that order."""
    left = iter(came.splitlines())
    for line in shown.splitlines():
        pattern = _pattern(line)
        assert any(re.fullmatch(pattern, one) for one in left), f"no line like {line!r} in:\n{came}"
    return True


def _pattern(shown: str) -> str:
    return ".*".join(map(re.escape, shown.split(ANYTHING)))


def test_the_guide_does_what_it_says(stack: Stack, tmp_path: Path) -> None:
    given = {
        "API": stack.url,
        "KEY": stack.shop.key,
        "PHONES": stack.mpesa.url,
        "HOOKS": f"http://127.0.0.1:{free_port(0)}/hooks",
    }
    began = time.monotonic()
    reader = Reader(tmp_path, given)
    try:
        for block in blocks_of(GUIDE.read_text()):
            try:
                reader.follow(block)
            except (AssertionError, ValueError, subprocess.TimeoutExpired) as wrong:
                raise AssertionError(f"{GUIDE.name}, line {block.line}: {wrong}") from None
    finally:
        reader.leave()
    assert time.monotonic() - began < 300, "five minutes were promised"


def test_every_mark_of_the_guide_is_known() -> None:
    found = [block for block in blocks_of(GUIDE.read_text()) if not block.mark.startswith("file=")]
    assert {f"{block.language} {block.mark}".strip() for block in found} <= MARKS
    assert sum(block.mark == "run" for block in found) > 20
