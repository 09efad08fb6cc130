"""Faults of the call itself: cut, blocked, busy, slow; and whether it took effect all the same."""

from __future__ import annotations

import time

import pytest
import requests

from tests.plugins.sandbox.merchant import PHONE, Merchant
from tests.plugins.sandbox.test_scripts import magic


def prompts(merchant: Merchant) -> int:
    counted: dict[str, int] = merchant.control.counts()["prompts"]
    return sum(counted.values())


def test_a_lost_acknowledgement_took_effect(merchant: Merchant) -> None:
    with pytest.raises(requests.ConnectionError):
        merchant.push(magic("lost_ack"))
    assert prompts(merchant) == 1
    merchant.control.advance(2)
    assert merchant.callbacks[0]["ResultCode"] == 0
    (entry,) = merchant.control.journal(endpoint="push", kind="request")
    assert (entry["effect"], entry["answer"]) == ("prompt sent", {"connection": "cut"})


def test_a_dropped_connection_did_not(merchant: Merchant) -> None:
    with pytest.raises(requests.ConnectionError):
        merchant.push(magic("dropped"))
    assert prompts(merchant) == 0
    assert merchant.control.get("state")["pushes"] == 0


@pytest.mark.parametrize(
    ("name", "status", "says", "sent"),
    [
        ("html_403", 403, "Incapsula incident ID", 0),
        ("html_503", 503, "Incapsula incident ID", 0),
        ("empty_400", 400, "", 0),
        ("spike_arrest", 500, "500.003.02", 0),
        ("busy", 500, "System is busy", 0),
        ("busy_accepted", 500, "System is busy", 1),
        ("quota", 500, "500.003.03", 0),
        ("maintenance", 500, "00.002.1001", 0),
        ("locked", 500, "Unable to lock subscriber", 0),
        ("refused", 200, '"ResponseCode":"1"', 0),
    ],
)
def test_other_answers_and_their_effect(merchant: Merchant, name: str, status: int, says: str, sent: int) -> None:
    reply = merchant.push(magic(name))
    assert reply.status_code == status
    assert says in reply.text
    assert bool(says) or reply.content == b""
    assert ("html" in reply.headers["Content-Type"]) == name.startswith("html")
    assert prompts(merchant) == sent


def test_a_magic_number_finds_its_token_dead_once(merchant: Merchant) -> None:
    phone = magic("expired_token")
    assert merchant.push(phone).json()["errorCode"] == "404.001.03"
    assert merchant.push("254798765432").json()["errorCode"] == "404.001.03"
    merchant.token = ""
    assert merchant.push(phone).status_code == 200


def test_a_slow_answer_comes_after_the_effect(merchant: Merchant) -> None:
    merchant.control.script("slow", delay_s=0.4, code=None)
    merchant.oauth()
    started = time.monotonic()
    assert merchant.push().status_code == 200
    assert time.monotonic() - started >= 0.4
    merchant.control.decide(PHONE)


def test_a_slow_answer_can_outlast_the_client(merchant: Merchant) -> None:
    merchant.pushed("254798765432")
    merchant.control.script("slow", delay_s=5, code=None)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            merchant.sandbox.url + "/mpesa/stkpush/v1/processrequest",
            json=merchant.push_body(),
            headers={"Authorization": f"Bearer {merchant.token}"},
            timeout=0.3,
        )
    assert merchant.control.decide(PHONE)["state"] == "answered"


def test_faults_are_for_any_endpoint_or_for_one(merchant: Merchant) -> None:
    checkout_id = merchant.pushed()
    merchant.control.fault("html_503", endpoint="query")
    merchant.control.fault("spike_arrest", endpoint="oauth")
    merchant.control.fault("dropped", endpoint="query", phone="254798765432")
    assert merchant.query(checkout_id).status_code == 503
    assert merchant.query(checkout_id).json()["errorCode"] == "500.001.1001"
    assert merchant.oauth().json()["errorCode"] == "500.003.02"
    merchant.control.fault("dropped")
    with pytest.raises(requests.ConnectionError):
        merchant.oauth()


def test_a_callback_that_nobody_takes_is_not_tried_again(merchant: Merchant) -> None:
    merchant.pushed(magic("success"), CallBackURL="http://127.0.0.1:9/cb")
    merchant.control.advance(600)
    (delivery,) = merchant.control.deliveries()
    assert delivery["error"] == "ConnectionError"
    assert merchant.control.get("state")["due"] == []
