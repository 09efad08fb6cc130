"""/v1/checkout/sessions"""

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
from gateway.adapters.web.schemas.checkout import SESSIONS, CheckoutSessionSchema, NewCheckoutSessionSchema
from gateway.adapters.web.schemas.fields import Id
from gateway.application.commands import NewSession
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("checkout_sessions", "/v1/checkout/sessions", "The hosted page of one payment.")

_EXAMPLE = {
    "amount": 150000,
    "currency": "KES",
    "description": "Two bags of coffee",
    "line_items": [{"name": "Coffee, 500 g", "amount": 75000}, {"name": "Coffee, 500 g", "amount": 75000}],
    "success_url": "https://shop.example/thanks",
    "cancel_url": "https://shop.example/cart",
}


def _session(text: str) -> Any:
    return named(Prefix.CHECKOUT_SESSION, text)


@blueprint.path("")
class Sessions(MethodView):
    """All sessions of the business in the key's mode."""

    @blueprint.body(NewCheckoutSessionSchema(), example=_EXAMPLE)
    @blueprint.gives(201, CheckoutSessionSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create a session and its payment

        `url` is the page; send the shopper there. It is shown in this answer alone, and in its replay under the same
        Idempotency-Key.
        """
        return use_cases().checkout.create(
            NewSession(
                amount=body["amount"],
                currency=body["currency"],
                description=body.get("description"),
                reference=body.get("reference"),
                metadata=body.get("metadata") or {},
                success_url=body.get("success_url"),
                cancel_url=body.get("cancel_url"),
                line_items=tuple((line["name"], line["amount"]) for line in body.get("line_items") or ()),
                expires_in_s=body.get("expires_in"),
            ),
            call(),
        )

    @blueprint.query(listing("CheckoutSession", Prefix.CHECKOUT_SESSION, payment=Id(Prefix.PAYMENT)))
    @blueprint.gives(200, SESSIONS)
    def get(self, asked: Json) -> Response:
        """List sessions, newest first"""
        return answer(use_cases().checkout.read.page(list_query(asked, payment="payment_id"), call()))


@blueprint.path("/<session_id>")
class OneSession(MethodView):
    """One session."""

    @blueprint.gives(200, CheckoutSessionSchema())
    def get(self, session_id: str) -> Response:
        """Read a session"""
        return answer(use_cases().checkout.read.get(_session(session_id), call()))


@blueprint.path("/<session_id>/expire")
class ExpireOne(MethodView):
    """Its early end."""

    @blueprint.no_body()
    @blueprint.gives(200, CheckoutSessionSchema())
    @idempotent(200)
    def post(self, session_id: str) -> Json:
        """End a session early

        Its payment is canceled; refused while a prompt is out.
        """
        return use_cases().checkout.expire(_session(session_id), call())
