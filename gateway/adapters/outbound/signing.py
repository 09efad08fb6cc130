"""Signatures by Standard Webhooks: HMAC-SHA256 over id, time and body, under a secret that the receiver has as well."""

from __future__ import annotations

import base64
import hmac

_PREFIX = "whsec_"


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header. `secret` is `whsec_` and base 64; `timestamp` is in seconds.

    Raises ValueError for a secret that isn't one.
    """
    if not secret.startswith(_PREFIX):
        raise ValueError("a webhook secret begins with whsec_")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
