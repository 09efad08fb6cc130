"""The telling of one event to one endpoint: sent, judged by its status alone, and tried again by the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Call, Chance, OpenUnit, Page, Sent, UnitOfWork, WebhookSender
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import Delivery, DeliveryState, EndpointState, Event, WebhookEndpoint, next_try_s

_OPEN = (DeliveryState.PENDING, DeliveryState.RETRYING)
_GONE = 410
#: An endpoint that took nothing for so long is disabled when one more delivery has used up its tries.
FAILING_DAYS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverWebhook:
    """Send one webhook and record what came of it.

    It is sent at least once: after a crash between the two it is sent again, under the same `webhook-id` and with the
    same bytes. Any 2xx ends it; 410 disables the endpoint; all else is tried again.
    """

    unit: OpenUnit
    sender: WebhookSender
    chance: Chance

    def __call__(self, delivery_id: UUID, call: Call) -> datetime | None:
        """When to try again, or None. An endpoint that is disabled keeps its open deliveries until it is enabled."""
        with self.unit(call.scope, call=call) as work:
            errand = _prepare(work, delivery_id)
        if errand is None:
            return None
        endpoint, event = errand
        sent = self.sender.send(
            endpoint.url,
            secret=endpoint.secret,
            message_id=encode(Prefix.EVENT, event.id),
            delivery_id=encode(Prefix.DELIVERY, delivery_id),
            body=body_of(event.payload),
        )
        with self.unit(call.scope, call=call) as work:
            delivery = work.deliveries.get(delivery_id, lock=True)
            if delivery.state not in _OPEN:
                return None
            return self._record(work, delivery, sent)

    def _record(self, work: UnitOfWork, delivery: Delivery, sent: Sent) -> datetime | None:
        tried = replace(
            delivery,
            updated=work.now,
            tries=delivery.tries + 1,
            last_status=sent.status,
            last_error=sent.error,
            last_tried_at=work.now,
            next_try_at=None,
        )
        if sent.status is not None and 200 <= sent.status < 300:
            work.deliveries.save(replace(tried, state=DeliveryState.DELIVERED))
            return None
        wait_s = next_try_s(tried.tries, chance=self.chance.fraction(), retry_after_s=sent.retry_after_s)
        if sent.status == _GONE or wait_s is None:
            work.deliveries.save(replace(tried, state=DeliveryState.EXHAUSTED))
            _disable_if_hopeless(work, tried)
            return None
        again_at = work.now + timedelta(seconds=wait_s)
        work.deliveries.save(replace(tried, state=DeliveryState.RETRYING, next_try_at=again_at))
        return again_at


def body_of(payload: Mapping[str, object]) -> bytes:
    """An event's payload as it is sent: compact JSON, the same bytes at every try."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def _prepare(work: UnitOfWork, delivery_id: UUID) -> tuple[WebhookEndpoint, Event] | None:
    try:
        delivery = work.deliveries.get(delivery_id)
    except NotFound:
        return None
    if delivery.state not in _OPEN:
        return None
    try:
        endpoint = work.endpoints.get(delivery.endpoint_id)
    except NotFound:
        # It was deleted while this delivery was being made.
        ended = replace(delivery, state=DeliveryState.EXHAUSTED, last_error="endpoint_deleted", next_try_at=None)
        work.deliveries.save(replace(ended, updated=work.now))
        return None
    if endpoint.state is EndpointState.DISABLED:
        return None
    return endpoint, work.events.get(delivery.event_id)


def _disable_if_hopeless(work: UnitOfWork, tried: Delivery) -> None:
    """By its own 410, or after five days in which it took nothing: sending on would help nobody."""
    try:
        endpoint = work.endpoints.get(tried.endpoint_id)
    except NotFound:
        return
    if endpoint.state is EndpointState.DISABLED:
        return
    reason = "gone" if tried.last_status == _GONE else "failing" if _took_nothing(work, endpoint) else None
    if reason is not None:
        disabled = replace(endpoint, state=EndpointState.DISABLED, disabled_for=reason, updated=work.now)
        work.endpoints.save(disabled)
        work.alerts.raise_("webhook_endpoint_disabled", endpoint.id, f"disabled: {reason}")


def _took_nothing(work: UnitOfWork, endpoint: WebhookEndpoint) -> bool:
    """Whether one of five days ago was given up, and none was taken since. One that is seldom used isn't failing."""
    since = work.now - timedelta(days=FAILING_DAYS_MAX)
    if endpoint.updated > since:
        return False
    given_up = Page(limit=1, created_lte=since, filters={"state": DeliveryState.EXHAUSTED})
    old, _ = work.deliveries.page(endpoint.id, given_up)
    taken, _ = work.deliveries.page(endpoint.id, Page(limit=1, filters={"state": DeliveryState.DELIVERED}))
    return bool(old) and not (taken and taken[0].updated > old[0].created)
