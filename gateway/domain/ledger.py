"""The words of the books: accounts, legs, journals, and what makes two journals the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from gateway.domain.errors import Conflict, GatewayError
from gateway.domain.ids import Prefix, encode
from ports.money import KES, UNITS_MAX, Asset, whole_units


class Class(Enum):
    """Assets and expenses grow by debit; liabilities, revenue and equity grow by credit."""

    ASSET = "A"
    LIABILITY = "L"
    REVENUE = "R"
    EXPENSE = "X"
    EQUITY = "E"


class BalanceMode(Enum):
    """`live`: one row, bounded. `queued`: deltas, for accounts that everybody touches; never bounded."""

    LIVE = "L"
    QUEUED = "Q"


class Kind(Enum):
    """Every kind of journal there is."""

    RECEIPT_BOOKED = "receipt.booked"
    RECEIPT_RELEASED = "receipt.released"
    RECEIPT_ASSIGNED = "receipt.assigned"
    PAYOUT_ACCEPTED = "payout.accepted"
    PAYOUT_OUTCOME = "payout.outcome"
    PAYOUT_RETURNED = "payout.returned"
    REFUND_ACCEPTED = "refund.accepted"
    REFUND_OUTCOME = "refund.outcome"
    OVERPAYMENT_ACCEPTED = "overpayment.accepted"
    REVERSAL_BOOKED = "reversal.booked"
    DEBT_RECOVERED = "debt.recovered"
    CHARGE = "charge"
    OWN_SENT = "own.sent"
    OWN_RECEIVED = "own.received"
    FUNDING = "funding"
    TOKENS_IN = "tokens.in"
    TOKENS_OUT = "tokens.out"
    GAS = "gas"
    REORGANISED = "reorganised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A bucket of one asset, named by its path; the mode (test or live) is the journal's.

    `rule`: 1 = debits may not pass credits, -1 = the reverse, 0 = unbounded. `business_id` is None for the platform's.
    """

    path: str
    class_: Class
    asset: Asset = KES
    mode: BalanceMode = BalanceMode.QUEUED
    rule: int = 0
    business_id: UUID | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`units` of the two accounts' asset move: one debit, one credit. There is no way to write half of it."""

    debit: Account
    credit: Account
    units: int

    def __post_init__(self) -> None:
        if not 0 < whole_units(self.units) <= UNITS_MAX:
            raise ValueError("a leg moves a positive number of units")
        if self.debit.asset != self.credit.asset:
            raise ValueError("a leg is of one asset")
        if self.debit.path == self.credit.path:
            raise ValueError("a leg joins two accounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Legs that happen together or not at all, under a key made from the business event.

    It touches at most one business and one mode. `meta` is for reading (`object` names the public id of its source).
    """

    key: str
    kind: Kind
    livemode: bool
    business_id: UUID | None
    effective_at: datetime
    legs: tuple[Leg, ...]
    meta: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.legs or len(self.legs) > 100:
            raise ValueError("a journal has 1 to 100 legs")
        if not 3 <= len(self.key) <= 200:
            raise ValueError("a journal's key has 3 to 200 characters")
        if self.effective_at.tzinfo is None:
            raise ValueError("a journal happened at a time in a zone")
        owners = {account.business_id for leg in self.legs for account in (leg.debit, leg.credit)} - {None}
        if owners != {self.business_id} - {None}:
            raise ValueError("a journal touches at most one business, and that is its own")

    def fingerprint(self) -> bytes:
        """SHA-256 of what the caller decides: kind and legs. Times and ids made at call time stay outside."""
        legs = [[leg.debit.path, leg.credit.path, leg.debit.asset.code, str(leg.units)] for leg in self.legs]
        text = json.dumps([self.kind.value, legs], separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What posting gave: the journal's uid (the first one's, when `replayed`)."""

    journal_id: int
    uid: UUID
    replayed: bool


class LedgerRefused(GatewayError):
    """The books said no for a reason that is our fault: nothing was posted."""

    code = "ledger_refused"


class KeyConflict(Conflict):
    """The key was posted with other content: a person looks at it (LG002)."""

    code = "ledger_key_conflict"


BUCKETS = ("pending", "available", "reserved", "withheld", "overpayments", "owed")


def bucket(business_id: UUID, name: str, asset: Asset = KES) -> Account:
    """One of a business's six accounts."""
    if name not in BUCKETS:
        raise ValueError(f"a business has no bucket {name!r}")
    owed = name == "owed"
    return Account(
        path=f"business:{encode(Prefix.BUSINESS, business_id)}:{name}",
        class_=Class.ASSET if owed else Class.LIABILITY,
        asset=asset,
        mode=BalanceMode.LIVE,
        rule=-1 if owed else 1,
        business_id=business_id,
        title=name.capitalize(),
    )


def float_(float_id: UUID, title: str = "") -> Account:
    """Money with a provider."""
    return Account(path=f"float:{encode(Prefix.FLOAT, float_id)}", class_=Class.ASSET, title=title)


def suspense(float_id: UUID) -> Account:
    """Money that arrived on a float and belongs to nobody known."""
    return Account(path=f"suspense:{encode(Prefix.FLOAT, float_id)}", class_=Class.LIABILITY, title="Suspense")


def fees(product: str) -> Account:
    """Our fees: `collect` or `payout`."""
    return Account(path=f"revenue:fees:{product}", class_=Class.REVENUE, title=f"Fees: {product}")


def tax(code: str) -> Account:
    """Tax in our fees, owed to the state."""
    return Account(path=f"tax:{code}:payable", class_=Class.LIABILITY, title=f"Tax {code}")


def charges(float_id: UUID) -> Account:
    """A provider's charges on a float."""
    return Account(
        path=f"expense:charges:{encode(Prefix.FLOAT, float_id)}", class_=Class.EXPENSE, title="Provider charges"
    )


CLEARING_OWN = Account(path="clearing:own", class_=Class.ASSET, title="Own transfers on the way")
FUNDING = Account(path="equity:funding", class_=Class.EQUITY, title="Owners' funding")
LOSSES = Account(path="expense:losses", class_=Class.EXPENSE, title="Losses")
ADJUSTMENT = Account(path="adjustment", class_=Class.EQUITY, title="Manual adjustments")
