"""Swypt's own line to M-Pesa: with one attached, its prompts appear on the simulated M-Pesa's phone page.

It is M-Pesa's customer like any other: an app, a paybill, a push, a callback. Without a line prompts are answered here.
"""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode
from dataclasses import replace
from typing import Any

import requests

from plugins.sandbox.mpesa import clock
from plugins.sandbox.swypt.behaviours import PAYS
from plugins.sandbox.swypt.config import MpesaLine
from plugins.sandbox.swypt.records import Order
from plugins.sandbox.swypt.simulator import Simulator

TIMEOUT_S = 20
#: Daraja refuses its own name in an address.
CALLBACKS = "/outcome"


class NoPrompt(Exception):
    """M-Pesa took no push."""


class Daraja:
    """The line, with its one token."""

    def __init__(self, line: MpesaLine, own_url: str) -> None:
        self._line, self._own_url = line, own_url
        self._token: str | None = None
        self._lock = threading.Lock()

    def prompt(self, order: Order, now_ms: int) -> str:
        """Ask the payer; gives M-Pesa's id. Raises NoPrompt."""
        line, stamp = self._line, str(clock.stamp(now_ms))
        body = {
            "BusinessShortCode": int(line.shortcode),
            "Password": b64encode(f"{line.shortcode}{line.passkey}{stamp}".encode()).decode(),
            "Timestamp": stamp,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": order.amount,
            "PartyA": int(order.phone),
            "PartyB": int(line.shortcode),
            "PhoneNumber": int(order.phone),
            "CallBackURL": f"{self._own_url}{CALLBACKS}/{door_of(order.order_id)}",
            "AccountReference": order.order_id,
            "TransactionDesc": "Swypt",
        }
        for is_second in (False, True):
            reply = self._post(body, fresh=is_second)
            if reply.get("ResponseCode") == "0":
                return str(reply.get("CheckoutRequestID"))
            if "Access Token" not in str(reply.get("errorMessage")):
                break
        raise NoPrompt(str(reply.get("errorMessage", "no push")))

    def _post(self, body: dict[str, Any], *, fresh: bool) -> dict[str, Any]:
        try:
            headers = {"Authorization": f"Bearer {self._bearer(fresh=fresh)}"}
            url = f"{self._line.url}/mpesa/stkpush/v1/processrequest"
            found = requests.post(url, json=body, headers=headers, timeout=TIMEOUT_S).json()
        except (requests.RequestException, ValueError, KeyError) as trouble:
            raise NoPrompt(type(trouble).__name__) from None
        return found if isinstance(found, dict) else {}

    def _bearer(self, *, fresh: bool) -> str:
        with self._lock:
            if fresh or self._token is None:
                url = f"{self._line.url}/oauth/v1/generate?grant_type=client_credentials"
                keys = (self._line.consumer_key, self._line.consumer_secret)
                self._token = str(requests.get(url, auth=keys, timeout=TIMEOUT_S).json()["access_token"])
            return self._token


def door_of(order_id: str) -> str:
    """What a callback's address ends in: hex, since Daraja refuses some words in a URL."""
    return hashlib.sha256(order_id.encode()).hexdigest()[:32]


#: Swypt's words for M-Pesa's codes.
MESSAGES = {
    1: ("FAILED", "Insufficient balance"),
    1032: ("CANCELLED", "Transaction cancelled by user"),
    1037: ("FAILED", "DS timeout user cannot be reached"),
    2001: ("FAILED", "The initiator information is invalid"),
}


def take_callback(sim: Simulator, door: str, body: dict[str, Any]) -> bool:
    """What M-Pesa says of a prompt; whether there is such an order. The first word counts."""
    told = body.get("Body", {}).get("stkCallback", {})
    with sim.turn():
        order = next((one for one in sim.orders.newest_first() if door_of(one.order_id) == door), None)
        if order is None:
            return False
        if order.state != "PENDING" or "ResultCode" not in told:
            return True
        code = int(told["ResultCode"])
        if code == 0:
            items = told.get("CallbackMetadata", {}).get("Item", [])
            receipt = next((str(one["Value"]) for one in items if one.get("Name") == "MpesaReceiptNumber"), "")
            done = replace(order, state=PAYS, receipt=receipt, is_answered=True, done_ms=sim.now)
            sim.note(
                "effect", "onramp", effect="collected", phone=order.phone, order=order.order_id, amount=order.amount
            )
        else:
            state, message = MESSAGES.get(code, ("FAILED", str(told.get("ResultDesc", ""))))
            state = sim.settings.cancelled if state == "CANCELLED" else state
            done = replace(order, state=state, message=message, is_answered=True, done_ms=sim.now)
        sim.orders.put(order.order_id, done)
    return True
