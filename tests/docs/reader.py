"""Somebody at a terminal who does what a page says: runs its blocks in order and compares what it shows with what came.

The marks: `sh run` runs; `sh given` is replaced by what is true here; `python file=…` is saved; `sh background` is
left running; `json shows` and `text shows` are what the block before printed (`…` stands for anything); `text heard` is
what the block in the background prints, sooner or later; `sql operator` is run as that role. A block without a mark is
for people to read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from gateway.adapters.servers import spawn
from tests.docs.papers import Block, blocks_of
from tests.servers import Database
from tests.waiting import eventually

ANYTHING = "…"
#: Newcomers wait for a person; these blocks wait for machines.
BLOCK_WITHIN_S = 60


class Reader:
    """One person's terminal. Variables and functions live on from block to block; each block runs in `folder`.

    `given` are variables that are true here, `settings` is the environment of every command, `database` takes `sql`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        given: Mapping[str, str],
        settings: Mapping[str, str] | None = None,
        database: Database | None = None,
    ) -> None:
        self.folder, self.given, self.settings, self.database = folder, given, settings or {}, database
        self.printed = ""
        self.left_running: list[Any] = []
        (folder / "memory").write_text("")
        self._run("\n".join(f"{name}='{value}'" for name, value in given.items()))

    def follow(self, page: Path) -> int:
        """Do all that the page says; gives how many blocks were run. Raises AssertionError naming the line."""
        followed = 0
        try:
            for block in blocks_of(page.read_text()):
                followed += self._follow(page, block)
        finally:
            for process in self.left_running:
                process.kill()
        return followed

    def _follow(self, page: Path, block: Block) -> bool:
        try:
            return self._do(block)
        except (AssertionError, ValueError, psycopg.Error, subprocess.TimeoutExpired) as wrong:
            raise AssertionError(f"{page.name}, line {block.line}: {wrong}") from None

    def _do(self, block: Block) -> bool:
        if block.mark.startswith("file="):
            (self.folder / block.mark.removeprefix("file=")).write_text(block.text)
            return False
        match f"{block.language} {block.mark}".strip():
            case "sh given":
                self._check_given(block)
            case "sh run":
                self.printed = self._run(block.text)
                return True
            case "sh background":
                self._leave_running(block.text)
                return True
            case "sql operator":
                self._query(block.text)
                return True
            case "json shows":
                assert_like(json.loads(block.text), json.loads(self.printed), "")
            case "text shows":
                assert_lines(block.text, self.printed)
            case "text heard":
                eventually(lambda: assert_lines(block.text, self._heard()), within_s=20, every_s=0.05)
            case _:
                assert not block.mark, f"nobody knows what to do with {block.mark!r}"
        return False

    def _check_given(self, block: Block) -> None:
        named = set(re.findall(r"^(\w+)=", block.text, re.MULTILINE))
        assert named == set(self.given), "the page's first variables and the test's are not the same"

    def _query(self, sql: str) -> None:
        assert self.database is not None, "this page has no database"
        with psycopg.connect(self.database.plain_url("operator"), autocommit=True) as connection:
            connection.execute(sql)

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
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**theirs, "PATH": path, "PYTHONUNBUFFERED": "1", **self.settings}


def assert_like(shown: Any, came: Any, where: str) -> None:
    """What a page shows must be in what came: objects may hold more, `…` is anything."""
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
        assert came == shown, f"{where}: {came!r}, and the page says {shown!r}"


def assert_lines(shown: str, came: str) -> bool:
    """Each line that a page shows must be a line of what came, in that order."""
    left = iter(came.splitlines())
    for line in shown.splitlines():
        pattern = _pattern(line)
        assert any(re.fullmatch(pattern, one) for one in left), f"no line like {line!r} in:\n{came}"
    return True


def _pattern(shown: str) -> str:
    return ".*".join(map(re.escape, shown.split(ANYTHING)))
