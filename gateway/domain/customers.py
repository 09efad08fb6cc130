"""A customer: a shopper of one business, known by a phone number that is kept encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """`phone` is E.164; it leaves the system masked only."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    phone: str
    name: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        return f"Customer(id={self.id})"
