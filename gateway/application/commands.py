"""What callers ask for, checked in shape by web and in meaning by the use cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """`amount` in minor units of `currency`; `expires_in_s` from 60 s to 30 days, 24 h when None."""

    amount: int
    currency: str
    description: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires_in_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """`phone` as typed; None where the payer sends by himself.

    `acknowledge_unknown`: the caller knows that an earlier prompt may still be paid.

    `quote_id`: the quote whose price is to hold, if there is one.
    """

    payment_id: UUID
    method: str
    phone: str | None
    acknowledge_unknown: bool = False
    quote_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A hosted page for one payment; `line_items` are (name, minor units) and only shown."""

    amount: int
    currency: str
    description: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    success_url: str | None = None
    cancel_url: str | None = None
    line_items: tuple[tuple[str, int], ...] = ()
    expires_in_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayout:
    """`amount` in minor units; `destination_kind` is `mpesa_phone`, `account` the phone as typed."""

    amount: int
    currency: str
    destination_kind: str
    account: str
    description: str | None = None
    reference: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    quote_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """Where webhooks go and which events: exact types, families (`payout.*`), or `*`."""

    url: str
    enabled_events: tuple[str, ...] = ("*",)
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    payload: str = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChange:
    """What to change of an endpoint; None leaves a field alone."""

    endpoint_id: UUID
    url: str | None = None
    enabled_events: tuple[str, ...] | None = None
    description: str | None = None
    enabled: bool | None = None
    metadata: Mapping[str, str] | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list as a caller asks for it: see `interfaces.Page`."""

    limit: int = 20
    starting_after: UUID | None = None
    ending_before: UUID | None = None
    created_gte: datetime | None = None
    created_gt: datetime | None = None
    created_lte: datetime | None = None
    created_lt: datetime | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    expand: tuple[str, ...] = ()
