"""/v1/payments"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import fields

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import expanding, list_query, listing
from gateway.adapters.web.schemas.fields import Choice, Id, Text
from gateway.adapters.web.schemas.payments import (
    ATTEMPTS,
    PAYMENT_STATES,
    PAYMENTS,
    RECEIPTS,
    ConfirmationSchema,
    NewPaymentSchema,
    PaymentSchema,
)
from gateway.adapters.web.schemas.timeline import TIMELINE
from gateway.application.commands import Confirmation, NewPayment
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("payments", "/v1/payments", "Money in: an order's promise, kept by any number of attempts.")

_EXAMPLE = {
    "amount": 150000,
    "currency": "KES",
    "description": "Two bags of coffee",
    "reference": "order-1001",
    "metadata": {"cart": "8841"},
}
_CONFIRM_EXAMPLE = {"payment_method": {"type": "mpesa", "phone": "0712 345 678"}}

_FILTERS: dict[str, fields.Field[Any]] = {
    "status": Choice(PAYMENT_STATES),
    "reference": Text(100),
    "customer": Id(Prefix.CUSTOMER),
}


def _payment(text: str) -> Any:
    return named(Prefix.PAYMENT, text)


@blueprint.path("")
class Payments(MethodView):
    """All payments of the business in the key's mode."""

    @blueprint.body(NewPaymentSchema(), example=_EXAMPLE)
    @blueprint.gives(201, PaymentSchema())
    @idempotent(201, required=True)
    def post(self, body: Json) -> Json:
        """Create a payment

        Nothing is asked of the shopper yet: confirm it with a phone number.
        """
        return use_cases().payments.create(
            NewPayment(
                amount=body["amount"],
                currency=body["currency"],
                description=body.get("description"),
                reference=body.get("reference"),
                metadata=body.get("metadata") or {},
                expires_in_s=body.get("expires_in"),
            ),
            call(),
        )

    @blueprint.query(listing("Payment", Prefix.PAYMENT, expand=("attempts",), **_FILTERS))
    @blueprint.gives(200, PAYMENTS)
    def get(self, asked: Json) -> Response:
        """List payments, newest first"""
        query = list_query(asked, status="state", customer="customer_id")
        return answer(use_cases().payments.read.page(query, call()))


@blueprint.path("/<payment_id>")
class OnePayment(MethodView):
    """One payment."""

    @blueprint.query(expanding("Payment", "attempts", "receipts", "refunds"))
    @blueprint.gives(200, PaymentSchema())
    def get(self, asked: Json, payment_id: str) -> Response:
        """Read a payment"""
        return answer(use_cases().payments.read.get(_payment(payment_id), call(), asked.get("expand", ())))


@blueprint.path("/<payment_id>/confirm")
class ConfirmOne(MethodView):
    """The prompt."""

    @blueprint.body(ConfirmationSchema(), example=_CONFIRM_EXAMPLE)
    @blueprint.gives(200, PaymentSchema())
    @idempotent(200, required=True)
    def post(self, body: Json, payment_id: str) -> Json:
        """Send the prompt to a phone

        Answers `requires_action` at once; a worker sends the prompt. While a prompt is out a second one is refused with
        `attempt_outcome_unknown`. After its window a further one needs `acknowledge_unknown_attempt`.
        """
        method = body["payment_method"]
        return use_cases().payments.confirm(
            Confirmation(
                payment_id=_payment(payment_id),
                method=method["type"],
                phone=method.get("phone"),
                acknowledge_unknown=body["acknowledge_unknown_attempt"],
                quote_id=body.get("quote"),
            ),
            call(),
        )


@blueprint.path("/<payment_id>/cancel")
class CancelOne(MethodView):
    """The end without money."""

    @blueprint.no_body()
    @blueprint.gives(200, PaymentSchema())
    @idempotent(200)
    def post(self, payment_id: str) -> Json:
        """Cancel a payment

        Possible only while nobody can be paying it: a sent prompt can't be recalled.
        """
        return use_cases().payments.cancel(_payment(payment_id), call())


@blueprint.path("/<payment_id>/refresh")
class RefreshOne(MethodView):
    """The question to the provider."""

    @blueprint.no_body()
    @blueprint.gives(200, PaymentSchema())
    @idempotent(200)
    def post(self, payment_id: str) -> Json:
        """Ask the provider again, soon

        Answers the payment as it stands; a worker asks, and an event tells what it learnt.
        """
        return use_cases().payments.refresh(_payment(payment_id), call())


@blueprint.path("/<payment_id>/attempts")
class Attempts(MethodView):
    """Its tries."""

    @blueprint.gives(200, ATTEMPTS)
    def get(self, payment_id: str) -> Response:
        """List a payment's attempts, oldest first"""
        return answer(use_cases().payments.read.attempts(_payment(payment_id), call()))


@blueprint.path("/<payment_id>/receipts")
class Receipts(MethodView):
    """Its money."""

    @blueprint.gives(200, RECEIPTS)
    def get(self, payment_id: str) -> Response:
        """List the money that arrived for a payment, oldest first"""
        return answer(use_cases().payments.read.receipts(_payment(payment_id), call()))


@blueprint.path("/<payment_id>/timeline")
class Timeline(MethodView):
    """Its story."""

    @blueprint.gives(200, TIMELINE)
    def get(self, payment_id: str) -> Response:
        """List all that happened to a payment, oldest first"""
        return answer(use_cases().payments.read.timeline(_payment(payment_id), call()))
