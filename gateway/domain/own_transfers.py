"""Our own money between two floats: ordered once, and never sent again when its outcome is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from ports.money import Money
from ports.report import Failure


class OwnState(Enum):
    """Where a transfer stands. `unknown`: it may have happened; a result, a statement or a person tells."""

    CREATED = "created"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTransfer:
    """`source_pocket` and `target_pocket` are the adapter's names for where the money leaves and arrives."""

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    connection_id: UUID
    source_id: UUID
    target_id: UUID
    source_pocket: str
    target_pocket: str
    amount: Money
    reference: str
    provider_reference: str | None = None
    state: OwnState = OwnState.CREATED
    sends: int = 0
    look_ups: int = 0
    receipt_number: str | None = None
    failure: Failure | None = None

    @property
    def is_open(self) -> bool:
        """Whether its outcome isn't booked yet."""
        return self.state not in (OwnState.SUCCEEDED, OwnState.FAILED)
