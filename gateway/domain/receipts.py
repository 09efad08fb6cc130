"""A receipt: one confirmed incoming money fact, booked once; its number may be learnt later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.domain.fees import NO_CHARGE, Charge, Terms, bounded, charge_after
from ports.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`due_units` went towards the payment, `over_units` to overpayments; they add up to the amount.

    The split and the charge are written on the row, so that a replay builds the same legs. `sole`: its try can be paid
    once, so that it is the try's only receipt. `clearing_id`: the connection of a partner who holds the money, where it
    didn't come to the float.
    """

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    payment_id: UUID
    attempt_id: UUID | None
    float_id: UUID
    clearing_id: UUID | None = None
    receipt_namespace: str
    receipt_number: str | None
    amount: Money
    due_units: int
    over_units: int
    charge: Charge
    bucket: str
    happened_at: datetime
    available_on: datetime | None = None
    released_at: datetime | None = None
    payer_hint: str | None = None
    refunded_units: int = 0
    reversed_units: int = 0
    over_spent_units: int = 0
    sole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How one sum divides: towards what is due, above it, and the charge on it."""

    due_units: int
    over_units: int
    charge: Charge


def share_of(terms: Terms, *, due_units: int, received_before: int, charged_before: Charge, arrived: int) -> Share:
    """Divide `arrived` when `received_before` came earlier of `due_units`.

    The fee after each receipt is the frozen schedule on what has been received so far (at most what was due), less
    what was charged before, so that the total doesn't depend on how the money was split.
    """
    before = min(received_before, due_units)
    after = min(received_before + arrived, due_units)
    charge = NO_CHARGE
    if after > before:
        charge = bounded(charge_after(terms, after, due_units).less(charged_before), after - before)
    return Share(due_units=after - before, over_units=arrived - (after - before), charge=charge)
