"""Webhooks sent again because somebody asked, or because an endpoint was enabled: the same events, the same ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.answers import answered
from gateway.application.interfaces import Call, Due, Json, OpenUnit, Page, UnitOfWork
from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import TEST_EVENT, EndpointState, Event, Replay, WebhookEndpoint, wants

#: A replay reaches back so far; what is older is in `/v1/events` while it is kept.
REPLAY_DAYS_MAX = 30
#: Events looked at in one transaction.
BATCH = 200
#: What is sent first after an endpoint was enabled began to fail a little before its first failed try.
_BEFORE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendWebhooks:
    """A test event, one delivery again, or all of a span."""

    unit: OpenUnit

    def test(self, endpoint_id: UUID, call: Call) -> Json:
        """Send a signed test event to that endpoint alone, whatever events it asked for."""
        with self.unit(call.scope, call=call) as work:
            endpoint = _enabled(work, endpoint_id)
            event_id = work.events.put(TEST_EVENT, endpoint.id, shown.endpoint(endpoint), to=endpoint.id)
            answer = {
                "object": "webhook_test",
                "event": encode(Prefix.EVENT, event_id),
                "webhook_endpoint": encode(Prefix.WEBHOOK_ENDPOINT, endpoint.id),
            }
            return answered(work, 202, answer)

    def redeliver(self, endpoint_id: UUID, delivery_id: UUID, call: Call) -> Json:
        """Send one delivery again, now, under its `webhook-id`; the table of waits begins anew."""
        with self.unit(call.scope, call=call) as work:
            _enabled(work, endpoint_id)
            delivery = work.deliveries.get(delivery_id, lock=True)
            if delivery.endpoint_id != endpoint_id:
                raise NotFound("this endpoint has no such delivery")
            delivery = work.deliveries.save(delivery.reopened(work.now))
            work.due.put(Due(kind="webhook.deliver", subject_id=delivery.id, due_at=work.now))
            types = work.events.types([delivery.event_id])
            return answered(work, 200, shown.delivery(delivery, event_type=types.get(delivery.event_id)))

    def event(self, event_id: UUID, call: Call, *, endpoint_id: UUID | None = None) -> int:
        """Send one event again to an endpoint, or to all that want it; gives to how many."""
        with self.unit(call.scope, call=call) as work:
            event = work.events.get(event_id)
            if endpoint_id is not None:
                chosen = [_enabled(work, endpoint_id)]
            else:
                found, _ = work.endpoints.page(Page(limit=100))
                chosen = [e for e in found if e.state is not EndpointState.DISABLED and _for(e, event)]
            for endpoint in chosen:
                _send_again(work, endpoint.id, [event.id], missed=False)
            return len(chosen)

    def replay(
        self,
        endpoint_id: UUID,
        call: Call,
        *,
        since: datetime,
        until: datetime | None = None,
        types: tuple[str, ...] = ("*",),
    ) -> Json:
        """Begin to send a span's events again, also those that were taken. Raises Invalid for a span out of bounds,
        Conflict while another replay of the endpoint runs."""
        with self.unit(call.scope, call=call) as work:
            endpoint = _enabled(work, endpoint_id)
            end = min(until or work.now, work.now)
            if not work.now - timedelta(days=REPLAY_DAYS_MAX) <= since < end:
                raise Invalid(
                    f"since must lie before until, and within the last {REPLAY_DAYS_MAX} days",
                    code="replay_span_invalid",
                    param="/since",
                )
            # Under the endpoint's lock, so that two callers don't both find none.
            work.endpoints.get(endpoint.id, lock=True)
            if work.replays.is_running(endpoint.id):
                raise Conflict("a replay of this endpoint runs; wait until it is done", code="replay_running")
            made = begin(work, endpoint, since=since, until=end, types=types, missed=False)
            return answered(work, 202, shown_replay(made))

    def read(self, endpoint_id: UUID, replay_id: UUID, call: Call) -> Json:
        """How far a replay has come."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found = work.replays.get(replay_id)
            if found.endpoint_id != endpoint_id:
                raise NotFound("this endpoint has no such replay")
            return shown_replay(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReplay:
    """One batch of a replay: the cursor moves in the transaction that makes the deliveries due, so a crash repeats
    nothing and leaves nothing out."""

    unit: OpenUnit

    def __call__(self, replay_id: UUID, call: Call) -> datetime | None:
        """When to go on, or None when it is done, or nobody wants it any more."""
        with self.unit(call.scope, call=call) as work:
            replay = work.replays.get(replay_id, lock=True)
            if replay.is_done:
                return None
            try:
                endpoint = work.endpoints.get(replay.endpoint_id)
            except NotFound:
                work.replays.save(replace(replay, is_done=True, updated=work.now))
                return None
            events = work.events.between(replay.since, replay.until, replay.cursor, BATCH)
            wanted = [e.id for e in events if _for(endpoint, e) and wants(replay.types, e.type)]
            made = _send_again(work, endpoint.id, wanted, missed=replay.missed) if wanted else 0
            is_done = len(events) < BATCH or endpoint.state is EndpointState.DISABLED
            cursor = events[-1].id if events else replay.cursor
            after = replace(replay, cursor=cursor, resent=replay.resent + made, is_done=is_done, updated=work.now)
            work.replays.save(after)
            return None if is_done else work.now


def begin(
    work: UnitOfWork,
    endpoint: WebhookEndpoint,
    *,
    since: datetime,
    until: datetime,
    types: tuple[str, ...] = ("*",),
    missed: bool,
) -> Replay:
    """Remember a replay and make its first batch due."""
    made = Replay(
        id=work.new_id(),
        business_id=endpoint.business_id,
        livemode=endpoint.livemode,
        created=work.now,
        updated=work.now,
        endpoint_id=endpoint.id,
        since=since,
        until=until,
        types=types,
        missed=missed,
    )
    work.replays.add(made)
    work.due.put(Due(kind="webhook.replay", subject_id=made.id, due_at=work.now))
    return made


def make_good(work: UnitOfWork, before: WebhookEndpoint) -> None:
    """Begin to send what an endpoint missed, from when it began to fail or was disabled until now."""
    began = before.failing_since or before.disabled_at or before.updated
    begin(work, before, since=began - _BEFORE, until=work.now, missed=True)


def shown_replay(one: Replay) -> Json:
    """A replay as the API shows it."""
    return {
        "id": encode(Prefix.WEBHOOK_REPLAY, one.id),
        "object": "webhook_replay",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": shown.moment(one.created),
        "updated": shown.moment(one.updated),
        "version": one.version,
        "metadata": {},
        "webhook_endpoint": encode(Prefix.WEBHOOK_ENDPOINT, one.endpoint_id),
        "since": shown.moment(one.since),
        "until": shown.moment(one.until),
        "types": list(one.types),
        "missed_only": one.missed,
        "resent": one.resent,
        "status": "done" if one.is_done else "running",
    }


def _for(endpoint: WebhookEndpoint, event: Event) -> bool:
    """Whether an endpoint may be told: its own notices and other endpoints' tests never were."""
    return event.type != TEST_EVENT and event.object_id != endpoint.id and wants(endpoint.enabled_events, event.type)


def _enabled(work: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = work.endpoints.get(endpoint_id)
    if endpoint.state is EndpointState.DISABLED:
        raise Conflict("the endpoint is disabled; enable it first", code="endpoint_disabled")
    return endpoint


def _send_again(work: UnitOfWork, endpoint_id: UUID, event_ids: list[UUID], *, missed: bool) -> int:
    opened = work.deliveries.again(endpoint_id, event_ids, missed=missed)
    work.due.put(*(Due(kind="webhook.deliver", subject_id=one, due_at=work.now) for one in opened))
    return len(opened)
