"""Events, webhook endpoints and deliveries as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Row, Select, or_, select, update

from gateway.adapters.persistence.tables import delivery as deliveries
from gateway.adapters.persistence.tables import delivery_try as tries
from gateway.adapters.persistence.tables import event as events
from gateway.adapters.persistence.tables import webhook_endpoint as endpoints
from gateway.adapters.persistence.transaction import Transaction, filtered, first_id
from gateway.application.interfaces import Deliveries, Endpoints, Events, Json, Page, Scope
from gateway.application.representations import moment
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import (
    Delivery,
    DeliveryState,
    DeliveryTry,
    EndpointState,
    Event,
    PayloadStyle,
    WebhookEndpoint,
)

#: The shape of payloads. A change that breaks readers gets a new date, and old endpoints keep theirs.
API_VERSION = "2026-01-01"

#: An event is shown in the feed, oldest first, once it is so old: longer than a unit of work lasts.
SETTLED_AFTER = timedelta(seconds=10)

_SECRET = "webhook_endpoint.secret"  # noqa: S105  # nosec B105
_OPEN = (DeliveryState.PENDING.value, DeliveryState.RETRYING.value)
_ALL_COLUMNS = tuple(endpoints.c)
_OPEN_COLUMNS = tuple(c for c in endpoints.c if c.name not in ("secret", "previous_secret"))


class SqlEvents(Events):
    """Events of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(
        self,
        type_: str,
        object_id: UUID,
        snapshot: Json,
        previous: Json | None = None,
        *,
        to: UUID | None = None,
        besides: UUID | None = None,
    ) -> UUID:
        call, id_ = self._tx.call, self._tx.new_id()
        request = {
            "id": call.request_id if call else None,
            "idempotency_key": call.idempotency.key if call and call.idempotency else None,
        }
        payload = {
            "id": encode(Prefix.EVENT, id_),
            "type": type_,
            "timestamp": moment(self._tx.now),
            "api_version": API_VERSION,
            "business": encode(Prefix.BUSINESS, self._tx.scope.business_id),
            "livemode": self._tx.scope.livemode,
            "initiator": encode(Prefix.PLATFORM, call.owner_id) if call and call.owner_id else None,
            "request": request,
            "data": {"object": snapshot, "previous_attributes": previous},
        }
        # `sequence` is counted by the database, when the unit closes and the object's row is locked.
        recorded: Json = {"id": str(id_), "type": type_, "object_id": str(object_id), "payload": payload}
        if to is not None:
            recorded["to"] = str(to)
        elif besides is not None:
            recorded["besides"] = str(besides)
        self._tx.events.append(recorded)
        return id_

    def get(self, event_id: UUID) -> Event:
        return _event(self._tx.get(events, event_id, "event"))

    def page(self, page: Page) -> tuple[Sequence[Event], bool]:
        asked = [*filtered(events, page, "type", "object_id"), *_wanted(self._tx, page)]
        if not page.filters.get("oldest_first"):
            rows, more = self._tx.page(events, page, *asked)
            return [_event(row) for row in rows], more
        return self._feed(page, asked)

    def _feed(self, page: Page, asked: list[ColumnElement[bool]]) -> tuple[Sequence[Event], bool]:
        """Oldest first, for whoever reads on from a cursor.

        Two transactions may commit in another order than their ids: what is only just made waits a moment, so that a
        reader doesn't pass by one that comes later under an earlier id.
        """
        asked.append(events.c.id < first_id(self._tx.real_time() - SETTLED_AFTER))
        back = replace(page, starting_after=None, ending_before=page.starting_after or UUID(int=0))
        rows, more = self._tx.page(events, back, *asked)
        return [_event(row) for row in reversed(rows)], more

    def between(self, since: datetime, until: datetime, after: UUID | None, limit: int) -> Sequence[Event]:
        stmt = select(events).where(self._tx.own(events), events.c.created >= since, events.c.created <= until)
        if after is not None:
            stmt = stmt.where(events.c.id > after)
        return [_event(row) for row in self._tx.conn.execute(stmt.order_by(events.c.id).limit(limit))]

    def types(self, event_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        wanted = select(events.c.id, events.c.type).where(self._tx.own(events), events.c.id.in_(event_ids))
        return {row.id: row.type for row in self._tx.conn.execute(wanted)}


def scope_of_event(engine: Engine, event_id: UUID) -> Scope | None:
    """Whose event that is; operators alone see all."""
    with engine.connect() as conn:
        row = conn.execute(select(events.c.business_id, events.c.livemode).where(events.c.id == event_id)).first()
    return None if row is None else Scope(business_id=row.business_id, livemode=row.livemode)


def _wanted(tx: Transaction, page: Page) -> list[ColumnElement[bool]]:
    """The filters that aren't columns: several types and families, and what was told to one endpoint."""
    found: list[ColumnElement[bool]] = []
    if types := page.filters.get("types"):
        exact = [word for word in types if not word.endswith("*")]
        families = [events.c.type.startswith(word[:-1], autoescape=True) for word in types if word.endswith(".*")]
        if "*" not in types:
            found.append(or_(events.c.type.in_(exact), *families))
    if endpoint_id := page.filters.get("endpoint_id"):
        told = select(deliveries.c.event_id).where(tx.own(deliveries), deliveries.c.endpoint_id == endpoint_id)
        found.append(events.c.id.in_(told))
    return found


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        type=row.type,
        object_id=row.object_id,
        sequence=row.sequence,
        payload=row.payload,
    )


class SqlEndpoints(Endpoints):
    """Webhook endpoints of the unit's business and mode. A role that may not read secrets gets an empty one."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._columns = _ALL_COLUMNS if tx.reads_secrets else _OPEN_COLUMNS

    def add(self, endpoint: WebhookEndpoint) -> None:
        row = {"id": endpoint.id, "created": endpoint.created, "version": endpoint.version, **_shown(endpoint)}
        row["secret"] = self._tx.seal(endpoint.secret, _SECRET)
        self._tx.add(endpoints, row)

    def get(self, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
        row = self._tx.get(endpoints, endpoint_id, "webhook endpoint", columns=self._columns, lock=lock)
        if row.deleted_at is not None:
            raise NotFound("there is no such webhook endpoint")
        return self._endpoint(row)

    def save(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        return self._tx.saved(endpoints, endpoint, _shown(endpoint))

    def rotate(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """The database itself keeps the secret before: web, which does this, may not read it."""
        secret = {"secret": self._tx.seal(endpoint.secret, _SECRET), "previous_until": endpoint.previous_until}
        return self._tx.saved(endpoints, endpoint, {**_shown(endpoint), **secret})

    def delete(self, endpoint_id: UUID) -> None:
        """The row stays for the log, without its secret."""
        self.get(endpoint_id)
        now, tx = self._tx.now, self._tx
        ended = (
            update(deliveries)
            .where(tx.own(deliveries), deliveries.c.endpoint_id == endpoint_id, deliveries.c.state.in_(_OPEN))
            .values(
                state=DeliveryState.EXHAUSTED.value,
                last_error="endpoint_deleted",
                next_try_at=None,
                updated=now,
                version=deliveries.c.version + 1,
            )
            .returning(deliveries.c.id)
        )
        for row in tx.conn.execute(ended):
            tx.due.append({"kind": "webhook.deliver", "subject_id": str(row.id)})
        gone = update(endpoints).where(tx.own(endpoints), endpoints.c.id == endpoint_id)
        off = EndpointState.DISABLED.value
        tx.conn.execute(gone.values(deleted_at=now, secret=None, state=off, updated=now))

    def page(self, page: Page) -> tuple[Sequence[WebhookEndpoint], bool]:
        rows, more = self._tx.page(endpoints, page, endpoints.c.deleted_at.is_(None), columns=self._columns)
        return [self._endpoint(row) for row in rows], more

    def _endpoint(self, row: Row[Any]) -> WebhookEndpoint:
        return WebhookEndpoint(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            metadata=row.metadata,
            url=row.url,
            secret=(self._tx.open(row.secret, _SECRET) or "") if self._tx.reads_secrets else "",
            enabled_events=tuple(row.enabled_events),
            description=row.description,
            payload=PayloadStyle(row.payload),
            state=EndpointState(row.state),
            disabled_for=row.disabled_for,
            disabled_at=row.disabled_at,
            failing_since=row.failing_since,
            slow_until=row.slow_until,
            previous_secret=self._tx.open(row.previous_secret, _SECRET) if self._tx.reads_secrets else None,
            previous_until=row.previous_until,
        )


def _shown(one: WebhookEndpoint) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "metadata": dict(one.metadata),
        "url": one.url,
        "enabled_events": list(one.enabled_events),
        "description": one.description,
        "payload": one.payload.value,
        "state": one.state.value,
        "disabled_for": one.disabled_for,
        "disabled_at": one.disabled_at,
        "failing_since": one.failing_since,
        "slow_until": one.slow_until,
    }


class SqlDeliveries(Deliveries):
    """Deliveries of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, delivery_id: UUID, *, lock: bool = False) -> Delivery:
        return _delivery(self._tx.get(deliveries, delivery_id, "delivery", lock=lock))

    def save(self, delivery: Delivery, *, duration_ms: int | None = None) -> Delivery:
        saved = self._tx.saved(deliveries, delivery, _written(delivery))
        if delivery.tries > delivery.earlier_tries:
            row = {"id": self._tx.new_id(), "delivery_id": delivery.id, "number": delivery.tries}
            row |= {"at": delivery.last_tried_at or self._tx.now, "status": delivery.last_status}
            self._tx.added_once(tries, {**row, "error": delivery.last_error, "duration_ms": duration_ms})
        return saved

    def tries(self, delivery_id: UUID) -> Sequence[DeliveryTry]:
        made = select(tries).where(self._tx.own(tries), tries.c.delivery_id == delivery_id).order_by(tries.c.number)
        return [
            DeliveryTry(number=r.number, at=r.at, status=r.status, error=r.error, duration_ms=r.duration_ms)
            for r in self._tx.conn.execute(made)
        ]

    def again(self, endpoint_id: UUID, event_ids: Sequence[UUID], *, missed: bool) -> Sequence[UUID]:
        tx = self._tx
        known = {row.event_id: row for row in tx.conn.execute(self._of(endpoint_id, event_ids))}
        gone = DeliveryState.EXHAUSTED.value
        old = [row for row in known.values() if not missed or row.state == gone]
        for row in old:
            again = _delivery(row).reopened(tx.now)
            tx.saved(deliveries, again, _written(again))
        made: list[dict[str, Any]] = [
            {
                "id": tx.new_id(),
                "created": tx.now,
                "updated": tx.now,
                "version": 1,
                "event_id": event_id,
                "endpoint_id": endpoint_id,
                "state": DeliveryState.PENDING.value,
                "tries": 0,
                "next_try_at": tx.now,
                **tx.whose(),
            }
            for event_id in event_ids
            if event_id not in known
        ]
        if made:
            tx.conn.execute(deliveries.insert(), made)
        return [row.id for row in old] + [row["id"] for row in made]

    def _of(self, endpoint_id: UUID, event_ids: Sequence[UUID]) -> Select[Any]:
        mine = self._tx.own(deliveries), deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id.in_(event_ids)
        return select(deliveries).where(*mine).order_by(deliveries.c.id).with_for_update(key_share=True)

    def page(self, endpoint_id: UUID, page: Page) -> tuple[Sequence[Delivery], bool]:
        criteria = filtered(deliveries, page, "state", "event_id")
        rows, more = self._tx.page(deliveries, page, deliveries.c.endpoint_id == endpoint_id, *criteria)
        return [_delivery(row) for row in rows], more


def _written(one: Delivery) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "state": one.state.value,
        "tries": one.tries,
        "earlier_tries": one.earlier_tries,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "last_tried_at": one.last_tried_at,
        "next_try_at": one.next_try_at,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        event_id=row.event_id,
        endpoint_id=row.endpoint_id,
        state=DeliveryState(row.state),
        tries=row.tries,
        earlier_tries=row.earlier_tries,
        last_status=row.last_status,
        last_error=row.last_error,
        last_tried_at=row.last_tried_at,
        next_try_at=row.next_try_at,
    )
