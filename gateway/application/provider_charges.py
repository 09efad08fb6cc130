"""What providers took for our transactions: booked once, when the transaction itself is proved."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.application.interfaces import UnitOfWork
from gateway.domain import postings
from ports.report import ProviderCharge


def book_charges(
    work: UnitOfWork, float_id: UUID, receipt_number: str | None, charges: Sequence[ProviderCharge], *, livemode: bool
) -> None:
    """Book what was taken for that receipt, in the unit of the report that told it.

    A charge for another number than the proved one is left alone: weak news moves nothing.
    """
    for charge in charges:
        if receipt_number is None or charge.number != receipt_number or not charge.amount:
            continue
        at = charge.happened_at or work.now
        if work.floats.charge_once(float_id, charge.number, charge.amount, at):
            work.journal.post(
                postings.provider_charge(float_id, charge.number, charge.amount.units, livemode=livemode, at=at)
            )
