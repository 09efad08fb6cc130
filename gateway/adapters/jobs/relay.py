"""The relay: carries what is due from PostgreSQL, which remembers, to the queues, which only hurry; and does chores."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

import structlog

from gateway.adapters.jobs.queue import ROOM
from gateway.application.interfaces import Claimed
from gateway.application.jobs import Chore

#: PostgreSQL is looked at so often without a ring.
POLL_S = 0.25
#: Waits after trouble, doubling.
_TROUBLE_S = (0.25, 2.0)
#: What the relay itself is called among its chores.
_RELAY = "relay"

_log = structlog.get_logger("gateway.jobs")


class Source(Protocol):
    """Where due rows are claimed: the doors."""

    def claim_due(self, rooms: Mapping[str, int], shares: Mapping[str, int] | None = None) -> Sequence[Claimed]:
        """See `gateway.application.interfaces.Doors`."""


class Queues(Protocol):
    """Where they go: `RqQueue`."""

    def wait_bell(self, timeout_s: float) -> bool:
        """Wait for a ring."""

    def rooms(self) -> Mapping[str, int]:
        """How many jobs each queue still takes."""

    def shares(self) -> Mapping[str, int]:
        """How many workers of a queue one lane may keep busy."""

    def send(self, rows: Sequence[Claimed]) -> int:
        """Enqueue them."""


@dataclass(slots=True, kw_only=True)
class Relay:
    """Claim, enqueue, wait for the bell; any number of relays side by side share the rows between them.

    Without Redis nothing is claimed, and without PostgreSQL nothing can be: it tries again until both are there.
    """

    source: Source
    queues: Queues
    chores: Sequence[Chore] = ()
    _next: dict[str, float] = field(default_factory=dict)
    _troubles: dict[str, str] = field(default_factory=dict)

    def run(self, stop: Event) -> None:
        """Until `stop` is set, which is seen within 250 ms, or at the end of a chore."""
        wait_s = _TROUBLE_S[0]
        while not stop.is_set():
            try:
                # Fewer than a queue takes were all that may go now; what came meanwhile has rung.
                while self.turn() >= ROOM and not stop.is_set():
                    pass
                self._well(_RELAY)
                wait_s = _TROUBLE_S[0]
                self.queues.wait_bell(POLL_S)
            except Exception as trouble:
                # The relay's edge: whatever is away comes back, and then all that is due is still due.
                self._in_trouble(_RELAY, trouble)
                stop.wait(wait_s)
                wait_s = min(wait_s * 2, _TROUBLE_S[1])
            self.do_chores()

    def turn(self) -> int:
        """Claim as much as the queues have room for, and send it; gives how many rows that were. Raises what it met."""
        rows = self.source.claim_due(self.queues.rooms(), self.queues.shares())
        if rows:
            self.queues.send(rows)
        return len(rows)

    def do_chores(self) -> None:
        """Do what is due; a chore that fails is done again at its next time."""
        for chore in self.chores:
            if time.monotonic() < self._next.get(chore.name, 0.0):
                continue
            self._next[chore.name] = time.monotonic() + chore.every_s
            try:
                chore.do()
                self._well(chore.name)
            except Exception as trouble:
                # The relay's edge, as above.
                self._in_trouble(chore.name, trouble)

    def _in_trouble(self, what: str, trouble: Exception) -> None:
        """Said once, until it is well again or another trouble comes."""
        name = type(trouble).__name__
        if self._troubles.get(what) != name:
            self._troubles[what] = name
            _log.warning("relay_in_trouble", what=what, exc_info=trouble)

    def _well(self, what: str) -> None:
        if self._troubles.pop(what, None) is not None:
            _log.info("relay_well_again", what=what)
