"""The clock, ids, chance and sleep of the machine: the only place that touches them."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from gateway.application.interfaces import Chance, NewId


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The time now, aware and in UTC."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class UuidV7(NewId):
    """UUIDv7 ids; within one process later ones sort after earlier ones."""

    def __call__(self) -> UUID:
        return uuid7()


@dataclass(frozen=True, slots=True)
class SystemChance(Chance):
    """Secrets from the operating system's generator; jitter from the cheap one."""

    def secret_hex(self) -> str:
        return secrets.token_hex(16)

    def pick(self, alphabet: str, n: int) -> str:
        return "".join(secrets.choice(alphabet) for _ in range(n))

    def fraction(self) -> float:
        return random.random()  # noqa: S311  # nosec B311


@dataclass(frozen=True, slots=True)
class SystemAlarm:
    """Rings in a thread of its own."""

    def __call__(self, after_s: float, do: Callable[[], None]) -> Callable[[], None]:
        """Do it after so many seconds; gives what calls it off."""
        timer = threading.Timer(after_s, do)
        timer.daemon = True
        timer.start()
        return timer.cancel


@dataclass(frozen=True, slots=True)
class Sleeper:
    """Waits for real."""

    def __call__(self, seconds: float) -> None:
        time.sleep(seconds)
