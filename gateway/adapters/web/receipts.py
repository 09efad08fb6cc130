"""/v1/receipts: money that arrived, and what nobody has claimed yet."""

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
from gateway.adapters.web.schemas.fields import Choice, Id
from gateway.adapters.web.schemas.payments import RECEIPT_STATES, RECEIPTS, ReceiptSchema
from gateway.adapters.web.schemas.receipts import AssignmentSchema
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("receipts", "/v1/receipts", "Money that arrived, each sum once.")


def _receipt(text: str) -> Any:
    return named(Prefix.RECEIPT, text)


@blueprint.path("")
class Receipts(MethodView):
    """All receipts of the business in the key's mode."""

    @blueprint.query(listing("Receipt", Prefix.RECEIPT, status=Choice(RECEIPT_STATES), payment=Id(Prefix.PAYMENT)))
    @blueprint.gives(200, RECEIPTS)
    def get(self, asked: Json) -> Response:
        """List receipts, newest first

        With `status=unmatched`: money in suspense whose payer typed a reference that begins with your tag.
        """
        return answer(use_cases().receipts.read.page(list_query(asked, payment="payment_id"), call()))


@blueprint.path("/<receipt_id>")
class OneReceipt(MethodView):
    """One receipt."""

    @blueprint.gives(200, ReceiptSchema())
    def get(self, receipt_id: str) -> Response:
        """Read a receipt"""
        return answer(use_cases().receipts.read.get(_receipt(receipt_id), call()))


@blueprint.path("/<receipt_id>/assign")
class Assignment(MethodView):
    """Whose the money of an unmatched receipt is."""

    @blueprint.body(AssignmentSchema(), example={"payment": "pay_01JD0000000000000000000000"})
    @blueprint.gives(200, ReceiptSchema())
    @idempotent(200, required=True)
    def post(self, body: Json, receipt_id: str) -> Json:
        """Give an unmatched receipt to a payment

        Once: the money leaves suspense and counts towards the payment as if it had been paid to it.
        """
        return use_cases().receipts.assign(_receipt(receipt_id), body["payment"], call())
