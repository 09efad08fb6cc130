"""A connection: one plugin configured with one account at a provider, and the floats that it fills and empties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from gateway.domain.external_records import Policy
from gateway.domain.maintenance import Halt, Hold, Operation


class ConnectionState(Enum):
    """`paused`: nothing goes out, questions neither; callbacks are taken in."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`code` names the registration; `tag` is the 8 hex digits in its callback URLs. The configuration is secret."""

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    title: str
    code: str
    tag: str
    float_id: UUID
    state: ConnectionState = ConnectionState.ACTIVE
    paused_for: str | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    operation: Operation = field(default_factory=Operation)
    halted: frozenset[str] = frozenset()

    def hold(self, what: Halt, now: datetime) -> Hold | None:
        """Why no new work of that kind is sent over it now; None when it is. Questions and callbacks go on."""
        if what.value in self.halted:
            return Hold(reason="paused")
        if self.state is ConnectionState.PAUSED:
            return Hold(reason="channel_unavailable")
        until = self.operation.closed_until(now)
        return None if until is None else Hold(reason="maintenance", until=until)

    def __repr__(self) -> str:
        return f"Connection(id={self.id}, code={self.code!r}, state={self.state.value!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Float:
    """A pocket of money with a provider; the title is for people."""

    id: UUID
    livemode: bool
    title: str
    currency: str
    created: datetime
