"""Payouts: acknowledged, repeated, paid or failed in every shape, late, lost, and looked up."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from tests.plugins.sandbox.merchant import PHONE, Merchant, parameters
from tests.plugins.sandbox.test_scripts import magic


def disbursed(merchant: Merchant) -> dict[str, int]:
    counted: dict[str, int] = merchant.control.counts()["money_out"]
    return counted


def test_an_accepted_payout_has_the_portals_shape(merchant: Merchant) -> None:
    body = merchant.b2c().json()
    assert list(body) == ["ConversationID", "OriginatorConversationID", "ResponseCode", "ResponseDescription"]
    assert body["OriginatorConversationID"] == "po-1"
    assert body["ResponseDescription"] == "Accept the service request successfully."
    assert re.fullmatch(r"AG_20261124_[0-9a-f]{20}", body["ConversationID"])


def test_a_paid_result_has_the_papers_shape_and_moves_balances(merchant: Merchant) -> None:
    ack = merchant.b2c().json()
    merchant.control.advance(1)
    (result,) = merchant.results
    assert list(result) == [
        "ResultType",
        "ResultCode",
        "ResultDesc",
        "OriginatorConversationID",
        "ConversationID",
        "TransactionID",
        "ResultParameters",
        "ReferenceData",
    ]
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["ConversationID"] == ack["ConversationID"]
    told = parameters(result)
    assert told["TransactionAmount"] == 1000
    assert told["TransactionReceipt"] == result["TransactionID"]
    assert told["ReceiverPartyPublicName"].startswith(f"{PHONE} - ")
    assert told["TransactionCompletedDateTime"] == "24.11.2026 12:00:00"
    assert told["B2CUtilityAccountAvailableFunds"] == 8_958_269.6
    assert told["B2CWorkingAccountAvailableFunds"] == 1_199_371
    assert told["B2CChargesPaidAccountAvailableFunds"] == -1985
    assert told["B2CRecipientIsRegisteredCustomer"] == "Y"
    assert '"Value":8958269.60}' in merchant.inbox.posted[0].text
    item = result["ReferenceData"]["ReferenceItem"]
    assert item["Key"] == "QueueTimeoutURL"
    assert item["Value"].startswith("https://internal")
    assert disbursed(merchant) == {"po-1": 1000}


def test_the_order_of_parameters_varies(merchant: Merchant) -> None:
    for number in range(6):
        merchant.b2c(f"po-{number}")
    merchant.control.advance(1)
    orders = {tuple(parameters(result)) for result in merchant.results}
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"OriginatorConversationID": None}, "OriginatorConversationID"),
        ({"InitiatorName": None}, "InitiatorName"),
        ({"SecurityCredential": ""}, "SecurityCredential"),
        ({"CommandID": "BusinessPayBill"}, "CommandID"),
        ({"Amount": 10.5}, "Amount"),
        ({"Amount": 0}, "Amount"),
        ({"PartyA": "x"}, "PartyA"),
        ({"PartyB": "0712345678"}, "PartyB"),
        ({"Remarks": "x"}, "Remarks"),
        ({"QueueTimeOutURL": None}, "QueueTimeOutURL"),
        ({"ResultURL": "https://pay.example/safaricom"}, "ResultURL"),
        ({"Occassion": "#"}, "Occassion"),
    ],
)
def test_a_bad_field_is_named(merchant: Merchant, change: dict[str, Any], blamed: str) -> None:
    reply = merchant.b2c(**change)
    assert reply.status_code == 400
    assert reply.json()["errorMessage"] == f"Bad Request - Invalid {blamed}"
    assert merchant.control.payouts() == []


def test_a_repeated_id_is_refused_for_ever_and_pays_once(merchant: Merchant) -> None:
    merchant.b2c()
    merchant.control.advance(1)
    merchant.b2c("po-fails", magic("not_registered"))
    merchant.control.advance(1)
    for again in ("po-1", "po-fails"):
        reply = merchant.b2c(again, "254798765432")
        assert (reply.status_code, reply.json()["errorCode"]) == (500, "500.002.1001")
        assert reply.json()["errorMessage"] == "Duplicate OriginatorConversationID."
    merchant.control.advance(1)
    assert disbursed(merchant) == {"po-1": 1000}


def test_utility_short_is_code_1_whatever_working_holds(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode="600992", utility=999)
    merchant.b2c()
    merchant.control.advance(1)
    assert merchant.results[0]["ResultCode"] == 1
    assert merchant.control.get("state")["balances"]["600992"] == {
        "working": 1_199_371,
        "utility": 999,
        "charges": -1980,
    }


@pytest.mark.parametrize(("amount", "code"), [(9, 2), (250_001, 3)])
def test_limits_are_results_not_refusals(merchant: Merchant, amount: int, code: int) -> None:
    assert merchant.b2c(Amount=amount).status_code == 200
    merchant.control.advance(1)
    assert merchant.results[0]["ResultCode"] == code


def test_a_customer_who_holds_or_got_too_much(merchant: Merchant) -> None:
    merchant.control.post("subscribers", phone=PHONE, balance=499_001)
    merchant.b2c("full")
    merchant.control.advance(1)
    merchant.control.post("subscribers", phone=PHONE, balance=0)
    for number in range(2):
        merchant.b2c(f"half-{number}", Amount=250_000)
        merchant.control.advance(1)
        merchant.control.post("subscribers", phone=PHONE, balance=0)
    merchant.b2c("over")
    merchant.control.advance(1)
    assert [one["ResultCode"] for one in merchant.results] == [8, 0, 0, 4]


def test_a_number_not_on_mpesa(merchant: Merchant) -> None:
    merchant.control.post("subscribers", phone=PHONE, registered=False)
    merchant.b2c()
    merchant.control.advance(1)
    assert merchant.results[0]["ResultCode"] == 2040


def test_wrong_credentials_fail_late_and_lock_at_the_third(merchant: Merchant) -> None:
    for number in range(4):
        merchant.b2c(f"bad-{number}", SecurityCredential="bm90IGVuY3J5cHRlZA==")
        merchant.control.advance(1)
    merchant.b2c("good")
    merchant.control.advance(1)
    assert [one["ResultCode"] for one in merchant.results] == [2001, 2001, 2001, 8006, 8006]
    merchant.control.post("operators/unlock", shortcode="600992", name="testapi")
    merchant.b2c("better")
    merchant.control.advance(1)
    assert merchant.results[-1]["ResultCode"] == 0


def test_other_operators_and_shortcodes(merchant: Merchant) -> None:
    merchant.b2c("a", InitiatorName="nobody")
    merchant.b2c("b", PartyA=174379)
    merchant.b2c("c", PartyA=999999)
    merchant.control.advance(1)
    assert [one["ResultCode"] for one in merchant.results] == [2001, 2028, 21]


def test_failures_come_in_three_shapes_with_placeholders(merchant: Merchant) -> None:
    for shape in ("absent", "object", "list"):
        merchant.control.script("not_registered", shape=shape)
        merchant.b2c(shape)
        merchant.control.advance(1)
    absent, single, listed = merchant.results
    assert "ResultParameters" not in absent
    assert single["ResultParameters"]["ResultParameter"]["Key"] == "CreditPartyName"
    assert [one["Key"] for one in listed["ResultParameters"]["ResultParameter"]] == [
        "ActionType",
        "ErrorMsg",
        "BOCompletedTime",
    ]
    assert listed["ReferenceData"]["ReferenceItem"] == [{"Key": "QueueTimeoutURL"}, {"Key": "Occassion"}]
    assert single["TransactionID"] == listed["TransactionID"] == "UKO0000000"
    assert re.fullmatch(r"UKO[A-Z0-9]{7}", absent["TransactionID"])
    assert disbursed(merchant) == {}


def test_a_code_that_is_no_number_stays_a_text(merchant: Merchant) -> None:
    merchant.b2c(phone=magic("no_such_party"))
    merchant.control.advance(1)
    assert merchant.results[0]["ResultCode"] == "SFC_IC0003"


def test_lost_acknowledgement_pays_once_and_the_id_is_known(merchant: Merchant) -> None:
    with pytest.raises(requests.ConnectionError):
        merchant.b2c(phone=magic("lost_ack"))
    assert merchant.b2c(phone=magic("lost_ack")).json()["errorCode"] == "500.002.1001"
    merchant.control.advance(1)
    assert disbursed(merchant) == {"po-1": 1000}


def test_dropped_before_effect_leaves_the_id_free(merchant: Merchant) -> None:
    merchant.control.fault("dropped", endpoint="b2c")
    with pytest.raises(requests.ConnectionError):
        merchant.b2c()
    assert merchant.b2c().status_code == 200


def test_an_answer_that_says_duplicate_though_it_was_the_first(merchant: Merchant) -> None:
    assert merchant.b2c(phone=magic("duplicate_id")).json()["errorCode"] == "500.002.1001"
    merchant.control.advance(1)
    assert disbursed(merchant) == {"po-1": 1000}


def test_results_lost_doubled_early_and_late(merchant: Merchant) -> None:
    merchant.b2c("lost", magic("lost_callback"))
    merchant.b2c("thrice", magic("duplicate_callback"))
    merchant.control.advance(1)
    merchant.b2c("early", magic("callback_first"))
    assert merchant.results[-1]["OriginatorConversationID"] == "early"
    merchant.b2c("late", magic("late_success"))
    merchant.control.advance(299)
    assert [one["OriginatorConversationID"] for one in merchant.results] == ["thrice"] * 3 + ["early"]
    merchant.control.advance(1)
    assert disbursed(merchant) == dict.fromkeys(("lost", "thrice", "early", "late"), 1000)


def test_a_result_of_type_1_goes_ahead(merchant: Merchant) -> None:
    merchant.b2c(phone=magic("waiting_first"))
    merchant.control.advance(1)
    first, last = merchant.results
    assert (first["ResultType"], last["ResultType"]) == (1, 0)
    assert "ResultParameters" not in first
    assert parameters(last)["TransactionReceipt"]


def test_queue_timeouts_post_our_own_request_back(merchant: Merchant) -> None:
    merchant.b2c("paid", magic("queue_timeout_paid"))
    merchant.b2c("unpaid", magic("queue_timeout_unpaid"))
    merchant.control.advance(60)
    told = merchant.inbox.at("/cb/timeout")
    assert told[0] == merchant.b2c_body("paid", magic("queue_timeout_paid"))
    assert told[1]["OriginatorConversationID"] == "unpaid"
    assert merchant.results == []
    assert disbursed(merchant) == {"paid": 1000}
    assert parameters(merchant.status(OriginalConversationID="paid"))["TransactionStatus"] == "Completed"
    assert merchant.status(OriginalConversationID="unpaid")["ResultCode"] == 2032


def test_a_queue_timeout_can_come_as_an_envelope(merchant: Merchant) -> None:
    merchant.control.settings(queue_timeout_body="result")
    merchant.b2c(phone=magic("queue_timeout_unpaid"))
    merchant.control.advance(1)
    assert merchant.inbox.at("/cb/timeout")[0]["Result"]["OriginatorConversationID"] == "po-1"


def test_the_journal_keeps_no_credential(merchant: Merchant) -> None:
    merchant.b2c(phone=magic("queue_timeout_paid"))
    merchant.control.advance(1)
    log = merchant.control.lines().decode()
    assert merchant.keys["security_credential"] not in log
    assert merchant.token not in log
    assert merchant.password() not in log
    assert json.loads(log.splitlines()[0])["no"] == 1


# Transaction Status


def test_the_status_of_a_paid_payout_names_the_debit_party_twice(merchant: Merchant) -> None:
    ack = merchant.b2c().json()
    merchant.control.advance(1)
    receipt = merchant.results[0]["TransactionID"]
    result = merchant.status()
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["OriginatorConversationID"] != "po-1"
    assert result["ConversationID"] != ack["ConversationID"]
    assert result["TransactionID"] == "UKO0000000"
    assert result["ReferenceData"] == {"ReferenceItem": {"Key": "Occasion"}}
    told = result["ResultParameters"]["ResultParameter"]
    assert [one["Key"] for one in told] == [
        "DebitPartyName",
        "DebitPartyName",
        "OriginatorConversationID",
        "InitiatedTime",
        "DebitAccountType",
        "DebitPartyCharges",
        "TransactionReason",
        "ReasonType",
        "TransactionStatus",
        "FinalisedTime",
        "Amount",
        "ConversationID",
        "ReceiptNo",
    ]
    assert told[0]["Value"].startswith("600992 - ")
    assert told[1]["Value"].startswith(f"{PHONE} - ")
    assert "Value" not in told[6]
    flat = parameters(result)
    assert flat["OriginatorConversationID"] == "po-1"
    assert flat["ConversationID"] == ack["ConversationID"]
    assert flat["DebitPartyCharges"] == "Fee For B2C Payment|KES|5.00"
    assert (flat["TransactionStatus"], flat["Amount"], flat["ReceiptNo"]) == ("Completed", "1000", receipt)
    assert flat["FinalisedTime"] == "20261124120000"


def test_the_live_shape_of_a_status(merchant: Merchant) -> None:
    merchant.control.settings(status_shape="live")
    merchant.b2c()
    merchant.control.advance(1)
    flat = parameters(merchant.status())
    assert flat["CreditPartyName"].startswith(PHONE)
    assert (flat["Amount"], flat["FinalisedTime"]) == (1000, 20261124120000)


def test_a_status_by_receipt_of_a_payout_and_of_a_push(merchant: Merchant) -> None:
    merchant.b2c()
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    paid_out = merchant.results[0]["TransactionID"]
    paid_in = merchant.control.pushes()[0]["receipt"]
    by_receipt = merchant.status(OriginalConversationID=None, TransactionID=paid_out)
    assert parameters(by_receipt)["OriginatorConversationID"] == "po-1"
    pushed = merchant.status(OriginalConversationID=None, TransactionID=paid_in, PartyA=174379)
    assert parameters(pushed)["TransactionStatus"] == "Completed"
    assert merchant.status(OriginalConversationID=None, TransactionID=paid_in)["ResultCode"] == 2032


def test_the_status_of_what_is_pending_failed_unknown_and_foreign(merchant: Merchant) -> None:
    merchant.b2c("slow", magic("late_success"))
    merchant.b2c("declined", magic("not_registered"))
    merchant.b2c("no-transaction", magic("wrong_pin"))
    merchant.control.advance(1)
    slow = parameters(merchant.status(OriginalConversationID="slow"))
    assert slow["TransactionStatus"] == "Initiated"
    assert slow["ReceiptNo"] is None
    declined = parameters(merchant.status(OriginalConversationID="declined"))
    assert declined["TransactionStatus"] == "Declined"
    for lost in ("no-transaction", "never-heard-of"):
        result = merchant.status(OriginalConversationID=lost)
        assert result["ResultCode"] == 2032
        assert result["ResultDesc"] == "The transaction receipt number does not exist."
        assert "ResultParameters" not in result


def test_a_payout_can_be_hidden_from_the_status_for_a_while(merchant: Merchant) -> None:
    merchant.b2c(phone=magic("status_blind"))
    merchant.control.advance(60)
    assert merchant.status()["ResultCode"] == 2032
    merchant.control.advance(60)
    assert parameters(merchant.status())["TransactionStatus"] == "Completed"


def test_a_status_with_wrong_credentials(merchant: Merchant) -> None:
    assert merchant.status(SecurityCredential="bm8=")["ResultCode"] == 2001


def test_status_fields_are_checked(merchant: Merchant) -> None:
    for change, blamed in (
        ({"CommandID": "x"}, "CommandID"),
        ({"OriginalConversationID": None}, "TransactionID"),
        ({"IdentifierType": "9"}, "IdentifierType"),
        ({"ResultURL": None}, "ResultURL"),
    ):
        reply = merchant.post("/mpesa/transactionstatus/v1/query", merchant.status_body(**change))
        assert reply.json()["errorMessage"] == f"Bad Request - Invalid {blamed}"
