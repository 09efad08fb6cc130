"""/v1/events"""

from __future__ import annotations

from flask import Response, g
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.events import EVENTS, EventSchema
from gateway.adapters.web.schemas.fields import Choice, Id, Text
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Json
from gateway.application.webhooks import checked_events
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import EVENT_TYPES

blueprint = Blueprint("events", "/v1/events", "What happened; what webhooks tell, and what to read after an outage.")


_ASKED = listing(
    "Event",
    Prefix.EVENT,
    type=Choice(EVENT_TYPES),
    types=Text(2000, metadata={"description": "Types and families, joined by commas: `payment.*,payout.paid`."}),
    endpoint=Id(Prefix.WEBHOOK_ENDPOINT, metadata={"description": "Those that were told to this endpoint."}),
    order=Choice(("desc", "asc"), metadata={"description": "`asc` is oldest first."}),
)


def _of_platform(asked: Json) -> ListQuery:
    """A platform's feed of all its businesses takes a type and a cursor. Raises Invalid for other filters."""
    other = sorted(set(asked) - {"type", "limit", "starting_after", "ending_before"})
    if other:
        detail = "name a business in Gateway-Business for this filter; all businesses' events take `type` and a cursor"
        raise Invalid(detail, param=f"/{other[0]}")
    return list_query(asked)


@blueprint.path("")
class Events(MethodView):
    """All events of the business in the key's mode."""

    @blueprint.query(_ASKED)
    @blueprint.gives(200, EVENTS)
    def get(self, asked: Json) -> Response:
        """List events, newest first

        To follow them, ask for `order=asc` and go on from the last one seen with `starting_after`: an event appears
        in this order ten seconds after it was made, and none is passed by.
        """
        asked = dict(asked)
        if words := asked.pop("types", None):
            asked["types"] = checked_events(tuple(w.strip() for w in words.split(",")), "/types")
        if asked.pop("order", "desc") == "asc":
            if "ending_before" in asked:
                raise Invalid("order=asc goes on with starting_after", param="/ending_before")
            asked["oldest_first"] = True
        if call().business_id == HOUSE:
            return answer(use_cases().businesses.events(_of_platform(asked), g.key, call()))
        return answer(use_cases().events.page(list_query(asked, endpoint="endpoint_id"), call()))


@blueprint.path("/<event_id>")
class OneEvent(MethodView):
    """One event."""

    @blueprint.gives(200, EventSchema())
    def get(self, event_id: str) -> Response:
        """Read an event"""
        wanted = named(Prefix.EVENT, event_id)
        if call().business_id == HOUSE:
            return answer(use_cases().businesses.event(wanted, g.key, call()))
        return answer(use_cases().events.get(wanted, call()))
