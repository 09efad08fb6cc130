"""What the OpenAPI document says of keys: the scope that each operation needs, and who may call it."""

from __future__ import annotations

import re

from flask import Flask

from gateway.adapters.web.auth import PUBLIC, is_platforms_own
from gateway.application.interfaces import Json
from gateway.domain.scopes import scope_of

KEY_DESCRIPTION = (
    "A secret key (`sk_test_…`, `sk_live_…`) may call all; a restricted one (`rk_…`) what its scopes name, see each "
    "operation's `x-scope`; a publishable one (`pk_…`), which may stand in a web page, makes and reads "
    "checkout sessions. "
    "A platform's key names the business that it acts for in `Gateway-Business`."
)


def nouns_of(app: Flask) -> dict[str, str]:
    """The blueprint of each path, as the document writes paths."""
    return {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule): rule.endpoint.partition(".")[0]
        for rule in app.url_map.iter_rules()
        if "OPTIONS" not in (rule.methods or ())
    }


def describe(path: str, method: str, operation: Json, nouns: dict[str, str]) -> None:
    """Add `x-scope`, and whether a publishable key, or a platform's without a business, may call it."""
    scope = scope_of(nouns[path], method.upper())
    operation["x-scope"] = scope
    rule = re.sub(r"\{(\w+)\}", r"<\1>", path)
    operation["x-publishable"] = (method.upper(), rule) in PUBLIC
    operation["x-platform"] = is_platforms_own(rule)
    said = f"Restricted keys need the scope `{scope}`."
    operation["description"] = f"{operation['description']}\n\n{said}" if operation.get("description") else said
