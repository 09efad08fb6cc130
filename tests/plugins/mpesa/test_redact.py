"""What may be kept as evidence: shape and codes stay, secrets and people go."""

from __future__ import annotations

import json

import pytest

from plugins.mpesa.redact import redacted
from tests.plugins.mpesa.papers import CHECKOUT, RECEIPT, paid, paid_out, result, status_answer

PRIVATE = ("708374149", "O'Doe", "Jane", "hush", "testapi")


@pytest.mark.parametrize("body", [paid(), paid_out(), status_answer(), result(1)])
def test_codes_and_receipts_stay_and_people_go(body: dict[str, object]) -> None:
    left = redacted(json.dumps(body).encode()).decode()
    assert [one for one in PRIVATE if one in left] == []
    assert [name for name in ("ResultCode", RECEIPT, "SG632NMUAB", "20240706") if name in left] != []
    assert json.loads(left).keys() == body.keys()


def test_amounts_stay_exact() -> None:
    left = json.loads(redacted(json.dumps(paid(Amount=10.5)).encode()))
    assert {"Name": "Amount", "Value": "10.5"} in left["Body"]["stkCallback"]["CallbackMetadata"]["Item"]


def test_our_own_request_posted_back_loses_its_credential() -> None:
    echo = {
        "InitiatorName": "testapi",
        "SecurityCredential": "hush",
        "Password": "hush",
        "PartyB": 254708374149,
        "Remarks": "call 0708374149 or +254708374149",
        "CheckoutRequestID": CHECKOUT,
        "ResultCode": 100000001,
    }
    left = redacted(json.dumps(echo).encode()).decode()
    assert [one for one in PRIVATE if one in left] == []
    assert json.loads(left)["ResultCode"] == 100000001
    assert json.loads(left)["CheckoutRequestID"] == "ws_CO_24112026103000152…"


@pytest.mark.parametrize("body", [b"", b"PhoneNumber=254708374149", b"<html>", b"[254708374149]"])
def test_what_is_no_json_object_is_only_counted(body: bytes) -> None:
    assert redacted(body) == f"<{len(body)} bytes that are no JSON object>".encode()
