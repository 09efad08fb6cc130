"""When keys were last used: kept to the minute, by a thread of its own, so that no request waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from uuid import UUID

import structlog

#: Seconds in which one process tells of one key once.
TOLD_EVERY_S = 60.0
_KEYS_MAX = 10_000

_log = structlog.get_logger("gateway.web")


@dataclass(slots=True, kw_only=True)
class KeyUse:
    """`keep` writes; several processes may tell of the same minute, which is kept once."""

    keep: Callable[[Sequence[UUID]], None]
    now: Callable[[], float] = monotonic
    told: dict[UUID, float] = field(default_factory=dict)
    _waiting: SimpleQueue[UUID] = field(default_factory=SimpleQueue)
    _thread: Thread | None = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, key_id: UUID) -> None:
        """The key was used just now."""
        now = self.now()
        if now < self.told.get(key_id, 0.0):
            return
        if len(self.told) >= _KEYS_MAX:
            self.told = {key: until for key, until in self.told.items() if now < until}
        self.told[key_id] = now + TOLD_EVERY_S
        self._waiting.put(key_id)
        self._ensure_thread()

    def _ensure_thread(self) -> None:
        """Started late, so after the fork; a thread that ended is replaced."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="key-use", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (batch := self._batch()) is not None:
            try:
                self.keep(batch)
            except Exception as trouble:
                # The edge of a thread: a time that isn't kept is told again within a minute, and hurts nobody.
                _log.warning("last use of keys not kept", kind=type(trouble).__name__, keys=len(batch))

    def _batch(self) -> list[UUID] | None:
        """All that waits; None after a quiet while, which ends the thread."""
        found: list[UUID] = []
        try:
            found.append(self._waiting.get(timeout=5))
            while True:
                found.append(self._waiting.get_nowait())
        except Empty:
            return found or None
