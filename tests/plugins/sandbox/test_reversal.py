"""Reversals: the customer's money back, once and whole, by order or by Safaricom's desk; and what a status finds."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from plugins.sandbox.remote import ControlFailed
from tests.plugins.sandbox.customers import (
    PAYBILL,
    REVERSAL,
    STORE,
    TILL,
    b2b,
    balances,
    pay,
    reversal_body,
    reverse,
)
from tests.plugins.sandbox.merchant import PHONE, Merchant, parameters
from tests.plugins.sandbox.test_scripts import magic


def asked(merchant: Merchant, shortcode: str, receipt: str) -> dict[str, Any]:
    return merchant.status(OriginalConversationID=None, TransactionID=receipt, PartyA=int(shortcode))


def test_the_money_goes_back(merchant: Merchant) -> None:
    merchant.control.post("subscribers", phone=PHONE, balance=2000)
    receipt = pay(merchant)
    result = reverse(merchant, receipt)
    told = parameters(result)
    assert result["ResultCode"] == 0
    assert result["TransactionID"] not in ("", receipt)
    assert set(told) == {
        "DebitAccountBalance",
        "Amount",
        "TransCompletedTime",
        "OriginalTransactionID",
        "Charge",
        "CreditPartyPublicName",
        "DebitPartyPublicName",
    }
    assert (told["OriginalTransactionID"], told["Amount"]) == (receipt, 500)
    assert result["ReferenceData"]["ReferenceItem"]["Value"].endswith("/mpesa/reversalresults/v1/submit")
    assert told["DebitAccountBalance"] == "Working Account|KES|0.00|0.00|0.00|0.00"
    assert balances(merchant)["working"] == 0
    assert merchant.control.counts()["given_back"] == {receipt: 500}
    assert "reversed" in merchant.control.get("messages", phone=PHONE)["messages"][0]["body"]
    with pytest.raises(ControlFailed, match="too little"):
        pay(merchant, 2001)
    pay(merchant, 2000)


def test_a_push_can_be_reversed_and_a_second_time_is_refused(merchant: Merchant) -> None:
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    receipt = merchant.control.payments()[0]["receipt"]
    assert reverse(merchant, receipt, 1500)["ResultCode"] == 0
    again = reverse(merchant, receipt, 1500)
    assert again["ResultCode"] == "R000001"
    assert "0000000" in again["TransactionID"]
    assert balances(merchant)["working"] == 0


def test_what_is_not_a_customers_payment_to_us_is_unknown(merchant: Merchant) -> None:
    merchant.b2c("po-1", magic("success"))
    merchant.control.advance(1)
    payout = merchant.results[0]["TransactionID"]
    others = pay(merchant, till=TILL)
    for receipt in (payout, others, "UKO0000000", "nonsense"):
        assert reverse(merchant, receipt)["ResultCode"] == "R000002"
    assert reverse(merchant, others, ReceiverParty=int(STORE))["ResultCode"] == 0


def test_an_account_that_holds_too_little_is_code_1(merchant: Merchant) -> None:
    receipt = pay(merchant)
    merchant.control.post("balances", shortcode=PAYBILL, working="499.99")
    assert reverse(merchant, receipt)["ResultCode"] == 1
    merchant.control.post("balances", shortcode=PAYBILL, working="500")
    assert reverse(merchant, receipt)["ResultCode"] == 0


def test_a_part_is_refused_unless_allowed(merchant: Merchant) -> None:
    receipt = pay(merchant)
    assert reverse(merchant, receipt, 200)["ResultCode"] == 25
    assert reverse(merchant, receipt, 501)["ResultCode"] == 25
    merchant.control.settings(partial_reversals=True)
    assert parameters(reverse(merchant, receipt, 200))["Amount"] == 200
    assert balances(merchant)["working"] == 300


def test_the_operator_is_judged(merchant: Merchant) -> None:
    assert reverse(merchant, pay(merchant), Initiator="nobody")["ResultCode"] == 2001
    assert balances(merchant)["working"] == 500


@pytest.mark.parametrize("name", ["RecieverIdentifierType", "Remarks", "CommandID", "TransactionID", "ReceiverParty"])
def test_a_wrong_field_is_blamed_by_name(merchant: Merchant, name: str) -> None:
    reply = merchant.post(REVERSAL, reversal_body(merchant, "UKO1234567") | {name: ""})
    assert reply.json()["errorMessage"] == f"Bad Request - Invalid {name}"


def test_the_desk_reverses_without_a_word(merchant: Merchant) -> None:
    receipt = pay(merchant)
    told = merchant.control.post("reverse", receipt=receipt)
    assert told["original"] == receipt
    assert balances(merchant)["working"] == 0
    assert merchant.inbox.posted == []
    for wrong in ({"receipt": receipt}, {"receipt": "x"}):
        with pytest.raises(ControlFailed):
            merchant.control.post("reverse", **wrong)


@pytest.mark.parametrize(("script", "results"), [("lost_callback", 0), ("duplicate_callback", 3)])
def test_results_are_scripted_as_payouts_are(merchant: Merchant, script: str, results: int) -> None:
    receipt = pay(merchant)
    merchant.control.script(script, endpoint="reversal")
    merchant.post(REVERSAL, reversal_body(merchant, receipt))
    merchant.control.advance(1)
    assert len(merchant.inbox.at("/cb/order")) == results
    assert balances(merchant)["working"] == 0


def test_a_lost_acknowledgement_takes_effect(merchant: Merchant) -> None:
    receipt = pay(merchant)
    merchant.control.script("lost_ack", endpoint="reversal")
    with pytest.raises(requests.ConnectionError):
        merchant.post(REVERSAL, reversal_body(merchant, receipt))
    merchant.control.advance(1)
    assert balances(merchant)["working"] == 0
    assert merchant.control.orders(kind="reversal")[0]["state"] == "done"


def test_a_status_finds_payments_reversals_and_orders_by_receipt(merchant: Merchant) -> None:
    by_hand = pay(merchant)
    told = parameters(asked(merchant, PAYBILL, by_hand))
    assert (told["ReceiptNo"], told["TransactionStatus"], told["Amount"]) == (by_hand, "Completed", "500")
    assert told["ReasonType"] == "Pay Bill"
    back = reverse(merchant, by_hand)["TransactionID"]
    told = parameters(asked(merchant, PAYBILL, back))
    assert (told["ReceiptNo"], told["ReasonType"]) == (back, f"Reversal of {by_hand}")
    sent = b2b(merchant)["TransactionID"]
    told = parameters(asked(merchant, "600992", sent))
    assert (told["ReceiptNo"], told["DebitAccountType"]) == (sent, "Working Account")
    till = pay(merchant, till=TILL)
    assert parameters(asked(merchant, STORE, till))["ReasonType"] == "Merchant Payment"


def test_unknown_malformed_and_foreign_receipts(merchant: Merchant) -> None:
    assert asked(merchant, PAYBILL, "UKO1234567")["ResultCode"] == 2032
    assert asked(merchant, PAYBILL, "ws_CO_1")["ResultCode"] == 25
    assert asked(merchant, STORE, pay(merchant))["ResultCode"] == 2032
