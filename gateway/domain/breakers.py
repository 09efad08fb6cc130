"""A connection's breaker: after so many faults nothing is sent any more, until one probe succeeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

#: So many faults in a row open it, or so many among the newest calls.
ROW_MAX = 5
SEEN_MAX = 20
AMONG_MAX = 10
#: A call that hears nothing for SILENT_S counts as so many faults, before it has run into its own end: whoever hangs
#: would otherwise be found out by nobody for half a minute. A probe is told from it sooner, since others wait for it.
SILENT_S, SILENT_WEIGHS = 10, 3
PROBE_SILENT_S = 3
#: Seconds from an opening to the probe: by how often it opened since it was closed, the last one repeating. For the
#: first minute or so a return is to be noticed at once.
PROBE_AFTER_S = (5, 5, 5, 5, 5, 5, 5, 5, 10, 20, 40, 60)
#: A provider that asks for a pause gets at most so much of one for all its calls.
HOLD_MAX_S = 2
#: A try that is repeated when the budget of repeats is spent waits at least so long.
SPACED_S = 60


class BreakerState(Enum):
    """`open`: nothing is sent; `half_open`: one call, the probe, is on its way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CallOutcome(Enum):
    """What a call says of the connection, whatever it says of the money."""

    ANSWERED = "answered"
    FAULT = "fault"
    """Silence, no connection, or an adapter that broke."""
    TURNED_AWAY = "turned_away"
    """Too fast: the provider is well."""
    QUIET = "quiet"
    """Nothing for PROBE_SILENT_S; the call goes on. It matters for a probe alone."""
    SILENT = "silent"
    """Nothing for SILENT_S; the call goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """`recent` tells the newest calls since the first fault, oldest first: `f` a fault, `a` an answer."""

    state: BreakerState = BreakerState.CLOSED
    recent: str = ""
    opens: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    reason: str | None = None

    def after(self, outcome: CallOutcome, now: datetime, reason: str = "") -> Breaker:
        """As it is after a call; the same value when nothing changed. `reason` is a word about a fault."""
        if outcome is CallOutcome.TURNED_AWAY:
            outcome = CallOutcome.ANSWERED
        if outcome is CallOutcome.ANSWERED:
            return self._answered()
        probing = self.state is BreakerState.HALF_OPEN
        if self.state is BreakerState.OPEN or outcome is (CallOutcome.SILENT if probing else CallOutcome.QUIET):
            # A call that was under way when it opened says nothing new.
            return self
        marks = SILENT_WEIGHS if outcome is CallOutcome.SILENT else 1
        recent = (self.recent + "f" * marks)[-SEEN_MAX:]
        if probing or recent.endswith("f" * ROW_MAX) or recent.count("f") >= AMONG_MAX:
            return self._opened(now, reason)
        return replace(self, recent=recent, reason=reason or None)

    def refuses_for_s(self, now: datetime) -> int:
        """Seconds for which nothing new is taken; 0 when a call may be made, were it a probe."""
        if self.state is BreakerState.CLOSED or self.probe_at is None or now >= self.probe_at:
            return 0
        return max(1, int((self.probe_at - now).total_seconds() + 0.999))

    def _answered(self) -> Breaker:
        if self.state is not BreakerState.CLOSED:
            return Breaker()
        if not self.recent:
            return self
        recent = (self.recent + "a")[-SEEN_MAX:]
        return replace(self, recent=recent) if "f" in recent else Breaker()

    def _opened(self, now: datetime, reason: str) -> Breaker:
        wait_s = PROBE_AFTER_S[min(self.opens, len(PROBE_AFTER_S) - 1)]
        return Breaker(
            state=BreakerState.OPEN,
            opens=self.opens + 1,
            opened_at=self.opened_at or now,
            probe_at=now + timedelta(seconds=wait_s),
            reason=reason or None,
        )
