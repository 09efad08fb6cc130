"""Every call to a provider is watched: what it says of the connection decides whether the next one is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from gateway.application.interfaces import HealthDoor, Json, OpenUnit, Scope, UnitOfWork
from gateway.domain.breakers import (
    HOLD_MAX_S,
    PROBE_SILENT_S,
    SILENT_S,
    SPACED_S,
    Breaker,
    BreakerState,
    CallOutcome,
)
from gateway.domain.businesses import HOUSE
from gateway.domain.connections import Connection
from gateway.domain.errors import Busy
from gateway.domain.ids import Prefix, encode
from ports.errors import NotSent, OutcomeUnknown, PortError
from ports.payment_rail import RailCapabilities, StartsBy
from ports.registration import Capabilities

#: What an adapter does over the network. The rest of it is pure: a forged callback must never open a breaker.
CALLS = (
    "start",
    "look_up",
    "submit",
    "refund",
    "look_up_refund",
    "history",
    "register",
    "balance",
    "holder_name",
    "move_own",
)

T = TypeVar("T")
#: Takes a call's outcome: what it was, a word about it, and the pause that a provider asked for. Gives whether it told.
Note = Callable[[CallOutcome, str, int], bool]
#: Does something after so many seconds, beside what goes on; what it gives calls that off.
Alarm = Callable[[float, Callable[[], None]], Callable[[], None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConnections:
    """Keeps the breakers. What can't be noted is let go: a call's own outcome must never be lost with it."""

    unit: OpenUnit
    health: HealthDoor
    alarm: Alarm | None = None

    def watched(self, line: T, connection: Connection, said: Capabilities) -> T:
        """The adapter, each of its calls noted. A place to pay to is named without a call."""
        silent = isinstance(said, RailCapabilities) and said.starts_by is StartsBy.PAY_TO
        calls = [name for name in CALLS if not (silent and name == "start")]

        def note(outcome: CallOutcome, word: str, pause_s: int) -> bool:
            return self.note(connection, outcome, word, pause_s)

        return cast(T, _watched(line, calls, note, self.alarm))

    def note(self, connection: Connection, outcome: CallOutcome, word: str = "", pause_s: int = 0) -> bool:
        """Take a call's outcome; whether it said anything new. The breaker opens or closes with it, and a person is
        told."""
        try:
            if outcome is CallOutcome.ANSWERED and self.health.is_well(connection.id):
                return False
            with self.unit(Scope(business_id=HOUSE, livemode=connection.livemode)) as work:
                if pause_s > 0:
                    work.breakers.hold(connection.id, work.now + timedelta(seconds=min(pause_s, HOLD_MAX_S)))
                before = work.breakers.get(connection.id, lock=True)
                after = before.after(outcome, work.now, word)
                if after != before:
                    work.breakers.save(connection.id, after)
                    _tell(work, connection, before, after)
                return after != before
        except Exception:
            # An edge of its own: between a call and the writing down of its answer nothing else may go wrong. Busy rows
            # or no database: the next call is noted again.
            return False

    def again_after_s(self, connection_id: UUID, wait_s: int) -> int:
        """Seconds to a repeat of what never left: as the adapter says, or spaced out once the repeats are spent."""
        return wait_s if self.health.may_retry(connection_id) else max(wait_s, SPACED_S)


@dataclass(frozen=True, slots=True)
class _Calls:
    """One adapter's calls, watched; made into a class of its own, so that what it can do is seen as on the adapter."""


def _watched(line: Any, calls: list[str], note: Note, alarm: Alarm | None) -> Any:
    names = [name for name in dir(line) if not name.startswith("_")]
    shown: dict[str, Any] = {name: staticmethod(value) for name in names if callable(value := getattr(line, name))}
    shown |= {name: staticmethod(_noting(getattr(line, name), note, alarm)) for name in calls if name in shown}
    return type(f"Watched{type(line).__name__}", (_Calls,), shown)()


class _Silence:
    """Notes that a call hears nothing while it still waits; what it says at its own end is no news then."""

    def __init__(self, note: Note, alarm: Alarm | None) -> None:
        self._note, self._alarm, self._over, self.told = note, alarm, False, False
        self._call_off = None if alarm is None else alarm(PROBE_SILENT_S, self._quiet)

    def _quiet(self) -> None:
        if self._over or self._alarm is None:
            return
        # A probe's silence is told now; told again it would open what another probe has closed meanwhile.
        self.told = self._note(CallOutcome.QUIET, "silence", 0)
        if not self.told:
            self._call_off = self._alarm(SILENT_S - PROBE_SILENT_S, self._silent)

    def _silent(self) -> None:
        if not self._over:
            self.told = True
            self._note(CallOutcome.SILENT, "silence", 0)

    def over(self) -> None:
        self._over = True
        if self._call_off is not None:
            self._call_off()


def _noting(call: Callable[..., T], told: Note, alarm: Alarm | None) -> Callable[..., T]:
    @wraps(call)
    def noted(*args: Any, **more: Any) -> T:
        silence = _Silence(told, alarm)

        def note(outcome: CallOutcome, word: str, pause_s: int) -> None:
            silence.over()
            if outcome is not CallOutcome.FAULT or not silence.told:
                told(outcome, word, pause_s)

        try:
            answer = call(*args, **more)
        except NotSent as turned:
            throttled = turned.whole_connection
            outcome = CallOutcome.TURNED_AWAY if throttled else CallOutcome.FAULT
            note(outcome, "NotSent", turned.retry_after_s if throttled else 0)
            raise
        except OutcomeUnknown:
            note(CallOutcome.FAULT, "OutcomeUnknown", 0)
            raise
        except PortError:
            # Refused, taken already, wrong credentials: each of them is an answer.
            note(CallOutcome.ANSWERED, "", 0)
            raise
        except Exception as fault:
            note(CallOutcome.FAULT, type(fault).__name__, 0)
            raise
        note(CallOutcome.ANSWERED, "", 0)
        return answer

    return noted


def _tell(work: UnitOfWork, connection: Connection, before: Breaker, after: Breaker) -> None:
    """An alert and an event when it opens, and again when it is closed; a failed probe tells nothing new."""
    if before.state is BreakerState.CLOSED and after.state is BreakerState.OPEN:
        words = f"nothing is sent over it: its newest calls failed ({after.reason})"
        work.alerts.raise_("connection_degraded", connection.id, words)
        work.events.put("connection.degraded", connection.id, _shown(connection, after))
    if before.state is not BreakerState.CLOSED and after.state is BreakerState.CLOSED:
        work.breakers.settle_alert(connection.id)
        work.events.put("connection.recovered", connection.id, _shown(connection, after))


def _shown(connection: Connection, breaker: Breaker) -> Json:
    return {
        "id": encode(Prefix.CONNECTION, connection.id),
        "object": "connection",
        "code": connection.code,
        "breaker": breaker.state.value,
        "reason": breaker.reason,
        "until": None if breaker.probe_at is None else breaker.probe_at.isoformat(),
    }


def refuse_broken(work: UnitOfWork, connection: Connection) -> None:
    """Nothing new is begun over a connection whose breaker is open. Raises Busy (`rail_unavailable`)."""
    if wait_s := work.breakers.get(connection.id).refuses_for_s(work.now):
        raise Busy("this way to pay doesn't answer at the moment", code="rail_unavailable", retry_after_s=wait_s)
