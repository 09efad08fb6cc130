"""What use cases need about floats: their standing, providers' words on them, charges, own transfers, halts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gateway.application.interfaces.values import Json
from gateway.domain.maintenance import Halt
from gateway.domain.own_transfers import OwnTransfer
from ports.money import Money
from ports.report import Pocket


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatStanding:
    """By the books: held, promised to what goes out, and awaited from prompts that are out; units of its currency."""

    held: int
    promised: int
    awaited: int
    low_units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatListed:
    """A float as an operator sees it; `told` is the provider's newest word, below zero where it is owed."""

    id: UUID
    title: str
    livemode: bool
    currency: str
    standing: FloatStanding
    told: int | None = None
    told_at: datetime | None = None


class Floats(Protocol):
    """Floats from inside a unit of the mode."""

    def standing(self, float_id: UUID) -> FloatStanding:
        """How it stands by the books. Raises NotFound."""

    def keep_balance(self, connection_id: UUID, float_id: UUID | None, pocket: Pocket, now: datetime) -> bool:
        """Keep a provider's word on a pocket; False when a newer one is kept."""

    def charge_once(self, float_id: UUID, number: str, amount: Money, at: datetime) -> bool:
        """Note that a charge is booked; False when it was before."""

    def balance_asked(self, connection_id: UUID) -> datetime | None:
        """When the connection was last asked for its balance."""

    def settle(self, kind: str, subject_id: UUID) -> None:
        """End an alert whose matter is over."""

    def facts(self, connection_id: UUID, now: datetime) -> Mapping[str, Any]:
        """What a check of a connection asks the database. Raises NotFound."""


class OwnTransfers(Protocol):
    """Own transfers of the unit's mode; the unit is the house's."""

    def add(self, transfer: OwnTransfer) -> None:
        """Insert."""

    def get(self, transfer_id: UUID, *, lock: bool = False) -> OwnTransfer:
        """The transfer. Raises NotFound."""

    def save(self, transfer: OwnTransfer) -> OwnTransfer:
        """Write it, guarded by version. Raises Conflict."""


class FloatsDirectory(Protocol):
    """The operator's door to floats: past the policies, each call a transaction of its own."""

    def listed(self) -> Sequence[FloatListed]:
        """All floats, oldest first."""

    def set_threshold(self, float_id: UUID, units: int | None) -> None:
        """Below it a person is told; None: never. Raises NotFound."""

    def halt(self, what: Halt, *, reason: str, livemode: bool, now: datetime) -> None:
        """Stop new work in a mode; stopped twice, the newer reason stands."""

    def resume(self, what: Halt, *, livemode: bool) -> bool:
        """Take it up again; False when it wasn't stopped."""

    def transfers(self, *, livemode: bool) -> Sequence[Json]:
        """Own transfers, newest first, at most a hundred."""

    def mode_of_transfer(self, transfer_id: UUID) -> bool:
        """Whether it is a live one. Raises NotFound."""

    def mode_of_float(self, float_id: UUID) -> bool:
        """The same of a float."""


class Samples(Protocol):
    """Where metrics come from."""

    def __call__(self) -> Sequence[tuple[str, Mapping[str, Any], float]]:
        """(name, labels, value) of every sample."""
