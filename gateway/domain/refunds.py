"""A refund: money that arrived goes back, one receipt at a time; reserved when made, decided once, never sent twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.fees import Charge
from gateway.domain.receipts import Receipt
from gateway.domain.states import Machine
from ports.money import Money
from ports.payout_channel import Destination
from ports.report import Failure


class RefundState(Enum):
    """Where a refund stands; from `submitted` on it follows its live attempt."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class RefundStep(Enum):
    """What can happen to a refund. `next`: another attempt will be made, for this receipt or for the next one."""

    SUBMIT = "submit"
    PUT_BACK = "put_back"
    ACKNOWLEDGE = "acknowledge"
    LOSE = "lose"
    NEXT = "next"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"


_S, _E = RefundState, RefundStep
_LATE = (_E.PUT_BACK, _E.ACKNOWLEDGE, _E.LOSE, _E.NEXT, _E.FAIL)

REFUND: Machine[RefundState, RefundStep] = Machine(
    name="refund",
    states=RefundState,
    steps=RefundStep,
    ends=frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELED}),
    roads={
        (_S.PENDING, _E.SUBMIT): _S.SUBMITTED,
        (_S.PENDING, _E.PUT_BACK): _S.PENDING,
        # Put back as not sent, and yet it was: proved news of that call still decides.
        (_S.PENDING, _E.LOSE): _S.UNKNOWN,
        (_S.PENDING, _E.NEXT): _S.PENDING,
        (_S.PENDING, _E.SUCCEED): _S.SUCCEEDED,
        (_S.PENDING, _E.FAIL): _S.FAILED,
        (_S.PENDING, _E.CANCEL): _S.CANCELED,
        (_S.SUBMITTED, _E.PUT_BACK): _S.PENDING,
        (_S.SUBMITTED, _E.ACKNOWLEDGE): _S.SUBMITTED,
        (_S.SUBMITTED, _E.LOSE): _S.UNKNOWN,
        (_S.SUBMITTED, _E.NEXT): _S.PENDING,
        (_S.SUBMITTED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.SUBMITTED, _E.FAIL): _S.FAILED,
        (_S.UNKNOWN, _E.PUT_BACK): _S.UNKNOWN,
        (_S.UNKNOWN, _E.ACKNOWLEDGE): _S.SUBMITTED,
        (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.NEXT): _S.PENDING,
        (_S.UNKNOWN, _E.SUCCEED): _S.SUCCEEDED,
        (_S.UNKNOWN, _E.FAIL): _S.FAILED,
        **{(_S.SUCCEEDED, step): _S.SUCCEEDED for step in (*_LATE, _E.SUCCEED)},
        # SUCCEED has no road from FAILED or CANCELED: the outcome is posted once; a contradiction is a person's case.
        **{(_S.FAILED, step): _S.FAILED for step in _LATE},
        **{(_S.CANCELED, step): _S.CANCELED for step in (*_LATE, _E.CANCEL)},
    },
)


class RefundAttemptState(Enum):
    """Where one order to give money back stands."""

    CREATED = "created"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundAttemptStep(Enum):
    """What can happen to one order."""

    CLAIM = "claim"
    PUT_BACK = "put_back"
    ACKNOWLEDGE = "acknowledge"
    LOSE = "lose"
    SUCCEED = "succeed"
    FAIL = "fail"


_AS, _AE = RefundAttemptState, RefundAttemptStep

REFUND_ATTEMPT: Machine[RefundAttemptState, RefundAttemptStep] = Machine(
    name="refund attempt",
    states=RefundAttemptState,
    steps=RefundAttemptStep,
    ends=frozenset({_AS.SUCCEEDED, _AS.FAILED}),
    roads={
        (_AS.CREATED, _AE.CLAIM): _AS.SUBMITTING,
        (_AS.CREATED, _AE.PUT_BACK): _AS.CREATED,
        (_AS.CREATED, _AE.LOSE): _AS.UNKNOWN,
        (_AS.CREATED, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.CREATED, _AE.FAIL): _AS.FAILED,
        (_AS.SUBMITTING, _AE.PUT_BACK): _AS.CREATED,
        (_AS.SUBMITTING, _AE.ACKNOWLEDGE): _AS.SUBMITTED,
        (_AS.SUBMITTING, _AE.LOSE): _AS.UNKNOWN,
        (_AS.SUBMITTING, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.SUBMITTING, _AE.FAIL): _AS.FAILED,
        (_AS.SUBMITTED, _AE.PUT_BACK): _AS.SUBMITTED,
        (_AS.SUBMITTED, _AE.ACKNOWLEDGE): _AS.SUBMITTED,
        (_AS.SUBMITTED, _AE.LOSE): _AS.UNKNOWN,
        (_AS.SUBMITTED, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.SUBMITTED, _AE.FAIL): _AS.FAILED,
        (_AS.UNKNOWN, _AE.PUT_BACK): _AS.UNKNOWN,
        (_AS.UNKNOWN, _AE.ACKNOWLEDGE): _AS.SUBMITTED,
        (_AS.UNKNOWN, _AE.LOSE): _AS.UNKNOWN,
        (_AS.UNKNOWN, _AE.SUCCEED): _AS.SUCCEEDED,
        (_AS.UNKNOWN, _AE.FAIL): _AS.FAILED,
        **{(_AS.SUCCEEDED, step): _AS.SUCCEEDED for step in _AE if step is not _AE.CLAIM},
        **{(_AS.FAILED, step): _AS.FAILED for step in _AE if step not in (_AE.CLAIM, _AE.SUCCEED)},
        # Success beats failure for ever: what another attempt was to give back has gone with this one.
        (_AS.FAILED, _AE.SUCCEED): _AS.SUCCEEDED,
    },
)


class Way(Enum):
    """How money goes back: the rail gives it back over itself, or a payout goes to the payer's number."""

    RAIL = "rail"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`units` of one receipt; `over_units` of them were an excess and are drawn from overpayments."""

    receipt_id: UUID
    units: int
    over_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`amount` goes back to who paid; `over_units` of it come from overpayments, the rest from what is available.

    `sent_units` are proved to have gone: all of it when it succeeded, a part when only some receipts could be given
    back.
    """

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    payment_id: UUID
    amount: Money
    over_units: int
    sent_units: int = 0
    parts: tuple[Part, ...]
    destination: Destination | None = None
    destination_masked: str | None = None
    reason: str | None = None
    state: RefundState = RefundState.PENDING
    waiting_for: str | None = None
    failure: Failure | None = None
    receipt_number: str | None = None
    needs_attention: bool = False
    succeeded_at: datetime | None = None
    attempts: int = 0

    def take(self, step: RefundStep, now: datetime, **changes: Any) -> Refund:
        """The refund after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        return replace(self, state=REFUND.take(self.state, step), updated=now, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAttempt:
    """One order to give one receipt's money back, with a Reference of its own. `code` is the rail's or channel's."""

    id: UUID
    refund_id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    number: int
    state: RefundAttemptState = RefundAttemptState.CREATED
    way: Way
    connection_id: UUID
    code: str
    float_id: UUID
    receipt_id: UUID
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

    def take(self, step: RefundAttemptStep, now: datetime, **changes: Any) -> RefundAttempt:
        """The attempt after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        return replace(self, state=REFUND_ATTEMPT.take(self.state, step), updated=now, **changes)

    @property
    def is_open(self) -> bool:
        """Whether its outcome isn't known for good."""
        return self.state not in (RefundAttemptState.SUCCEEDED, RefundAttemptState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An excess that the business kept, with the charge that was due on it; `number` counts those of its payment."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    payment_id: UUID
    number: int
    amount: Money
    charge: Charge


def refundable(receipts: Sequence[Receipt]) -> int:
    """What can still go back: what arrived, less what was refunded and what the provider took back."""
    return sum(_left(one) for one in receipts)


def excess(receipts: Sequence[Receipt]) -> int:
    """What lies in overpayments of these receipts: neither refunded nor kept."""
    return sum(one.over_units - one.over_spent_units for one in receipts)


def _left(receipt: Receipt) -> int:
    return max(receipt.amount.units - receipt.refunded_units - receipt.reversed_units, 0)


def share_out(receipts: Sequence[Receipt], units: int) -> tuple[Part, ...]:
    """Which receipts a refund of `units` draws on; `units` is at most what is refundable.

    The excess goes first, the newest receipt first: the one that doubled the payment is then given back whole. What
    isn't excess comes from a receipt that is exactly so large, if there is one, else from the newest on.
    """
    newest = list(reversed(receipts))
    over = {one.id: 0 for one in newest}
    taken = {one.id: 0 for one in newest}
    wanted = units
    for one in newest:
        take = min(_left(one), one.over_units - one.over_spent_units, wanted)
        over[one.id] = taken[one.id] = take
        wanted -= take
    fitting = [one for one in newest if wanted and _left(one) - taken[one.id] == wanted]
    for one in (*fitting[:1], *newest):
        take = min(_left(one) - taken[one.id], wanted)
        taken[one.id] += take
        wanted -= take
    if wanted:
        raise ValueError("more than is left of the receipts")
    return tuple(
        Part(receipt_id=one.id, units=taken[one.id], over_units=over[one.id]) for one in newest if taken[one.id]
    )


def drawn(receipt: Receipt, part: Part, now: datetime) -> Receipt:
    """The receipt after a refund laid its hand on it."""
    return replace(
        receipt,
        refunded_units=receipt.refunded_units + part.units,
        over_spent_units=receipt.over_spent_units + part.over_units,
        updated=now,
    )


def returned(receipt: Receipt, part: Part, now: datetime) -> Receipt:
    """The receipt once that refund turned out not to have gone."""
    return replace(
        receipt,
        refunded_units=receipt.refunded_units - part.units,
        over_spent_units=receipt.over_spent_units - part.over_units,
        updated=now,
    )
