"""Events: what is shown, and sent to webhook endpoints."""

from __future__ import annotations

from marshmallow import Schema, fields

from gateway.adapters.web.schemas.api_keys import ApiKeySchema
from gateway.adapters.web.schemas.balance import BusinessSchema
from gateway.adapters.web.schemas.base import (
    Shown,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.checkout import CheckoutSessionSchema
from gateway.adapters.web.schemas.payments import PaymentSchema, ReceiptSchema
from gateway.adapters.web.schemas.payouts import PayoutSchema
from gateway.adapters.web.schemas.refunds import RefundSchema
from gateway.adapters.web.schemas.webhook_endpoints import WebhookEndpointSchema
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import EVENT_TYPES


class RequestedSchema(Shown):
    """The call that caused an event; empty when no call did."""

    id = shown_text("Its Request-Id.", null=True)
    idempotency_key = shown_text(null=True)


class EventDataSchema(Shown):
    """The object as it was at the change."""

    object = fields.Dict(keys=fields.String(), required=True)
    previous_attributes = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class EventSchema(Shown):
    """A fact. Its payload is fixed at the change; what `/v1/events` shows is what webhooks carry."""

    id = shown_id(Prefix.EVENT)
    type = shown_word(EVENT_TYPES)
    timestamp = shown_moment()
    api_version = shown_text("The shape of `data.object`.")
    business = shown_id(Prefix.BUSINESS)
    livemode = shown_flag()
    sequence = shown_whole("Counts the events of one object, from 1.")
    initiator = shown_text("The platform whose key acted for the business; null when it acted itself.", null=True)
    request = fields.Nested(RequestedSchema, required=True)
    data = fields.Nested(EventDataSchema, required=True)


EVENTS = list_of(EventSchema(), "EventList")

_SNAPSHOTS: tuple[tuple[str, Schema], ...] = (
    ("checkout.session.", CheckoutSessionSchema()),
    ("payment.", PaymentSchema()),
    ("payout.", PayoutSchema()),
    ("refund.", RefundSchema()),
    ("receipt.", ReceiptSchema()),
    ("balance.", PaymentSchema()),
    ("webhook_endpoint.", WebhookEndpointSchema()),
    ("business.", BusinessSchema()),
    ("api_key.", ApiKeySchema()),
)


def snapshot_schema(type_: str) -> Schema:
    """The schema of the object that an event of the type carries."""
    return next(schema for prefix, schema in _SNAPSHOTS if type_.startswith(prefix))
