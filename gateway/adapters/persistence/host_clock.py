"""Whether this machine's clock can be believed: where it is far from the database's, no due work is done by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Engine

#: Seconds by which the two may differ. What is due in the wrong hour would be put off by hours, or called too late.
APART_MAX_S = 300.0
#: The database is asked so often; and at once when the clock has jumped against the one that only counts.
_ASK_EVERY_S = 60.0
_ASK_AGAIN_S = 1.0
_JUMP_S = 1.0

_log = structlog.get_logger("gateway.jobs")


@dataclass(slots=True, kw_only=True)
class HostClock:
    """One process's look at its machine's clock. `monotonic` counts seconds and never jumps."""

    engine: Engine
    system: Callable[[], datetime]
    monotonic: Callable[[], float]
    _wrong: bool = False
    _asked: tuple[datetime, float] | None = None

    def is_wrong(self) -> bool:
        """Whether it is too far from the database's. Raises when the database can't be asked."""
        now, counted = self.system(), self.monotonic()
        if self._is_due(now, counted):
            self._ask()
            self._asked = (now, counted)
        return self._wrong

    def _is_due(self, now: datetime, counted: float) -> bool:
        if self._asked is None:
            return True
        passed = counted - self._asked[1]
        jumped = abs((now - self._asked[0]).total_seconds() - passed) > _JUMP_S
        return jumped or passed > (_ASK_AGAIN_S if self._wrong else _ASK_EVERY_S)

    def _ask(self) -> None:
        with self.engine.connect() as conn:
            theirs: datetime = conn.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        apart_s = (self.system() - theirs).total_seconds()
        wrong = abs(apart_s) > APART_MAX_S
        if wrong and not self._wrong:
            _log.error("clock_is_wrong", apart_s=round(apart_s), words="no due work is done on this machine")
        if self._wrong and not wrong:
            _log.info("clock_is_right_again")
        self._wrong = wrong
