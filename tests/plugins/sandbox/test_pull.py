"""Pull: every customer's payment of 48 hours, by hand or by prompt, whatever became of its news."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.plugins.sandbox.customers import PULL, STORE, TILL, pay, pull_body, pull_registered
from tests.plugins.sandbox.merchant import PHONE, Merchant, items
from tests.plugins.sandbox.test_scripts import magic


def pulled(merchant: Merchant, **changes: Any) -> list[dict[str, Any]]:
    answer = merchant.post(PULL, pull_body(**changes)).json()
    assert answer["ResponseCode"] == "1000", answer
    (rows,) = answer["Response"]
    found: list[dict[str, Any]] = rows
    return found


def test_it_is_registered_once(merchant: Merchant) -> None:
    assert pull_registered(merchant)["ResponseStatus"] == "1000"
    assert pull_registered(merchant)["ResponseStatus"] == "1001"
    merchant.control.settings(pull_spelling="spaced")
    assert pull_registered(merchant)["Response Status"] == "1001"


def test_every_payment_is_a_row_in_a_list_in_a_list(merchant: Merchant) -> None:
    pull_registered(merchant)
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    by_hand = pay(merchant, phone=magic("lost_callback"))
    first, second = pulled(merchant)
    assert first["transactionId"] == items(merchant.callbacks[0])["MpesaReceiptNumber"]
    assert second == {
        "transactionId": by_hand,
        "trxDate": "2026-11-24T12:00:02Z",
        "msisdn": int(magic("lost_callback")),
        "sender": "MPESA",
        "transactiontype": "c2b-pay-bill-debit",
        "billreference": "INV-9",
        "amount": "500.00",
        "organizationname": "DARAJA SANDBOX",
    }


def test_get_with_a_body_works_too(merchant: Merchant) -> None:
    pull_registered(merchant)
    pay(merchant)
    reply = requests.get(
        merchant.sandbox.url + PULL, json=pull_body(), headers={"Authorization": f"Bearer {merchant.token}"}, timeout=5
    )
    assert reply.json()["ResponseCode"] == "1000"


def test_a_window_an_offset_and_a_page(merchant: Merchant) -> None:
    pull_registered(merchant)
    receipts = []
    for _ in range(3):
        receipts.append(pay(merchant))
        merchant.control.advance(60)
    assert [row["transactionId"] for row in pulled(merchant, OffSetValue="1")] == receipts[1:]
    window = {"StartDate": "2026-11-24 12:01:00", "EndDate": "2026-11-24 12:01:59"}
    assert [row["transactionId"] for row in pulled(merchant, **window)] == receipts[1:2]
    merchant.control.settings(pull_page=2)
    assert [row["transactionId"] for row in pulled(merchant)] == receipts[:2]
    assert [row["transactionId"] for row in pulled(merchant, OffSetValue="2")] == receipts[2:]


def test_it_forgets_after_48_hours_and_sees_late_where_told_so(merchant: Merchant) -> None:
    pull_registered(merchant)
    merchant.control.settings(pull_lag_s=600)
    pay(merchant)
    ever = {"StartDate": "2026-11-01 00:00:00", "EndDate": "2026-12-01 00:00:00"}
    assert merchant.post(PULL, pull_body(**ever)).json()["ResponseCode"] == "1001"
    merchant.control.advance(600)
    assert len(pulled(merchant, **ever)) == 1
    merchant.control.advance(48 * 3600 - 599)
    merchant.token = ""
    assert merchant.post(PULL, pull_body(**ever)).json()["ResponseCode"] == "1001"


def test_nothing_found_has_three_shapes(merchant: Merchant) -> None:
    pull_registered(merchant)
    live = merchant.post(PULL, pull_body()).json()
    assert set(live) == {"RequestID", "ResponseCode", "ResponseMessage"}
    for shape, response in (("nested", [[]]), ("text", "[[]]")):
        merchant.control.settings(pull_empty=shape)
        assert merchant.post(PULL, pull_body()).json()["Response"] == response


def test_a_store_pulls_its_tills_payments(merchant: Merchant) -> None:
    pull_registered(merchant, STORE)
    receipt = pay(merchant, till=TILL)
    (row,) = pulled(merchant, ShortCode=STORE)
    assert (row["transactionId"], row["transactiontype"]) == (receipt, "c2b-buy-goods-debit")
    assert row["billreference"] == ""


def test_a_dead_token_and_a_missing_product_have_its_own_words(merchant: Merchant) -> None:
    merchant.token = "dead"
    reply = merchant.post(PULL, pull_body())
    assert (reply.status_code, reply.json()["errorCode"]) == (401, "401.001")


@pytest.mark.parametrize(("name", "value"), [("StartDate", "24-11-2026"), ("OffSetValue", "-1"), ("ShortCode", "x")])
def test_a_wrong_field_is_blamed_by_name(merchant: Merchant, name: str, value: str) -> None:
    reply = merchant.post(PULL, pull_body(**{name: value}))
    assert reply.json()["errorMessage"] == f"Bad Request - Invalid {name}"


def test_numbers_can_come_masked(merchant: Merchant) -> None:
    pull_registered(merchant)
    merchant.control.settings(callback_phone="masked")
    pay(merchant)
    assert pulled(merchant)[0]["msisdn"] == f"{PHONE[:4]} ***** {PHONE[-3:]}"
