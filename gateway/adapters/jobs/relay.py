"""The relay: carries what is due from PostgreSQL, which remembers, to the queues, which only hurry; and does chores."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

import structlog

from gateway.application.interfaces import Claimed
from gateway.application.jobs import Chore

#: PostgreSQL is looked at so often without a ring.
POLL_S = 0.25
#: Waits after trouble, doubling.
_TROUBLE_S = (0.25, 2.0)

_log = structlog.get_logger("gateway.jobs")


class Source(Protocol):
    """Where due rows are claimed: the doors."""

    def claim_due(self, rooms: Mapping[str, int]) -> Sequence[Claimed]:
        """See `gateway.application.interfaces.Doors`."""


class Queues(Protocol):
    """Where they go: `RqQueue`."""

    def wait_bell(self, timeout_s: float) -> bool:
        """Wait for a ring."""

    def rooms(self) -> Mapping[str, int]:
        """How many jobs each queue still takes."""

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
    _trouble: str | None = None

    def run(self, stop: Event) -> None:
        """Until `stop` is set, which is seen within 250 ms, or at the end of a chore."""
        wait_s = _TROUBLE_S[0]
        while not stop.is_set():
            try:
                while self.turn() and not stop.is_set():
                    pass
                self._told_well()
                wait_s = _TROUBLE_S[0]
                self.queues.wait_bell(POLL_S)
            except Exception as trouble:
                # The relay's edge: whatever is away comes back, and then all that is due is still due.
                self._told_trouble(trouble)
                stop.wait(wait_s)
                wait_s = min(wait_s * 2, _TROUBLE_S[1])
            self.do_chores()

    def turn(self) -> int:
        """Claim as much as the queues have room for, and send it; gives how many rows that were. Raises what it met."""
        rows = self.source.claim_due(self.queues.rooms())
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
            except Exception as trouble:
                # The relay's edge, as above.
                self._told_trouble(trouble, chore=chore.name)

    def _told_trouble(self, trouble: Exception, **fields: str) -> None:
        """Once, until it is well again or another trouble comes."""
        name = f"{type(trouble).__name__} {fields}"
        if name != self._trouble:
            self._trouble = name
            _log.warning("relay_in_trouble", exc_info=trouble, **fields)

    def _told_well(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            _log.info("relay_well_again")
