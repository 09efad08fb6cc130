"""An attempt: one try on one rail, with a Reference of its own; at most one of a payment blocks at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.states import Machine
from ports.money import Money
from ports.report import Failure


class AttemptState(Enum):
    """Where a try stands. `unknown` is queried, never resent; `unresolved` waits for a statement or a person."""

    CREATED = "created"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ENDED = "ended"


class AttemptStep(Enum):
    """What can happen to a try."""

    CLAIM = "claim"
    PUT_BACK = "put_back"
    ACKNOWLEDGE = "acknowledge"
    REFUSE = "refuse"
    LOSE = "lose"
    GIVE_UP = "give_up"
    SUCCEED = "succeed"
    FAIL = "fail"
    END = "end"


_S, _E = AttemptState, AttemptStep

ATTEMPT: Machine[AttemptState, AttemptStep] = Machine(
    name="attempt",
    states=AttemptState,
    steps=AttemptStep,
    ends=frozenset({_S.SUCCEEDED, _S.FAILED, _S.ENDED}),
    roads={
        (_S.CREATED, _E.CLAIM): _S.SUBMITTING,
        (_S.CREATED, _E.PUT_BACK): _S.CREATED,
        # Put back as not sent, and yet it was: an earlier call's news may still come.
        (_S.CREATED, _E.LOSE): _S.UNKNOWN,
        (_S.CREATED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.CREATED, _E.FAIL): _S.FAILED,
        (_S.CREATED, _E.END): _S.ENDED,
        (_S.SUBMITTING, _E.PUT_BACK): _S.CREATED,
        (_S.SUBMITTING, _E.ACKNOWLEDGE): _S.SUBMITTED,
        (_S.SUBMITTING, _E.REFUSE): _S.FAILED,
        (_S.SUBMITTING, _E.LOSE): _S.UNKNOWN,
        (_S.SUBMITTING, _E.SUCCEED): _S.SUCCEEDED,
        (_S.SUBMITTING, _E.FAIL): _S.FAILED,
        (_S.SUBMITTED, _E.PUT_BACK): _S.SUBMITTED,
        (_S.SUBMITTED, _E.ACKNOWLEDGE): _S.SUBMITTED,
        (_S.SUBMITTED, _E.LOSE): _S.UNKNOWN,
        (_S.SUBMITTED, _E.GIVE_UP): _S.UNRESOLVED,
        (_S.SUBMITTED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.SUBMITTED, _E.FAIL): _S.FAILED,
        # Only a place to pay to ends so: nobody holds it for us.
        (_S.SUBMITTED, _E.END): _S.ENDED,
        # The process that was thought dead may still bring its call's answer.
        (_S.UNKNOWN, _E.PUT_BACK): _S.UNKNOWN,
        (_S.UNKNOWN, _E.ACKNOWLEDGE): _S.SUBMITTED,
        (_S.UNKNOWN, _E.REFUSE): _S.FAILED,
        (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.GIVE_UP): _S.UNRESOLVED,
        (_S.UNKNOWN, _E.SUCCEED): _S.SUCCEEDED,
        (_S.UNKNOWN, _E.FAIL): _S.FAILED,
        (_S.UNRESOLVED, _E.PUT_BACK): _S.UNRESOLVED,
        (_S.UNRESOLVED, _E.ACKNOWLEDGE): _S.UNRESOLVED,
        (_S.UNRESOLVED, _E.REFUSE): _S.FAILED,
        (_S.UNRESOLVED, _E.LOSE): _S.UNRESOLVED,
        (_S.UNRESOLVED, _E.GIVE_UP): _S.UNRESOLVED,
        (_S.UNRESOLVED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.UNRESOLVED, _E.FAIL): _S.FAILED,
        # Success beats failure for ever; late words about a finished try change nothing.
        **{(_S.SUCCEEDED, step): _S.SUCCEEDED for step in _E if step is not _E.CLAIM},
        **{(_S.FAILED, step): _S.FAILED for step in _E if step not in (_E.CLAIM, _E.SUCCEED)},
        (_S.FAILED, _E.SUCCEED): _S.SUCCEEDED,
        **{(_S.ENDED, step): _S.ENDED for step in _E if step not in (_E.CLAIM, _E.SUCCEED)},
        (_S.ENDED, _E.SUCCEED): _S.SUCCEEDED,
    },
)

#: States in which the try's outcome is still open.
OPEN = frozenset({_S.CREATED, _S.SUBMITTING, _S.SUBMITTED, _S.UNKNOWN, _S.UNRESOLVED})
#: States in which the provider may be holding the try: they are asked about, never sent again.
ASKABLE = frozenset({_S.SUBMITTING, _S.SUBMITTED, _S.UNKNOWN, _S.UNRESOLVED})
#: States that weak news of a success puts in doubt: it is asked about once more, since success beats failure for ever.
DOUBTED = frozenset({_S.FAILED, _S.ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `blocks_until` is prompt life + grace after the send; `provider_reference` may be personal data.

    `look_ups` counts questions; `woken` counts those since weak news woke them, None while nothing did; `sends` counts
    calls that may have reached the provider. `pay_to`: the payer sends by himself, so that it never blocks.
    """

    id: UUID
    payment_id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    number: int
    state: AttemptState = AttemptState.CREATED
    connection_id: UUID
    rail: str
    method: str
    float_id: UUID
    reference: str
    provider_reference: str | None = None
    amount: Money
    customer_id: UUID | None = None
    payer_masked: str | None = None
    submitted_at: datetime | None = None
    prompt_until: datetime | None = None
    blocks_until: datetime | None = None
    failure: Failure | None = None
    look_ups: int = 0
    looked_up_at: datetime | None = None
    woken: int | None = None
    sends: int = 0
    pay_to: bool = False

    def take(self, step: AttemptStep, now: datetime, **changes: Any) -> Attempt:
        """The attempt after `step`, with `changes` beside it. Raises StateRefused when the table has no road."""
        return replace(self, state=ATTEMPT.take(self.state, step), updated=now, **changes)

    @property
    def is_open(self) -> bool:
        """Whether its outcome isn't known for good."""
        return self.state in OPEN

    @property
    def in_doubt(self) -> bool:
        """Whether it may have been paid without our knowing; a place to pay to only waits."""
        return self.is_open and not self.pay_to

    def blocks(self, now: datetime) -> bool:
        """Whether another prompt must wait for this one: not sent yet, or sent and within its window."""
        if self.pay_to:
            return False
        if self.state is AttemptState.CREATED:
            return True
        return self.is_open and (self.blocks_until is None or now < self.blocks_until)
