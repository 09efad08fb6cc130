"""The shop's line to the gateway: a checkout session for an order, an endpoint for news, and a signature's check."""

import base64
import hashlib
import hmac
import time
from typing import Any

import requests

#: News older or newer than this is somebody replaying it.
_FRESH_S = 300


class Refused(Exception):
    """The gateway said no; the message is its own sentence."""


class Till:
    """Calls one gateway with one secret key."""

    def __init__(self, api: str, key: str) -> None:
        self._api, self._key = api, key
        self._session = requests.Session()
        self._session.trust_env = False

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, idempotency: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        reply = self._session.request(method, self._api + path, json=body, headers=headers, timeout=15)
        found: dict[str, Any] = reply.json() if reply.content else {}
        if reply.status_code >= 400:
            raise Refused(found.get("detail", f"HTTP {reply.status_code}"))
        return found

    def page_for(self, order: str, item: str, cents: int, back: str) -> str:
        """The address of the page where the customer pays. The order's number is the idempotency key, so that asking
        again for the same order gives the same page."""
        session = self._call(
            "POST",
            "/v1/checkout/sessions",
            {
                "amount": cents,
                "currency": "KES",
                "reference": order,
                "description": item,
                "success_url": back,
                "cancel_url": back,
            },
            idempotency=f"shop-{order}",
        )
        return str(session["url"])

    def listen_at(self, url: str) -> tuple[str, str]:
        """Ask for news of payments at `url`; gives the endpoint's id and its secret, shown this once."""
        body = {"url": url, "enabled_events": ["payment.*"], "description": "demo shop"}
        made = self._call("POST", "/v1/webhook_endpoints", body, idempotency=f"shop-{time.time_ns()}")
        return str(made["id"]), str(made["secret"])

    def still_listens(self, endpoint: str, url: str) -> bool:
        """Whether that endpoint is there, enabled, and leads to `url`."""
        try:
            found = self._call("GET", f"/v1/webhook_endpoints/{endpoint}")
        except Refused:
            return False
        return found.get("status") == "enabled" and found.get("url") == url


def is_genuine(secret: str, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Standard Webhooks: HMAC-SHA256 over id, time and body, compared in constant time, and fresh.

    `secret` begins with `whsec_`; the header may hold several signatures while a secret is being changed. Header names
    are in small letters. In a shop of your own take the official library instead.
    """
    webhook_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not sent.isdecimal() or abs(now - int(sent)) > _FRESH_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.digest(key, f"{webhook_id}.{sent}.".encode() + body, hashlib.sha256)).decode()
    told = (part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split(" ") if part[:3] == "v1,")
    return any(hmac.compare_digest(wanted, signature) for signature in told)
