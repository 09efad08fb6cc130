"""Webhook endpoints and deliveries: what may be asked, and what is shown."""

from __future__ import annotations

from marshmallow import fields, validate

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    list_of,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Flag, Metadata, Several, Text
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import DeliveryState, EndpointState

_EVENTS = {"description": "Exact types, families (`payout.*`), or `*` for all."}


def _events_field() -> Several:
    return Several(Text(80), allow_none=True, validate=validate.Length(min=1, max=100), metadata=dict(_EVENTS))


class NewWebhookEndpointSchema(Body):
    """Where to send webhooks."""

    url = Text(2000, required=True)
    enabled_events = _events_field()
    description = Text(500, allow_none=True)
    metadata = Metadata(allow_none=True)


class WebhookEndpointChangeSchema(Body):
    """What to change; what isn't sent, or null, stays."""

    url = Text(2000, allow_none=True)
    enabled_events = _events_field()
    description = Text(500, allow_none=True)
    enabled = Flag(allow_none=True)
    metadata = Metadata(allow_none=True)


class WebhookEndpointSchema(Owned):
    """Where webhooks go."""

    id = shown_id(Prefix.WEBHOOK_ENDPOINT)
    object = shown_word(("webhook_endpoint",))
    url = shown_text()
    description = shown_text(null=True)
    enabled_events = fields.List(fields.String(), required=True)
    status = shown_word(tuple(state.value for state in EndpointState))
    disabled_reason = shown_text(null=True)
    secret = shown_text("`whsec_…`, for the Standard Webhooks verifier; shown once, at creation.", null=True)


class DeliverySchema(Owned):
    """One telling of one event; the receiver's answer is kept without its body."""

    id = shown_id(Prefix.DELIVERY)
    object = shown_word(("delivery",))
    event = shown_id(Prefix.EVENT)
    event_type = shown_text(null=True)
    webhook_endpoint = shown_id(Prefix.WEBHOOK_ENDPOINT)
    status = shown_word(tuple(state.value for state in DeliveryState))
    tries = shown_whole()
    last_status = shown_whole("The last HTTP status.", null=True)
    last_error = shown_text(null=True)
    last_tried_at = shown_moment(null=True)
    next_try_at = shown_moment(null=True)


ENDPOINTS = list_of(WebhookEndpointSchema(), "WebhookEndpointList")
DELIVERIES = list_of(DeliverySchema(), "DeliveryList")
