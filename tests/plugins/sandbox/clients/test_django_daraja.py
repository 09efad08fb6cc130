"""django-daraja 1.3.0, the Python library most often met: the push and the three kinds of B2C, by its first version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.plugins.sandbox.clients import shapes
from tests.plugins.sandbox.clients.line import HERE, Daraja, Library
from tests.plugins.sandbox.customers import BULK, PAYBILL


@pytest.fixture(scope="module")
def django(python: str, daraja: Daraja) -> Iterator[Library]:
    """A project whose `certs/sandbox.cer` is the simulator's, as the library's own pages ask for the real one."""
    certificates = daraja.folder / "certs"
    certificates.mkdir()
    shutil.copy(daraja.keys["certificate_file"], certificates / "sandbox.cer")
    settings = {
        "BASE_DIR": str(daraja.folder),
        "MPESA_ENVIRONMENT": "sandbox",
        "MPESA_CONSUMER_KEY": daraja.keys["consumer_key"],
        "MPESA_CONSUMER_SECRET": daraja.keys["consumer_secret"],
        "MPESA_SHORTCODE": BULK,
        "MPESA_EXPRESS_SHORTCODE": PAYBILL,
        "MPESA_PASSKEY": daraja.keys["passkey"],
        "MPESA_INITIATOR_USERNAME": daraja.keys["initiator_name"],
        "MPESA_INITIATOR_SECURITY_CREDENTIAL": daraja.keys["initiator_password"],
    }
    library = Library([python, str(HERE / "drivers" / "drive_django_daraja.py")], settings, daraja.environment)
    yield library
    library.close()


def test_the_token_is_kept(django: Library, daraja: Daraja) -> None:
    assert len(django("client.access_token")) == 28
    calls = len(daraja.tunnel.exchanges)
    django("client.access_token")
    assert len(daraja.tunnel.exchanges) == calls


def test_push_and_callback(django: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    local = f"0{phone - 254 * 10**9}"
    accepted = django("client.stk_push", local, 120, "INV-2041", "Order", daraja.at("/push"))
    assert (accepted["status_code"], accepted["response_code"]) == (200, "0")
    assert accepted["customer_message"] == "Success. Request accepted for processing"
    daraja.sandbox.control.decide(str(phone))
    news = daraja.news("/push")
    receipt = shapes.paid(news, accepted["checkout_request_id"], 120, phone)
    read = django("client.parse_stk_result", json.dumps(news))
    assert (read["ResultCode"], read["MpesaReceiptNumber"], read["Balance"]) == (0, receipt, None)


def test_a_cancelled_push_is_read(django: Library, daraja: Daraja) -> None:
    phone = daraja.phone()
    django("client.stk_push", str(phone), 120, "INV-2042", "Order", daraja.at("/cancelled"))
    daraja.sandbox.control.decide(str(phone), "cancel")
    read = django("client.parse_stk_result", json.dumps(daraja.news("/cancelled")))
    assert read["ResultCode"] == 1032
    assert "MpesaReceiptNumber" not in read


def test_a_refusal_is_read(django: Library, daraja: Daraja) -> None:
    refused = django("client.stk_push", str(daraja.phone()), 120, "INV-2043", "A longer description", daraja.at("/no"))
    assert (refused["status_code"], refused["error_code"]) == (400, "400.002.02")
    assert refused["error_message"].startswith("Bad Request - Invalid")


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("business_payment", "BusinessPayment"),
        ("salary_payment", "SalaryPayment"),
        ("promotion_payment", "PromotionPayment"),
    ],
)
def test_b2c(django: Library, daraja: Daraja, call: str, command: str) -> None:
    """The library seals the password with the certificate: the payment shows that the simulator can open it."""
    phone, path = daraja.phone(), f"/{call}"
    accepted = django(f"client.{call}", str(phone), 1000, "wages", daraja.at(path), "November")
    assert (accepted["status_code"], accepted["response_code"]) == (200, "0")
    assert (daraja.last.path, daraja.last.body["CommandID"]) == ("/mpesa/b2c/v1/paymentrequest", command)
    ids = (accepted["conversation_id"], accepted["originator_conversation_id"])
    told = shapes.done(daraja.news(path), *ids, shapes.B2C)
    assert told["ReceiverPartyPublicName"].startswith(str(phone))
