"""The life of a prompt: PIN, cancel, silence, money, callback and query."""

from __future__ import annotations

import re

import pytest

from plugins.sandbox.remote import ControlFailed
from tests.plugins.sandbox.merchant import PHONE, Merchant, items


def test_a_pin_moves_money_and_posts_the_papers_callback(merchant: Merchant) -> None:
    ack = merchant.push().json()
    merchant.control.decide(PHONE)
    assert merchant.callbacks == []
    merchant.control.advance(0.5)
    (callback,) = merchant.callbacks
    assert list(callback) == [
        "MerchantRequestID",
        "CheckoutRequestID",
        "ResultCode",
        "ResultDesc",
        "CallbackMetadata",
    ]
    assert callback["MerchantRequestID"] == ack["MerchantRequestID"]
    assert callback["CheckoutRequestID"] == ack["CheckoutRequestID"]
    assert callback["ResultCode"] == 0
    assert callback["ResultDesc"] == "The service request is processed successfully."
    told = callback["CallbackMetadata"]["Item"]
    assert [item["Name"] for item in told] == [
        "Amount",
        "MpesaReceiptNumber",
        "Balance",
        "TransactionDate",
        "PhoneNumber",
    ]
    assert told[2] == {"Name": "Balance"}
    assert '"Value":1500.00}' in merchant.inbox.posted[0].text
    assert told[3]["Value"] == 20261124120000
    assert told[4]["Value"] == 254712345678
    assert re.fullmatch(r"UKO[A-Z0-9]{7}", told[1]["Value"])


def test_the_effect_is_in_the_journal_the_balances_and_the_messages(merchant: Merchant) -> None:
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    (effect,) = merchant.control.journal(kind="effect")
    assert (effect["reference"], effect["phone"], effect["amount"]) == ("INV-2041", PHONE, 1500)
    counts = merchant.control.counts()
    assert counts["prompts"] == {"INV-2041": 1}
    assert counts["money_in"] == {"INV-2041": 1500}
    assert merchant.control.get("state")["balances"]["174379"]["working"] == 1500
    (message,) = merchant.control.get("messages", phone=PHONE)["messages"]
    assert message["body"].startswith(f"{effect['receipt']} Confirmed. Ksh1,500.00 sent to DARAJA SANDBOX")


@pytest.mark.parametrize(
    ("action", "pin", "code"), [("pin", "0000", 2001), ("cancel", "1234", 1032), ("ignore", "1234", 1037)]
)
def test_other_answers_fail_without_metadata(merchant: Merchant, action: str, pin: str, code: int) -> None:
    merchant.pushed()
    merchant.control.decide(PHONE, action, pin=pin)
    merchant.control.advance(60)
    (callback,) = merchant.callbacks
    assert callback["ResultCode"] == code
    assert "CallbackMetadata" not in callback
    assert merchant.control.journal(kind="effect") == []


def test_a_prompt_ends_unanswered_after_its_life(merchant: Merchant) -> None:
    checkout_id = merchant.pushed()
    merchant.control.advance(59.9)
    assert merchant.callbacks == []
    merchant.control.advance(0.1)
    assert merchant.callbacks[0]["ResultCode"] == 1037
    assert merchant.query(checkout_id).json()["ResultCode"] == "1037"
    with pytest.raises(ControlFailed):
        merchant.control.decide(PHONE, wait_s=0)


def test_too_little_money_is_code_1(merchant: Merchant) -> None:
    merchant.control.post("subscribers", phone=PHONE, balance=1499)
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    assert merchant.callbacks[0]["ResultCode"] == 1


def test_the_same_again_within_two_minutes_is_rule_limited(merchant: Merchant) -> None:
    for wait_s in (60, 61, 1):
        merchant.pushed()
        merchant.control.decide(PHONE)
        merchant.control.advance(wait_s)
    assert [one["ResultCode"] for one in merchant.callbacks] == [0, 17, 0]


def test_a_wrong_pin_does_not_limit_the_next_try(merchant: Merchant) -> None:
    merchant.pushed()
    merchant.control.decide(PHONE, pin="0000")
    merchant.control.advance(1)
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    assert [one["ResultCode"] for one in merchant.callbacks] == [2001, 0]


def test_the_query_shows_both_pending_forms_and_then_the_end(merchant: Merchant) -> None:
    ack = merchant.push().json()
    checkout_id = ack["CheckoutRequestID"]
    opened = merchant.query(checkout_id)
    assert opened.status_code == 500
    assert opened.json() == {
        "requestId": checkout_id,
        "errorCode": "500.001.1001",
        "errorMessage": "The transaction is being processed",
    }
    merchant.control.decide(PHONE)
    working = merchant.query(checkout_id)
    assert (working.status_code, working.json()["ResultCode"]) == (200, "4999")
    merchant.control.advance(1)
    assert merchant.query(checkout_id).json() == {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successfully",
        "MerchantRequestID": ack["MerchantRequestID"],
        "CheckoutRequestID": checkout_id,
        "ResultCode": "0",
        "ResultDesc": "The service request is processed successfully.",
    }


def test_the_query_refuses_what_it_does_not_know(merchant: Merchant) -> None:
    checkout_id = merchant.pushed()
    unknown = merchant.query("ws_CO_0")
    assert (unknown.status_code, unknown.json()["errorCode"]) == (400, "400.002.02")
    assert merchant.query(checkout_id, Password="d3Jvbmc=").json()["errorMessage"] == "Wrong credentials"
    assert merchant.query(checkout_id, Timestamp="now").json()["errorMessage"] == "Bad Request - Invalid Timestamp"
    assert merchant.query("").json()["errorMessage"] == "Bad Request - Invalid CheckoutRequestID"


def test_the_autopilot_pays_what_nobody_scripted(merchant: Merchant) -> None:
    merchant.control.settings(autopilot_ms=20, lock_s=0)
    for number in range(5):
        merchant.pushed(AccountReference=f"LOAD-{number}")
    merchant.control.advance(1)
    assert [one["ResultCode"] for one in merchant.callbacks] == [0] * 5
    assert len({items(one)["MpesaReceiptNumber"] for one in merchant.callbacks}) == 5


def test_numbers_in_callbacks_may_be_masked_or_absent(merchant: Merchant) -> None:
    for amount, style, number in ((5, "masked", "2547 ***** 678"), (6, "absent", None)):
        merchant.control.settings(callback_phone=style)
        merchant.pushed(Amount=amount)
        merchant.control.decide(PHONE)
        merchant.control.advance(1)
        assert items(merchant.callbacks[-1]).get("PhoneNumber") == number
