"""Receipts that are nobody's, as they are shown."""

from __future__ import annotations

from gateway.application.interfaces import Json
from gateway.application.representations import moment, public_id
from gateway.domain.external_records import LooseReceipt
from gateway.domain.ids import Prefix, encode


def loose_receipt(one: LooseReceipt) -> Json:
    """Money that arrived and has no payment: a receipt whose `status` is `unmatched`. Long numbers are masked."""
    return {
        "id": encode(Prefix.RECEIPT, one.id),
        "object": "receipt",
        "livemode": one.livemode,
        "business": public_id(Prefix.BUSINESS, one.candidate_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "status": "unmatched",
        "payment": None,
        "attempt": None,
        "receipt_number": one.receipt_number,
        "typed_reference": one.typed_masked,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "amount_to_payment": 0,
        "amount_overpaid": 0,
        "amount_refunded": 0,
        "amount_reversed": one.reversed_units,
        "fee": 0,
        "tax": [],
        "happened_at": moment(one.happened_at),
        "available_on": None,
    }
