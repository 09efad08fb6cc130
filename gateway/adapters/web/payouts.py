"""/v1/payouts"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.base import expanding, list_query, listing
from gateway.adapters.web.schemas.fields import Choice, Text
from gateway.adapters.web.schemas.payouts import (
    PAYOUT_ATTEMPTS,
    PAYOUT_STATES,
    PAYOUTS,
    NewPayoutSchema,
    PayoutSchema,
)
from gateway.adapters.web.schemas.timeline import TIMELINE
from gateway.application.commands import NewPayout
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("payouts", "/v1/payouts", "Money out of the available balance, to a phone.")

_EXAMPLE = {
    "amount": 100000,
    "currency": "KES",
    "destination": {"type": "mpesa_phone", "phone": "0712 345 678"},
    "reference": "week-47",
}


def _payout(text: str) -> Any:
    return named(Prefix.PAYOUT, text)


@blueprint.path("")
class Payouts(MethodView):
    """All payouts of the business in the key's mode."""

    @blueprint.body(NewPayoutSchema(), example=_EXAMPLE)
    @blueprint.gives(201, PayoutSchema())
    @idempotent(201, required=True)
    def post(self, body: Json) -> Json:
        """Create a payout

        Amount and fee are reserved at once, or the payout is refused with `insufficient_funds`.
        """
        destination = body["destination"]
        return use_cases().payouts.create(
            NewPayout(
                amount=body["amount"],
                currency=body["currency"],
                destination_kind=destination["type"],
                account=destination["phone"],
                description=body.get("description"),
                reference=body.get("reference"),
                metadata=body.get("metadata") or {},
                quote_id=body.get("quote"),
            ),
            call(),
        )

    @blueprint.query(
        listing("Payout", Prefix.PAYOUT, expand=("attempts",), status=Choice(PAYOUT_STATES), reference=Text(100))
    )
    @blueprint.gives(200, PAYOUTS)
    def get(self, asked: Json) -> Response:
        """List payouts, newest first"""
        return answer(use_cases().payouts.read.page(list_query(asked, status="state"), call()))


@blueprint.path("/<payout_id>")
class OnePayout(MethodView):
    """One payout."""

    @blueprint.query(expanding("Payout", "attempts"))
    @blueprint.gives(200, PayoutSchema())
    def get(self, asked: Json, payout_id: str) -> Response:
        """Read a payout"""
        return answer(use_cases().payouts.read.get(_payout(payout_id), call(), asked.get("expand", ())))


@blueprint.path("/<payout_id>/cancel")
class CancelOne(MethodView):
    """The end before it was sent."""

    @blueprint.no_body()
    @blueprint.gives(200, PayoutSchema())
    @idempotent(200)
    def post(self, payout_id: str) -> Json:
        """Cancel a payout that wasn't sent

        The reservation goes back to the available balance.
        """
        return use_cases().payouts.cancel(_payout(payout_id), call())


@blueprint.path("/<payout_id>/refresh")
class RefreshOne(MethodView):
    """The question to the provider."""

    @blueprint.no_body()
    @blueprint.gives(200, PayoutSchema())
    @idempotent(200)
    def post(self, payout_id: str) -> Json:
        """Ask the provider again, soon"""
        return use_cases().payouts.refresh(_payout(payout_id), call())


@blueprint.path("/<payout_id>/retry")
class RetryOne(MethodView):
    """Another go for what waits."""

    @blueprint.no_body()
    @blueprint.gives(200, PayoutSchema())
    @idempotent(200)
    def post(self, payout_id: str) -> Json:
        """Hurry a queued payout

        What is on its way, unknown or decided is never sent again.
        """
        return use_cases().payouts.retry(_payout(payout_id), call())


@blueprint.path("/<payout_id>/attempts")
class Attempts(MethodView):
    """Its instructions."""

    @blueprint.gives(200, PAYOUT_ATTEMPTS)
    def get(self, payout_id: str) -> Response:
        """List a payout's attempts, oldest first"""
        return answer(use_cases().payouts.read.attempts(_payout(payout_id), call()))


@blueprint.path("/<payout_id>/timeline")
class Timeline(MethodView):
    """Its story."""

    @blueprint.gives(200, TIMELINE)
    def get(self, payout_id: str) -> Response:
        """List all that happened to a payout, oldest first"""
        return answer(use_cases().payouts.read.timeline(_payout(payout_id), call()))
