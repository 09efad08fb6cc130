"""The watcher: follows each chain in a thread of its own, so that one that hangs or halts keeps no other waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Protocol
from uuid import UUID

import structlog

#: A chain is looked at so often when it has nothing new.
POLL_S = 0.5
#: Waits after trouble, doubling.
_TROUBLE_S = (0.5, 15.0)
#: New connections are looked for so often.
_LOOK_S = 5.0

_log = structlog.get_logger("gateway.watcher")


class Follows(Protocol):
    """Reads one chain on and books what is deep enough."""

    def __call__(self, connection_id: UUID, *, livemode: bool) -> bool:
        """Whether there is more to read at once."""


@dataclass(slots=True, kw_only=True)
class Watcher:
    """`chains` names the connections to follow, with their mode."""

    chains: Callable[[], Sequence[tuple[UUID, bool]]]
    follow: Follows
    poll_s: float = POLL_S
    _threads: dict[tuple[UUID, bool], Thread] = field(default_factory=dict)

    def run(self, stop: Event) -> None:
        """Until `stop` is set; threads that are inside a call are not waited for longer than it takes to say so."""
        while not stop.is_set():
            try:
                for one in self.chains():
                    if one not in self._threads:
                        thread = Thread(target=self._one, args=(*one, stop), daemon=True, name=f"chain-{one[0]}")
                        self._threads[one] = thread
                        thread.start()
            except Exception as trouble:
                # The watcher's edge: without the database it looks again.
                _log.warning("watcher_in_trouble", exc_info=trouble)
            stop.wait(_LOOK_S)
        for thread in self._threads.values():
            thread.join(timeout=2)

    def _one(self, connection_id: UUID, livemode: bool, stop: Event) -> None:
        wait_s, told = _TROUBLE_S[0], ""
        while not stop.is_set():
            try:
                more = self.follow(connection_id, livemode=livemode)
            except Exception as trouble:
                # A thread's edge: nodes and databases come back, and then all of it is still there to be read.
                if told != type(trouble).__name__:
                    told = type(trouble).__name__
                    _log.warning("chain_in_trouble", connection=str(connection_id), exc_info=trouble)
                stop.wait(wait_s)
                wait_s = min(wait_s * 2, _TROUBLE_S[1])
                continue
            if told:
                _log.info("chain_well_again", connection=str(connection_id))
            wait_s, told = _TROUBLE_S[0], ""
            if not more:
                stop.wait(self.poll_s)
