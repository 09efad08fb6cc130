"""The control API: the clock, the journal, resent and forged callbacks, and what it refuses."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from plugins.sandbox.remote import ControlFailed
from plugins.sandbox.world import running_sandbox
from tests.plugins.sandbox.merchant import PHONE, Inbox, Merchant, items
from tests.plugins.sandbox.test_scripts import magic
from tests.waiting import eventually


def test_the_journal_can_be_read_on_from_a_number(merchant: Merchant) -> None:
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    whole = merchant.control.get("journal")
    assert [entry["no"] for entry in whole["entries"]] == list(range(1, whole["last"] + 1))
    assert [entry["kind"] for entry in whole["entries"]] == ["request", "request", "payer", "effect", "callback"]
    assert [entry["no"] for entry in merchant.control.journal(after=3)] == [4, 5]
    assert [entry["endpoint"] for entry in merchant.control.journal(endpoint="oauth")] == ["oauth"]
    (asked,) = merchant.control.journal(kind="request", reference="INV-2041")
    assert (asked["phone"], asked["amount"], asked["effect"]) == (PHONE, 1500, "prompt sent")
    assert asked["request"]["CallBackURL"] == f"{merchant.inbox.url}/cb/push"
    assert asked["request"]["Password"] == "•••"
    assert asked["answer"]["http"] == 200
    assert asked["answer"]["body"]["ResponseCode"] == "0"


def test_the_clock_moves_on_and_never_back(merchant: Merchant) -> None:
    control = merchant.control
    assert control.get("clock") == {"now": "2026-11-24T12:00:00.000+03:00", "offset_s": 0, "frozen": True}
    assert control.advance(90)["now"] == "2026-11-24T12:01:30.000+03:00"
    assert control.post("clock", set="2026-11-24T13:00:00+03:00")["now"] == "2026-11-24T13:00:00.000+03:00"
    for wrong in ({"set": "2026-11-24T12:00:00+03:00"}, {"set": "noon"}, {"advance": -1}, {"advance": "x"}):
        with pytest.raises(ControlFailed):
            control.post("clock", **wrong)
    assert control.thaw()["frozen"] is False
    assert control.freeze()["frozen"] is True


def test_a_running_clock_can_be_moved_too(inbox: Inbox) -> None:
    with running_sandbox(seed=4) as sandbox:
        merchant = Merchant(sandbox, inbox)
        merchant.pushed()
        sandbox.control.advance(61)
        assert merchant.callbacks[0]["ResultCode"] == 1037
        assert sandbox.control.get("clock")["offset_s"] >= 60


def test_a_running_clock_fires_by_itself(inbox: Inbox) -> None:
    settings = {"scripted_answer_s": 0.05, "settle_s": 0.05, "result_s": 0.05, "prompt_life_s": 0.2}
    with running_sandbox(seed=4, settings=settings) as sandbox:
        merchant = Merchant(sandbox, inbox)
        merchant.pushed(magic("success"))
        merchant.pushed("254798765432")
        merchant.b2c()
        eventually(lambda: len(merchant.callbacks) == 2 and len(merchant.results) == 1)
        assert sorted(one["ResultCode"] for one in merchant.callbacks) == [0, 1037]


def test_news_can_be_sent_again_or_forged(merchant: Merchant) -> None:
    checkout_id = merchant.pushed()
    merchant.control.post("callbacks", checkout_request_id=checkout_id, code="0", amount=9)
    forged = items(merchant.callbacks[0])
    assert forged["Amount"] == 9
    assert merchant.query(checkout_id).json()["errorCode"] == "500.001.1001"
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    merchant.control.post("callbacks", checkout_request_id=checkout_id, copies=2)
    assert len(merchant.callbacks) == 4
    assert items(merchant.callbacks[3]) == items(merchant.callbacks[1])
    assert len(merchant.control.journal(kind="effect")) == 1
    merchant.b2c()
    merchant.control.advance(1)
    merchant.control.post("callbacks", originator_conversation_id="po-1")
    assert len(merchant.results) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decide", {"phone": PHONE}),
        ("decide", {"phone": PHONE, "action": "sing"}),
        ("decide", {"phone": PHONE, "pin": "12"}),
        ("balances", {"shortcode": "1"}),
        ("balances", {"shortcode": "174379", "utility": "lots"}),
        ("subscribers", {"phone": "0712"}),
        ("subscribers", {"phone": PHONE, "balance": "x"}),
        ("settings", {"lock_s": -1}),
        ("settings", {"moon": 1}),
        ("settings", {"identifiers": "newest"}),
        ("settings", {"magic_numbers": 1}),
        ("callbacks", {"checkout_request_id": "x"}),
        ("callbacks", {"originator_conversation_id": "x", "copies": 0}),
        ("reset", {"seed": "x"}),
        ("nowhere", {}),
    ],
)
def test_what_cannot_be_obeyed_is_said_so(merchant: Merchant, path: str, body: dict[str, Any]) -> None:
    reply = requests.post(f"{merchant.sandbox.url}/control/{path}", json=body, timeout=5)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]


def test_odd_control_calls(merchant: Merchant) -> None:
    url = merchant.sandbox.url + "/control/"
    assert requests.post(url + "reset", data="{", timeout=5).status_code == 400
    assert requests.post(url + "reset", json=[], timeout=5).status_code == 400
    assert requests.put(url + "reset", json={}, timeout=5).status_code == 400
    assert requests.get(url + "moon", timeout=5).status_code == 404
    assert requests.get(url + "journal?after=x", timeout=5).status_code == 400
    assert requests.post(url + "reset", data=b" " * 300_000, timeout=5).status_code == 413
    merchant.control.script("cancel")
    assert requests.delete(url + "scripts", timeout=5).json() == {"dropped": 1}
    assert requests.get(merchant.sandbox.url + "/healthz", timeout=5).json() == {"status": "ok"}


def test_the_certificate_makes_credentials_that_open(merchant: Merchant) -> None:
    pem = requests.get(merchant.sandbox.url + "/control/certificate", timeout=5).text
    assert pem == merchant.keys["certificate_pem"]
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    sealed = base64.b64encode(key.encrypt(merchant.keys["initiator_password"].encode(), padding.PKCS1v15())).decode()
    assert len(sealed) == 344
    merchant.b2c(SecurityCredential=sealed)
    merchant.control.advance(1)
    assert merchant.results[0]["ResultCode"] == 0
