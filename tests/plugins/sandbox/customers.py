"""What a merchant with a paybill, a till and an operator asks for: bodies of C2B, Pull, reversal and B2B calls."""

from __future__ import annotations

from typing import Any

from tests.plugins.sandbox.merchant import PHONE, Merchant

REGISTER = "/mpesa/c2b/v2/registerurl"
SIMULATE = "/mpesa/c2b/v2/simulate"
PULL = "/pulltransactions/v1/query"
PULL_REGISTER = "/pulltransactions/v1/register"
REVERSAL = "/mpesa/reversal/v1/request"
B2B = "/mpesa/b2b/v1/paymentrequest"
PAYBILL, STORE, TILL, BULK, COUNTERPARTY = "174379", "600996", "600997", "600992", "600000"
CONFIRMED, ASKED = "/c2b/confirm", "/c2b/validate"


def urls_body(merchant: Merchant, shortcode: str = PAYBILL, **changes: Any) -> dict[str, Any]:
    return {
        "ShortCode": shortcode,
        "ResponseType": "Completed",
        "ConfirmationURL": merchant.inbox.url + CONFIRMED,
        "ValidationURL": merchant.inbox.url + ASKED,
        **changes,
    }


def register(merchant: Merchant, shortcode: str = PAYBILL, *, path: str = REGISTER, **changes: Any) -> dict[str, Any]:
    reply = merchant.post(path, urls_body(merchant, shortcode, **changes))
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def pay(merchant: Merchant, amount: int = 500, account: str = "INV-9", phone: str = PHONE, **where: Any) -> str:
    """The receipt of a payment by hand, to the paybill unless told otherwise."""
    where = where or {"shortcode": PAYBILL}
    found: str = merchant.control.post("pay", phone=phone, amount=amount, account=account, **where)["receipt"]
    return found


def confirmed(merchant: Merchant) -> list[dict[str, Any]]:
    return merchant.inbox.at(CONFIRMED)


def pull_body(**changes: Any) -> dict[str, Any]:
    body = {
        "ShortCode": PAYBILL,
        "StartDate": "2026-11-24 00:00:00",
        "EndDate": "2026-11-25 00:00:00",
        "OffSetValue": "0",
    }
    return {**body, **changes}


def pull_registered(merchant: Merchant, shortcode: str = PAYBILL) -> dict[str, Any]:
    body = {
        "ShortCode": shortcode,
        "RequestType": "Pull",
        "NominatedNumber": merchant.keys["nominated_number"],
        "CallBackURL": f"{merchant.inbox.url}/pulled",
    }
    found: dict[str, Any] = merchant.post(PULL_REGISTER, body).json()
    return found


def reversal_body(merchant: Merchant, receipt: str, amount: int = 500, **changes: Any) -> dict[str, Any]:
    body = {
        "Initiator": "testapi",
        "SecurityCredential": merchant.keys["security_credential"],
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": amount,
        "ReceiverParty": PAYBILL,
        "RecieverIdentifierType": "11",
        "ResultURL": f"{merchant.inbox.url}/cb/order",
        "QueueTimeOutURL": f"{merchant.inbox.url}/cb/order-timeout",
        "Remarks": "returned goods",
    }
    return {**body, **changes}


def reverse(merchant: Merchant, receipt: str, amount: int = 500, **changes: Any) -> dict[str, Any]:
    """Order a reversal, wait, and give the result that was posted."""
    return ordered(merchant, REVERSAL, reversal_body(merchant, receipt, amount, **changes))


def b2b_body(merchant: Merchant, **changes: Any) -> dict[str, Any]:
    body = {
        "Initiator": "testapi",
        "SecurityCredential": merchant.keys["security_credential"],
        "CommandID": "BusinessPayBill",
        "SenderIdentifierType": "4",
        "RecieverIdentifierType": "4",
        "Amount": 239,
        "PartyA": int(BULK),
        "PartyB": int(COUNTERPARTY),
        "AccountReference": "353353",
        "Requester": PHONE,
        "Remarks": "settlement",
        "QueueTimeOutURL": f"{merchant.inbox.url}/cb/order-timeout",
        "ResultURL": f"{merchant.inbox.url}/cb/order",
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def b2b(merchant: Merchant, **changes: Any) -> dict[str, Any]:
    """Order a payment, wait, and give the result that was posted."""
    return ordered(merchant, B2B, b2b_body(merchant, **changes))


def ordered(merchant: Merchant, path: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = merchant.post(path, body)
    assert reply.status_code == 200, reply.text
    merchant.control.advance(1)
    result: dict[str, Any] = merchant.inbox.at("/cb/order")[-1]["Result"]
    assert result["ConversationID"] == reply.json()["ConversationID"]
    return result


def balances(merchant: Merchant, shortcode: str = PAYBILL) -> dict[str, float]:
    found: dict[str, float] = merchant.control.get("state")["balances"][shortcode]
    return found
