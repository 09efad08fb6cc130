"""Who calls: an API key as a bearer token, looked up by its hash, and the business that it acts for."""

from __future__ import annotations

import re
from hashlib import sha256
from uuid import UUID

from flask import g, request

from gateway.adapters.web.desk import desk
from gateway.adapters.web.limits import address
from gateway.application.interfaces import Call, KeyFound
from gateway.domain.api_keys import KeyKind, may_come_from
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import Denied, Invalid, NotFound, Unauthenticated
from gateway.domain.ids import Prefix, decode
from gateway.domain.scopes import READING, allows, scope_of

#: What a key looks like; anything else can't be one and costs no look-up.
_KEY = re.compile(r"[spr]k_(test|live)_[0-9A-Za-z]{32,128}")
#: What a key that stands in a web page may do: make a session and read it.
PUBLIC = frozenset({("POST", "/v1/checkout/sessions"), ("GET", "/v1/checkout/sessions/<session_id>")})
#: Where a platform calls for itself, without naming a business.
PLATFORM_ROUTES = ("/v1/businesses", "/v1/events")
_NAMED = "this key acts for no such business; name one of its own in Gateway-Business, or leave the header out"


def authenticate() -> None:
    """Find the caller and put the Call into `g.call`, the key into `g.key`.

    Raises Unauthenticated, TooMany (of the key or the address), RateLimitExceeded (of an address with wrong keys),
    Denied (`address_not_allowed`, `publishable_key_not_allowed`, `missing_scope`), Invalid (`business_required`),
    NotFound when `Gateway-Business` names a business that the key can't act for.
    """
    header = request.headers.get("Gateway-Business")
    found = _find(None if header is None else _uuid_of(header))
    if found.addresses and not may_come_from(address(), found.addresses):
        raise Denied("this key may not be used from this address", code="address_not_allowed")
    _count(found)
    if found.kind is not KeyKind.SECRET:
        _check_kind(found)
    g.key = found
    g.call = Call(
        business_id=_business_of(found, header),
        livemode=found.livemode,
        request_id=g.request_id,
        key_id=found.key_id,
        owner_id=found.platform_id if found.business_id is None else None,
    )


def _find(named: UUID | None) -> KeyFound:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    match = _KEY.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
    found = desk().find_key(sha256(match.group().encode()).digest(), named) if match else None
    if match is None or found is None or found.livemode is not (match.group(1) == "live"):
        desk().guards.wrong_key()
        raise Unauthenticated("send an active key as `Authorization: Bearer sk_test_…` or `sk_live_…`")
    return found


def _count(found: KeyFound) -> None:
    """Count the call: by its address, and by its key in the route's class, which the answer's headers tell of."""
    guards = desk().guards
    if guards.address is not None:
        guards.address.take(address())
    if found.kind is KeyKind.PUBLISHABLE:
        if guards.publishable is not None:
            g.rate = guards.publishable.take(f"{found.key_id}:{address()}")
        return
    guard = guards.reads if request.method in READING else guards.writes
    if guard is not None:
        g.rate = guard.take(found.key_id)


def _check_kind(found: KeyFound) -> None:
    """A publishable key does two things, a restricted one what its scopes say. Raises Denied."""
    method = "GET" if request.method == "HEAD" else request.method
    if found.kind is KeyKind.PUBLISHABLE:
        if (method, str(request.url_rule)) not in PUBLIC:
            raise Denied(
                "a publishable key makes and reads checkout sessions, no more; use a secret key on your server",
                code="publishable_key_not_allowed",
            )
        return
    needed = scope_of(request.blueprint or "", method)
    if not allows(found.scopes, needed):
        raise Denied(f"this key lacks the scope {needed}", code="missing_scope", extra={"scope": needed})


def _business_of(found: KeyFound, header: str | None) -> UUID:
    """The business that the call acts for; the house's, which is nobody's, where a platform calls for itself."""
    if found.business_id is not None:
        if header is not None and _uuid_of(header) != found.business_id:
            raise NotFound(_NAMED)
        return found.business_id
    if header is not None:
        if found.acts_for is None or found.acts_for != _uuid_of(header):
            raise NotFound(_NAMED)
        return found.acts_for
    if not is_platforms_own(str(request.url_rule)):
        raise Invalid(
            "a platform's key names the business that it acts for: `Gateway-Business: biz_…`",
            code="business_required",
        )
    return HOUSE


def is_platforms_own(rule: str) -> bool:
    """Whether a platform's key may call the route for itself, naming no business."""
    return any(rule == route or rule.startswith(route + "/") for route in PLATFORM_ROUTES)


def _uuid_of(named: str) -> UUID | None:
    try:
        return decode(Prefix.BUSINESS, named)
    except ValueError:
        return None
