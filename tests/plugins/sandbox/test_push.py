"""The push: what it refuses and how, and the shape of what it accepts."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from plugins.sandbox.world import running_sandbox
from tests.plugins.sandbox.merchant import NOON, PHONE, PUSH, Inbox, Merchant, items


def test_an_accepted_push_has_darajas_shape_and_ids(merchant: Merchant) -> None:
    reply = merchant.push()
    body = reply.json()
    assert list(body) == [
        "MerchantRequestID",
        "CheckoutRequestID",
        "ResponseCode",
        "ResponseDescription",
        "CustomerMessage",
    ]
    assert body["ResponseCode"] == "0"
    assert body["ResponseDescription"] == body["CustomerMessage"] == "Success. Request accepted for processing"
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\d{7}", body["MerchantRequestID"])
    assert re.fullmatch(r"ws_CO_24112026120000\d{3}712345678", body["CheckoutRequestID"])


def test_the_old_style_of_ids(merchant: Merchant) -> None:
    merchant.control.settings(identifiers="old")
    body = merchant.push().json()
    assert re.fullmatch(r"\d{5}-\d{7}-1", body["MerchantRequestID"])
    assert body["CheckoutRequestID"].startswith("ws_CO_DMZ_")


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"BusinessShortCode": None}, "BusinessShortCode"),
        ({"BusinessShortCode": "abc"}, "BusinessShortCode"),
        ({"Password": ""}, "Password"),
        ({"Timestamp": "2026-11-24"}, "Timestamp"),
        ({"TransactionType": "BusinessPayment"}, "TransactionType"),
        ({"Amount": 0}, "Amount"),
        ({"Amount": 10.5}, "Amount"),
        ({"Amount": "10.50"}, "Amount"),
        ({"Amount": 250_001}, "Amount"),
        ({"Amount": -5}, "Amount"),
        ({"Amount": True}, "Amount"),
        ({"Amount": None}, "Amount"),
        ({"PartyA": "0712345678"}, "PartyA"),
        ({"PhoneNumber": 254612345678}, "PhoneNumber"),
        ({"PhoneNumber": None}, "PhoneNumber"),
        ({"PartyB": "12"}, "PartyB"),
        ({"CallBackURL": ""}, "CallBackURL"),
        ({"CallBackURL": "mydomain.example/cb"}, "CallBackURL"),
        ({"CallBackURL": "https://pay.example/MPESA/cb"}, "CallBackURL"),
        ({"CallBackURL": "https://pay.example/cb/ab-exec"}, "CallBackURL"),
        ({"CallBackURL": "https://pay.example/cb?sql=1"}, "CallBackURL"),
        ({"CallBackURL": "https://1234.ngrok.io/cb"}, "CallBackURL"),
        ({"AccountReference": None}, "AccountReference"),
        ({"AccountReference": "THIRTEEN-CHAR"}, "AccountReference"),
        ({"AccountReference": "A&B"}, "AccountReference"),
        ({"TransactionDesc": None}, "Remarks"),
        ({"TransactionDesc": "fourteen chars"}, "Remarks"),
    ],
)
def test_a_bad_field_is_named(merchant: Merchant, change: dict[str, Any], blamed: str) -> None:
    reply = merchant.push(**change)
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == "400.002.02"
    assert reply.json()["errorMessage"] == f"Bad Request - Invalid {blamed}"
    assert merchant.control.counts()["prompts"] == {}


@pytest.mark.parametrize("change", [{"Amount": "1"}, {"Amount": 250_000}, {"PhoneNumber": PHONE, "PartyA": PHONE}])
def test_numbers_may_come_as_texts_and_limits_are_inside(merchant: Merchant, change: dict[str, Any]) -> None:
    assert merchant.push(**change).status_code == 200


def test_a_body_that_is_no_json_and_one_without_content_type(merchant: Merchant) -> None:
    token = merchant.oauth().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    broken = requests.post(merchant.sandbox.url + PUSH, data="{", headers=headers, timeout=5)
    assert (broken.status_code, broken.json()["errorCode"]) == (400, "400.002.05")
    headers.pop("Content-Type")
    untyped = requests.post(merchant.sandbox.url + PUSH, data=b"{}", headers=headers, timeout=5)
    assert untyped.json()["errorMessage"] == "Bad Request - Invalid BusinessShortCode"


def test_wrong_passkey_and_unknown_merchant(merchant: Merchant) -> None:
    for change in ({"Password": "d3Jvbmc="}, {"Timestamp": "20261124120001"}):
        reply = merchant.push(**change)
        assert (reply.status_code, reply.json()["errorCode"]) == (500, "500.001.1001")
        assert reply.json()["errorMessage"] == "Wrong credentials"
    reply = merchant.push(BusinessShortCode=999999)
    assert (reply.status_code, reply.json()["errorMessage"]) == (500, "Merchant does not exist")


def test_an_open_prompt_locks_its_phone_for_a_minute(merchant: Merchant) -> None:
    merchant.pushed()
    locked = merchant.push(Amount=7)
    assert (locked.status_code, locked.json()["errorCode"]) == (500, "500.001.1001")
    assert locked.json()["errorMessage"].startswith("Unable to lock subscriber")
    assert merchant.push("254798765432").status_code == 200
    merchant.control.advance(60)
    assert merchant.push(Amount=7).status_code == 200


def test_the_payer_and_the_prompted_phone_may_differ(merchant: Merchant) -> None:
    merchant.pushed(PartyA=254798765432)
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    assert items(merchant.callbacks[0])["PhoneNumber"] == 254798765432


def test_paybill_and_till_mixed_up_are_accepted_and_fail(inbox: Inbox) -> None:
    code = {"number": "174379", "name": "SHOP", "passkey": "pass", "tills": ["600111"]}
    with running_sandbox(seed=3, frozen_at=NOON, world={"shortcodes": [code]}) as sandbox:
        merchant = Merchant(sandbox, inbox)
        merchant.pushed(PartyB=600111)
        merchant.pushed(PartyB=555555, Amount=2)
        merchant.pushed("254798765432", PartyB=600111, TransactionType="CustomerBuyGoodsOnline")
        sandbox.control.advance(1)
        assert {str(one["ResultCode"]) for one in merchant.callbacks} == {"2028", "SFC_IC0003"}
        sandbox.control.decide("254798765432")
        sandbox.control.advance(1)
        assert merchant.callbacks[-1]["ResultCode"] == 0
