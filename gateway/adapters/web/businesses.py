"""/v1/businesses"""

from __future__ import annotations

from uuid import UUID

from flask import Response, g
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.balance import BusinessSchema
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.businesses import BUSINESSES, BusinessChangeSchema, NewBusinessSchema
from gateway.application.interfaces import Json, KeyFound
from gateway.application.platforms import NewBusiness
from gateway.domain.ids import Prefix

blueprint = Blueprint("businesses", "/v1/businesses", "The businesses of a platform, for its own keys.")

_EXAMPLE = {"name": "Duka la Njeri", "shop_tag": "NJERI", "support_contact": "help@njeri.example", "settlement": "T+1"}


def _business(text: str) -> UUID:
    return named(Prefix.BUSINESS, text)


def _by() -> KeyFound:
    found: KeyFound = g.key
    return found


@blueprint.path("")
class Businesses(MethodView):
    """All businesses of the platform."""

    @blueprint.body(NewBusinessSchema(), example=_EXAMPLE)
    @blueprint.gives(201, BusinessSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create a business

        It may be used in test mode at once; the operator opens live mode.
        """
        return use_cases().businesses.create(NewBusiness(**body), _by(), call())

    @blueprint.query(listing("Business", Prefix.BUSINESS))
    @blueprint.gives(200, BUSINESSES)
    def get(self, asked: Json) -> Response:
        """List businesses, newest first"""
        return answer(use_cases().businesses.page(list_query(asked), _by(), call()))


@blueprint.path("/<business_id>")
class OneBusiness(MethodView):
    """One business."""

    @blueprint.gives(200, BusinessSchema())
    def get(self, business_id: str) -> Response:
        """Read a business"""
        return answer(use_cases().businesses.get(_business(business_id), _by(), call()))

    @blueprint.body(BusinessChangeSchema(), example={"support_contact": "+254 20 000 0000"})
    @blueprint.gives(200, BusinessSchema())
    def patch(self, body: Json, business_id: str) -> Response:
        """Change a business"""
        return answer(use_cases().businesses.change(_business(business_id), body, _by(), call()))
