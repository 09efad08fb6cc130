"""/v1/requests"""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.requests import LoggedRequestSchema
from gateway.domain.ids import Prefix

blueprint = Blueprint("requests", "/v1/requests", "What became of a call, by the id that every answer bears.")


@blueprint.path("/<request_id>")
class OneRequest(MethodView):
    """One call of the business's own."""

    @blueprint.gives(200, LoggedRequestSchema())
    def get(self, request_id: str) -> Response:
        """Read a logged call

        By its `Request-Id`, or the `request_id` of an error. It is there about a second after the answer.
        """
        return answer(use_cases().requests.get(named(Prefix.REQUEST, request_id), call()))
