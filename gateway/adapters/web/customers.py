"""/v1/customers"""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.customers import CUSTOMERS, CustomerSchema, NewCustomerSchema
from gateway.adapters.web.schemas.fields import Text
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("customers", "/v1/customers", "Shoppers, each known by one phone number.")

_EXAMPLE = {"phone": "0712 345 678", "name": "Wanjiru"}


@blueprint.path("")
class Customers(MethodView):
    """All customers of the business in the key's mode."""

    @blueprint.body(NewCustomerSchema(), example=_EXAMPLE)
    @blueprint.gives(201, CustomerSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create a customer, or fill in the one with this number

        What isn't sent stays as it is.
        """
        return use_cases().save_customer(
            call(),
            phone=body["phone"],
            name=body.get("name"),
            email=body.get("email"),
            metadata=body.get("metadata"),
        )

    @blueprint.query(listing("Customer", Prefix.CUSTOMER, phone=Text(40)))
    @blueprint.gives(200, CUSTOMERS)
    def get(self, asked: Json) -> Response:
        """List customers, newest first"""
        return answer(use_cases().customers.page(list_query(asked), call()))


@blueprint.path("/<customer_id>")
class OneCustomer(MethodView):
    """One customer."""

    @blueprint.gives(200, CustomerSchema())
    def get(self, customer_id: str) -> Response:
        """Read a customer"""
        return answer(use_cases().customers.get(named(Prefix.CUSTOMER, customer_id), call()))
