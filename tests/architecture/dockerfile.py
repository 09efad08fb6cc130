"""A small reader of Dockerfiles, and a way to follow one in an ordinary folder where no image can be built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: its word in capitals and all that follows, continuation lines joined."""

    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """The command of a CMD in its JSON form, and of a HEALTHCHECK behind its options."""
        listed: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return listed


def read(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [Instruction(word=word.upper(), rest=rest.strip()) for word, _, rest in map(_parted, whole.splitlines())]


def _parted(line: str) -> tuple[str, str, str]:
    return line.strip().partition(" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that stands for the root of the image; absolute paths of the Dockerfile lie inside it.

    All stages share it: what one copies from another is there already. `/usr` and `/bin` are this machine's.
    """

    root: Path
    source: Path

    def follow(self, instructions: Sequence[Instruction]) -> Iterator[str]:
        """Do every COPY and RUN in order, and tell which. Raises CalledProcessError with its output for a failure."""
        here = self.root
        for one in instructions:
            if one.word == "WORKDIR":
                here = self.inside(one.rest)
                here.mkdir(parents=True, exist_ok=True)
            elif one.word == "COPY" and not one.rest.startswith("--from"):
                self._copy(one.rest.split(), here)
            elif one.word == "RUN":
                self._run(one.rest, here)
                yield one.rest

    def inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _copy(self, names: list[str], here: Path) -> None:
        *sources, target = names
        for name in sources:
            to = here / target / (name if target.endswith("/") else "")
            if (self.source / name).is_dir():
                shutil.copytree(self.source / name, to, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(self.source / name, to)

    def _run(self, command: str, here: Path) -> None:
        """Run it as the image's shell would, but with this Python, and with accounts made in a file of its own."""
        accounts = self.root / "accounts"
        (accounts / "etc").mkdir(parents=True, exist_ok=True)
        for name in ("passwd", "group", "shadow"):
            (accounts / "etc" / name).touch()
        command = command.replace("/opt/", f"{self.root}/opt/").replace("useradd ", f"useradd --prefix {accounts} ")
        python = Path(sys.base_prefix) / "bin"
        subprocess.run(
            ["/bin/sh", "-euc", command],
            cwd=here,
            env={**os.environ, "PATH": f"{python}:{os.environ['PATH']}", "VIRTUAL_ENV": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
            text=True,
        )
