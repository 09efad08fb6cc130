"""What is remembered of connections' health: breakers, the budget of repeats, and what each may be asked at a time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.breakers import Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimit:
    """What each connection of a registration code may be asked: calls in flight, and calls a second."""

    code: str
    in_flight: int
    calls_per_s: int


class Breakers(Protocol):
    """Breakers of the unit's mode, one a connection."""

    @abstractmethod
    def get(self, connection_id: UUID, *, lock: bool = False) -> Breaker:
        """How it stands; `lock` keeps it until the unit's end. A closed one where nothing is known."""

    @abstractmethod
    def save(self, connection_id: UUID, breaker: Breaker) -> None:
        """Keep how it stands now."""

    @abstractmethod
    def hold(self, connection_id: UUID, until: datetime) -> None:
        """The provider asked for a pause: nothing goes out before that."""

    @abstractmethod
    def settle_alert(self, connection_id: UUID) -> None:
        """It works again: the alert about it ends."""


class HealthDoor(Protocol):
    """What is asked outside a unit, each in one round trip."""

    @abstractmethod
    def is_well(self, connection_id: UUID) -> bool:
        """Whether nothing is known against the connection."""

    @abstractmethod
    def may_retry(self, connection_id: UUID) -> bool:
        """Whether a try may be repeated soon; it costs one of the connection's repeats. Without any left: False."""

    @abstractmethod
    def backlog_s(self) -> int:
        """Seconds that the oldest due work over working connections has waited."""
