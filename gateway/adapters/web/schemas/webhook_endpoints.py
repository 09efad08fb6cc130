"""Webhook endpoints and deliveries: what may be asked, and what is shown."""

from __future__ import annotations

from marshmallow import fields, validate

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    Shown,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Choice, Flag, Metadata, Moment, Several, Text, Whole
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import OVERLAP_MAX_S, DeliveryState, EndpointState, PayloadStyle

_EVENTS = {"description": "Exact types, families (`payout.*`), or `*` for all."}


_STYLES = tuple(style.value for style in PayloadStyle)
_DAY_S = 24 * 3600


def _style_field() -> Choice:
    about = "`full`: the object as it was at the change; `thin`: its id and kind, the rest is read by API."
    return Choice(_STYLES, allow_none=True, metadata={"description": about})


def _events_field() -> Several:
    return Several(Text(80), allow_none=True, validate=validate.Length(min=1, max=100), metadata=dict(_EVENTS))


class NewWebhookEndpointSchema(Body):
    """Where to send webhooks."""

    url = Text(2000, required=True)
    enabled_events = _events_field()
    description = Text(500, allow_none=True)
    payload = _style_field()
    metadata = Metadata(allow_none=True)


class WebhookEndpointChangeSchema(Body):
    """What to change; what isn't sent, or null, stays."""

    url = Text(2000, allow_none=True)
    enabled_events = _events_field()
    description = Text(500, allow_none=True)
    enabled = Flag(allow_none=True, metadata={"description": "True sends what was open, and what it missed."})
    payload = _style_field()
    metadata = Metadata(allow_none=True)


class RotateSecretSchema(Body):
    """A new secret."""

    overlap_s = Whole(
        0,
        OVERLAP_MAX_S,
        load_default=_DAY_S,
        metadata={"description": "For so many seconds webhooks are signed under the old secret as well; a day."},
    )


class NewReplaySchema(Body):
    """Which events to send again, under the ids that they had."""

    since = Moment(required=True)
    until = Moment(allow_none=True)
    types = _events_field()


class WebhookEndpointSchema(Owned):
    """Where webhooks go."""

    id = shown_id(Prefix.WEBHOOK_ENDPOINT)
    object = shown_word(("webhook_endpoint",))
    url = shown_text()
    description = shown_text(null=True)
    enabled_events = fields.List(fields.String(), required=True)
    status = shown_word(tuple(state.value for state in EndpointState))
    disabled_reason = shown_text("`by_owner`, `gone` (it answered 410) or `failing`.", null=True)
    disabled_at = shown_moment(null=True)
    failing_since = shown_moment("The first failed try since one was taken.", null=True)
    payload = shown_word(_STYLES)
    previous_secret_until = shown_moment("Until then the secret before signs as well.", null=True)
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


class TrySchema(Shown):
    """One send of a delivery; the receiver's body is never kept."""

    number = shown_whole("Counts from 1.")
    at = shown_moment()
    status = shown_whole("The answer's HTTP status.", null=True)
    error = shown_text("What went wrong when no answer came: a word like `timeout` or `blocked`.", null=True)
    duration_ms = shown_whole(null=True)


class OneDeliverySchema(DeliverySchema):
    """A delivery with each of its tries."""

    attempts = fields.List(fields.Nested(TrySchema), required=True)


class WebhookTestSchema(Shown):
    """A test event on its way."""

    object = shown_word(("webhook_test",))
    event = shown_id(Prefix.EVENT)
    webhook_endpoint = shown_id(Prefix.WEBHOOK_ENDPOINT)


class ReplaySchema(Owned):
    """Events of a span, sent to one endpoint again."""

    id = shown_id(Prefix.WEBHOOK_REPLAY)
    object = shown_word(("webhook_replay",))
    webhook_endpoint = shown_id(Prefix.WEBHOOK_ENDPOINT)
    since = shown_moment()
    until = shown_moment()
    types = fields.List(fields.String(), required=True)
    missed_only = shown_flag("True when enabling the endpoint began it: what was taken is left alone.")
    resent = shown_whole("How many were made due so far.")
    status = shown_word(("running", "done"))


ENDPOINTS = list_of(WebhookEndpointSchema(), "WebhookEndpointList")
DELIVERIES = list_of(DeliverySchema(), "DeliveryList")
