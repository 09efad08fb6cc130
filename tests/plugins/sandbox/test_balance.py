"""The account balance: one string of pockets that moved, and the shape of its failures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.sandbox.merchant import Merchant, parameters

PATH = "/mpesa/accountbalance/v1/query"


def asked(merchant: Merchant, **changes: Any) -> dict[str, Any]:
    body = merchant.status_body(CommandID="AccountBalance", OriginalConversationID=None, Occasion=None)
    return {**body, "ResultURL": f"{merchant.inbox.url}/cb/balance", **changes}


def balance(merchant: Merchant, **changes: Any) -> dict[str, Any]:
    reply = merchant.post(PATH, asked(merchant, **changes))
    assert reply.status_code == 200, reply.text
    merchant.control.advance(1)
    (told,) = merchant.inbox.at("/cb/balance")
    result: dict[str, Any] = told["Result"]
    assert result["ConversationID"] == reply.json()["ConversationID"]
    return result


def test_the_pockets_come_as_one_string(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode="600992", working="700000", utility="228037.50", charges="-1540")
    result = balance(merchant)
    assert result["ResultCode"] == 0
    assert parameters(result) == {
        "AccountBalance": "Working Account|KES|700000.00|700000.00|0.00|0.00"
        "&Utility Account|KES|228037.50|228037.50|0.00|0.00"
        "&Charges Paid Account|KES|-1540.00|-1540.00|0.00|0.00",
        "BOCompletedTime": 20261124120000,
    }
    assert result["ReferenceData"]["ReferenceItem"]["Value"].endswith("/mpesa/abresults/v1/submit")


def test_a_payout_moves_what_the_balance_tells(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode="600992", utility="5000")
    assert merchant.b2c("po-9", "254700000000").status_code == 200
    merchant.control.advance(5)
    paid = parameters(merchant.results[0])
    utility = parameters(balance(merchant))["AccountBalance"].split("&")[1].split("|")[2]
    assert float(utility) == paid["B2CUtilityAccountAvailableFunds"] == 5000 - paid["TransactionAmount"]


def test_a_wrong_operator_is_told_in_a_list_without_values(merchant: Merchant) -> None:
    result = balance(merchant, Initiator="nobody")
    assert result["ResultCode"] == 2001
    assert set(parameters(result)) == {"ActionType", "ErrorMsg", "BOCompletedTime"}
    assert result["ReferenceData"]["ReferenceItem"] == {"Key": "QueueTimeoutURL"}


@pytest.mark.parametrize(("name", "value"), [("CommandID", "Balance"), ("IdentifierType", "1"), ("PartyA", "x")])
def test_a_wrong_field_is_blamed_by_name(merchant: Merchant, name: str, value: str) -> None:
    reply = merchant.post(PATH, asked(merchant, **{name: value}))
    assert (reply.status_code, reply.json()["errorMessage"]) == (400, f"Bad Request - Invalid {name}")
