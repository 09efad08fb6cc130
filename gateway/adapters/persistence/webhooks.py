"""Events, webhook endpoints and deliveries as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence.tables import delivery as deliveries
from gateway.adapters.persistence.tables import delivery_try as tries
from gateway.adapters.persistence.tables import event as events
from gateway.adapters.persistence.tables import webhook_endpoint as endpoints
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import Deliveries, Endpoints, Events, Json, Page
from gateway.application.representations import moment
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import Delivery, DeliveryState, EndpointState, Event, WebhookEndpoint

#: The shape of payloads. A change that breaks readers gets a new date, and old endpoints keep theirs.
API_VERSION = "2026-01-01"

_SECRET = "webhook_endpoint.secret"  # noqa: S105  # nosec B105
_OPEN = (DeliveryState.PENDING.value, DeliveryState.RETRYING.value)


class SqlEvents(Events):
    """Events of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, type_: str, object_id: UUID, snapshot: Json, previous: Json | None = None) -> None:
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
            "request": request,
            "data": {"object": snapshot, "previous_attributes": previous},
        }
        # `sequence` is counted by the database, when the unit closes and the object's row is locked.
        self._tx.events.append({"id": str(id_), "type": type_, "object_id": str(object_id), "payload": payload})

    def get(self, event_id: UUID) -> Event:
        return _event(self._tx.get(events, event_id, "event"))

    def page(self, page: Page) -> tuple[Sequence[Event], bool]:
        rows, more = self._tx.page(events, page, *filtered(events, page, "type", "object_id"))
        return [_event(row) for row in rows], more

    def types(self, event_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        wanted = select(events.c.id, events.c.type).where(self._tx.own(events), events.c.id.in_(event_ids))
        return {row.id: row.type for row in self._tx.conn.execute(wanted)}


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
        self._columns = [c for c in endpoints.c if tx.reads_secrets or c.name != "secret"]

    def add(self, endpoint: WebhookEndpoint) -> None:
        row = {"id": endpoint.id, "created": endpoint.created, "version": endpoint.version, **self._written(endpoint)}
        self._tx.add(endpoints, row)

    def get(self, endpoint_id: UUID) -> WebhookEndpoint:
        row = self._tx.get(endpoints, endpoint_id, "webhook endpoint", columns=self._columns)
        if row.deleted_at is not None:
            raise NotFound("there is no such webhook endpoint")
        return self._endpoint(row)

    def save(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """An empty secret, as read by a role that may not see it, leaves the kept one."""
        return self._tx.saved(endpoints, endpoint, self._written(endpoint))

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

    def _written(self, one: WebhookEndpoint) -> dict[str, Any]:
        secret = {"secret": self._tx.seal(one.secret, _SECRET)} if one.secret else {}
        return {
            **secret,
            "updated": one.updated,
            "metadata": dict(one.metadata),
            "url": one.url,
            "enabled_events": list(one.enabled_events),
            "description": one.description,
            "state": one.state.value,
            "disabled_for": one.disabled_for,
        }

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
            state=EndpointState(row.state),
            disabled_for=row.disabled_for,
        )


class SqlDeliveries(Deliveries):
    """Deliveries of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, delivery_id: UUID, *, lock: bool = False) -> Delivery:
        return _delivery(self._tx.get(deliveries, delivery_id, "delivery", lock=lock))

    def save(self, delivery: Delivery) -> Delivery:
        saved = self._tx.saved(deliveries, delivery, _written(delivery))
        if delivery.tries:
            row = {"id": self._tx.new_id(), "delivery_id": delivery.id, "number": delivery.tries, **self._tx.whose()}
            row |= {"at": delivery.last_tried_at or self._tx.now, "status": delivery.last_status}
            logged = insert(tries).on_conflict_do_nothing()
            self._tx.conn.execute(logged, {**row, "error": delivery.last_error})
        return saved

    def page(self, endpoint_id: UUID, page: Page) -> tuple[Sequence[Delivery], bool]:
        criteria = filtered(deliveries, page, "state", "event_id")
        rows, more = self._tx.page(deliveries, page, deliveries.c.endpoint_id == endpoint_id, *criteria)
        return [_delivery(row) for row in rows], more


def _written(one: Delivery) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "state": one.state.value,
        "tries": one.tries,
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
        last_status=row.last_status,
        last_error=row.last_error,
        last_tried_at=row.last_tried_at,
        next_try_at=row.next_try_at,
    )
