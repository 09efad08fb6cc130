"""What is answered while nothing new goes over a connection; and the operator's acts about windows, lists and halts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from uuid import UUID

from gateway.application.interfaces import Chance, OpenUnit
from gateway.application.interfaces.floats import FloatsDirectory
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.domain.errors import Busy, Invalid, NotFound
from gateway.domain.maintenance import Halt, Hold, Listed, Operation, Window, network_of

#: Whoever isn't told when it ends comes again after this.
AGAIN_S = 60
#: Nobody is told to wait longer than this in one go: a window may be removed.
WAIT_MAX_S = 3600


def unavailable(hold: Hold, now: datetime) -> Busy:
    """The refusal of new work while it is held: 503, with a time to come again."""
    if hold.reason == "paused":
        return Busy("the operator has paused this for everybody", code="temporarily_paused", retry_after_s=AGAIN_S)
    if hold.until is None:
        return Busy("this way to pay is paused at the moment", code="rail_unavailable", retry_after_s=AGAIN_S)
    wait = min(max(1, ceil((hold.until - now).total_seconds())), WAIT_MAX_S)
    ends = hold.until.strftime("%H:%M UTC")
    return Busy(f"the provider is in its maintenance until {ends}", code="rail_unavailable", retry_after_s=wait)


def wait_s(hold: Hold, now: datetime, least: int) -> int:
    """Seconds until queued work looks again: at the window's end, or after the ordinary wait."""
    if hold.until is None:
        return least
    return min(max(1, ceil((hold.until - now).total_seconds())), WAIT_MAX_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateWindows:
    """What an operator sets about one connection's work."""

    unit: OpenUnit
    floats: FloatsDirectory
    desk: OperatorDesk
    chance: Chance

    def of(self, connection_id: UUID) -> Operation:
        """What is set. Raises NotFound."""
        livemode = self.desk.directory.mode_of_connection(connection_id)
        with self.unit(house(livemode), read_only=True) as work:
            return work.connections.get(connection_id).operation

    def add(self, connection_id: UUID, starts: str, ends: str, act: Act, *, daily: bool) -> Window:
        """A window more. Raises Invalid for times that can't be."""
        try:
            window = Window(id=self.chance.secret_hex()[:8], starts=starts, ends=ends, daily=daily)
        except ValueError as wrong:
            raise Invalid(str(wrong), code="window_invalid") from None
        now = self.desk.now()
        before = self.of(connection_id)
        kept = tuple(w for w in before.windows if not w.is_over(now))
        self._set(connection_id, replace(before, windows=(*kept, window)), act, "connection.window.add")
        return window

    def remove(self, connection_id: UUID, window_id: str, act: Act) -> None:
        """Raises NotFound."""
        after = self.of(connection_id).without(window_id)
        if after is None:
            raise NotFound("there is no such window")
        self._set(connection_id, after, act, "connection.window.remove")

    def list_callers(self, connection_id: UUID, listed: Listed, networks: Sequence[str], act: Act) -> Operation:
        """Where callbacks come from, and what is done about others; without networks the list stays. Raises Invalid."""
        before = self.of(connection_id)
        try:
            given = tuple(network_of(n) for n in networks) or before.networks
        except ValueError as wrong:
            raise Invalid(str(wrong), code="callback_list_invalid") from None
        if listed is not Listed.OFF and not given:
            raise Invalid("name the networks that callbacks come from", code="callback_list_invalid")
        after = replace(before, listed=listed, networks=given)
        self._set(connection_id, after, act, f"connection.callers {listed.value}")
        return after

    def set_pocket(self, connection_id: UUID, pocket: str | None, act: Act) -> None:
        """Which of the provider's pockets is the connection's float."""
        self._set(connection_id, replace(self.of(connection_id), pocket=pocket), act, "connection.pocket")

    def halt(self, what: Halt, act: Act, *, livemode: bool) -> None:
        """Refuse new work of that kind in a mode; what was sent finishes."""
        self.floats.halt(what, reason=act.reason, livemode=livemode, now=self.desk.now())
        self.desk.note(act, f"pause {what.value} {'live' if livemode else 'test'}", None)

    def resume(self, what: Halt, act: Act, *, livemode: bool) -> None:
        """Take it up again. Raises NotFound when it wasn't stopped."""
        if not self.floats.resume(what, livemode=livemode):
            raise NotFound(f"{what.value} aren't paused in this mode")
        self.desk.note(act, f"resume {what.value} {'live' if livemode else 'test'}", None)

    def _set(self, connection_id: UUID, after: Operation, act: Act, action: str) -> None:
        self.desk.directory.set_policy(connection_id, after.kept())
        self.desk.note(act, action, connection_id)
