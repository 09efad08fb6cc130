"""A provider's statement as it is kept: once a file, once a line, and what became of each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ports.money import Money
from ports.statement import LineKind, StatementLine

#: How long after a look a line whose receipt nobody has is looked at again; after the last one it is unmatched.
LOOK_AGAIN_S = (60, 600, 3600)
#: Then it is looked at for ever, since its original may come in by any door: each hour of a week, then each day.
LATE_S, LATE_WEEK_S, LATE_DAILY_S = 3600, 7 * 86_400, 86_400


class StatementState(StrEnum):
    """Whether all lines have an outcome."""

    SETTLING = "settling"
    SETTLED = "settled"


class Outcome(StrEnum):
    """What became of a line. What a collection became is its record's, so it is read where that stands."""

    NOT_COMPLETED = "not_completed"
    """The provider lists it and didn't do it: it moves nothing."""
    RECORDED = "recorded"
    """Money in, told to the one door for it."""
    BOOKED = "booked"
    """A charge, in the books."""
    MATCHED = "matched"
    """It is what we know: a payout, a return, a refund, a reversal."""
    CONFLICT = "conflict"
    """We know it with another amount, or in a state that contradicts it."""
    UNMATCHED = "unmatched"
    """Nothing of ours fits it."""
    NOTED = "noted"
    """Our own money, or something that a person must understand."""


#: Kinds whose money must come in, or must leave; a line that goes the other way isn't understood.
_COMES_IN: Mapping[LineKind, bool] = {
    LineKind.COLLECTION: True,
    LineKind.RETURN: True,
    LineKind.PAYOUT: False,
    LineKind.REVERSAL: False,
    LineKind.CHARGE: False,
}


def moves(kind: LineKind, *, comes_in: bool) -> bool:
    """Whether a completed line of that kind and direction is one that we act on."""
    return _COMES_IN.get(kind) is comes_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A file that was imported. `lines` are those in it, `known` those of them that earlier files had.

    `looks` counts how often lines without a receipt were looked at after all others had settled.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    connection_id: UUID
    float_id: UUID
    receipt_namespace: str
    name: str
    sha256: bytes
    account: str
    currency: str
    since: datetime | None
    until: datetime | None
    opening_units: int | None
    closing_units: int | None
    lines: int
    known: int = 0
    state: StatementState = StatementState.SETTLING
    looks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """A line as it is settled."""

    id: UUID
    statement_id: UUID
    row: int
    kind: LineKind
    receipt_number: str
    happened_at: datetime
    amount: Money
    comes_in: bool
    reference: str | None
    original_receipt: str | None
    payer_hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a line was matched with: a kind of object (`payout`, `external_record`) and its id."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOut:
    """The try of ours that a payout's line names; `kind` is `payout_attempt` or `refund_attempt`."""

    kind: str
    attempt_id: UUID
    object_id: UUID
    business_id: UUID
    amount_units: int
    receipt_number: str | None


def places_of(lines: Sequence[StatementLine]) -> list[int]:
    """For each line, which one it is of its like in the file, from 1.

    A line is the same as another file's when float, number, kind, direction, amount, completion and this place are.
    """
    seen: Counter[tuple[object, ...]] = Counter()
    places: list[int] = []
    for line in lines:
        same = (line.receipt_number, line.kind, line.comes_in, line.amount.units, line.completed)
        seen[same] += 1
        places.append(seen[same])
    return places
