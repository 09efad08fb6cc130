"""A checkout session: the hosted page of one payment. Its state is derived from the payment, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from gateway.domain.payments import Payment, PaymentState


class SessionState(Enum):
    """What a session shows to its business."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """`secret_hash` is the SHA-256 of the 128 random bits in the page's URL; the URL itself is shown once."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    payment_id: UUID
    secret_hash: bytes
    success_url: str | None
    cancel_url: str | None
    expires_at: datetime
    line_items: tuple[tuple[str, int], ...] = ()


def session_state(payment: Payment) -> SessionState:
    """Complete once paid; expired when the payment is canceled or expired; else open."""
    if payment.state is PaymentState.SUCCEEDED:
        return SessionState.COMPLETE
    if payment.state in (PaymentState.CANCELED, PaymentState.EXPIRED):
        return SessionState.EXPIRED
    return SessionState.OPEN
