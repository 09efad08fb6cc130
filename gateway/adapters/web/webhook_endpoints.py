"""/v1/webhook_endpoints"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.fields import Choice
from gateway.adapters.web.schemas.webhook_endpoints import (
    DELIVERIES,
    ENDPOINTS,
    DeliverySchema,
    NewReplaySchema,
    NewWebhookEndpointSchema,
    OneDeliverySchema,
    ReplaySchema,
    RotateSecretSchema,
    WebhookEndpointChangeSchema,
    WebhookEndpointSchema,
    WebhookTestSchema,
)
from gateway.application.commands import EndpointChange, NewEndpoint
from gateway.application.interfaces import Json
from gateway.application.webhooks import checked_events
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import DeliveryState

blueprint = Blueprint("webhook_endpoints", "/v1/webhook_endpoints", "Where webhooks go, by Standard Webhooks.")

_EXAMPLE = {"url": "https://shop.example/hooks", "enabled_events": ["payment.succeeded", "payout.*"]}


def _endpoint(text: str) -> Any:
    return named(Prefix.WEBHOOK_ENDPOINT, text)


@blueprint.path("")
class Endpoints(MethodView):
    """All endpoints of the business in the key's mode."""

    @blueprint.body(NewWebhookEndpointSchema(), example=_EXAMPLE)
    @blueprint.gives(201, WebhookEndpointSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create an endpoint

        `secret` is shown in this answer alone, and in its replay under the same Idempotency-Key.
        """
        return use_cases().endpoints.create(
            NewEndpoint(
                url=body["url"],
                enabled_events=tuple(body.get("enabled_events") or ("*",)),
                description=body.get("description"),
                metadata=body.get("metadata") or {},
                payload=body.get("payload") or "full",
            ),
            call(),
        )

    @blueprint.query(listing("WebhookEndpoint", Prefix.WEBHOOK_ENDPOINT))
    @blueprint.gives(200, ENDPOINTS)
    def get(self, asked: Json) -> Response:
        """List endpoints, newest first"""
        return answer(use_cases().endpoints.page(list_query(asked), call()))


@blueprint.path("/<endpoint_id>")
class OneEndpoint(MethodView):
    """One endpoint."""

    @blueprint.gives(200, WebhookEndpointSchema())
    def get(self, endpoint_id: str) -> Response:
        """Read an endpoint"""
        return answer(use_cases().endpoints.get(_endpoint(endpoint_id), call()))

    @blueprint.body(WebhookEndpointChangeSchema(), example={"enabled": False})
    @blueprint.gives(200, WebhookEndpointSchema())
    def patch(self, body: Json, endpoint_id: str) -> Response:
        """Change an endpoint"""
        events = body.get("enabled_events")
        change = EndpointChange(
            endpoint_id=_endpoint(endpoint_id),
            url=body.get("url"),
            enabled_events=None if events is None else tuple(events),
            description=body.get("description"),
            enabled=body.get("enabled"),
            metadata=body.get("metadata"),
            payload=body.get("payload"),
        )
        return answer(use_cases().endpoints.change(change, call()))

    @blueprint.gives(204)
    def delete(self, endpoint_id: str) -> Response:
        """Delete an endpoint

        Its open deliveries end.
        """
        use_cases().endpoints.delete(_endpoint(endpoint_id), call())
        return Response(status=204)


@blueprint.path("/<endpoint_id>/deliveries")
class Deliveries(MethodView):
    """What was told to it."""

    @blueprint.query(listing("Delivery", Prefix.DELIVERY, status=Choice(tuple(state.value for state in DeliveryState))))
    @blueprint.gives(200, DELIVERIES)
    def get(self, asked: Json, endpoint_id: str) -> Response:
        """List an endpoint's deliveries, newest first"""
        query = list_query(asked, status="state")
        return answer(use_cases().endpoints.deliveries(_endpoint(endpoint_id), query, call()))


@blueprint.path("/<endpoint_id>/deliveries/<delivery_id>")
class OneDelivery(MethodView):
    """One delivery."""

    @blueprint.gives(200, OneDeliverySchema())
    def get(self, endpoint_id: str, delivery_id: str) -> Response:
        """Read a delivery with each of its tries"""
        return answer(use_cases().endpoints.delivery(_endpoint(endpoint_id), _delivery(delivery_id), call()))


@blueprint.path("/<endpoint_id>/deliveries/<delivery_id>/redeliver")
class RedeliverOne(MethodView):
    """One delivery again."""

    @blueprint.no_body()
    @blueprint.gives(200, DeliverySchema())
    @idempotent(200)
    def post(self, endpoint_id: str, delivery_id: str) -> Json:
        """Send a delivery again

        Whatever came of it before: the same event under the same `webhook-id`, now.
        """
        return use_cases().resend.redeliver(_endpoint(endpoint_id), _delivery(delivery_id), call())


@blueprint.path("/<endpoint_id>/rotate_secret")
class RotateSecret(MethodView):
    """A new secret."""

    @blueprint.body(RotateSecretSchema(), required=False, example={"overlap_s": 86400})
    @blueprint.gives(200, WebhookEndpointSchema())
    @idempotent(200)
    def post(self, body: Json, endpoint_id: str) -> Json:
        """Give an endpoint a new secret

        For `overlap_s` seconds each webhook bears two signatures, so that a receiver which knows either verifies it.
        The new `secret` is shown in this answer alone.
        """
        return use_cases().endpoints.rotate(_endpoint(endpoint_id), body["overlap_s"], call())


@blueprint.path("/<endpoint_id>/test")
class TestEndpoint(MethodView):
    """A signed test event."""

    @blueprint.no_body()
    @blueprint.gives(202, WebhookTestSchema())
    @idempotent(202)
    def post(self, endpoint_id: str) -> Json:
        """Send a test event

        A signed `webhook_endpoint.test` goes to this endpoint alone; its delivery tells what came of it.
        """
        return use_cases().resend.test(_endpoint(endpoint_id), call())


@blueprint.path("/<endpoint_id>/replay")
class ReplayEvents(MethodView):
    """A span of events again."""

    @blueprint.body(NewReplaySchema(), example={"since": "2026-11-24T06:00:00Z", "types": ["payment.*"]})
    @blueprint.gives(202, ReplaySchema())
    @idempotent(202)
    def post(self, body: Json, endpoint_id: str) -> Json:
        """Send the events of a span again

        Those that the endpoint asks for, also when it took them before, under the same `webhook-id`s; of the last 30
        days, one replay of an endpoint at a time.
        """
        return use_cases().resend.replay(
            _endpoint(endpoint_id),
            call(),
            since=body["since"],
            until=body.get("until"),
            types=checked_events(tuple(body.get("types") or ("*",)), "/types"),
        )


@blueprint.path("/<endpoint_id>/replays/<replay_id>")
class OneReplay(MethodView):
    """One replay."""

    @blueprint.gives(200, ReplaySchema())
    def get(self, endpoint_id: str, replay_id: str) -> Response:
        """Read how far a replay has come"""
        found = use_cases().resend.read(_endpoint(endpoint_id), named(Prefix.WEBHOOK_REPLAY, replay_id), call())
        return answer(found)


def _delivery(text: str) -> Any:
    return named(Prefix.DELIVERY, text)
