"""A connection: one plugin configured with one account at a provider, and the floats that it fills and empties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from gateway.domain.external_records import Policy


class ConnectionState(Enum):
    """`paused`: nothing new is sent; questions and callbacks go on."""

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
