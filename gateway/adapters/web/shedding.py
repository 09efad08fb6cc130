"""Which requests are shed while work waits: lists and new objects first, one object's own reading never."""

from __future__ import annotations

from flask import request

from gateway.adapters.web.desk import desk
from gateway.application.shedding import Load
from gateway.domain.scopes import READING

#: Steps that end something or only ask: they make no new work of weight.
_LIGHT = ("/refresh", "/cancel", "/expire", "/revoke", "/test", "/rotate_secret")
#: Lists of one page that cost nothing, and what a person needs to see what is going on.
_CHEAP = ("/v1/balance", "/v1/business", "/v1/rails")


def shed() -> None:
    """Refuse this request when it must wait. Raises Busy."""
    shedding = desk().settings.shedding
    if shedding is not None:
        shedding.refuse(load_of(request.method, str(request.url_rule)))


def load_of(method: str, rule: str) -> Load:
    """What a request asks of us, by its route."""
    about_one = rule.rstrip("/").endswith(">")
    if method in READING:
        return Load.KEPT if about_one or rule in _CHEAP else Load.LIST
    if method != "POST" or rule.startswith("/v1/test_helpers") or rule.endswith(_LIGHT):
        return Load.KEPT
    return Load.ORDER if "<" in rule else Load.NEW
