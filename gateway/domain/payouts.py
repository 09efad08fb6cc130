"""A payout: fiat leaves a business's balance for a phone; reserved at creation, decided once, never sent twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.fees import Charge
from gateway.domain.states import Machine
from ports.money import Money
from ports.payout_channel import Destination
from ports.report import Failure


class PayoutState(Enum):
    """Where a payout stands; from `submitting` on it follows its live attempt."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    IN_TRANSIT = "in_transit"
    UNKNOWN = "unknown"
    PAID = "paid"
    RETURNED = "returned"
    FAILED = "failed"
    CANCELED = "canceled"


class PayoutStep(Enum):
    """What can happen to a payout."""

    CLAIM = "claim"
    PUT_BACK = "put_back"
    ACKNOWLEDGE = "acknowledge"
    LOSE = "lose"
    PAY = "pay"
    TRY_AGAIN = "try_again"
    FAIL = "fail"
    RETURN = "return"
    CANCEL = "cancel"


_S, _E = PayoutState, PayoutStep

PAYOUT: Machine[PayoutState, PayoutStep] = Machine(
    name="payout",
    states=PayoutState,
    steps=PayoutStep,
    ends=frozenset({_S.PAID, _S.RETURNED, _S.FAILED, _S.CANCELED}),
    roads={
        (_S.QUEUED, _E.CLAIM): _S.SUBMITTING,
        (_S.QUEUED, _E.PUT_BACK): _S.QUEUED,
        # Put back as not sent, and yet it was: proved news of that call still decides.
        (_S.QUEUED, _E.LOSE): _S.UNKNOWN,
        (_S.QUEUED, _E.PAY): _S.PAID,
        (_S.QUEUED, _E.TRY_AGAIN): _S.QUEUED,
        (_S.QUEUED, _E.FAIL): _S.FAILED,
        (_S.QUEUED, _E.CANCEL): _S.CANCELED,
        (_S.SUBMITTING, _E.PUT_BACK): _S.QUEUED,
        (_S.SUBMITTING, _E.ACKNOWLEDGE): _S.IN_TRANSIT,
        (_S.SUBMITTING, _E.LOSE): _S.UNKNOWN,
        (_S.SUBMITTING, _E.PAY): _S.PAID,
        (_S.SUBMITTING, _E.TRY_AGAIN): _S.QUEUED,
        (_S.SUBMITTING, _E.FAIL): _S.FAILED,
        (_S.IN_TRANSIT, _E.PUT_BACK): _S.IN_TRANSIT,
        (_S.IN_TRANSIT, _E.ACKNOWLEDGE): _S.IN_TRANSIT,
        (_S.IN_TRANSIT, _E.LOSE): _S.UNKNOWN,
        (_S.IN_TRANSIT, _E.PAY): _S.PAID,
        (_S.IN_TRANSIT, _E.TRY_AGAIN): _S.QUEUED,
        (_S.IN_TRANSIT, _E.FAIL): _S.FAILED,
        (_S.UNKNOWN, _E.PUT_BACK): _S.UNKNOWN,
        (_S.UNKNOWN, _E.ACKNOWLEDGE): _S.IN_TRANSIT,
        (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.PAY): _S.PAID,
        (_S.UNKNOWN, _E.TRY_AGAIN): _S.QUEUED,
        (_S.UNKNOWN, _E.FAIL): _S.FAILED,
        **{(_S.PAID, step): _S.PAID for step in (_E.PUT_BACK, _E.ACKNOWLEDGE, _E.LOSE, _E.PAY, _E.TRY_AGAIN, _E.FAIL)},
        (_S.PAID, _E.RETURN): _S.RETURNED,
        **{
            (_S.RETURNED, step): _S.RETURNED
            for step in (_E.PUT_BACK, _E.ACKNOWLEDGE, _E.LOSE, _E.PAY, _E.TRY_AGAIN, _E.FAIL, _E.RETURN)
        },
        # PAY has no road from FAILED or CANCELED: the outcome is posted once; a contradiction is a person's case.
        **{(_S.FAILED, step): _S.FAILED for step in (_E.PUT_BACK, _E.ACKNOWLEDGE, _E.LOSE, _E.TRY_AGAIN, _E.FAIL)},
        **{
            (_S.CANCELED, step): _S.CANCELED
            for step in (_E.PUT_BACK, _E.ACKNOWLEDGE, _E.LOSE, _E.TRY_AGAIN, _E.FAIL, _E.CANCEL)
        },
    },
)


class PayoutAttemptState(Enum):
    """Where one instruction stands."""

    CREATED = "created"
    SUBMITTING = "submitting"
    IN_TRANSIT = "in_transit"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PayoutAttemptStep(Enum):
    """What can happen to one instruction."""

    CLAIM = "claim"
    PUT_BACK = "put_back"
    ACKNOWLEDGE = "acknowledge"
    LOSE = "lose"
    SUCCEED = "succeed"
    FAIL = "fail"


_AS, _AE = PayoutAttemptState, PayoutAttemptStep

PAYOUT_ATTEMPT: Machine[PayoutAttemptState, PayoutAttemptStep] = Machine(
    name="payout attempt",
    states=PayoutAttemptState,
    steps=PayoutAttemptStep,
    ends=frozenset({_AS.SUCCEEDED, _AS.FAILED}),
    roads={
        (_AS.CREATED, _AE.CLAIM): _AS.SUBMITTING,
        (_AS.CREATED, _AE.PUT_BACK): _AS.CREATED,
        (_AS.CREATED, _AE.LOSE): _AS.UNKNOWN,
        (_AS.CREATED, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.CREATED, _AE.FAIL): _AS.FAILED,
        (_AS.SUBMITTING, _AE.PUT_BACK): _AS.CREATED,
        (_AS.SUBMITTING, _AE.ACKNOWLEDGE): _AS.IN_TRANSIT,
        (_AS.SUBMITTING, _AE.LOSE): _AS.UNKNOWN,
        (_AS.SUBMITTING, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.SUBMITTING, _AE.FAIL): _AS.FAILED,
        (_AS.IN_TRANSIT, _AE.PUT_BACK): _AS.IN_TRANSIT,
        (_AS.IN_TRANSIT, _AE.ACKNOWLEDGE): _AS.IN_TRANSIT,
        (_AS.IN_TRANSIT, _AE.LOSE): _AS.UNKNOWN,
        (_AS.IN_TRANSIT, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.IN_TRANSIT, _AE.FAIL): _AS.FAILED,
        (_AS.UNKNOWN, _AE.PUT_BACK): _AS.UNKNOWN,
        (_AS.UNKNOWN, _AE.ACKNOWLEDGE): _AS.IN_TRANSIT,
        (_AS.UNKNOWN, _AE.LOSE): _AS.UNKNOWN,
        (_AS.UNKNOWN, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.UNKNOWN, _AE.FAIL): _AS.FAILED,
        **{(_AS.SUCCEEDED, step): _AS.SUCCEEDED for step in _AE if step is not _AE.CLAIM},
        **{(_AS.FAILED, step): _AS.FAILED for step in _AE if step not in (_AE.CLAIM, _AE.SUCCEED)},
        # Success beats failure for ever: money that another attempt was to send has left with this one.
        (_AS.FAILED, _AE.SUCCEED): _AS.SUCCEEDED,
    },
)

#: A float has promised these: money that may leave, or has left without our knowing yet.
PROMISED = (_AS.SUBMITTING, _AS.IN_TRANSIT, _AS.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """`amount` goes to the destination; `charge` is ours; both are reserved from creation on."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    amount: Money
    charge: Charge
    destination: Destination
    destination_masked: str
    description: str | None = None
    reference: str | None = None
    state: PayoutState = PayoutState.QUEUED
    waiting_for: str | None = None
    failure: Failure | None = None
    receipt_number: str | None = None
    needs_attention: bool = False
    paid_at: datetime | None = None
    attempts: int = 0

    def take(self, step: PayoutStep, now: datetime, **changes: Any) -> Payout:
        """The payout after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        return replace(self, state=PAYOUT.take(self.state, step), updated=now, **changes)

    @property
    def total_units(self) -> int:
        """What is reserved: the amount and the charge."""
        return self.amount.units + self.charge.total


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutAttempt:
    """One instruction to one channel, with a Reference of its own."""

    id: UUID
    payout_id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    number: int
    state: PayoutAttemptState = PayoutAttemptState.CREATED
    connection_id: UUID
    channel: str
    float_id: UUID
    reference: str
    provider_reference: str | None = None
    amount: Money
    submitted_at: datetime | None = None
    failure: Failure | None = None
    receipt_number: str | None = None
    look_ups: int = 0
    looked_up_at: datetime | None = None
    woken: int | None = None
    sends: int = 0

    def take(self, step: PayoutAttemptStep, now: datetime, **changes: Any) -> PayoutAttempt:
        """The attempt after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        return replace(self, state=PAYOUT_ATTEMPT.take(self.state, step), updated=now, **changes)

    @property
    def is_open(self) -> bool:
        """Whether its outcome isn't known for good."""
        return self.state not in (PayoutAttemptState.SUCCEEDED, PayoutAttemptState.FAILED)
