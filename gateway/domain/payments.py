"""A payment: an order's promise of money, kept by any number of attempts and counted by receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.fees import Terms
from gateway.domain.states import Machine
from ports.money import Money
from ports.report import Failure


class PaymentState(Enum):
    """Where a payment stands. There is no `failed`: a decline lets the shopper try again."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    EXPIRED = "expired"


class PaymentStep(Enum):
    """What can happen to a payment."""

    CONFIRM = "confirm"
    WINDOW_OVER = "window_over"
    ATTEMPT_FAILED = "attempt_failed"
    CANCEL = "cancel"
    EXPIRE = "expire"
    PART_PAID = "part_paid"
    PAID = "paid"


class ExceptionStatus(Enum):
    """What is unusual about the money; the state alone doesn't say it."""

    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    PAID_LATE = "paid_late"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class SettlementStatus(Enum):
    """How far the business's credit is."""

    PENDING = "pending"
    CONVERTING = "converting"
    AVAILABLE = "available"


_S, _E = PaymentState, PaymentStep

#: Guards that the table can't see stand in `Payment`: confirm, cancel and expire wait for attempts that block.
PAYMENT: Machine[PaymentState, PaymentStep] = Machine(
    name="payment",
    states=PaymentState,
    steps=PaymentStep,
    ends=frozenset({_S.SUCCEEDED, _S.CANCELED, _S.EXPIRED}),
    roads={
        (_S.REQUIRES_PAYMENT_METHOD, _E.CONFIRM): _S.REQUIRES_ACTION,
        (_S.REQUIRES_PAYMENT_METHOD, _E.WINDOW_OVER): _S.REQUIRES_PAYMENT_METHOD,
        (_S.REQUIRES_PAYMENT_METHOD, _E.ATTEMPT_FAILED): _S.REQUIRES_PAYMENT_METHOD,
        (_S.REQUIRES_PAYMENT_METHOD, _E.CANCEL): _S.CANCELED,
        (_S.REQUIRES_PAYMENT_METHOD, _E.EXPIRE): _S.EXPIRED,
        (_S.REQUIRES_PAYMENT_METHOD, _E.PART_PAID): _S.REQUIRES_PAYMENT_METHOD,
        (_S.REQUIRES_PAYMENT_METHOD, _E.PAID): _S.SUCCEEDED,
        (_S.REQUIRES_ACTION, _E.CONFIRM): _S.REQUIRES_ACTION,
        (_S.REQUIRES_ACTION, _E.WINDOW_OVER): _S.PROCESSING,
        (_S.REQUIRES_ACTION, _E.ATTEMPT_FAILED): _S.REQUIRES_PAYMENT_METHOD,
        (_S.REQUIRES_ACTION, _E.CANCEL): _S.CANCELED,
        (_S.REQUIRES_ACTION, _E.EXPIRE): _S.EXPIRED,
        (_S.REQUIRES_ACTION, _E.PART_PAID): _S.REQUIRES_PAYMENT_METHOD,
        (_S.REQUIRES_ACTION, _E.PAID): _S.SUCCEEDED,
        (_S.PROCESSING, _E.CONFIRM): _S.REQUIRES_ACTION,
        (_S.PROCESSING, _E.WINDOW_OVER): _S.PROCESSING,
        (_S.PROCESSING, _E.ATTEMPT_FAILED): _S.REQUIRES_PAYMENT_METHOD,
        (_S.PROCESSING, _E.PART_PAID): _S.REQUIRES_PAYMENT_METHOD,
        (_S.PROCESSING, _E.PAID): _S.SUCCEEDED,
        (_S.SUCCEEDED, _E.WINDOW_OVER): _S.SUCCEEDED,
        (_S.SUCCEEDED, _E.ATTEMPT_FAILED): _S.SUCCEEDED,
        (_S.SUCCEEDED, _E.EXPIRE): _S.SUCCEEDED,
        (_S.SUCCEEDED, _E.PART_PAID): _S.SUCCEEDED,
        (_S.SUCCEEDED, _E.PAID): _S.SUCCEEDED,
        (_S.CANCELED, _E.WINDOW_OVER): _S.CANCELED,
        (_S.CANCELED, _E.ATTEMPT_FAILED): _S.CANCELED,
        (_S.CANCELED, _E.CANCEL): _S.CANCELED,
        (_S.CANCELED, _E.EXPIRE): _S.CANCELED,
        (_S.CANCELED, _E.PART_PAID): _S.CANCELED,
        (_S.CANCELED, _E.PAID): _S.SUCCEEDED,
        (_S.EXPIRED, _E.WINDOW_OVER): _S.EXPIRED,
        (_S.EXPIRED, _E.ATTEMPT_FAILED): _S.EXPIRED,
        (_S.EXPIRED, _E.EXPIRE): _S.EXPIRED,
        (_S.EXPIRED, _E.PART_PAID): _S.EXPIRED,
        (_S.EXPIRED, _E.PAID): _S.SUCCEEDED,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptAction:
    """What the shopper sees while a prompt is out: until when it lives, and from when another may be asked for."""

    expires_at: datetime
    resend_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PayToAction:
    """Where the shopper pays by himself, as names and values (`paybill`, `account`), until when."""

    expires_at: datetime
    pay_to: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """`amount` is the order's; `amount_due` what the shopper owes; `received_units` the sum of booked receipts."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    amount: Money
    amount_due: Money
    received_units: int = 0
    refunded_units: int = 0
    state: PaymentState = PaymentState.REQUIRES_PAYMENT_METHOD
    exception_status: ExceptionStatus | None = None
    outcome_unknown: bool = False
    description: str | None = None
    reference: str | None = None
    customer_id: UUID | None = None
    session_id: UUID | None = None
    terms: Terms | None = None
    settlement_status: SettlementStatus = SettlementStatus.PENDING
    available_on: datetime | None = None
    next_action: PromptAction | PayToAction | None = None
    last_error: Failure | None = None
    expires_at: datetime
    succeeded_at: datetime | None = None

    def take(self, step: PaymentStep, now: datetime, **changes: Any) -> Payment:
        """The payment after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        state = PAYMENT.take(self.state, step)
        return replace(self, state=state, updated=now, **changes)

    @property
    def is_paid(self) -> bool:
        """Whether what arrived covers what was due."""
        return self.covers(self.received_units)

    def covers(self, units: int) -> bool:
        """Whether so much would: all that is due, or less by no more than its terms forgive."""
        return units >= self.amount_due.units - (self.terms.under_units if self.terms else 0)
