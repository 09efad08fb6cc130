"""The recipes: pure functions from proved facts to journals. No other module builds legs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain import ledger
from gateway.domain.external_records import LooseReceipt
from gateway.domain.fees import Charge
from gateway.domain.ids import Prefix, encode
from gateway.domain.ledger import Account, Journal, Kind, Leg
from gateway.domain.ledger_of_treasury import clearing_in
from gateway.domain.payouts import Payout
from gateway.domain.receipts import Receipt


def _legs(*wanted: tuple[Account, Account, int]) -> tuple[Leg, ...]:
    """Legs of debit, credit, units; a leg of nothing is not written."""
    return tuple(Leg(debit=debit, credit=credit, units=units) for debit, credit, units in wanted if units)


def fee_accounts(charge: Charge, product: str) -> tuple[tuple[Account, int], ...]:
    """Where a charge goes: our fee less the tax in it, and each tax."""
    return (
        (ledger.fees(product), charge.revenue_units),
        *((ledger.tax(code), units) for code, units in charge.taxes),
    )


def _charge(source: Account, charge: Charge, product: str) -> tuple[tuple[Account, Account, int], ...]:
    return tuple((source, account, units) for account, units in fee_accounts(charge, product))


def meta_of(source: str, charge: Charge | None = None, **more: Any) -> dict[str, Any]:
    """What a journal tells of its source, beside its legs."""
    taxes = sum(units for _, units in charge.taxes) if charge else 0
    return {"object": source, "fee": charge.revenue_units if charge else 0, "tax": taxes, **more}


def landed_in(receipt: Receipt) -> Account:
    """Where the money is: on a float, or with a partner that owes us for it."""
    if receipt.clearing_id is not None:
        return clearing_in(receipt.clearing_id, receipt.amount.asset)
    return ledger.float_(receipt.float_id)


def receipt_booked(receipt: Receipt) -> Journal:
    """Money came in: float → the business's bucket up to what was due, fee and tax off it, the rest → overpayments."""
    landed = landed_in(receipt)
    due = ledger.bucket(receipt.business_id, receipt.bucket, receipt.amount.asset)
    over = ledger.bucket(receipt.business_id, "overpayments", receipt.amount.asset)
    receipt_id = encode(Prefix.RECEIPT, receipt.id)
    return Journal(
        key=f"receipt:{receipt_id}:booked",
        kind=Kind.RECEIPT_BOOKED,
        livemode=receipt.livemode,
        business_id=receipt.business_id,
        effective_at=receipt.happened_at,
        legs=_legs(
            (landed, due, receipt.due_units),
            *_charge(due, receipt.charge, "collect"),
            (landed, over, receipt.over_units),
        ),
        meta=meta_of(receipt_id, receipt.charge, payment=encode(Prefix.PAYMENT, receipt.payment_id)),
    )


def receipt_in_suspense(loose: LooseReceipt) -> Journal:
    """Money came in and is nobody's: float → suspense. Whoever it turns out to be gets it by `receipt_assigned`."""
    receipt_id = encode(Prefix.RECEIPT, loose.id)
    return Journal(
        key=f"receipt:{receipt_id}:booked",
        kind=Kind.RECEIPT_BOOKED,
        livemode=loose.livemode,
        business_id=None,
        effective_at=loose.happened_at,
        legs=_legs((ledger.float_(loose.float_id), ledger.suspense(loose.float_id), loose.amount.units)),
        meta=meta_of(receipt_id),
    )


def receipt_assigned(receipt: Receipt, at: datetime) -> Journal:
    """Money in suspense found its payment: suspense → the business, as if it had been booked there."""
    held = ledger.suspense(receipt.float_id)
    due = ledger.bucket(receipt.business_id, receipt.bucket, receipt.amount.asset)
    over = ledger.bucket(receipt.business_id, "overpayments", receipt.amount.asset)
    receipt_id = encode(Prefix.RECEIPT, receipt.id)
    return Journal(
        key=f"receipt:{receipt_id}:assigned",
        kind=Kind.RECEIPT_ASSIGNED,
        livemode=receipt.livemode,
        business_id=receipt.business_id,
        effective_at=at,
        legs=_legs(
            (held, due, receipt.due_units),
            *_charge(due, receipt.charge, "collect"),
            (held, over, receipt.over_units),
        ),
        meta=meta_of(receipt_id, receipt.charge, payment=encode(Prefix.PAYMENT, receipt.payment_id)),
    )


def receipt_released(receipt: Receipt, at: datetime) -> Journal:
    """A receipt's share became available: pending → available, what was left of it after the charge."""
    pending = ledger.bucket(receipt.business_id, "pending", receipt.amount.asset)
    available = ledger.bucket(receipt.business_id, "available", receipt.amount.asset)
    receipt_id = encode(Prefix.RECEIPT, receipt.id)
    return Journal(
        key=f"receipt:{receipt_id}:released",
        kind=Kind.RECEIPT_RELEASED,
        livemode=receipt.livemode,
        business_id=receipt.business_id,
        effective_at=at,
        legs=_legs((pending, available, receipt.due_units - receipt.charge.total)),
        meta=meta_of(receipt_id, payment=encode(Prefix.PAYMENT, receipt.payment_id)),
    )


def payout_accepted(payout: Payout) -> Journal:
    """A payout was accepted: available → reserved, amount and charge. Raises InsufficientFunds when it is posted."""
    return _payout(
        payout,
        "accept",
        Kind.PAYOUT_ACCEPTED,
        payout.created,
        _legs((_bucket(payout, "available"), _bucket(payout, "reserved"), payout.total_units)),
    )


def payout_paid(payout: Payout, float_id: UUID, at: datetime) -> Journal:
    """It was paid: reserved → float, and the charge is ours."""
    reserved = _bucket(payout, "reserved")
    legs = _legs((reserved, ledger.float_(float_id), payout.amount.units), *_charge(reserved, payout.charge, "payout"))
    return _payout(payout, "outcome", Kind.PAYOUT_OUTCOME, at, legs, charge=payout.charge)


def payout_not_paid(payout: Payout, at: datetime) -> Journal:
    """It failed or was canceled: all of it goes back, under the same key, so that only one outcome can ever exist."""
    legs = _legs((_bucket(payout, "reserved"), _bucket(payout, "available"), payout.total_units))
    return _payout(payout, "outcome", Kind.PAYOUT_OUTCOME, at, legs)


def payout_returned(payout: Payout, float_id: UUID, at: datetime) -> Journal:
    """Paid money came back: float → available. The charge stays earned."""
    legs = _legs((ledger.float_(float_id), _bucket(payout, "available"), payout.amount.units))
    return _payout(payout, "returned", Kind.PAYOUT_RETURNED, at, legs)


def _bucket(payout: Payout, name: str) -> Account:
    return ledger.bucket(payout.business_id, name, payout.amount.asset)


def _payout(
    payout: Payout, what: str, kind: Kind, at: datetime, legs: tuple[Leg, ...], *, charge: Charge | None = None
) -> Journal:
    payout_id = encode(Prefix.PAYOUT, payout.id)
    return Journal(
        key=f"payout:{payout_id}:{what}",
        kind=kind,
        livemode=payout.livemode,
        business_id=payout.business_id,
        effective_at=at,
        legs=legs,
        meta=meta_of(payout_id, charge),
    )


def provider_charge(float_id: UUID, provider_number: str, units: int, *, livemode: bool, at: datetime) -> Journal:
    """A provider took its charge off a float; it is never inside an outcome."""
    name = encode(Prefix.FLOAT, float_id)
    return Journal(
        key=f"charge:{name}:{provider_number}",
        kind=Kind.CHARGE,
        livemode=livemode,
        business_id=None,
        effective_at=at,
        legs=_legs((ledger.charges(float_id), ledger.float_(float_id), units)),
        meta={"object": name, "number": provider_number},
    )


def own_sent(transfer: str, source: UUID, units: int, *, livemode: bool, at: datetime) -> Journal:
    """Our own money left one float for another: it is on the way."""
    legs = _legs((ledger.CLEARING_OWN, ledger.float_(source), units))
    return _own(transfer, "sent", Kind.OWN_SENT, legs, livemode=livemode, at=at)


def own_received(transfer: str, target: UUID, units: int, *, livemode: bool, at: datetime) -> Journal:
    """Our own money arrived on the other float."""
    legs = _legs((ledger.float_(target), ledger.CLEARING_OWN, units))
    return _own(transfer, "received", Kind.OWN_RECEIVED, legs, livemode=livemode, at=at)


def owners_funding(transfer: str, target: UUID, units: int, *, livemode: bool, at: datetime) -> Journal:
    """The owners put money into a float."""
    legs = _legs((ledger.float_(target), ledger.FUNDING, units))
    return _own(transfer, "funding", Kind.FUNDING, legs, livemode=livemode, at=at)


def _own(transfer: str, what: str, kind: Kind, legs: tuple[Leg, ...], *, livemode: bool, at: datetime) -> Journal:
    return Journal(
        key=f"own:{transfer}:{what}",
        kind=kind,
        livemode=livemode,
        business_id=None,
        effective_at=at,
        legs=legs,
        meta={"ref": transfer},
    )
