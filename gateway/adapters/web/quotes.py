"""/v1/quotes"""

from __future__ import annotations

from flask.views import MethodView

from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.schemas.quotes import NewQuoteSchema, QuoteSchema
from gateway.application.interfaces import Json
from gateway.application.quotes import QuoteRequest
from gateway.domain.quotes import QuoteType

blueprint = Blueprint("quotes", "/v1/quotes", "What an order costs, and what a payout takes.")

_EXAMPLE = {"type": "payment", "amount": 150000, "currency": "KES", "method": "mpesa"}


@blueprint.path("")
class Quotes(MethodView):
    """Prices, held for a while."""

    @blueprint.body(NewQuoteSchema(), example=_EXAMPLE)
    @blueprint.gives(201, QuoteSchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Ask what a payment or a payout costs

        The price holds until `expires_at`: send the quote's id when you confirm the payment or create the payout.
        """
        type_ = QuoteType(body["type"])
        pays_in = type_ is QuoteType.PAYMENT
        return use_cases().refunds.quote(
            QuoteRequest(
                type=type_,
                amount=None if body["amount"] == "max" else body["amount"],
                currency=body["currency"],
                method=body.get("method", "mpesa") if pays_in else body.get("destination", "mpesa_phone"),
                bearer=body.get("bearer"),
            ),
            call(),
        )
