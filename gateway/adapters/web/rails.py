"""/v1/rails: the ways to pay and to be paid, what each can do, and whether it works at the moment."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.schemas.rails import RailListSchema

blueprint = Blueprint("rails", "/v1/rails", "The ways to pay and to be paid that are connected.")


@blueprint.path("")
class Rails(MethodView):
    """All of them."""

    @blueprint.gives(200, RailListSchema())
    def get(self) -> Response:
        """List the ways to pay and to be paid

        Each says what it can do and whether something new is taken at the moment. The list comes in one page.
        """
        return answer(use_cases().rails(call()))
