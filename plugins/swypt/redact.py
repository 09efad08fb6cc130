"""What may be kept of Swypt's bodies as evidence: shape and words, without keys, telephone numbers and names."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from plugins.swypt import wire

_SECRET = re.compile(r"key|secret|token$|authorization", re.IGNORECASE)
_PERSONAL = re.compile(r"phone|name$|^party[ab]$|description$", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![0-9A-Fa-fx])(?:\+?254|0)[17][0-9]{8}(?![0-9A-Fa-f])")
#: Until it is paid, the receipt's field holds a checkout id, which ends in nine digits of the payer's number.
_CHECKOUT_ID = re.compile(r"(ws_CO_[A-Za-z0-9_]*?)[0-9]{9}(?![0-9])")
_GONE = "…"


def redacted(body: bytes) -> bytes:
    """`body` as it may be shown and stored in the clear; what isn't a JSON object is replaced by its length."""
    try:
        found = wire.parsed(body)
    except ValueError:
        return f"<{len(body)} bytes that are no JSON object>".encode()
    return json.dumps(_cleared(found), ensure_ascii=False, default=str).encode()


def _cleared(value: object) -> object:
    if isinstance(value, dict):
        return {name: _under(name, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_cleared(one) for one in value]
    if isinstance(value, bool) or value is None or isinstance(value, Decimal):
        return value
    plain = _NUMBER.sub(_GONE, _CHECKOUT_ID.sub(rf"\1{_GONE}", str(value)))
    return value if plain == str(value) else plain


def _under(name: str, value: object) -> object:
    if not isinstance(value, (dict, list)) and (_SECRET.search(name) or _PERSONAL.search(name)):
        return _GONE
    return _cleared(value)
