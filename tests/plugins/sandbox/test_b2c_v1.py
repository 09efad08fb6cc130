"""The first version of B2C: it takes no id, so that a repeated call is a second payout."""

from __future__ import annotations

import re

from tests.plugins.sandbox.merchant import Merchant, parameters

B2C_V1 = "/mpesa/b2c/v1/paymentrequest"


def test_it_makes_the_id_itself_and_pays(merchant: Merchant) -> None:
    ack = merchant.post(B2C_V1, merchant.b2c_body(OriginatorConversationID=None)).json()
    assert list(ack) == ["ConversationID", "OriginatorConversationID", "ResponseCode", "ResponseDescription"]
    assert re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}-[0-9a-f]+", ack["OriginatorConversationID"])
    merchant.control.advance(1)
    (result,) = merchant.results
    assert result["OriginatorConversationID"] == ack["OriginatorConversationID"]
    assert (result["ResultCode"], parameters(result)["TransactionAmount"]) == (0, 1000)
    assert merchant.control.counts()["money_out"] == {ack["OriginatorConversationID"]: 1000}


def test_a_repeated_call_pays_twice_and_an_id_of_ours_protects_nothing(merchant: Merchant) -> None:
    originators = {merchant.post(B2C_V1, merchant.b2c_body("po-1")).json()["OriginatorConversationID"] for _ in "12"}
    merchant.control.advance(1)
    assert len(originators) == 2
    assert "po-1" not in originators
    assert [result["ResultCode"] for result in merchant.results] == [0, 0]
    assert merchant.b2c("po-1").status_code == 200


def test_its_fields_are_checked_as_in_the_third(merchant: Merchant) -> None:
    reply = merchant.post(B2C_V1, merchant.b2c_body(OriginatorConversationID=None, PartyB="0712345678"))
    assert reply.status_code == 400
    assert reply.json()["errorMessage"] == "Bad Request - Invalid PartyB"


def test_its_payout_is_found_by_the_id_that_it_was_given(merchant: Merchant) -> None:
    ack = merchant.post(B2C_V1, merchant.b2c_body(OriginatorConversationID=None)).json()
    merchant.control.advance(1)
    found = merchant.status(OriginalConversationID=ack["OriginatorConversationID"])
    assert parameters(found)["TransactionStatus"] == "Completed"
