"""What may be kept of M-Pesa's bodies as evidence: the shape and the codes, without secrets and telephone numbers."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from plugins.mpesa import wire

_SECRET = {
    "securitycredential",
    "password",
    "initiatorpassword",
    "passkey",
    "access_token",
    "initiator",
    "initiatorname",
}
_PERSONAL = re.compile(r"phone|msisdn|name$|^party[ab]$|requester", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![0-9])(?:\+?254|0)[17][0-9]{8}(?![0-9])")
#: A CheckoutRequestID ends in the last nine digits of the payer's number.
_CHECKOUT_ID = re.compile(r"(ws_CO_[A-Za-z0-9_]*?)[0-9]{9}(?![0-9])")
_GONE = "…"


def redacted(body: bytes) -> bytes:
    """`body` as it may be shown and stored in the clear; what isn't a JSON object is replaced by its length."""
    try:
        found = wire.parsed(body)
    except ValueError:
        return f"<{len(body)} bytes that are no JSON object>".encode()
    return json.dumps(_cleared(found), ensure_ascii=False, default=_plain).encode()


def _cleared(value: object) -> object:
    if isinstance(value, dict):
        # In lists of pairs the name is itself a value, beside the value that it names.
        named = next((value[k] for k in ("Name", "Key") if isinstance(value.get(k), str)), None)
        return {k: _under(str(named) if named and k == "Value" else k, v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_cleared(one) for one in value]
    return _line(value)


def _under(name: str, value: object, key: str) -> object:
    if name.lower() in _SECRET:
        return _GONE
    if key not in ("Name", "Key") and _PERSONAL.search(name) and not isinstance(value, (dict, list)):
        return _GONE
    return _cleared(value)


def _line(value: object) -> object:
    if isinstance(value, bool) or value is None or isinstance(value, Decimal):
        return value
    text = _CHECKOUT_ID.sub(rf"\1{_GONE}", str(value))
    text = _NUMBER.sub(_GONE, text)
    return value if text == str(value) else text


def _plain(value: object) -> object:
    return str(value)
