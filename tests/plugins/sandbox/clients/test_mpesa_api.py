"""mpesa-api 3.0.2, for Node.js: all that Daraja had in 2021 but B2B, with Daraja's own field names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.sandbox.clients import shapes
from tests.plugins.sandbox.clients.line import Daraja, Library, Raised
from tests.plugins.sandbox.customers import BULK, PAYBILL


@pytest.fixture(scope="module")
def api(node: list[str], daraja: Daraja) -> Iterator[Library]:
    """The library seals the initiator's password itself, with the simulator's certificate."""
    settings = {
        "clientKey": daraja.keys["consumer_key"],
        "clientSecret": daraja.keys["consumer_secret"],
        "initiatorPassword": daraja.keys["initiator_password"],
        "certificatePath": daraja.keys["certificate_file"],
    }
    library = Library([*node, "mpesa-api"], settings, daraja.environment)
    yield library
    library.close()


def operator(daraja: Daraja, path: str) -> dict[str, Any]:
    return {
        "Initiator": daraja.keys["initiator_name"],
        "ResultURL": daraja.at(path),
        "QueueTimeOutURL": daraja.at(path + "/late"),
    }


def pushed(daraja: Daraja, phone: int, path: str, **changes: Any) -> dict[str, Any]:
    asked = {
        "BusinessShortCode": int(PAYBILL),
        "passKey": daraja.keys["passkey"],
        "TransactionType": "CustomerPayBillOnline",
        "TransactionDesc": "Order",
        "Amount": 120,
        "PartyA": str(phone),
        "PartyB": PAYBILL,
        "PhoneNumber": str(phone),
        "CallBackURL": daraja.at(path),
        "AccountReference": "INV-2041",
    }
    return {name: value for name, value in {**asked, **changes}.items() if value is not None}


def ids(answer: dict[str, Any]) -> tuple[str, str]:
    assert answer["ResponseCode"] == "0"
    return answer["ConversationID"], answer["OriginatorConversationID"]


def test_token(api: Library) -> None:
    assert len(api("authenticate")) == 28


def test_push_query_and_callback(api: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    accepted = api("lipaNaMpesaOnline", **pushed(daraja, phone, "/push"))
    assert accepted["ResponseCode"] == "0"
    asked = {"BusinessShortCode": int(PAYBILL), "passKey": daraja.keys["passkey"]}
    asked["CheckoutRequestID"] = accepted["CheckoutRequestID"]
    with pytest.raises(Raised) as pending:
        api("lipaNaMpesaQuery", **asked)
    assert (pending.value.told["status"], pending.value.told["data"]["errorCode"]) == (500, "500.001.1001")
    daraja.sandbox.control.decide(str(phone))
    shapes.paid(daraja.news("/push"), accepted["CheckoutRequestID"], 120, phone)
    assert api("lipaNaMpesaQuery", **asked)["ResultCode"] == "0"


def test_the_librarys_own_description_is_too_long(api: Library, daraja: Daraja) -> None:
    with pytest.raises(Raised) as refused:
        api("lipaNaMpesaOnline", **pushed(daraja, daraja.phone(), "/no", TransactionDesc=None))
    assert refused.value.told["data"]["errorCode"] == "400.002.02"
    assert daraja.last.body["TransactionDesc"] == "Lipa Na Mpesa Online"


def test_the_librarys_own_type_has_a_blank_at_its_end_and_is_taken(api: Library, daraja: Daraja) -> None:
    accepted = api("lipaNaMpesaOnline", **pushed(daraja, daraja.phone(), "/blank", TransactionType=None))
    assert accepted["ResponseCode"] == "0"
    assert daraja.last.body["TransactionType"] == "CustomerPayBillOnline "


def test_c2b_is_registered_simulated_and_confirmed(api: Library, daraja: Daraja) -> None:
    urls = {"ConfirmationURL": daraja.at("/c2b/confirm"), "ValidationURL": daraja.at("/c2b/validate")}
    answer = api("c2bRegister", ShortCode=PAYBILL, ResponseType="Completed", **urls)
    assert set(answer) == {"OriginatorCoversationID", "ResponseCode", "ResponseDescription"}
    phone = daraja.phone()
    asked = {"ShortCode": PAYBILL, "CommandID": "CustomerPayBillOnline", "Amount": 75, "Msisdn": phone}
    assert api("c2bSimulate", **asked, BillRefNumber="INV-7")["ResponseCode"] == "0"
    shapes.confirmed(daraja.news("/c2b/confirm"), 75, "INV-7", phone)


def test_b2c_then_its_status(api: Library, daraja: Daraja) -> None:
    answer = api(
        "b2c",
        **operator(daraja, "/b2c"),
        CommandID="BusinessPayment",
        Amount=1000,
        PartyA=BULK,
        PartyB=str(daraja.phone()),
        Remarks="wages",
        Occasion="November",
    )
    assert daraja.last.path == "/mpesa/b2c/v1/paymentrequest"
    told = shapes.done(daraja.news("/b2c"), *ids(answer), shapes.B2C)
    about = {"TransactionID": told["TransactionReceipt"], "PartyA": BULK, "IdentifierType": "4"}
    asked = api("transactionStatus", **operator(daraja, "/status"), **about)
    found = shapes.answered(daraja.news("/status"), *ids(asked), shapes.STATUS)
    assert (found["ReceiptNo"], found["TransactionStatus"]) == (told["TransactionReceipt"], "Completed")


def test_account_balance(api: Library, daraja: Daraja) -> None:
    answer = api("accountBalance", **operator(daraja, "/balance"), PartyA=BULK)
    told = shapes.answered(daraja.news("/balance"), *ids(answer), shapes.BALANCE)
    assert told["AccountBalance"].startswith("Working Account|KES|")


def test_reversal_needs_the_receiver_type_that_is_not_the_librarys_own(api: Library, daraja: Daraja) -> None:
    receipt = daraja.sandbox.control.pay(str(daraja.phone()), 80, shortcode=PAYBILL, account="INV-8")["receipt"]
    asked = {"TransactionID": receipt, "Amount": 80, "ReceiverParty": PAYBILL, **operator(daraja, "/reversal")}
    with pytest.raises(Raised) as refused:
        api("reversal", **asked)
    assert refused.value.told["data"]["errorMessage"] == "Bad Request - Invalid RecieverIdentifierType"
    assert daraja.last.body["RecieverIdentifierType"] == "4"
    answer = api("reversal", **asked, RecieverIdentifierType="11")
    told = shapes.done(daraja.news("/reversal"), *ids(answer), shapes.REVERSAL)
    assert told["OriginalTransactionID"] == receipt
