"""What the world sees of refunds and quotes; shared by answers, events and stored replies."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.application.interfaces import Json
from gateway.application.representations import failure, moment, public_id
from gateway.domain.ids import Prefix, encode
from gateway.domain.quotes import Quote, QuoteType
from gateway.domain.refunds import Refund, RefundAttempt


def refund(one: Refund, *, attempts: Sequence[RefundAttempt] | None = None) -> Json:
    """A refund, the destination masked."""
    to = one.destination
    shown: Json = {
        "id": encode(Prefix.REFUND, one.id),
        "object": "refund",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "payment": encode(Prefix.PAYMENT, one.payment_id),
        "amount": one.amount.units,
        "amount_of_excess": one.over_units,
        "amount_sent": one.sent_units,
        "currency": one.amount.asset.code,
        "parts": [{"receipt": public_id(Prefix.RECEIPT, p.receipt_id), "amount": p.units} for p in one.parts],
        "destination": None if to is None else {"type": to.kind.value, "account": one.destination_masked},
        "status": one.state.value,
        "waiting_for": one.waiting_for,
        "reason": one.reason,
        "receipt_number": one.receipt_number,
        "needs_attention": one.needs_attention,
        "succeeded_at": moment(one.succeeded_at),
        "error": failure(one.failure),
    }
    if attempts is not None:
        shown["attempts"] = [refund_attempt(a) for a in attempts]
    return shown


def refund_attempt(one: RefundAttempt) -> Json:
    """One order to give money back."""
    return {
        "id": encode(Prefix.REFUND_ATTEMPT, one.id),
        "object": "refund_attempt",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "refund": encode(Prefix.REFUND, one.refund_id),
        "number": one.number,
        "status": one.state.value,
        "way": one.way.value,
        "receipt": encode(Prefix.RECEIPT, one.receipt_id),
        "reference": one.reference,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "submitted_at": moment(one.submitted_at),
        "receipt_number": one.receipt_number,
        "error": failure(one.failure),
    }


def quote(one: Quote) -> Json:
    """A quote with its breakdown. Of a payment: what the customer pays is what the business gets and all our fees."""
    price = one.price
    pays_in = one.type is QuoteType.PAYMENT
    return {
        "id": encode(Prefix.QUOTE, one.id),
        "object": "quote",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.created),
        "version": 1,
        "metadata": {},
        "type": one.type.value,
        "method": one.method,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "bearer": one.schedule.bearer.value if pays_in else "merchant",
        "fee": price.charge.revenue_units,
        "tax": [{"code": code, "amount": units} for code, units in price.charge.taxes],
        "customer_fee": price.customer_units,
        "rounding": price.rounding_units,
        "customer_total": price.due_units if pays_in else None,
        "merchant_net": price.net_units if pays_in else None,
        "total": None if pays_in else one.amount.units + price.charge.total,
        "fee_schedule": f"{encode(Prefix.FEE_SCHEDULE, one.schedule.id)}@{one.schedule.version}",
        "expires_at": moment(one.expires_at),
    }
