"""The time that units work by: the system's, plus a shift that a sandbox's test clock may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitClock:
    """`system` gives the machine's time; `sandbox` says whether the test clock's row is read at all."""

    system: Callable[[], datetime]
    sandbox: bool = False

    @property
    def sql(self) -> str:
        """The unit's time as an SQL expression of the parameter `now`, the system's time."""
        if self.sandbox:
            return "%(now)s + (SELECT shift FROM gateway.test_clock)"
        return "%(now)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTestClock:
    """The test clock of a sandbox installation: one shift for all modes and businesses."""

    engine: Engine

    def shift(self) -> timedelta:
        """How far it stands before the system's time."""
        with self.engine.connect() as conn:
            shift: timedelta = conn.execute(text("SELECT shift FROM gateway.test_clock")).scalar_one()
        return shift

    def advance(self, by: timedelta) -> timedelta:
        """Move it forward; gives the new shift. Raises ValueError for a step back: what happened has happened."""
        if by < timedelta(0):
            raise ValueError("a test clock only moves forward")
        moved = text("UPDATE gateway.test_clock SET shift = shift + :by RETURNING shift")
        with self.engine.connect() as conn:
            shift: timedelta = conn.execute(moved, {"by": by}).scalar_one()
        return shift
