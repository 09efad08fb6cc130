"""Insistence: what a provider told only this process is written down, also when PostgreSQL is away for a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway.application.interfaces import Insist

T = TypeVar("T")

#: Seconds between tries: about a minute in all, which is less than the lease of the work. After that the work comes
#: back as unknown, and is asked about.
WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsistOnLostConnections(Insist):
    """Tries again after a lost connection: whether that commit happened is unknown, so writes guard their state."""

    wait: Callable[[float], None]

    def __call__(self, write: Callable[[], T]) -> T:
        for pause_s in self._pauses():
            try:
                return write()
            except psycopg.OperationalError:
                # The driver's own word, without the layer between; what is only busy has become ours by now.
                self.wait(pause_s)
            except DBAPIError as lost:
                if not isinstance(lost, OperationalError) and not lost.connection_invalidated:
                    raise
                self.wait(pause_s)
        return write()

    def _pauses(self) -> Iterator[float]:
        return iter(WAITS_S)
