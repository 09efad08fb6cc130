"""mpesa-node 0.1.3, Safaricom's own for Node.js, of 2018: every API of its time, by positional arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.sandbox.clients import shapes
from tests.plugins.sandbox.clients.line import Daraja, Library, Raised
from tests.plugins.sandbox.customers import BULK, COUNTERPARTY, PAYBILL


@pytest.fixture(scope="module")
def mpesa(node: list[str], daraja: Daraja) -> Iterator[Library]:
    settings = {
        "consumerKey": daraja.keys["consumer_key"],
        "consumerSecret": daraja.keys["consumer_secret"],
        "environment": "sandbox",
        "shortCode": PAYBILL,
        "initiatorName": daraja.keys["initiator_name"],
        "lipaNaMpesaShortCode": PAYBILL,
        "lipaNaMpesaShortPass": daraja.keys["passkey"],
        "securityCredential": daraja.keys["initiator_password"],
        "certPath": daraja.keys["certificate_file"],
    }
    library = Library([*node, "mpesa-node"], settings, daraja.environment)
    yield library
    library.close()


def ends(daraja: Daraja, path: str) -> tuple[str, str]:
    """The library's order: where a time-out is told, then where the result is."""
    return daraja.at(path + "/late"), daraja.at(path)


def ids(answer: dict[str, Any]) -> tuple[str, str]:
    assert (answer["status"], answer["data"]["ResponseCode"]) == (200, "0")
    return answer["data"]["ConversationID"], answer["data"]["OriginatorConversationID"]


def refused(raised: pytest.ExceptionInfo[Raised]) -> tuple[int, str]:
    return raised.value.told["status"], raised.value.told["data"]["errorMessage"]


def test_token(mpesa: Library) -> None:
    answer = mpesa("oAuth")
    assert (len(answer["data"]["access_token"]), answer["data"]["expires_in"]) == (28, "3599")


def test_push_query_and_callback(mpesa: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    accepted = mpesa("lipaNaMpesaOnline", phone, 120, daraja.at("/push"), "INV-2041", "Order")["data"]
    assert accepted["ResponseCode"] == "0"
    with pytest.raises(Raised) as pending:
        mpesa("lipaNaMpesaQuery", accepted["CheckoutRequestID"])
    assert refused(pending) == (500, "The transaction is being processed")
    daraja.sandbox.control.decide(str(phone))
    shapes.paid(daraja.news("/push"), accepted["CheckoutRequestID"], 120, phone)
    assert mpesa("lipaNaMpesaQuery", accepted["CheckoutRequestID"])["data"]["ResultCode"] == "0"


def test_the_librarys_own_description_is_too_long(mpesa: Library, daraja: Daraja) -> None:
    with pytest.raises(Raised) as raised:
        mpesa("lipaNaMpesaOnline", daraja.phone(), 120, daraja.at("/no"), "INV-2041")
    assert refused(raised) == (400, "Bad Request - Invalid Remarks")
    assert daraja.last.body["TransactionDesc"] == "Lipa na mpesa online"


def test_c2b_is_registered_simulated_and_confirmed(mpesa: Library, daraja: Daraja) -> None:
    answer = mpesa("c2bRegister", daraja.at("/c2b/confirm"), daraja.at("/c2b/validate"))
    assert set(answer["data"]) == {"OriginatorCoversationID", "ResponseCode", "ResponseDescription"}
    phone = daraja.phone()
    assert mpesa("c2bSimulate", phone, 75, "INV-7")["data"]["ResponseCode"] == "0"
    shapes.confirmed(daraja.news("/c2b/confirm"), 75, "INV-7", phone)


def test_b2c_then_its_status(mpesa: Library, daraja: Daraja) -> None:
    answer = mpesa("b2c", int(BULK), daraja.phone(), 1000, *ends(daraja, "/b2c"))
    assert daraja.last.path == "/mpesa/b2c/v1/paymentrequest"
    told = shapes.done(daraja.news("/b2c"), *ids(answer), shapes.B2C)
    asked = mpesa("transactionStatus", told["TransactionReceipt"], int(BULK), 4, *ends(daraja, "/status"))
    found = shapes.answered(daraja.news("/status"), *ids(asked), shapes.STATUS)
    assert (found["ReceiptNo"], found["TransactionStatus"]) == (told["TransactionReceipt"], "Completed")


def test_b2b_by_the_librarys_own_command_is_refused(mpesa: Library, daraja: Daraja) -> None:
    with pytest.raises(Raised) as raised:
        mpesa("b2b", int(BULK), int(COUNTERPARTY), 239, *ends(daraja, "/b2b/own"))
    assert refused(raised) == (400, "Bad Request - Invalid CommandID")
    assert daraja.last.body["CommandID"] == "BusinessToBusinessTransfer"


def test_b2b_to_a_paybill(mpesa: Library, daraja: Daraja) -> None:
    parties = (int(BULK), int(COUNTERPARTY), 239, *ends(daraja, "/b2b"))
    answer = mpesa("b2b", *parties, 4, 4, None, "BusinessPayBill", "353353")
    told = shapes.done(daraja.news("/b2b"), *ids(answer), shapes.B2B)
    assert (told["Amount"], told["Currency"]) == ("239.00", "KES")


def test_account_balance(mpesa: Library, daraja: Daraja) -> None:
    answer = mpesa("accountBalance", int(BULK), 4, *ends(daraja, "/balance"))
    told = shapes.answered(daraja.news("/balance"), *ids(answer), shapes.BALANCE)
    assert told["AccountBalance"].startswith("Working Account|KES|")


def test_reversal(mpesa: Library, daraja: Daraja) -> None:
    receipt = daraja.sandbox.control.pay(str(daraja.phone()), 80, shortcode=PAYBILL, account="INV-8")["receipt"]
    answer = mpesa("reversal", receipt, 80, *ends(daraja, "/reversal"))
    told = shapes.done(daraja.news("/reversal"), *ids(answer), shapes.REVERSAL)
    assert told["OriginalTransactionID"] == receipt
