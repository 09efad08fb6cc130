"""A quote: what an order costs or a payout takes, kept for a while so that the price holds when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from gateway.domain.errors import Conflict, Unprocessable
from gateway.domain.fees import FeeSchedule, Price
from ports.money import Money

#: A quote holds its price for so long.
QUOTE_LIFE = timedelta(minutes=15)


class QuoteType(Enum):
    """What is quoted."""

    PAYMENT = "payment"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`price` is the breakdown of `amount` by `schedule`; a payout's charge is paid beside the amount."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    type: QuoteType
    method: str
    amount: Money
    price: Price
    schedule: FeeSchedule
    expires_at: datetime

    def locked(self, type_: QuoteType, method: str, amount: Money, now: datetime) -> FeeSchedule:
        """The schedule that the quote holds. Raises Conflict (`quote_expired`), Unprocessable (`quote_mismatch`)."""
        if now >= self.expires_at:
            raise Conflict("this quote has expired; ask for a new one", code="quote_expired", param="/quote")
        if (self.type, self.method, self.amount) != (type_, method, amount):
            raise Unprocessable(
                f"this quote is for a {self.type.value} of {self.amount} by {self.method}",
                code="quote_mismatch",
                param="/quote",
            )
        return self.schedule
