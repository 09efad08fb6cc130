"""/v1/events"""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.events import EVENTS, EventSchema
from gateway.adapters.web.schemas.fields import Choice
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import EVENT_TYPES

blueprint = Blueprint("events", "/v1/events", "What happened; what webhooks tell, and what to read after an outage.")


@blueprint.path("")
class Events(MethodView):
    """All events of the business in the key's mode."""

    @blueprint.query(listing("Event", Prefix.EVENT, type=Choice(EVENT_TYPES)))
    @blueprint.gives(200, EVENTS)
    def get(self, asked: Json) -> Response:
        """List events, newest first"""
        return answer(use_cases().events.page(list_query(asked), call()))


@blueprint.path("/<event_id>")
class OneEvent(MethodView):
    """One event."""

    @blueprint.gives(200, EventSchema())
    def get(self, event_id: str) -> Response:
        """Read an event"""
        return answer(use_cases().events.get(named(Prefix.EVENT, event_id), call()))
