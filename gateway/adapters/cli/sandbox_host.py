"""What the sandbox command asks of the composition root: this room knows neither the servers nor the database."""

from __future__ import annotations

import signal
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Child(Protocol):
    """A process of ours."""

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int: ...

    @property
    def log(self) -> Path: ...

    @property
    def status(self) -> int | None:
        """How it ended: an exit status, minus the number for a signal; None while it lives."""

    def ask(self, what: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal."""

    def stop(self, *, within_s: float) -> None:
        """Ask it to end, then make it."""

    def kill(self) -> None:
        """End it and all it started."""

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, to be put behind a sentence."""


class Postgres(Protocol):
    """A running PostgreSQL."""

    @property
    def process(self) -> Child: ...

    def url_for(self, user: str, database: str) -> str: ...

    def ensure_database(self, name: str) -> None: ...


class Valkey(Protocol):
    """A running server of the Redis protocol."""

    @property
    def process(self) -> Child: ...

    def url_for(self, database: int = 0) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxWorld:
    """Where the sandbox's parts are: `environment` is what every process gets, complete for reading Settings from."""

    environment: Mapping[str, str]
    public_url: str
    mpesa_url: str
    mpesa_state: Path
    shop_url: str
    shop_state: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededKeys:
    """What a newcomer needs to make the first call."""

    business: str
    secret_key: str


class SandboxHost(Protocol):
    """`ctx.obj` of the command. Server errors are RuntimeErrors whose message is a sentence for the terminal."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment this command was started with."""

    @abstractmethod
    def embedded_postgres(self, data_dir: Path, *, production: bool = False) -> AbstractContextManager[Postgres]: ...

    @abstractmethod
    def embedded_valkey(self, data_dir: Path, *, production: bool = False) -> AbstractContextManager[Valkey]: ...

    @abstractmethod
    def reachable_folder(self, wanted: Path) -> Path:
        """`wanted`, or a folder instead of it that the embedded PostgreSQL can reach."""

    @abstractmethod
    def free_port(self, wanted: int) -> int:
        """`wanted` if nobody listens on it, else another."""

    @abstractmethod
    def spawn(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> Child: ...

    @abstractmethod
    def new_master_key(self) -> str:
        """A fresh value for GATEWAY_MASTER_KEY."""

    @abstractmethod
    def migrate(self, owner_url: str) -> None:
        """Bring the database up to date."""

    @abstractmethod
    def seed_sandbox(self, world: SandboxWorld) -> SeededKeys:
        """One platform, one business, its connections and test keys; the same again when they are there already."""
