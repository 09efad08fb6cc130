"""/v1/refunds, and what was paid too much."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.payments import blueprint as payments
from gateway.adapters.web.schemas.base import expanding, list_query, listing
from gateway.adapters.web.schemas.fields import Choice, Id
from gateway.adapters.web.schemas.payments import PaymentSchema
from gateway.adapters.web.schemas.refunds import (
    REFUND_STATES,
    REFUNDS,
    KeptExcessSchema,
    NewRefundSchema,
    RefundSchema,
)
from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.domain.ids import Prefix

blueprint = Blueprint("refunds", "/v1/refunds", "Money of a payment back to who paid it.")


def _refund(text: str) -> Any:
    return named(Prefix.REFUND, text)


@blueprint.path("")
class Refunds(MethodView):
    """All refunds of the business in the key's mode."""

    @blueprint.body(
        NewRefundSchema(),
        example={"payment": "pay_01JD0000000000000000000000", "amount": 10000, "reason": "returned goods"},
    )
    @blueprint.gives(201, RefundSchema())
    @idempotent(201, required=True)
    def post(self, body: Json) -> Json:
        """Refund a payment, all or a part of it

        Without an amount the excess of an overpaid payment goes back, else all that is left. Never more than arrived.
        """
        to = body.get("destination") or {}
        return use_cases().refunds.create(
            NewRefund(
                payment_id=body["payment"],
                amount=body.get("amount"),
                destination_kind=to.get("type"),
                account=to.get("phone"),
                reason=body.get("reason"),
                metadata=body.get("metadata") or {},
            ),
            call(),
        )

    @blueprint.query(
        listing("Refund", Prefix.REFUND, expand=("attempts",), status=Choice(REFUND_STATES), payment=Id(Prefix.PAYMENT))
    )
    @blueprint.gives(200, REFUNDS)
    def get(self, asked: Json) -> Response:
        """List refunds, newest first"""
        return answer(use_cases().refunds.read.page(list_query(asked, status="state", payment="payment_id"), call()))


@blueprint.path("/<refund_id>")
class OneRefund(MethodView):
    """One refund."""

    @blueprint.query(expanding("Refund", "attempts"))
    @blueprint.gives(200, RefundSchema())
    def get(self, asked: Json, refund_id: str) -> Response:
        """Read a refund"""
        return answer(use_cases().refunds.read.get(_refund(refund_id), call(), asked.get("expand", ())))


@blueprint.path("/<refund_id>/cancel")
class CancelOne(MethodView):
    """The end before it was sent."""

    @blueprint.no_body()
    @blueprint.gives(200, RefundSchema())
    @idempotent(200)
    def post(self, refund_id: str) -> Json:
        """Cancel a refund that wasn't sent

        The reservation goes back to where it came from.
        """
        return use_cases().refunds.cancel(_refund(refund_id), call())


@payments.path("/<payment_id>/accept_overpayment")
class AcceptOverpayment(MethodView):
    """The excess, kept."""

    @payments.body(KeptExcessSchema(), required=False, example={"amount": 10000})
    @payments.gives(200, PaymentSchema())
    @idempotent(200, required=True)
    def post(self, body: Json, payment_id: str) -> Json:
        """Keep what was paid too much

        The fee that is due on it is taken, and the rest becomes available. To give it back, refund the payment.
        """
        return use_cases().refunds.accept_overpayment(named(Prefix.PAYMENT, payment_id), body.get("amount"), call())
