"""B2B: money from the Working account to organisations and own pockets; names before paying."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.sandbox.customers import B2B, BULK, COUNTERPARTY, STORE, TILL, b2b, b2b_body, balances
from tests.plugins.sandbox.merchant import Merchant, parameters

HAKIKISHA = "/sfcverify/v1/query/info"
TO_TILL = {"CommandID": "BusinessBuyGoods", "PartyB": int(TILL), "AccountReference": None}


def test_a_paybill_is_paid_into_its_utility_account(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode=BULK, working="6425.83", charges="0")
    result = b2b(merchant)
    told = parameters(result)
    assert (result["ResultCode"], result["ResultType"]) == ("0", "0")
    assert told["DebitPartyAffectedAccountBalance"] == "Working Account|KES|6425.83|6186.83|239.00|0.00"
    java_map = "{Amount={CurrencyCode=KES, MinimumAmount=618683, BasicAmount=6186.83}}"
    assert told["DebitAccountBalance"] == told["InitiatorAccountCurrentBalance"] == java_map
    assert told["ReceiverPartyPublicName"] == f"{COUNTERPARTY} - DARAJA COUNTERPARTY"
    assert told["DebitPartyCharges"] == "Business Pay Bill Charge|KES|5.00"
    assert (told["Amount"], told["Currency"]) == ("239.00", "KES")
    assert result["ReferenceData"]["ReferenceItem"][0] == {"Key": "BillReferenceNumber", "Value": "353353"}
    assert balances(merchant, BULK)["charges"] == -5
    assert balances(merchant, COUNTERPARTY)["utility"] == 239


def test_live_results_have_numbers(merchant: Merchant) -> None:
    merchant.control.settings(status_shape="live")
    result = b2b(merchant)
    assert (result["ResultCode"], parameters(result)["Amount"]) == (0, 239)


def test_the_misspelt_field_is_enforced(merchant: Merchant) -> None:
    body = b2b_body(merchant, RecieverIdentifierType=None, ReceiverIdentifierType="4")
    assert merchant.post(B2B, body).json()["errorMessage"] == "Bad Request - Invalid RecieverIdentifierType"


def test_a_till_is_paid_as_identifier_type_2(merchant: Merchant) -> None:
    assert b2b(merchant, **TO_TILL)["ResultCode"] == "SFC_IC0003"
    assert b2b(merchant, **TO_TILL, RecieverIdentifierType="2")["ResultCode"] == "0"
    assert balances(merchant, TILL)["merchant"] == 239
    merchant.control.settings(b2b_till_type="4")
    assert b2b(merchant, **TO_TILL)["ResultCode"] == "0"


@pytest.mark.parametrize(
    "changes",
    [{"PartyB": 999999}, {"PartyB": int(TILL), "RecieverIdentifierType": "2"}, {"PartyB": int(BULK)}],
)
def test_a_receiver_that_cannot_be_is_refused(merchant: Merchant, changes: dict[str, Any]) -> None:
    before = balances(merchant, BULK)
    result = b2b(merchant, **changes)
    assert result["ResultCode"] == "SFC_IC0003"
    assert "0000000" in result["TransactionID"]
    assert balances(merchant, BULK) == before


def test_a_refused_payment_is_told_as_live_or_as_in_the_portal(merchant: Merchant) -> None:
    """Live failures have no parameters and a list of references, the account in it a number; the portal's, one each."""
    internal = {
        "Key": "QueueTimeoutURL",
        "Value": "https://internalsandbox.safaricom.co.ke/mpesa/b2bresults/v1/submit",
    }
    merchant.control.settings(failure_shape="absent")
    live = b2b(merchant, PartyB=999999)
    assert "ResultParameters" not in live
    account = {"Key": "BillReferenceNumber", "Value": 353353}
    assert live["ReferenceData"]["ReferenceItem"] == [account, internal, {"Key": "Occassion"}]
    without = b2b(merchant, **TO_TILL)
    assert without["ReferenceData"]["ReferenceItem"] == [internal, {"Key": "Occassion"}]
    named = b2b(merchant, PartyB=999999, AccountReference="007-A")
    assert named["ReferenceData"]["ReferenceItem"][0]["Value"] == "007-A"
    merchant.control.settings(failure_shape="object")
    papers = b2b(merchant, PartyB=999999)
    assert papers["ResultParameters"]["ResultParameter"] == {"Key": "BOCompletedTime", "Value": 20261124120003}
    assert papers["ReferenceData"]["ReferenceItem"] == internal


def test_own_pockets(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode=BULK, working="1000", utility="0", charges="0")
    own = {"CommandID": "BusinessTransferFromMMFToUtility", "PartyB": int(BULK), "Amount": 400}
    assert b2b(merchant, **own)["ResultCode"] == "0"
    assert balances(merchant, BULK) == {"working": 600, "utility": 400, "charges": 0}
    back = {**own, "CommandID": "BusinessTransferFromUtilityToMMF"}
    assert b2b(merchant, **back)["ResultCode"] == 21
    bulk = {"CommandID": "BusinessPayToBulk", "PartyB": int(STORE)}
    assert b2b(merchant, **bulk)["ResultCode"] == "0"
    assert balances(merchant, STORE)["utility"] == 239


def test_too_little_and_too_much(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode=BULK, working="238")
    assert b2b(merchant)["ResultCode"] == 1
    assert b2b(merchant, Amount=250_001)["ResultCode"] == 3
    assert balances(merchant, BULK)["working"] == 238


def test_the_same_call_twice_pays_twice(merchant: Merchant) -> None:
    b2b(merchant)
    b2b(merchant)
    assert balances(merchant, COUNTERPARTY)["utility"] == 478


def test_a_magic_amount_or_script_makes_its_day(merchant: Merchant) -> None:
    assert b2b(merchant, Amount=202_001)["ResultCode"] == 2001
    merchant.control.script("queue_timeout_paid", endpoint="b2b")
    merchant.post(B2B, b2b_body(merchant))
    merchant.control.advance(1)
    (echoed,) = merchant.inbox.at("/cb/order-timeout")
    assert echoed["CommandID"] == "BusinessPayBill"
    assert balances(merchant, COUNTERPARTY)["utility"] == 239


@pytest.mark.parametrize(
    ("name", "value"),
    [("AccountReference", "x" * 14), ("AccountReference", ""), ("Amount", 1.5), ("CommandID", "Pay"), ("PartyB", "x")],
)
def test_a_wrong_field_is_blamed_by_name(merchant: Merchant, name: str, value: Any) -> None:
    reply = merchant.post(B2B, b2b_body(merchant, **{name: value}))
    assert reply.json()["errorMessage"] == f"Bad Request - Invalid {name}"


def test_whose_a_number_is(merchant: Merchant) -> None:
    told = merchant.post(HAKIKISHA, {"IdentifierType": "4", "Identifier": COUNTERPARTY}).json()
    assert (told["ResponseMessage"], told["OrganizationName"]) == ("Success", "DARAJA COUNTERPARTY")
    till = merchant.post(HAKIKISHA, {"IdentifierType": "2", "Identifier": TILL}).json()
    assert till["OrganizationName"] == "DARAJA SANDBOX STORE"
    for kind, number in (("4", TILL), ("2", COUNTERPARTY), ("4", "999999")):
        told = merchant.post(HAKIKISHA, {"IdentifierType": kind, "Identifier": number}).json()
        assert told["ResponseMessage"] != "Success"
        assert "OrganizationName" not in told
