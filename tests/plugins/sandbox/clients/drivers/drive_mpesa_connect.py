"""mpesa-connect, by its services' names in small letters; its enums by their own."""

from typing import Any

from mpesa_connect import B2C, C2B, AccountBalance, App, Authorization, STKPush, TransactionStatus
from mpesa_connect.enums import IdentifierType, ResponseType, TransactionType
from talk import serve


def made(settings: dict[str, Any]) -> dict[str, Any]:
    app = App.create_sandbox(**settings)
    return {
        "authorization": Authorization(app),
        "stk_push": STKPush(app),
        "c2b": C2B(app),
        "b2c": B2C(app),
        "transaction_status": TransactionStatus(app),
        "account_balance": AccountBalance(app),
        "IdentifierType": IdentifierType,
        "ResponseType": ResponseType,
        "TransactionType": TransactionType,
    }


def shown(answer: Any) -> Any:
    """Each call gives a class of its own, with Daraja's fields in snake case."""
    fields = {name: value for name, value in vars(answer).items() if name != "response"}
    return {**fields, "status": answer.response.status_code}


serve(made, shown)
