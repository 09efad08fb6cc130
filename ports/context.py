"""What the core lends an adapter: a clock, a log, shared memory between processes, and the environment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Environment(Enum):
    """Which world a connection talks to: it must equal the mode of the caller."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Log(Protocol):
    """Structured log: an event name and fields. Fields hold nothing secret or personal."""

    def info(self, event: str, **fields: object) -> None:
        """Say that something happened."""

    def warning(self, event: str, **fields: object) -> None:
        """Say that a person may have to look."""


class SharedMemory(Protocol):
    """A small store that all processes of the gateway share, kept encrypted, for tokens and the like.

    It may be lost at any time: it holds what can be fetched again.
    """

    def get(self, key: str) -> str | None:
        """The value under `key`, or None when absent, expired or unreachable."""

    def put(self, key: str, value: str, *, life_s: int) -> None:
        """Keep `value` for `life_s` seconds; unreachable memory is no error."""

    def only_one(self, key: str, *, life_s: int) -> AbstractContextManager[bool]:
        """True inside for the one process that holds the lock; False when another holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Lent by the core to each adapter it builds. `connection` is the connection's public id, for logs and keys."""

    environment: Environment
    connection: str
    clock: Callable[[], datetime]
    log: Log
    shared: SharedMemory
    wait: Callable[[float], None]
    user_agent: str = "african-payment-gateway"
