"""Webhooks: what happened (events), who wants to know (endpoints), and each telling of it (deliveries)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

#: Seconds from one try to the next, by Standard Webhooks: ten tries over about 75 hours. The first is at once.
RETRY_AFTER_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)

#: A delivery must be answered within so many seconds.
TIMEOUT_S = 15

EVENT_TYPES = (
    "payment.created",
    "payment.requires_action",
    "payment.processing",
    "payment.succeeded",
    "payment.canceled",
    "payment.expired",
    "payment.attempt_failed",
    "payment.underpaid",
    "payment.overpaid",
    "payment.paid_late",
    "payment.duplicate",
    "checkout.session.completed",
    "checkout.session.expired",
    "receipt.received",
    "payout.created",
    "payout.queued",
    "payout.in_transit",
    "payout.paid",
    "payout.failed",
    "payout.returned",
    "payout.canceled",
    "balance.available",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact, with its payload fixed at the transition. `sequence` counts per object, from 1."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    type: str
    object_id: UUID
    sequence: int
    payload: Mapping[str, object]


class EndpointState(Enum):
    """`disabled` by its owner, or by its own 410."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """Where a business wants to be told. `secret` (`whsec_…`) is kept encrypted and shown once."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    url: str
    secret: str
    enabled_events: tuple[str, ...] = ("*",)
    description: str | None = None
    state: EndpointState = EndpointState.ENABLED
    disabled_for: str | None = None

    def __repr__(self) -> str:
        return f"WebhookEndpoint(id={self.id}, state={self.state.value!r})"


class DeliveryState(Enum):
    """Where one telling stands."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event told to one endpoint; `tries` counts what was sent, the last answer is kept without its body."""

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    event_id: UUID
    endpoint_id: UUID
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    last_status: int | None = None
    last_error: str | None = None
    last_tried_at: datetime | None = None
    next_try_at: datetime | None = None


def next_try_s(tries: int, *, chance: float, retry_after_s: int | None = None) -> int | None:
    """Seconds until the next try after `tries` were made; None when the table is used up.

    Up to 10 % of jitter (`chance` in [0, 1)) keeps a crowd of deliveries apart; a `Retry-After` can only lengthen it.
    """
    if tries >= len(RETRY_AFTER_S):
        return None
    wait = RETRY_AFTER_S[tries]
    wait += int(wait * chance) // 10
    return max(wait, min(retry_after_s or 0, RETRY_AFTER_S[-1]))
