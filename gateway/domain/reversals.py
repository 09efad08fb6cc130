"""A reversal: the provider took collected money back; and the debt that it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ports.money import Money
from ports.report import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenReversal:
    """What a statement's line or a report says: `receipt_number` names the payment, `reversal_number` the taking back.

    `grade` is how the news came: only strong news is recorded.
    """

    namespace: str
    receipt_number: str
    reversal_number: str
    amount: Money
    happened_at: datetime
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A reversal as it was recorded, once. With a `refund_id` it was our own refund, and nothing is owed.

    Without a `payment_id` it took money out of suspense, and its business is the house.
    """

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    payment_id: UUID | None
    receipt_id: UUID
    receipt_namespace: str
    reversal_number: str
    amount: Money
    happened_at: datetime
    grade: Grade
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a sweep moves to a business's debt: from what is available, then from what is withheld."""

    number: int
    available: int
    withheld: int

    @property
    def total(self) -> int:
        """All of it, in units."""
        return self.available + self.withheld


def recovery_of(number: int, *, owed: int, available: int, withheld: int) -> Recovery:
    """As much of the debt as there is money for."""
    first = max(min(owed, available), 0)
    return Recovery(number=number, available=first, withheld=max(min(owed - first, withheld), 0))
