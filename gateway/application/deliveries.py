"""The telling of one event to one endpoint: sent, judged by its status alone, and tried again by the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, Chance, Due, OpenUnit, Sent, UnitOfWork, WebhookSender
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import (
    SLOW_FOR_S,
    SLOW_S,
    Delivery,
    DeliveryState,
    EndpointState,
    Event,
    PayloadStyle,
    WebhookEndpoint,
    next_try_s,
    thin,
)

_OPEN = (DeliveryState.PENDING, DeliveryState.RETRYING)
_GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """What is to be sent, and under which secrets."""

    endpoint: WebhookEndpoint
    event: Event
    previous: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverWebhook:
    """Send one webhook and record what came of it.

    It is sent at least once: after a crash between the two it is sent again, under the same `webhook-id` and with the
    same bytes. Any 2xx ends it; 410 disables the endpoint; all else is tried again. An endpoint that kept a worker
    waiting is sent to by `slowly` alone, which has a queue and a process of its own: others don't wait behind it.
    """

    unit: OpenUnit
    sender: WebhookSender
    chance: Chance
    slowly: bool = False

    def __call__(self, delivery_id: UUID, call: Call) -> datetime | None:
        """When to try again, or None. An endpoint that is disabled keeps its open deliveries until it is enabled."""
        with self.unit(call.scope, call=call) as work:
            errand = self._prepare(work, delivery_id)
        if errand is None:
            return None
        endpoint = errand.endpoint
        sent = self.sender.send(
            endpoint.url,
            secret=endpoint.secret,
            previous=errand.previous,
            message_id=encode(Prefix.EVENT, errand.event.id),
            delivery_id=encode(Prefix.DELIVERY, delivery_id),
            body=body_of(errand.event.payload, endpoint.payload),
        )
        with self.unit(call.scope, call=call) as work:
            delivery = work.deliveries.get(delivery_id, lock=True)
            if delivery.state not in _OPEN:
                return None
            return work.ends(self._record(work, delivery, sent))

    def _prepare(self, work: UnitOfWork, delivery_id: UUID) -> _Errand | None:
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
        if endpoint.is_slow(work.now) and not self.slowly:
            work.due.put(Due(kind="webhook.deliver_slowly", subject_id=delivery.id, due_at=work.now))
            return None
        event = work.events.get(delivery.event_id)
        return _Errand(endpoint=endpoint, event=event, previous=endpoint.old_secret(work.now))

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
        taken = sent.status is not None and 200 <= sent.status < 300
        again_at = None if taken or sent.status == _GONE else self._again_at(work, tried, sent)
        if taken:
            state = DeliveryState.DELIVERED
        else:
            state = DeliveryState.EXHAUSTED if again_at is None else DeliveryState.RETRYING
        work.deliveries.save(replace(tried, state=state, next_try_at=again_at), duration_ms=sent.duration_ms)
        _note(work, tried.endpoint_id, sent, taken=taken)
        return again_at

    def _again_at(self, work: UnitOfWork, tried: Delivery, sent: Sent) -> datetime | None:
        made = tried.tries - tried.earlier_tries
        wait_s = next_try_s(made, chance=self.chance.fraction(), retry_after_s=sent.retry_after_s)
        return None if wait_s is None else work.now + timedelta(seconds=wait_s)


def body_of(payload: Mapping[str, object], style: PayloadStyle = PayloadStyle.FULL) -> bytes:
    """An event's payload as it is sent: compact JSON, the same bytes at every try."""
    sent = thin(payload) if style is PayloadStyle.THIN else payload
    return json.dumps(sent, separators=(",", ":"), ensure_ascii=False).encode()


def _note(work: UnitOfWork, endpoint_id: UUID, sent: Sent, *, taken: bool) -> None:
    """What the try says of its endpoint. Most tries say nothing new, and then nothing is locked or written."""

    def judged(one: WebhookEndpoint) -> WebhookEndpoint:
        if one.state is EndpointState.DISABLED:
            return one
        one = _timed(one, sent, work.now)
        if taken:
            return one.took_one(work.now)
        return one.disabled("gone", work.now) if sent.status == _GONE else one.took_none(work.now)

    _change_under_lock(work, endpoint_id, judged)


def _timed(one: WebhookEndpoint, sent: Sent, now: datetime) -> WebhookEndpoint:
    """With a note of its slowness; written again only when half of the last one's time is over."""
    if sent.error != "timeout" and sent.duration_ms < SLOW_S * 1000:
        return one
    if one.is_slow(now + timedelta(seconds=SLOW_FOR_S // 2)):
        return one
    return replace(one, slow_until=now + timedelta(seconds=SLOW_FOR_S), updated=now)


def _change_under_lock(
    work: UnitOfWork, endpoint_id: UUID, judged: Callable[[WebhookEndpoint], WebhookEndpoint]
) -> None:
    try:
        before = work.endpoints.get(endpoint_id)
        if judged(before) is before:
            return
        before = work.endpoints.get(endpoint_id, lock=True)
    except NotFound:
        return
    after = judged(before)
    if after is before:
        return
    after = work.endpoints.save(after)
    if after.state is not before.state:
        tell_of(work, after)


def tell_of(work: UnitOfWork, endpoint: WebhookEndpoint) -> None:
    """Its business's other endpoints, and whoever reads events, learn that it fails or was disabled by us."""
    if endpoint.state is EndpointState.ENABLED:
        return
    word = endpoint.state.value
    work.events.put(f"webhook_endpoint.{word}", endpoint.id, shown.endpoint(endpoint), besides=endpoint.id)
    if endpoint.state is EndpointState.DISABLED:
        work.alerts.raise_("webhook_endpoint_disabled", endpoint.id, f"disabled: {endpoint.disabled_for}")
