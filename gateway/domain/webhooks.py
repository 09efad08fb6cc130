"""Webhooks: what happened (events), who wants to know (endpoints), and each telling of it (deliveries)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

#: Seconds from one try to the next, by Standard Webhooks: ten tries over about 75 hours. The first is at once.
RETRY_AFTER_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)

#: A delivery must be answered within so many seconds.
TIMEOUT_S = 15

#: An endpoint that took nothing for so long is called failing, and after so many days it is disabled.
FAILING_HOURS = 6
FAILING_DAYS_MAX = 5
#: An answer that took longer than SLOW_S sends the endpoint's next ones through the slow queue for SLOW_FOR_S.
SLOW_S = 5
SLOW_FOR_S = 600
#: Seconds for which an old secret may sign beside the new one: none, to a week.
OVERLAP_MAX_S = 7 * 24 * 3600

TEST_EVENT = "webhook_endpoint.test"

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
    "payment.reversed",
    "refund.created",
    "refund.submitted",
    "refund.succeeded",
    "refund.failed",
    "refund.canceled",
    "checkout.session.completed",
    "checkout.session.expired",
    "receipt.received",
    "receipt.unmatched",
    "receipt.assigned",
    "payout.created",
    "payout.queued",
    "payout.in_transit",
    "payout.paid",
    "payout.failed",
    "payout.returned",
    "payout.canceled",
    "balance.available",
    "business.updated",
    "api_key.created",
    "api_key.rolled",
    "api_key.revoked",
    "webhook_endpoint.failing",
    "webhook_endpoint.disabled",
    TEST_EVENT,
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
    """`failing` took nothing for hours and is still tried; `disabled` by its owner, by its own 410, or after days."""

    ENABLED = "enabled"
    FAILING = "failing"
    DISABLED = "disabled"


class PayloadStyle(Enum):
    """What an endpoint is sent: the object as it was at the change, or its id and kind alone."""

    FULL = "full"
    THIN = "thin"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """Where a business wants to be told. `secret` (`whsec_…`) is kept encrypted and shown once.

    `previous_secret` signs beside it until `previous_until`. `failing_since` is the first failed try since one was
    taken; until `slow_until` its sends go through the slow queue.
    """

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
    payload: PayloadStyle = PayloadStyle.FULL
    state: EndpointState = EndpointState.ENABLED
    disabled_for: str | None = None
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    slow_until: datetime | None = None
    previous_secret: str | None = None
    previous_until: datetime | None = None

    def __repr__(self) -> str:
        return f"WebhookEndpoint(id={self.id}, state={self.state.value!r})"

    def old_secret(self, now: datetime) -> str | None:
        """The secret that still signs beside the new one, if any does."""
        overlaps = self.previous_until is not None and now < self.previous_until
        return self.previous_secret if overlaps else None

    def is_slow(self, now: datetime) -> bool:
        """Whether it kept a worker waiting a short while ago."""
        return self.slow_until is not None and now < self.slow_until

    def took_one(self, now: datetime) -> WebhookEndpoint:
        """As it is after a success: well again. The same object when nothing changed."""
        if self.failing_since is None or self.state is EndpointState.DISABLED:
            return self
        return replace(self, state=EndpointState.ENABLED, failing_since=None, updated=now)

    def took_none(self, now: datetime) -> WebhookEndpoint:
        """As it is after a failed try: failing after hours, disabled after days of nothing but these."""
        if self.state is EndpointState.DISABLED:
            return self
        if self.failing_since is None:
            return replace(self, failing_since=now, updated=now)
        if now - self.failing_since >= timedelta(days=FAILING_DAYS_MAX):
            return self.disabled("failing", now)
        if self.state is EndpointState.ENABLED and now - self.failing_since >= timedelta(hours=FAILING_HOURS):
            return replace(self, state=EndpointState.FAILING, updated=now)
        return self

    def disabled(self, reason: str, now: datetime) -> WebhookEndpoint:
        """Sent to no more, from now on, for a reason (`by_owner`, `gone`, `failing`)."""
        return replace(self, state=EndpointState.DISABLED, disabled_for=reason, disabled_at=now, updated=now)

    def enabled(self, now: datetime) -> WebhookEndpoint:
        """Sent to again, with a clean sheet."""
        return replace(
            self,
            state=EndpointState.ENABLED,
            disabled_for=None,
            disabled_at=None,
            failing_since=None,
            slow_until=None,
            updated=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Events of a span told to one endpoint again, a batch at a time; `cursor` is the last one that was looked at.

    `missed`: only those that the endpoint never took. `types` as in `enabled_events`.
    """

    id: UUID
    business_id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    endpoint_id: UUID
    since: datetime
    until: datetime
    types: tuple[str, ...] = ("*",)
    missed: bool = False
    cursor: UUID | None = None
    resent: int = 0
    is_done: bool = False


class DeliveryState(Enum):
    """Where one telling stands."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event told to one endpoint; `tries` counts what was sent, the last answer is kept without its body.

    `earlier_tries` were made before somebody asked to send it again: the table of waits begins anew after them.
    """

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
    earlier_tries: int = 0
    last_status: int | None = None
    last_error: str | None = None
    last_tried_at: datetime | None = None
    next_try_at: datetime | None = None

    def reopened(self, now: datetime) -> Delivery:
        """To be sent again, whatever came of it before."""
        return replace(
            self, state=DeliveryState.PENDING, earlier_tries=self.tries, next_try_at=now, last_error=None, updated=now
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTry:
    """One send: `number` counts from 1; `status` is None when no answer came, and then `error` says why."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    duration_ms: int | None


def wants(wanted: Sequence[str], type_: str) -> bool:
    """Whether a list of types, families (`payout.*`) and `*` names a type."""
    return any(word in ("*", type_) or (word.endswith(".*") and type_.startswith(word[:-1])) for word in wanted)


def thin(payload: Mapping[str, object]) -> dict[str, object]:
    """The envelope with the object's `id` and `object` alone: `GET /v1/events/{id}` has the rest."""
    data = payload["data"]
    whole = data.get("object") if isinstance(data, Mapping) else None
    named = {name: whole.get(name) for name in ("id", "object")} if isinstance(whole, Mapping) else {}
    return {**payload, "data": {"object": named}}


def next_try_s(tries: int, *, chance: float, retry_after_s: int | None = None) -> int | None:
    """Seconds until the next try after `tries` were made; None when the table is used up.

    Up to 10 % of jitter (`chance` in [0, 1)) keeps a crowd of deliveries apart; a `Retry-After` can only lengthen it.
    """
    if tries >= len(RETRY_AFTER_S):
        return None
    wait = RETRY_AFTER_S[tries]
    wait += int(wait * chance) // 10
    return max(wait, min(retry_after_s or 0, RETRY_AFTER_S[-1]))
