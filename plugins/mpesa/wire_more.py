"""The rest of Daraja's bodies: C2B, questions about a receipt, Pull, reversal, balances, paying organisations.

Source: Daraja portal, December 2025 and August 2026; the misspelt `Reciever…` is Daraja's, and so is `Coversation`.
"""

from __future__ import annotations

from datetime import datetime

from plugins.mpesa.wire import EAT, clean

BALANCE_PATH = "/mpesa/accountbalance/v1/query"
B2B_PATH = "/mpesa/b2b/v1/paymentrequest"
HOLDER_PATH = "/sfcverify/v1/query/info"
PULL_PATH = "/pulltransactions/v1/query"
PULL_REGISTER_PATH = "/pulltransactions/v1/register"
REVERSAL_PATH = "/mpesa/reversal/v1/request"

_PAYBILL, _TILL, _REVERSED = "4", "2", "11"


def register_path(version: str) -> str:
    """Where C2B URLs are told, for `v1` or `v2`."""
    return f"/mpesa/c2b/{version}/registerurl"


def register_body(*, shortcode: str, confirmation: str, validation: str, response_type: str) -> dict[str, object]:
    """Our two addresses. `response_type` is what M-Pesa does when validation can't be reached."""
    return {
        "ShortCode": shortcode,
        "ResponseType": response_type,
        "ConfirmationURL": confirmation,
        "ValidationURL": validation,
    }


def receipt_status_body(
    *, receipt: str, shortcode: str, initiator: str, credential: str, reply_url: str
) -> dict[str, object]:
    """The question what became of the transaction with that receipt."""
    return {
        "Initiator": initiator,
        "SecurityCredential": credential,
        "CommandID": "TransactionStatusQuery",
        "TransactionID": receipt,
        "PartyA": int(shortcode),
        "IdentifierType": _PAYBILL,
        "ResultURL": reply_url,
        "QueueTimeOutURL": reply_url,
        "Remarks": "Status",
        "Occasion": "",
    }


def reversal_body(
    *, receipt: str, amount: int, shortcode: str, initiator: str, credential: str, text: str, reply_url: str
) -> dict[str, object]:
    """Take a customer's payment back to him; `amount` in whole shillings."""
    return {
        "Initiator": initiator,
        "SecurityCredential": credential,
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": amount,
        "ReceiverParty": int(shortcode),
        "RecieverIdentifierType": _REVERSED,
        "ResultURL": reply_url,
        "QueueTimeOutURL": reply_url,
        "Remarks": clean(text, least=2, most=100, otherwise="Refund"),
    }


def balance_body(*, shortcode: str, initiator: str, credential: str, reply_url: str) -> dict[str, object]:
    """What our pockets hold."""
    return {
        "Initiator": initiator,
        "SecurityCredential": credential,
        "CommandID": "AccountBalance",
        "PartyA": int(shortcode),
        "IdentifierType": _PAYBILL,
        "Remarks": "Balance",
        "QueueTimeOutURL": reply_url,
        "ResultURL": reply_url,
    }


def pull_body(*, shortcode: str, since: datetime, until: datetime, offset: int) -> dict[str, object]:
    """Customers' payments of a window of at most 48 hours, from row `offset` on."""
    return {
        "ShortCode": shortcode,
        "StartDate": _local(since),
        "EndDate": _local(until),
        "OffSetValue": str(offset),
    }


def pull_register_body(*, shortcode: str, nominated_number: str, reply_url: str) -> dict[str, object]:
    """Ask once to be allowed to pull."""
    return {
        "ShortCode": shortcode,
        "RequestType": "Pull",
        "NominatedNumber": nominated_number,
        "CallBackURL": reply_url,
    }


def b2b_body(
    *,
    command: str,
    receiver: str,
    receiver_type: str,
    amount: int,
    shortcode: str,
    initiator: str,
    credential: str,
    reference: str,
    text: str,
    reply_url: str,
) -> dict[str, object]:
    """A payment to another organisation, or between our own pockets; `amount` in whole shillings."""
    return {
        "Initiator": initiator,
        "SecurityCredential": credential,
        "CommandID": command,
        "SenderIdentifierType": _PAYBILL,
        "RecieverIdentifierType": receiver_type,
        "Amount": amount,
        "PartyA": int(shortcode),
        "PartyB": int(receiver),
        "AccountReference": clean(reference, least=1, most=13, otherwise="Payout"),
        "Remarks": clean(text, least=2, most=100, otherwise="Payout"),
        "QueueTimeOutURL": reply_url,
        "ResultURL": reply_url,
    }


def holder_body(*, number: str, is_till: bool) -> dict[str, object]:
    """Whose a paybill or till is."""
    return {"IdentifierType": _TILL if is_till else _PAYBILL, "Identifier": number}


def _local(moment: datetime) -> str:
    return moment.astimezone(EAT).strftime("%Y-%m-%d %H:%M:%S")
