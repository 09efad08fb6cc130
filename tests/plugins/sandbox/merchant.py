"""A merchant with a hand-written Daraja client and a server for callbacks: what the simulator is tried with."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from plugins.sandbox.world import SandboxMpesa

NOON = "2026-11-24T12:00:00+03:00"
STAMP = "20261124120000"
PHONE = "254712345678"

PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
B2C = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"


@dataclass(frozen=True)
class Posted:
    path: str
    text: str

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


class Inbox:
    """Takes whatever is posted to it, in order."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                assert self.headers["Content-Type"] == "application/json"
                inbox.posted.append(Posted(self.path, text))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def at(self, path: str) -> list[dict[str, Any]]:
        return [one.body for one in self.posted if one.path == path]


class Merchant:
    """Calls the simulator as a client would; `token` is taken when first needed."""

    def __init__(self, sandbox: SandboxMpesa, inbox: Inbox) -> None:
        self.sandbox, self.inbox = sandbox, inbox
        self.control = sandbox.control
        self.keys = sandbox.credentials
        self.token = ""

    def oauth(self, **changes: Any) -> requests.Response:
        asked: dict[str, Any] = {
            "params": {"grant_type": "client_credentials"},
            "auth": (self.keys["consumer_key"], self.keys["consumer_secret"]),
        }
        return requests.get(self.sandbox.url + "/oauth/v1/generate", timeout=10, **{**asked, **changes})

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        if not self.token:
            self.token = self.oauth().json()["access_token"]
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return requests.post(self.sandbox.url + path, json=body, headers=headers, timeout=10, **options)

    def password(self, stamp: str = STAMP) -> str:
        return base64.b64encode(f"{self.keys['shortcode']}{self.keys['passkey']}{stamp}".encode()).decode()

    def push_body(self, phone: str = PHONE, **changes: Any) -> dict[str, Any]:
        body = {
            "BusinessShortCode": 174379,
            "Password": self.password(),
            "Timestamp": STAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": 1500,
            "PartyA": int(phone),
            "PartyB": 174379,
            "PhoneNumber": int(phone),
            "CallBackURL": f"{self.inbox.url}/cb/push",
            "AccountReference": "INV-2041",
            "TransactionDesc": "Order",
        }
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def push(self, phone: str = PHONE, **changes: Any) -> requests.Response:
        return self.post(PUSH, self.push_body(phone, **changes))

    def pushed(self, phone: str = PHONE, **changes: Any) -> str:
        """The CheckoutRequestID of an accepted push."""
        reply = self.push(phone, **changes)
        assert reply.status_code == 200, reply.text
        found: str = reply.json()["CheckoutRequestID"]
        return found

    def query(self, checkout_id: str, **changes: Any) -> requests.Response:
        body = {
            "BusinessShortCode": 174379,
            "Password": self.password(),
            "Timestamp": STAMP,
            "CheckoutRequestID": checkout_id,
        }
        return self.post(QUERY, {**body, **changes})

    def b2c_body(self, originator: str = "po-1", phone: str = PHONE, **changes: Any) -> dict[str, Any]:
        body = {
            "OriginatorConversationID": originator,
            "InitiatorName": "testapi",
            "SecurityCredential": self.keys["security_credential"],
            "CommandID": "BusinessPayment",
            "Amount": 1000,
            "PartyA": 600992,
            "PartyB": int(phone),
            "Remarks": "withdrawal",
            "QueueTimeOutURL": f"{self.inbox.url}/cb/timeout",
            "ResultURL": f"{self.inbox.url}/cb/result",
            "Occassion": "",
        }
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def b2c(self, originator: str = "po-1", phone: str = PHONE, **changes: Any) -> requests.Response:
        return self.post(B2C, self.b2c_body(originator, phone, **changes))

    def status_body(self, **changes: Any) -> dict[str, Any]:
        body = {
            "Initiator": "testapi",
            "SecurityCredential": self.keys["security_credential"],
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": "po-1",
            "PartyA": 600992,
            "IdentifierType": "4",
            "ResultURL": f"{self.inbox.url}/cb/status",
            "QueueTimeOutURL": f"{self.inbox.url}/cb/status-timeout",
            "Remarks": "where is it",
            "Occasion": "",
        }
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def status(self, **changes: Any) -> dict[str, Any]:
        """Ask, wait, and give the result that was posted."""
        reply = self.post(STATUS, self.status_body(**changes))
        assert reply.status_code == 200, reply.text
        self.control.advance(1)
        found: dict[str, Any] = self.inbox.at("/cb/status")[-1]["Result"]
        return found

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        return [one["Body"]["stkCallback"] for one in self.inbox.at("/cb/push")]

    @property
    def results(self) -> list[dict[str, Any]]:
        return [one["Result"] for one in self.inbox.at("/cb/result")]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    try:
        yield inbox
    finally:
        inbox.close()


def items(callback: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a push callback by name."""
    return {item["Name"]: item.get("Value") for item in callback["CallbackMetadata"]["Item"]}


def parameters(result: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a result by key; doubles keep the last."""
    return {item["Key"]: item.get("Value") for item in result["ResultParameters"]["ResultParameter"]}
