"""Tills: organisations of their own behind a store, paid by hand or by prompt, without any reference."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from plugins.sandbox.world import running_sandbox
from tests.plugins.sandbox.customers import PAYBILL, STORE, TILL, balances, confirmed, pay, register
from tests.plugins.sandbox.merchant import NOON, STAMP, Inbox, Merchant, items
from tests.plugins.sandbox.test_scripts import magic


def till_push(merchant: Merchant, phone: str = magic("success"), **changes: Any) -> str:
    password = base64.b64encode(f"{STORE}{merchant.keys['store_passkey']}{STAMP}".encode()).decode()
    body = {
        "BusinessShortCode": int(STORE),
        "Password": password,
        "TransactionType": "CustomerBuyGoodsOnline",
        "PartyB": int(TILL),
    }
    return merchant.pushed(phone, **{**body, **changes})


def test_the_credentials_name_store_and_till(merchant: Merchant) -> None:
    assert (merchant.keys["store_shortcode"], merchant.keys["till"]) == (STORE, TILL)
    assert merchant.keys["shortcode"] == PAYBILL
    assert merchant.keys["c2b_version"] == "v2"


@pytest.mark.parametrize("registered", [STORE, TILL])
def test_a_payment_to_a_till_is_confirmed_without_a_reference(merchant: Merchant, registered: str) -> None:
    register(merchant, registered)
    receipt = pay(merchant, 500, "typed", till=TILL)
    (told,) = confirmed(merchant)
    assert (told["TransactionType"], told["TransID"]) == ("Buy Goods", receipt)
    assert (told["BusinessShortCode"], told["BillRefNumber"]) == (TILL, "")
    assert balances(merchant, TILL) == {"working": 0, "merchant": 500, "charges": -2.75}
    merchant.control.settings(till_shortcode="store")
    pay(merchant, 500, till=TILL)
    assert confirmed(merchant)[1]["BusinessShortCode"] == STORE


def test_a_push_to_a_till_lands_in_its_merchant_account(merchant: Merchant) -> None:
    register(merchant, STORE)
    till_push(merchant)
    merchant.control.advance(2)
    assert items(merchant.callbacks[0])["MpesaReceiptNumber"] == confirmed(merchant)[0]["TransID"]
    assert confirmed(merchant)[0]["BillRefNumber"] == ""
    assert balances(merchant, TILL)["merchant"] == 1500
    assert balances(merchant, STORE)["working"] == 0
    assert merchant.control.counts()["money_in"] == {"INV-2041": 1500}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PartyB": int(STORE)}, 2028),
        ({"TransactionType": "CustomerPayBillOnline"}, 2028),
        ({"PartyB": int(PAYBILL)}, "SFC_IC0003"),
    ],
)
def test_store_and_till_mixed_up_fail(merchant: Merchant, changes: dict[str, Any], code: int | str) -> None:
    till_push(merchant, **changes)
    merchant.control.advance(61)
    assert merchant.callbacks[0]["ResultCode"] == code
    assert balances(merchant, TILL)["merchant"] == 0


def test_a_till_that_only_its_store_names_is_an_organisation(inbox: Inbox) -> None:
    world = {"shortcodes": [{"number": "400100", "name": "MAMA NJERI SHOP", "passkey": "pk", "tills": ["400101"]}]}
    with running_sandbox(seed=3, frozen_at=NOON, world=world) as sandbox:
        merchant = Merchant(sandbox, inbox)
        pay(merchant, 500, till="400101")
        sandbox.restart()
        assert balances(Merchant(sandbox, inbox), "400101")["merchant"] == 500
