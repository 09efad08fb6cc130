"""A provider's statement as an adapter read it: whose, of when, and one line for each thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ports.money import Money


class LineKind(StrEnum):
    """What a line of a statement is about."""

    COLLECTION = "collection"
    """A customer paid."""
    PAYOUT = "payout"
    """We paid somebody."""
    REVERSAL = "reversal"
    """A customer's payment was taken back: `original_receipt` names it."""
    RETURN = "return"
    """A payout came back: `original_receipt` names it."""
    CHARGE = "charge"
    """The provider's own charge; `original_receipt` names what it is for, where it says so."""
    OWN = "own"
    """Our own money between our own pockets."""
    OTHER = "other"
    """None of these: a person looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One line. `row` counts from 1 in the file; `amount` is above zero and `comes_in` says which way it went.

    `reference` is what the payer typed, or our own reference where the provider prints it; `payer_hint` is masked.
    `completed` is False for what the provider lists and didn't do: such a line moves nothing.
    """

    row: int
    kind: LineKind
    receipt_number: str
    happened_at: datetime
    amount: Money
    comes_in: bool
    completed: bool = True
    reference: str | None = None
    original_receipt: str | None = None
    payer_hint: str | None = None
    balance: Money | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFile:
    """A statement: `account` as the provider names it, the period it covers, and its lines in the file's order."""

    account: str
    receipt_namespace: str
    since: datetime | None
    until: datetime | None
    opening: Money | None
    closing: Money | None
    lines: tuple[StatementLine, ...]
