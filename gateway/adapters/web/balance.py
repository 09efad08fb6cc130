"""/v1/balance, /v1/balance_transactions and /v1/business: what a business has, and who it is."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.balance import TRANSACTIONS, BalanceSchema, BalanceTransactionSchema, BusinessSchema
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.adapters.web.schemas.fields import Text
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix

blueprint = Blueprint("balance", "/v1", "The business's money by the books, to the last minor unit.")
business_blueprint = Blueprint("business", "/v1/business", "The business of the key.")


@blueprint.path("/balance")
class Balance(MethodView):
    """The six buckets."""

    @blueprint.gives(200, BalanceSchema())
    def get(self) -> Response:
        """Read the balance"""
        return answer(use_cases().balances.now(call()))


@blueprint.path("/balance_transactions")
class BalanceTransactions(MethodView):
    """All that moved the balance."""

    @blueprint.query(listing("BalanceTransaction", Prefix.BALANCE_TRANSACTION, kind=Text(64)))
    @blueprint.gives(200, TRANSACTIONS)
    def get(self, asked: Json) -> Response:
        """List balance transactions, newest first"""
        return answer(use_cases().balances.transactions(list_query(asked), call()))


@blueprint.path("/balance_transactions/<transaction_id>")
class OneBalanceTransaction(MethodView):
    """One move."""

    @blueprint.gives(200, BalanceTransactionSchema())
    def get(self, transaction_id: str) -> Response:
        """Read a balance transaction"""
        return answer(use_cases().balances.transaction(named(Prefix.BALANCE_TRANSACTION, transaction_id), call()))


@business_blueprint.path("")
class Business(MethodView):
    """The business itself."""

    @business_blueprint.gives(200, BusinessSchema())
    def get(self) -> Response:
        """Read the business of the key"""
        return answer(use_cases().balances.business(call()))
