"""The recipes of money that goes back: refunds, kept excess, reversals and debts, from proved facts to journals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.domain import ledger
from gateway.domain.ids import Prefix, encode
from gateway.domain.ledger import Account, Journal, Kind, Leg
from gateway.domain.postings import _charge, _legs, meta_of
from gateway.domain.refunds import Acceptance, Refund, RefundAttempt, RefundAttemptState
from gateway.domain.reversals import Recovery, Reversal
from ports.money import Asset


def refund_accepted(refund: Refund) -> Journal:
    """A refund was accepted: overpayments and available → reserved. Raises InsufficientFunds when it is posted."""
    reserved = _bucket(refund, "reserved")
    legs = _legs(
        (_bucket(refund, "overpayments"), reserved, refund.over_units),
        (_bucket(refund, "available"), reserved, refund.amount.units - refund.over_units),
    )
    return _refund(refund, "accept", Kind.REFUND_ACCEPTED, refund.created, legs)


def refund_decided(refund: Refund, attempts: Sequence[RefundAttempt], at: datetime) -> Journal:
    """Its outcome, once: reserved → the floats that the money left, and what didn't go back to where it came from."""
    reserved = _bucket(refund, "reserved")
    sent = [a for a in attempts if a.state is RefundAttemptState.SUCCEEDED]
    gone = {a.receipt_id for a in sent}
    kept = [part for part in refund.parts if part.receipt_id not in gone]
    over = sum(part.over_units for part in kept)
    legs = _legs(
        *((reserved, ledger.float_(a.float_id), a.amount.units) for a in sent),
        (reserved, _bucket(refund, "overpayments"), over),
        (reserved, _bucket(refund, "available"), sum(part.units for part in kept) - over),
    )
    return _refund(refund, "outcome", Kind.REFUND_OUTCOME, at, legs)


def _bucket(refund: Refund, name: str) -> Account:
    return ledger.bucket(refund.business_id, name, refund.amount.asset)


def _refund(refund: Refund, what: str, kind: Kind, at: datetime, legs: tuple[Leg, ...]) -> Journal:
    refund_id = encode(Prefix.REFUND, refund.id)
    return Journal(
        key=f"refund:{refund_id}:{what}",
        kind=kind,
        livemode=refund.livemode,
        business_id=refund.business_id,
        effective_at=at,
        legs=legs,
        meta=meta_of(refund_id, payment=encode(Prefix.PAYMENT, refund.payment_id)),
    )


def overpayment_accepted(kept: Acceptance) -> Journal:
    """The business keeps an excess: overpayments → available, and the fee and tax that are due on it."""
    payment_id = encode(Prefix.PAYMENT, kept.payment_id)
    over = ledger.bucket(kept.business_id, "overpayments", kept.amount.asset)
    available = ledger.bucket(kept.business_id, "available", kept.amount.asset)
    return Journal(
        key=f"overpayment:{payment_id}:{kept.number}:accepted",
        kind=Kind.OVERPAYMENT_ACCEPTED,
        livemode=kept.livemode,
        business_id=kept.business_id,
        effective_at=kept.created,
        legs=_legs((over, available, kept.amount.units), *_charge(available, kept.charge, "collect")),
        meta=meta_of(payment_id, kept.charge, payment=payment_id),
    )


def reversal_booked(reversal: Reversal, float_id: UUID) -> Journal:
    """The provider took money back: it has left, so the business owes the whole of it."""
    owed = ledger.bucket(reversal.business_id, "owed", reversal.amount.asset)
    return Journal(
        key=f"reversal:{reversal.receipt_namespace}:{reversal.reversal_number}:booked",
        kind=Kind.REVERSAL_BOOKED,
        livemode=reversal.livemode,
        business_id=reversal.business_id,
        effective_at=reversal.happened_at,
        legs=_legs((owed, ledger.float_(float_id), reversal.amount.units)),
        meta=meta_of(
            encode(Prefix.RECEIPT, reversal.receipt_id),
            payment=_public(reversal.payment_id),
            number=reversal.reversal_number,
        ),
    )


def suspense_reversed(reversal: Reversal, float_id: UUID) -> Journal:
    """The provider took money back that was in suspense: it comes out of there, and nobody owes anything."""
    return Journal(
        key=f"reversal:{reversal.receipt_namespace}:{reversal.reversal_number}:booked",
        kind=Kind.REVERSAL_BOOKED,
        livemode=reversal.livemode,
        business_id=None,
        effective_at=reversal.happened_at,
        legs=_legs((ledger.suspense(float_id), ledger.float_(float_id), reversal.amount.units)),
        meta=meta_of(encode(Prefix.RECEIPT, reversal.receipt_id), number=reversal.reversal_number),
    )


def reversal_followed(reversal: Reversal, float_id: UUID, at: datetime) -> Journal:
    """Its receipt has left suspense for a business with all that it brought: what was taken back is owed by it."""
    owed = ledger.bucket(reversal.business_id, "owed", reversal.amount.asset)
    return Journal(
        key=f"reversal:{reversal.receipt_namespace}:{reversal.reversal_number}:followed",
        kind=Kind.REVERSAL_BOOKED,
        livemode=reversal.livemode,
        business_id=reversal.business_id,
        effective_at=at,
        legs=_legs((owed, ledger.suspense(float_id), reversal.amount.units)),
        meta=meta_of(
            encode(Prefix.RECEIPT, reversal.receipt_id),
            payment=_public(reversal.payment_id),
            number=reversal.reversal_number,
        ),
    )


def _public(payment_id: UUID | None) -> str | None:
    return None if payment_id is None else encode(Prefix.PAYMENT, payment_id)


def debt_recovered(recovery: Recovery, business_id: UUID, asset: Asset, *, livemode: bool, at: datetime) -> Journal:
    """What there was went to the debt: available, then withheld → owed."""
    name = encode(Prefix.BUSINESS, business_id)
    owed = ledger.bucket(business_id, "owed", asset)
    return Journal(
        key=f"recover:{name}:{recovery.number}",
        kind=Kind.DEBT_RECOVERED,
        livemode=livemode,
        business_id=business_id,
        effective_at=at,
        legs=_legs(
            (ledger.bucket(business_id, "available", asset), owed, recovery.available),
            (ledger.bucket(business_id, "withheld", asset), owed, recovery.withheld),
        ),
        meta=meta_of(name),
    )
