"""Money that customers send to the paybill by themselves: from the page to the webhook, into suspense and out of it."""

from __future__ import annotations

import re
import sys
from typing import Any
from uuid import UUID

import psycopg
import requests

from gateway.domain.ids import Prefix, encode
from tests.stack import Stack, a_phone, a_receiver, spawn_and_wait
from tests.waiting import eventually

PAYBILL = "174379"
AMOUNT = 150_000


def pays_by_hand(stack: Stack, account: str, units: int = AMOUNT) -> Any:
    """A customer opens M-Pesa's own menu."""
    return stack.control.post("pay", phone=a_phone(), shortcode=PAYBILL, amount=units // 100, account=account)


def loose(stack: Stack, receipt_number: str) -> str | None:
    """The id of that receipt while it is in suspense."""
    with psycopg.connect(stack.database.plain_url("owner")) as connection:
        connection.execute("SET ROLE gateway_operator")
        found = connection.execute(
            "SELECT id FROM gateway.receipt WHERE receipt_number = %s AND payment_id IS NULL", (receipt_number,)
        ).fetchone()
    return None if found is None else str(found[0])


def test_from_the_page_to_the_webhook_though_the_account_was_typed_small(stack: Stack) -> None:
    with a_receiver() as receiver:
        stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url, "enabled_events": ["payment.succeeded"]})
        session = stack.shop.post("/v1/checkout/sessions", {"amount": AMOUNT, "currency": "KES"})
        assert "Pay by paybill instead" in requests.get(session["url"], timeout=10).text
        chosen = requests.post(session["url"] + "/pay", data={"method": "mpesa_paybill"}, timeout=10)
        assert chosen.status_code == 200
        page = eventually(lambda: account_on(session["url"]), within_s=10)
        paid = pays_by_hand(stack, page.lower())
        assert paid["state"] == "paid"
        path = f"/v1/payments/{session['payment']}"
        stack.shop.becomes(path, "succeeded", within_s=20)
        eventually(lambda: "payment.succeeded" in receiver.types(), within_s=10)
    receipt = stack.shop.get(f"{path}/receipts")["data"][0]
    assert (receipt["receipt_number"], receipt["amount"]) == (paid["receipt"], AMOUNT)
    assert "Paid" in requests.get(session["url"], timeout=10).text
    # The confirmation alone books nothing: M-Pesa's own list, or its word on the receipt, proved it.
    assert any(e["kind"] == "request" and e["endpoint"] in ("pull", "status") for e in stack.control.journal())


def account_on(url: str) -> str | None:
    """The account that the page tells, once it does."""
    found = re.search(r"DUKA-[0-9A-Z]{6}", requests.get(url, timeout=10).text)
    return found[0] if found else None


def test_a_wrong_account_waits_in_suspense_until_an_operator_gives_it_to_its_payment(stack: Stack) -> None:
    payment = stack.shop.payment(AMOUNT)
    path = f"/v1/payments/{payment['id']}"
    confirmed = stack.shop.call("POST", f"{path}/confirm", {"payment_method": {"type": "mpesa_paybill"}})
    assert confirmed.status == 200, confirmed.body
    paid = pays_by_hand(stack, "shoes for Amina")
    receipt_id = eventually(lambda: loose(stack, paid["receipt"]), within_s=20)
    assert stack.shop.status_of(path) == "requires_action"
    shown = encode(Prefix.RECEIPT, UUID(receipt_id))
    command = ["receipt", "assign", shown, payment["id"], "--reason", "the customer called"]
    assert spawn_and_wait([sys.executable, "-m", "gateway", *command], stack.environment, stack.logs) == 0
    assert stack.shop.becomes(path, "succeeded")["amount_received"] == AMOUNT
    assert loose(stack, paid["receipt"]) is None


def test_a_push_of_which_nobody_ever_told_is_settled_by_the_provider_s_own_list(stack: Stack) -> None:
    payment, phone = stack.shop.payment(AMOUNT + 700), a_phone()
    path = f"/v1/payments/{payment['id']}"
    # Taken, and paid; the answer, the callback and the confirmation are lost.
    stack.control.script("lost_ack", phone=phone, copies=0, confirm_copies=0)
    stack.shop.confirm(payment["id"], phone)
    eventually(lambda: any(push["state"] == "done" for push in stack.control.pushes(phone=phone)), within_s=20)
    stack.advance(1200)
    found = stack.shop.becomes(path, "succeeded", within_s=20)
    assert found["amount_received"] == AMOUNT + 700
    assert len(stack.control.pushes(phone=phone)) == 1
