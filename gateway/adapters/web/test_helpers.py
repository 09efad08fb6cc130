"""/v1/test_helpers: what only a sandbox installation offers, and only to test keys."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, desk
from gateway.adapters.web.schemas.test_helpers import AdvanceSchema, ClockSchema
from gateway.adapters.web.settings import TestClock
from gateway.application.interfaces import Json
from gateway.application.representations import moment
from gateway.domain.errors import NotFound

blueprint = Blueprint("test_helpers", "/v1/test_helpers", "Help for tests; sandbox installations and test keys only.")


def _clock() -> TestClock:
    clock = desk().settings.test_clock
    if clock is None or call().livemode:
        raise NotFound("test helpers exist in a sandbox installation and for test keys only")
    return clock


def _shown(clock: TestClock) -> Json:
    return {"object": "test_clock", "now": moment(clock.now())}


@blueprint.path("/clock")
class Clock(MethodView):
    """The installation's clock."""

    @blueprint.gives(200, ClockSchema())
    def get(self) -> Response:
        """Read the test clock"""
        return answer(_shown(_clock()))


@blueprint.path("/clock/advance")
class AdvanceClock(MethodView):
    """Time goes one way."""

    @blueprint.body(AdvanceSchema(), example={"seconds": 90})
    @blueprint.gives(200, ClockSchema())
    def post(self, body: Json) -> Response:
        """Move the test clock forward

        For everybody in the installation; work that becomes due is done within a second.
        """
        clock = _clock()
        clock.advance(body["seconds"])
        return answer(_shown(clock))
