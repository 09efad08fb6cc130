"""A payment link: an address that makes a new payment each time that it is opened for paying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from ports.money import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLink:
    """`amount_units` is None where the visitor types the sum, from `amount_min` to `amount_max` minor units.

    `uses` counts the payments that were made; at `max_uses` it makes no more. `secret_hash` is the SHA-256 of the 128
    random bits in its URL.
    """

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    currency: Asset
    amount_units: int | None
    amount_min: int | None = None
    amount_max: int | None = None
    description: str | None = None
    max_uses: int | None = None
    uses: int = 0
    expires_at: datetime | None = None
    active: bool = True
    success_url: str | None = None
    secret_hash: bytes = b""

    def closed_for(self, now: datetime) -> str | None:
        """Why it makes no payment at that moment: `inactive`, `expired`, `used_up`; None while it does."""
        if not self.active:
            return "inactive"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        if self.max_uses is not None and self.uses >= self.max_uses:
            return "used_up"
        return None

    def used(self, now: datetime) -> PaymentLink:
        """With one use more."""
        return replace(self, uses=self.uses + 1, updated=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUse:
    """One payment that a link made; `token_hash` is of the form that asked for it."""

    id: UUID
    created: datetime
    link_id: UUID
    token_hash: bytes
    session_id: UUID
    payment_id: UUID
