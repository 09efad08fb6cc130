"""Who calls: an API key as a bearer token, looked up by its hash, and the business that it acts for."""

from __future__ import annotations

import re
from hashlib import sha256

from flask import g, request

from gateway.adapters.web.desk import desk
from gateway.application.interfaces import Call, KeyFound
from gateway.domain.errors import Denied, NotFound, Unauthenticated
from gateway.domain.ids import Prefix, decode

#: What a key looks like; anything else can't be one and costs no look-up.
_KEY = re.compile(r"sk_(test|live)_[0-9A-Za-z]{32,128}")


def authenticate() -> None:
    """Find the caller and put the Call into `g.call`.

    Raises Unauthenticated, TooMany (of the key), RateLimitExceeded (of an address with wrong keys), Denied for a
    platform's key, NotFound when `Gateway-Business` names another business than the key's.
    """
    found = _find()
    guard = desk().guards.key
    if guard is not None:
        g.rate = guard.take(found.key_id)
    if found.business_id is None:
        raise Denied(
            "a platform's key can't call this; use a key of the business itself", code="platform_key_not_supported"
        )
    named = request.headers.get("Gateway-Business")
    if named is not None and not _is_own(named, found):
        raise NotFound("this key acts for no such business; leave Gateway-Business out or name the key's own")
    g.call = Call(business_id=found.business_id, livemode=found.livemode, request_id=g.request_id, key_id=found.key_id)


def _find() -> KeyFound:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    match = _KEY.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
    found = desk().find_key(sha256(match.group().encode()).digest()) if match else None
    if match is None or found is None or found.livemode is not (match.group(1) == "live"):
        desk().guards.wrong_key()
        raise Unauthenticated("send an active key as `Authorization: Bearer sk_test_…` or `sk_live_…`")
    return found


def _is_own(named: str, found: KeyFound) -> bool:
    try:
        return decode(Prefix.BUSINESS, named) == found.business_id
    except ValueError:
        return False
