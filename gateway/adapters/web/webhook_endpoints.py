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
    NewWebhookEndpointSchema,
    WebhookEndpointChangeSchema,
    WebhookEndpointSchema,
)
from gateway.application.commands import EndpointChange, NewEndpoint
from gateway.application.interfaces import Json
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
