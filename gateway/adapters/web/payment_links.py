"""/v1/payment_links"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.qr_codes import qr_answer
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.payment_links import (
    PAYMENT_LINKS,
    NewPaymentLinkSchema,
    PaymentLinkChangeSchema,
    PaymentLinkSchema,
)
from gateway.application.interfaces import Json
from gateway.application.payment_links import LinkChange, NewLink
from gateway.domain.ids import Prefix

blueprint = Blueprint("payment_links", "/v1/payment_links", "Addresses that make a payment each time they are used.")

_EXAMPLE = {"amount": 50000, "currency": "KES", "description": "Membership, one month", "max_uses": 100}


def _link(text: str) -> Any:
    return named(Prefix.PAYMENT_LINK, text)


@blueprint.path("")
class Links(MethodView):
    """All links of the business in the key's mode."""

    @blueprint.body(NewPaymentLinkSchema(), example=_EXAMPLE)
    @blueprint.gives(201, PaymentLinkSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create a payment link

        With an `amount`, or without one for a sum that the visitor types. Each visitor who pays gets a session and a
        payment of their own.
        """
        return use_cases().links.create(NewLink(**body), call())

    @blueprint.query(listing("PaymentLink", Prefix.PAYMENT_LINK))
    @blueprint.gives(200, PAYMENT_LINKS)
    def get(self, asked: Json) -> Response:
        """List payment links, newest first"""
        return answer(use_cases().links.page(list_query(asked), call()))


@blueprint.path("/<link_id>")
class OneLink(MethodView):
    """One link."""

    @blueprint.gives(200, PaymentLinkSchema())
    def get(self, link_id: str) -> Response:
        """Read a payment link"""
        return answer(use_cases().links.get(_link(link_id), call()))

    @blueprint.body(PaymentLinkChangeSchema(), example={"active": False})
    @blueprint.gives(200, PaymentLinkSchema())
    def patch(self, body: Json, link_id: str) -> Response:
        """Change a payment link

        Its sum never changes; make another link for another sum.
        """
        return answer(use_cases().links.change(LinkChange(link_id=_link(link_id), fields=body), call()))


def _qr(link_id: str, form: str) -> Response:
    return qr_answer(use_cases().links.get(_link(link_id), call())["url"], form)


@blueprint.path("/<link_id>/qr.svg")
class LinkQrSvg(MethodView):
    """The link's address, to be printed."""

    @blueprint.shows(200, "image/svg+xml", "A QR code of the link's `url`.")
    def get(self, link_id: str) -> Response:
        """Get a payment link's QR code as SVG"""
        return _qr(link_id, "svg")


@blueprint.path("/<link_id>/qr.png")
class LinkQrPng(MethodView):
    """The link's address, to be shown."""

    @blueprint.shows(200, "image/png", "A QR code of the link's `url`.")
    def get(self, link_id: str) -> Response:
        """Get a payment link's QR code as PNG"""
        return _qr(link_id, "png")
