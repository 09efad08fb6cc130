"""What the world sees of each object: one function a noun, shared by answers, events and stored replies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from gateway.application.interfaces import Json
from gateway.domain.attempts import Attempt
from gateway.domain.businesses import Business
from gateway.domain.checkout import CheckoutSession, session_state
from gateway.domain.customers import Customer
from gateway.domain.ids import Prefix, encode
from gateway.domain.payments import Payment, PayToAction
from gateway.domain.payouts import Payout, PayoutAttempt
from gateway.domain.phones import mask
from gateway.domain.receipts import Receipt
from gateway.domain.webhooks import Delivery, DeliveryTry, WebhookEndpoint
from ports.report import Failure


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds, or None."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def public_id(prefix: Prefix, value: UUID | None) -> str | None:
    """`pay_…` for a UUID, None for None."""
    return None if value is None else encode(prefix, value)


def failure(found: Failure | None) -> Json | None:
    """Why a try failed, in our words, with the provider's code beside them."""
    if found is None:
        return None
    return {
        "code": found.kind.value,
        "provider_code": found.provider_code,
        "try_again": found.try_again.value,
        "after_s": found.after_s,
    }


def payment(
    one: Payment, *, attempts: Sequence[Attempt] | None = None, receipts: Sequence[Receipt] | None = None
) -> Json:
    """A payment; `attempts` and `receipts` appear when they were asked for."""
    shown: Json = {
        "id": encode(Prefix.PAYMENT, one.id),
        "object": "payment",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "amount_due": one.amount_due.units,
        "amount_received": one.received_units,
        "amount_refunded": one.refunded_units,
        "status": one.state.value,
        "exception_status": one.exception_status.value if one.exception_status else None,
        "outcome_unknown": one.outcome_unknown,
        "description": one.description,
        "reference": one.reference,
        "customer": public_id(Prefix.CUSTOMER, one.customer_id),
        "checkout_session": public_id(Prefix.CHECKOUT_SESSION, one.session_id),
        "expires_at": moment(one.expires_at),
        "succeeded_at": moment(one.succeeded_at),
        "next_action": _next_action(one),
        "settlement": {
            "policy": str(one.terms.settlement) if one.terms else None,
            "status": one.settlement_status.value,
            "available_on": moment(one.available_on),
        },
        "fee_schedule": _schedule(one),
        "last_error": failure(one.last_error),
    }
    if attempts is not None:
        shown["attempts"] = [attempt(a) for a in attempts]
    if receipts is not None:
        shown["receipts"] = [receipt(r) for r in receipts]
    return shown


def _schedule(one: Payment) -> str | None:
    if one.terms is None:
        return None
    return f"{encode(Prefix.FEE_SCHEDULE, one.terms.fee.id)}@{one.terms.fee.version}"


def _next_action(one: Payment) -> Json | None:
    if one.next_action is None:
        return None
    if isinstance(one.next_action, PayToAction):
        return {
            "type": "pay_to",
            "expires_at": moment(one.next_action.expires_at),
            "resend_after": None,
            "pay_to": dict(one.next_action.pay_to),
            "amount_left": max(one.amount_due.units - one.received_units, 0),
        }
    return {
        "type": "prompt",
        "expires_at": moment(one.next_action.expires_at),
        "resend_after": moment(one.next_action.resend_after),
        "pay_to": None,
        "amount_left": max(one.amount_due.units - one.received_units, 0),
    }


def attempt(one: Attempt) -> Json:
    """A try. The provider's reference holds part of a phone number and stays inside."""
    return {
        "id": encode(Prefix.ATTEMPT, one.id),
        "object": "attempt",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "payment": encode(Prefix.PAYMENT, one.payment_id),
        "number": one.number,
        "status": one.state.value,
        "method": one.method,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "reference": one.reference,
        "payer": one.payer_masked,
        "submitted_at": moment(one.submitted_at),
        "prompt_until": moment(one.prompt_until),
        "blocks_until": moment(one.blocks_until),
        "error": failure(one.failure),
    }


def receipt(one: Receipt) -> Json:
    """Money that arrived."""
    return {
        "id": encode(Prefix.RECEIPT, one.id),
        "object": "receipt",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "status": "booked",
        "payment": encode(Prefix.PAYMENT, one.payment_id),
        "attempt": public_id(Prefix.ATTEMPT, one.attempt_id),
        "receipt_number": one.receipt_number,
        "typed_reference": None,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "amount_to_payment": one.due_units,
        "amount_overpaid": one.over_units,
        "amount_refunded": one.refunded_units,
        "amount_reversed": one.reversed_units,
        "fee": one.charge.revenue_units,
        "tax": [{"code": code, "amount": units} for code, units in one.charge.taxes],
        "happened_at": moment(one.happened_at),
        "available_on": moment(one.available_on),
    }


def customer(one: Customer) -> Json:
    """A shopper, the number masked."""
    return {
        "id": encode(Prefix.CUSTOMER, one.id),
        "object": "customer",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "phone": mask(one.phone),
        "name": one.name,
        "email": one.email,
    }


def session(one: CheckoutSession, paid: Payment, *, url: str | None = None) -> Json:
    """A checkout session; `url` is shown once, to its maker."""
    return {
        "id": encode(Prefix.CHECKOUT_SESSION, one.id),
        "object": "checkout.session",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(max(one.updated, paid.updated)),
        "version": paid.version,
        "metadata": dict(one.metadata),
        "status": session_state(paid).value,
        "payment": encode(Prefix.PAYMENT, one.payment_id),
        "payment_status": paid.state.value,
        "amount": paid.amount.units,
        "currency": paid.amount.asset.code,
        "description": paid.description,
        "reference": paid.reference,
        "line_items": [{"name": name, "amount": units} for name, units in one.line_items],
        "success_url": one.success_url,
        "cancel_url": one.cancel_url,
        "expires_at": moment(one.expires_at),
        "url": url,
    }


def payout(one: Payout, *, attempts: Sequence[PayoutAttempt] | None = None) -> Json:
    """A payout, the destination masked."""
    shown: Json = {
        "id": encode(Prefix.PAYOUT, one.id),
        "object": "payout",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "fee": one.charge.revenue_units,
        "tax": [{"code": code, "amount": units} for code, units in one.charge.taxes],
        "destination": {"type": one.destination.kind.value, "account": one.destination_masked},
        "status": one.state.value,
        "waiting_for": one.waiting_for,
        "description": one.description,
        "reference": one.reference,
        "receipt_number": one.receipt_number,
        "needs_attention": one.needs_attention,
        "paid_at": moment(one.paid_at),
        "error": failure(one.failure),
    }
    if attempts is not None:
        shown["attempts"] = [payout_attempt(a) for a in attempts]
    return shown


def payout_attempt(one: PayoutAttempt) -> Json:
    """One instruction to a channel."""
    return {
        "id": encode(Prefix.PAYOUT_ATTEMPT, one.id),
        "object": "payout_attempt",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "payout": encode(Prefix.PAYOUT, one.payout_id),
        "number": one.number,
        "status": one.state.value,
        "reference": one.reference,
        "amount": one.amount.units,
        "currency": one.amount.asset.code,
        "submitted_at": moment(one.submitted_at),
        "receipt_number": one.receipt_number,
        "error": failure(one.failure),
    }


def endpoint(one: WebhookEndpoint, *, secret: str | None = None) -> Json:
    """A webhook endpoint; `secret` is shown once, to its maker."""
    return {
        "id": encode(Prefix.WEBHOOK_ENDPOINT, one.id),
        "object": "webhook_endpoint",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "url": one.url,
        "description": one.description,
        "enabled_events": list(one.enabled_events),
        "status": one.state.value,
        "disabled_reason": one.disabled_for,
        "disabled_at": moment(one.disabled_at),
        "failing_since": moment(one.failing_since),
        "payload": one.payload.value,
        "previous_secret_until": moment(one.previous_until),
        "secret": secret,
    }


def delivery(one: Delivery, *, event_type: str | None = None) -> Json:
    """One telling of one event; the receiver's body is never kept."""
    return {
        "id": encode(Prefix.DELIVERY, one.id),
        "object": "delivery",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": {},
        "event": encode(Prefix.EVENT, one.event_id),
        "event_type": event_type,
        "webhook_endpoint": encode(Prefix.WEBHOOK_ENDPOINT, one.endpoint_id),
        "status": one.state.value,
        "tries": one.tries,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "last_tried_at": moment(one.last_tried_at),
        "next_try_at": moment(one.next_try_at),
    }


def delivery_try(one: DeliveryTry) -> Json:
    """One send: its answer's status or the word for what went wrong, never its body."""
    return {
        "number": one.number,
        "at": moment(one.at),
        "status": one.status,
        "error": one.error,
        "duration_ms": one.duration_ms,
    }


def business(one: Business) -> Json:
    """A business, to itself."""
    return {
        "id": encode(Prefix.BUSINESS, one.id),
        "object": "business",
        "created": moment(one.created),
        "updated": moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "name": one.name,
        "shop_tag": one.shop_tag,
        "statement_descriptor": one.statement_descriptor,
        "support_contact": one.support_contact,
        "settlement": str(one.settlement),
    }


def balance(scope_business: UUID, livemode: bool, buckets: dict[str, dict[str, int]]) -> Json:
    """A business's six buckets, each a list of sums by currency."""
    names = ("pending", "available", "reserved", "withheld", "overpayments", "owed")
    currencies = sorted(buckets) or ["KES"]
    shown: Json = {
        "object": "balance",
        "livemode": livemode,
        "business": encode(Prefix.BUSINESS, scope_business),
    }
    for name in names:
        shown[name] = [{"amount": buckets.get(c, {}).get(name, 0), "currency": c} for c in currencies]
    return shown
