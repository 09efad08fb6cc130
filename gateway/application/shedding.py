"""Load that is shed: while due work waits for too long nothing new is begun, so that what was begun is done first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock

from gateway.domain.errors import Busy, GatewayError

#: The backlog is asked for so often, by each process.
LOOK_S = 1.0
#: At so many times the limit orders about objects that exist are shed too, not only new ones.
SECOND_STAGE = 3
RETRY_AFTER_S = 5


class Load(Enum):
    """What a request asks of us, the first to go first."""

    LIST = "list"
    NEW = "new"
    ORDER = "order"
    """A step of an object that exists: it begins new work with a provider."""
    KEPT = "kept"
    """Never shed: one object, refresh, cancel, callbacks, health."""


@dataclass(slots=True, kw_only=True)
class Shedding:
    """Holds the backlog against `after_s`. `backlog_s` may fail: then nothing is shed; the call finds out itself."""

    after_s: int
    backlog_s: Callable[[], int]
    monotonic: Callable[[], float]
    _waited_s: int = 0
    _look_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def refuse(self, load: Load) -> None:
        """Raises Busy (`busy`, 503) when this request must wait."""
        if load is Load.KEPT or self.after_s == 0:
            return
        waited_s = self._waited()
        bearable_s = self.after_s * (SECOND_STAGE if load is Load.ORDER else 1)
        if waited_s > bearable_s:
            raise Busy(
                "work that was begun is finished first; repeat the call after a while", retry_after_s=RETRY_AFTER_S
            )

    def _waited(self) -> int:
        """The backlog of a moment ago. One thread looks; the others go on with what is known."""
        now = self.monotonic()
        if now >= self._look_at and self._lock.acquire(blocking=False):
            try:
                self._look_at = now + LOOK_S
                self._waited_s = self.backlog_s()
            except (GatewayError, OSError):
                self._waited_s = 0
            finally:
                self._lock.release()
        return self._waited_s
