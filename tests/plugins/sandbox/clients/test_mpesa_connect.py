"""mpesa-connect 0.1.4, a plain Python library of 2023: Daraja's fields in snake case, B2C by its first version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.sandbox.clients import shapes
from tests.plugins.sandbox.clients.line import HERE, Daraja, Library
from tests.plugins.sandbox.customers import BULK, PAYBILL


@pytest.fixture(scope="module")
def connect(python: str, daraja: Daraja) -> Iterator[Library]:
    settings = {name: daraja.keys[name] for name in ("consumer_key", "consumer_secret")}
    library = Library([python, str(HERE / "drivers" / "drive_mpesa_connect.py")], settings, daraja.environment)
    yield library
    library.close()


@pytest.fixture
def token(connect: Library) -> str:
    answer = connect("authorization.generate_token")
    assert (answer["status"], answer["expires_in"]) == (200, "3599")
    found: str = answer["access_token"]
    return found


def operator(daraja: Daraja, token: str, path: str) -> dict[str, Any]:
    return {
        "security_credential": daraja.keys["security_credential"],
        "remarks": "settlement",
        "result_url": daraja.at(path),
        "queue_time_out_url": daraja.at(path + "/late"),
        "access_token": token,
    }


def ids(answer: dict[str, Any]) -> tuple[str, str]:
    assert (answer["status"], answer["response_code"]) == (200, "0")
    return answer["conversation_id"], answer["originator_conversation_id"]


def test_push_query_and_callback(connect: Library, daraja: Daraja, token: str) -> None:
    phone = daraja.phone()
    asked = {"business_short_code": int(PAYBILL), "pass_key": daraja.keys["passkey"], "access_token": token}
    accepted = connect(
        "stk_push.process_request",
        **asked,
        amount=120,
        phone_number=phone,
        call_back_url=daraja.at("/push"),
        account_reference="INV-2041",
        transaction_desc="Order",
    )
    assert (accepted["status"], accepted["response_code"]) == (200, "0")
    pending = connect("stk_push.query", **asked, checkout_request_id=accepted["checkout_request_id"])
    assert (pending["status"], pending["error_code"]) == (500, "500.001.1001")
    daraja.sandbox.control.decide(str(phone))
    shapes.paid(daraja.news("/push"), accepted["checkout_request_id"], 120, phone)
    told = connect("stk_push.query", **asked, checkout_request_id=accepted["checkout_request_id"])
    assert (told["response_code"], told["result_code"]) == ("0", "0")


def test_c2b_is_registered_simulated_and_confirmed(connect: Library, daraja: Daraja, token: str) -> None:
    asked = {"short_code": int(PAYBILL), "access_token": token}
    urls = {"validation_url": daraja.at("/c2b/validate"), "confirmation_url": daraja.at("/c2b/confirm")}
    answer = connect("c2b.register_url", **asked, **urls, response_type={"$": "ResponseType.COMPLETED"})
    assert (answer["status"], answer["response_code"]) == (200, "0")
    phone = daraja.phone()
    paid = connect(
        "c2b.simulate",
        **asked,
        command_id={"$": "TransactionType.CUSTOMER_PAY_BILL_ONLINE"},
        amount=75,
        msisdn=phone,
        bill_ref_number="INV-7",
    )
    assert (paid["status"], paid["response_code"]) == (200, "0")
    shapes.confirmed(daraja.news("/c2b/confirm"), 75, "INV-7", phone)


def test_the_librarys_word_for_cancelled_is_refused(connect: Library, daraja: Daraja, token: str) -> None:
    answer = connect(
        "c2b.register_url",
        short_code=int(PAYBILL),
        validation_url=daraja.at("/c2b/never"),
        confirmation_url=daraja.at("/c2b/never"),
        response_type={"$": "ResponseType.CANCELED"},
        access_token=token,
    )
    assert (answer["status"], answer["error_code"]) == (400, "400.002.02")
    assert answer["error_message"] == "Bad Request - Invalid ResponseType"
    assert daraja.last.body["ResponseType"] == "Canceled"


def test_b2c_then_its_status(connect: Library, daraja: Daraja, token: str) -> None:
    answer = connect(
        "b2c.payment_request",
        **operator(daraja, token, "/b2c"),
        initiator_name=daraja.keys["initiator_name"],
        command_id={"$": "TransactionType.SALARY_PAYMENT"},
        amount=1000,
        party_a=int(BULK),
        party_b=daraja.phone(),
    )
    assert daraja.last.path == "/mpesa/b2c/v1/paymentrequest"
    told = shapes.done(daraja.news("/b2c"), *ids(answer), shapes.B2C)
    asked = connect(
        "transaction_status.query",
        **operator(daraja, token, "/status"),
        initiator=daraja.keys["initiator_name"],
        transaction_id=told["TransactionReceipt"],
        identifier_type={"$": "IdentifierType.ORGANIZATION_SHORT_CODE"},
        party_a=int(BULK),
    )
    found = shapes.answered(daraja.news("/status"), *ids(asked), shapes.STATUS)
    assert (found["ReceiptNo"], found["TransactionStatus"]) == (told["TransactionReceipt"], "Completed")


def test_account_balance(connect: Library, daraja: Daraja, token: str) -> None:
    answer = connect(
        "account_balance.query",
        **operator(daraja, token, "/balance"),
        initiator=daraja.keys["initiator_name"],
        identifier_type={"$": "IdentifierType.ORGANIZATION_SHORT_CODE"},
        party_a=int(BULK),
    )
    told = shapes.answered(daraja.news("/balance"), *ids(answer), shapes.BALANCE)
    assert told["AccountBalance"].startswith("Working Account|KES|")
