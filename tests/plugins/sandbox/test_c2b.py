"""C2B: registered URLs, payments by hand and by prompt, confirmations in both versions, and their bad days."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from plugins.sandbox.remote import ControlFailed
from tests.plugins.sandbox.customers import (
    CONFIRMED,
    PAYBILL,
    REGISTER,
    SIMULATE,
    balances,
    confirmed,
    pay,
    register,
    urls_body,
)
from tests.plugins.sandbox.merchant import PHONE, Merchant, items
from tests.plugins.sandbox.test_scripts import magic


def test_urls_are_registered_in_safaricoms_spelling(merchant: Merchant) -> None:
    told = register(merchant)
    assert set(told) == {"OriginatorCoversationID", "ResponseCode", "ResponseDescription"}
    assert (told["ResponseCode"], told["ResponseDescription"]) == ("0", "Success")
    merchant.control.settings(c2b_code="00000000")
    assert register(merchant)["ResponseCode"] == "00000000"


def test_where_urls_are_registered_once_a_second_time_is_refused_until_they_are_deleted(merchant: Merchant) -> None:
    merchant.control.settings(c2b_once=True)
    register(merchant)
    reply = merchant.post(REGISTER, urls_body(merchant))
    assert (reply.status_code, reply.json()["errorCode"]) == (500, "500.003.1001")
    assert reply.json()["errorMessage"] == "Urls are already registered"
    assert merchant.control.post("urls/delete", shortcode=PAYBILL) == {"deleted": True}
    register(merchant)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ShortCode", "1"),
        ("ShortCode", "999999"),
        ("ResponseType", "completed"),
        ("ConfirmationURL", "https://mpesa.x"),
    ],
)
def test_a_wrong_field_is_blamed_by_name(merchant: Merchant, name: str, value: str) -> None:
    reply = merchant.post(REGISTER, urls_body(merchant, **{name: value}))
    assert (reply.status_code, reply.json()["errorMessage"]) == (400, f"Bad Request - Invalid {name}")


def test_the_version_that_an_app_lacks_is_a_missing_product(merchant: Merchant) -> None:
    merchant.control.settings(c2b_versions="v1")
    reply = merchant.post(REGISTER, urls_body(merchant))
    assert (reply.status_code, reply.json()["errorCode"]) == (401, "401.003.01")
    assert "no apiproduct match found" in reply.json()["errorMessage"]
    register(merchant, path="/mpesa/c2b/v1/registerurl")


def test_a_payment_by_hand_is_confirmed_and_lands_in_the_working_account(merchant: Merchant) -> None:
    register(merchant)
    receipt = pay(merchant, 500, "inv 9")
    assert confirmed(merchant) == [
        {
            "TransactionType": "Pay Bill",
            "TransID": receipt,
            "TransTime": "20261124120000",
            "TransAmount": "500.00",
            "BusinessShortCode": PAYBILL,
            "BillRefNumber": "inv 9",
            "InvoiceNumber": "",
            "OrgAccountBalance": "500.00",
            "ThirdPartyTransID": "",
            "MSISDN": "2547 ***** 678",
            "FirstName": confirmed(merchant)[0]["FirstName"],
            "MiddleName": "",
            "LastName": "",
        }
    ]
    assert balances(merchant) == {"working": 500, "utility": 0, "charges": -5}
    assert merchant.control.counts()["money_in"] == {"inv 9": 500}


def test_version_1_gives_a_digest_of_the_number(merchant: Merchant) -> None:
    register(merchant, path="/mpesa/c2b/v1/registerurl")
    pay(merchant)
    assert confirmed(merchant)[0]["MSISDN"] == hashlib.sha256(PHONE.encode()).hexdigest()


def test_numbers_may_come_as_numbers(merchant: Merchant) -> None:
    merchant.control.settings(callback_dress="numbers", c2b_names="null")
    register(merchant)
    pay(merchant, account="12")
    told = confirmed(merchant)[0]
    assert (told["TransAmount"], told["TransTime"], told["BusinessShortCode"]) == (500.0, 20261124120000, 174379)
    assert (told["BillRefNumber"], told["FirstName"]) == (12, None)


def test_a_push_is_confirmed_with_the_same_receipt(merchant: Merchant) -> None:
    register(merchant)
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    assert confirmed(merchant)[0]["TransID"] == items(merchant.callbacks[0])["MpesaReceiptNumber"]
    assert confirmed(merchant)[0]["BillRefNumber"] == "INV-2041"
    assert len(merchant.control.journal(kind="effect")) == 1


@pytest.mark.parametrize(
    ("script", "callbacks", "confirmations"),
    [("lost_callback", 0, 0), ("duplicate_callback", 3, 3), ("only_confirmed", 0, 1), ("unconfirmed", 1, 0)],
)
def test_the_two_news_of_a_push_are_scripted_apart(
    merchant: Merchant, script: str, callbacks: int, confirmations: int
) -> None:
    register(merchant)
    merchant.pushed(magic(script))
    merchant.control.advance(600)
    assert (len(merchant.callbacks), len(confirmed(merchant))) == (callbacks, confirmations)
    assert balances(merchant)["working"] == 1500


@pytest.mark.parametrize(("script", "copies"), [("lost_callback", 0), ("duplicate_callback", 3)])
def test_confirmations_of_payments_by_hand_get_lost_and_doubled(merchant: Merchant, script: str, copies: int) -> None:
    register(merchant)
    pay(merchant, phone=magic(script))
    assert len(confirmed(merchant)) == copies
    assert balances(merchant)["working"] == 500


def test_a_confirmation_can_be_late(merchant: Merchant) -> None:
    register(merchant)
    merchant.control.script("late_confirmation", endpoint="c2b", confirm_s=2400)
    pay(merchant)
    merchant.control.advance(2399)
    assert confirmed(merchant) == []
    merchant.control.advance(1)
    assert confirmed(merchant)[0]["TransTime"] == "20261124120000"


def test_a_confirmation_can_be_overtaken_by_the_next(merchant: Merchant) -> None:
    register(merchant)
    first, second = pay(merchant, phone=magic("overtaken")), pay(merchant)
    merchant.control.advance(1)
    assert [one["TransID"] for one in confirmed(merchant)] == [second, first]
    last = pay(merchant, phone=magic("overtaken"))
    merchant.control.advance(300)
    assert [one["TransID"] for one in confirmed(merchant)] == [second, first, last]


def test_a_customers_script_holds_for_his_payments_by_hand_where_it_has_a_meaning_there(merchant: Merchant) -> None:
    register(merchant)
    for script in ("lost_callback", "wrong_pin"):
        merchant.control.script(script, phone=PHONE)
    pay(merchant)
    assert confirmed(merchant) == []
    pay(merchant)
    assert len(confirmed(merchant)) == 1
    assert [one["behaviour"] for one in merchant.control.get("scripts")["armed"]] == ["wrong_pin"]


def test_without_registered_urls_nobody_is_told(merchant: Merchant) -> None:
    pay(merchant)
    assert merchant.inbox.posted == []
    assert balances(merchant)["working"] == 500


def simulate(merchant: Merchant, **changes: Any) -> Any:
    body = {"ShortCode": 174379, "CommandID": "CustomerPayBillOnline", "Amount": 7, "Msisdn": int(PHONE)}
    return merchant.post(SIMULATE, {**body, "BillRefNumber": "ref", **changes})


def test_simulate_pays(merchant: Merchant) -> None:
    register(merchant)
    reply = simulate(merchant)
    assert reply.json()["ResponseCode"] == "0"
    assert "OriginatorCoversationID" in reply.json()
    merchant.control.advance(0)
    assert [one["TransAmount"] for one in merchant.inbox.at(CONFIRMED)] == ["7.00"]
    assert simulate(merchant, CommandID="CustomerBuyGoodsOnline").json()["errorCode"] == "400.002.02"


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "0712"},
        {"amount": 0},
        {"amount": 1.5},
        {"shortcode": "999999"},
        {"amount": 250_001},
    ],
)
def test_a_payment_that_cannot_be_is_said_so(merchant: Merchant, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlFailed):
        merchant.control.post("pay", **{"phone": PHONE, "shortcode": PAYBILL, "amount": 5, "account": "x", **wrong})
    merchant.control.post("subscribers", phone=PHONE, balance=4)
    with pytest.raises(ControlFailed, match="too little"):
        pay(merchant, 5)
