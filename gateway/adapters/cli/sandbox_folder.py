"""What the sandbox keeps between two starts: data, logs, its master key and the ports it had."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: By this file a folder is known to be ours before anything in it is deleted.
_MARK = "sandbox.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFolder:
    """The folder `root`, `.sandbox` by default. PostgreSQL's data may have to lie elsewhere."""

    root: Path
    postgres: Path

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def mpesa(self) -> Path:
        return self.root / "mpesa"

    @property
    def shop(self) -> Path:
        return self.root / "shop"

    @property
    def mark(self) -> Path:
        """The file that `keep` writes."""
        return self.root / _MARK

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make sure nobody else uses the folder for the length of the block. Raises RuntimeError when somebody does."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(handle):
                raise RuntimeError(f"a sandbox is running in {self.root}; stop it first")
            yield
        finally:
            os.close(handle)

    def make(self) -> None:
        """Make what is missing. Logs begin afresh, one start long."""
        shutil.rmtree(self.logs, ignore_errors=True)
        for folder in (self.logs, self.mpesa):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.keep({})

    def recall(self) -> dict[str, object]:
        """What `keep` kept: nothing at first."""
        mark = self.root / _MARK
        return dict(json.loads(mark.read_text())) if mark.exists() else {}

    def keep(self, news: Mapping[str, object]) -> None:
        """Remember these by name, for the next start and for scripts. Only the owner can read them: there are keys."""
        text = json.dumps({**self.recall(), **news}, indent=2)
        fresh = self.root / f"{_MARK}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text + "\n")
        fresh.rename(self.root / _MARK)

    def master_key(self, make: Callable[[], str]) -> str:
        """The key this sandbox encrypts with, made on its first start."""
        known = self.recall().get("master_key")
        if isinstance(known, str):
            return known
        fresh = make()
        self.keep({"master_key": fresh})
        return fresh

    def port(self, name: str, wanted: int) -> int:
        """The port the part `name` had last time, or else `wanted`."""
        known = self.recall().get(f"{name}_port")
        return known if isinstance(known, int) else wanted

    def forget(self) -> bool:
        """Delete everything; False when there was nothing. A folder without our mark is left alone: RuntimeError."""
        if not self.root.exists():
            return False
        if not (self.root / _MARK).exists():
            raise RuntimeError(f"{self.root} does not look like a sandbox; nothing was deleted")
        with self.held():
            if self.postgres.exists():
                shutil.rmtree(self.postgres)
            shutil.rmtree(self.root)
        return True


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
