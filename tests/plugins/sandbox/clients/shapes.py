"""The published shapes of what M-Pesa posts (Daraja portal, December 2025), held against what arrived."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from tests.plugins.sandbox.merchant import items, parameters

RESULT = ["ResultType", "ResultCode", "ResultDesc", "OriginatorConversationID", "ConversationID", "TransactionID"]
CONFIRMATION = [
    "TransactionType",
    "TransID",
    "TransTime",
    "TransAmount",
    "BusinessShortCode",
    "BillRefNumber",
    "InvoiceNumber",
    "OrgAccountBalance",
    "ThirdPartyTransID",
    "MSISDN",
    "FirstName",
    "MiddleName",
    "LastName",
]
B2C = {
    "TransactionAmount",
    "TransactionReceipt",
    "ReceiverPartyPublicName",
    "TransactionCompletedDateTime",
    "B2CUtilityAccountAvailableFunds",
    "B2CWorkingAccountAvailableFunds",
    "B2CRecipientIsRegisteredCustomer",
    "B2CChargesPaidAccountAvailableFunds",
}
B2B = {
    "DebitAccountBalance",
    "Amount",
    "DebitPartyAffectedAccountBalance",
    "TransCompletedTime",
    "DebitPartyCharges",
    "ReceiverPartyPublicName",
    "Currency",
    "InitiatorAccountCurrentBalance",
}
STATUS = {
    "DebitPartyName",
    "OriginatorConversationID",
    "InitiatedTime",
    "DebitAccountType",
    "DebitPartyCharges",
    "TransactionReason",
    "ReasonType",
    "TransactionStatus",
    "FinalisedTime",
    "Amount",
    "ConversationID",
    "ReceiptNo",
}
BALANCE = {"AccountBalance", "BOCompletedTime"}
REVERSAL = {
    "DebitAccountBalance",
    "Amount",
    "TransCompletedTime",
    "OriginalTransactionID",
    "Charge",
    "CreditPartyPublicName",
    "DebitPartyPublicName",
}
RECEIPT = re.compile(r"[A-Z0-9]{10}")


def paid(news: dict[str, Any], checkout_id: str, amount: int, phone: int) -> str:
    """The receipt of a push callback that says "paid"."""
    assert list(news) == ["Body"]
    callback = news["Body"]["stkCallback"]
    assert callback["CheckoutRequestID"] == checkout_id
    assert (callback["ResultCode"], callback["ResultDesc"]) == (0, "The service request is processed successfully.")
    assert [item["Name"] for item in callback["CallbackMetadata"]["Item"]] == [
        "Amount",
        "MpesaReceiptNumber",
        "Balance",
        "TransactionDate",
        "PhoneNumber",
    ]
    assert {"Name": "Balance"} in callback["CallbackMetadata"]["Item"]
    told = items(callback)
    assert (told["Amount"], told["PhoneNumber"], told["TransactionDate"] // 10**6) == (amount, phone, 20261124)
    assert RECEIPT.fullmatch(told["MpesaReceiptNumber"])
    receipt: str = told["MpesaReceiptNumber"]
    return receipt


def done(news: dict[str, Any], conversation_id: str, originator_id: str, keys: set[str]) -> dict[str, Any]:
    """The parameters of a result that says "done" of the order that was acknowledged with these ids."""
    assert RECEIPT.fullmatch(news["Result"]["TransactionID"])
    return _told(news, conversation_id, originator_id, keys)


def answered(news: dict[str, Any], conversation_id: str, originator_id: str, keys: set[str]) -> dict[str, Any]:
    """The parameters of a question's result: it has a placeholder for a receipt."""
    assert re.fullmatch(r"[A-Z0-9]{3}0000000", news["Result"]["TransactionID"])
    return _told(news, conversation_id, originator_id, keys)


def _told(news: dict[str, Any], conversation_id: str, originator_id: str, keys: set[str]) -> dict[str, Any]:
    assert list(news) == ["Result"]
    result = news["Result"]
    assert list(result) == [*RESULT, "ResultParameters", "ReferenceData"]
    assert (str(result["ResultCode"]), str(result["ResultType"])) == ("0", "0"), result
    assert (result["ConversationID"], result["OriginatorConversationID"]) == (conversation_id, originator_id)
    assert list(result["ResultParameters"]) == ["ResultParameter"]
    told = parameters(result)
    assert set(told) == keys
    return told


def failed(news: dict[str, Any], code: str) -> None:
    """A result that says why not, with a placeholder or a hollow id for a receipt."""
    result = news["Result"]
    assert list(result)[: len(RESULT)] == RESULT
    assert str(result["ResultCode"]) == code


def confirmed(news: dict[str, Any], amount: int, account: str, phone: int) -> str:
    """The receipt of a confirmation in the shape of C2B v1, which hashes the payer's number."""
    assert list(news) == CONFIRMATION
    assert (news["TransactionType"], news["TransAmount"], news["BillRefNumber"]) == (
        "Pay Bill",
        f"{amount}.00",
        account,
    )
    assert news["MSISDN"] == hashlib.sha256(str(phone).encode()).hexdigest()
    assert RECEIPT.fullmatch(news["TransID"])
    receipt: str = news["TransID"]
    return receipt
