"""Every route of the API × every kind of caller: the refusal that is documented, from the document itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from gateway.adapters.web.auth import PUBLIC
from gateway.adapters.web.blueprints import Blueprint
from gateway.application.operators import Act
from gateway.bootstrap import Gateway
from gateway.domain.ids import Prefix, encode
from tests.api.contract import Contract
from tests.api.world import World

ACT = Act(actor="tests", reason="callers of all kinds")
UNKNOWN = "sk_test_" + "0" * 40


@dataclass
class Callers:
    """The keys of one business, of its platform and of a stranger's, and a way to call with them."""

    world: World
    secret: str
    other: str
    publishable: str
    revoked: str
    expired: str
    bound: str
    platform: str
    stranger: str
    scoped: dict[str, str] = field(default_factory=dict)

    def call(self, operation: tuple[str, str], key: str | None, **headers: str) -> TestResponse:
        """The operation on ids that nobody has."""
        path, method = operation
        real = re.sub(r"{(\w+)}", lambda found: NOBODYS[found.group(1)], path)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        answer = self.world.app.test_client().open(real, method=method.upper(), headers=sent)
        Contract(DOCUMENT).check(method, real, answer) if answer.status_code >= 400 else None
        return answer

    def refused(self, operation: tuple[str, str], key: str | None, status: int, code: str, **headers: str) -> Any:
        """The refusal, which must be this one."""
        answer = self.call(operation, key, **headers)
        assert (answer.status_code, answer.json["code"]) == (status, code), (operation, answer.json)
        return answer.json


DOCUMENT: dict[str, Any] = {}
NOBODYS: dict[str, str] = {}


def _make(world: World, **body: Any) -> str:
    return str(world.a.post("/v1/api_keys", {"name": "matrix", **body})["secret"])


def _change(world: World, key: str, what: str) -> None:
    with psycopg.connect(world.database.plain_url("owner"), autocommit=True) as conn:
        done = conn.execute(f"UPDATE gateway.api_key SET {what} WHERE key_hash = %s", (sha256(key.encode()).digest(),))
        assert done.rowcount == 1


@pytest.fixture(scope="module")
def callers(world: World) -> Iterator[Callers]:
    DOCUMENT.update(world.a.get("/openapi.json"))
    for item in DOCUMENT["paths"].values():
        for parameter in item.get("parameters", ()):
            prefix = parameter["schema"]["pattern"][1:].partition("_")[0]
            NOBODYS[parameter["name"]] = encode(prefix, world.worker.units.new_id())
    operator = Gateway(settings=world.worker.settings, role="operator")
    platform = operator.directory.platforms()[0]
    stranger = operator.desk.add_platform("Another platform", ACT)
    keys = [operator.issue_platform_key(one.id, livemode=False, name="p", act=ACT)[1] for one in (platform, stranger)]
    operator.close()
    found = Callers(
        world=world,
        secret=world.a.key,
        other=world.b.key,
        publishable=_make(world, kind="publishable"),
        revoked=_make(world),
        expired=_make(world),
        bound=_make(world, addresses=["203.0.113.0/24", "2001:db8::/32"]),
        platform=keys[0],
        stranger=keys[1],
    )
    _change(world, found.revoked, "revoked_at = now()")
    _change(world, found.expired, "expires_at = now()")
    for scope in {operation["x-scope"] for _, _, operation in Contract(DOCUMENT).operations()}:
        found.scoped[scope] = _make(world, kind="restricted", scopes=[scope])
    yield found
    DOCUMENT.clear()


def operations() -> list[tuple[str, str]]:
    return [(path, method) for path, method, _ in Contract(DOCUMENT).operations()]


def test_the_document_holds_every_route_and_no_other(callers: Callers) -> None:
    app = callers.world.app
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routed == set(operations())
    assert len(routed) >= 50


def test_every_route_stands_behind_a_key(callers: Callers) -> None:
    """All of `/v1` is served by blueprints that authenticate; what a page may ask before it calls tells nothing."""
    app = callers.world.app
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and "OPTIONS" not in (rule.methods or ()):
            assert isinstance(app.blueprints[rule.endpoint.partition(".")[0]], Blueprint), rule


@pytest.mark.parametrize("who", ["nobody", "unknown", "revoked", "expired", "wrong mode"])
def test_no_usable_key_opens_nothing(callers: Callers, who: str) -> None:
    keys: Mapping[str, str | None] = {
        "nobody": None,
        "unknown": UNKNOWN,
        "revoked": callers.revoked,
        "expired": callers.expired,
        "wrong mode": callers.secret.replace("sk_test_", "sk_live_"),
    }
    for operation in operations():
        callers.refused(operation, keys[who], 401, "invalid_api_key")


def test_another_business_cannot_be_named(callers: Callers) -> None:
    b = encode(Prefix.BUSINESS, callers.world.b.business.id)
    a = encode(Prefix.BUSINESS, callers.world.a.business.id)
    for operation in operations():
        callers.refused(operation, callers.secret, 404, "not_found", Gateway_Business=b)
        callers.refused(operation, callers.stranger, 404, "not_found", Gateway_Business=a)
        callers.refused(operation, callers.platform, 404, "not_found", Gateway_Business="biz_" + "0" * 26)


def test_a_platform_names_its_business_except_on_its_own_routes(callers: Callers) -> None:
    own = set()
    for operation in operations():
        answer = callers.call(operation, callers.platform)
        if answer.status_code == 400 and answer.json["code"] == "business_required":
            continue
        assert answer.status_code != 401
        own.add(operation[0])
    assert own == {"/v1/businesses", "/v1/businesses/{business_id}", "/v1/events", "/v1/events/{event_id}"}


def test_a_key_bound_to_addresses_opens_nothing_from_elsewhere(callers: Callers) -> None:
    for operation in operations():
        callers.refused(operation, callers.bound, 403, "address_not_allowed")


def test_a_publishable_key_makes_and_reads_sessions_alone(callers: Callers) -> None:
    opened = set()
    for path, method in operations():
        if (method.upper(), re.sub(r"{(\w+)}", r"<\1>", path)) in PUBLIC:
            answer = callers.call((path, method), callers.publishable)
            assert answer.status_code in (400, 404), "the key is let in; what it asked for isn't there"
            assert answer.json["code"] not in ("invalid_api_key", "publishable_key_not_allowed")
            opened.add((method, path))
        else:
            callers.refused((path, method), callers.publishable, 403, "publishable_key_not_allowed")
    assert opened == {("post", "/v1/checkout/sessions"), ("get", "/v1/checkout/sessions/{session_id}")}


def test_each_scope_opens_its_own_operations_and_no_others(callers: Callers) -> None:
    for path, method, operation in Contract(DOCUMENT).operations():
        needed = operation["x-scope"]
        for scope, key in callers.scoped.items():
            if scope == needed:
                # What doesn't need a body may do something: a scope that opens is tried where nothing is there.
                if "{" in path or method == "get":
                    answer = callers.call((path, method), key)
                    assert answer.status_code not in (401, 429), (path, method)
                    assert answer.is_json is False or answer.json.get("code") != "missing_scope", (path, method)
            elif scope in _near(needed, callers.scoped):
                said = callers.refused((path, method), key, 403, "missing_scope")
                assert said["scope"] == needed
                assert needed in said["detail"]


def _near(needed: str, all_: Mapping[str, str]) -> set[str]:
    """The other verb of the same noun, and three other nouns: each scope is held against each route's own."""
    noun, _, verb = needed.partition(":")
    others = sorted(set(all_) - {needed})
    start = sum(needed.encode()) % len(others)
    return {f"{noun}:{'read' if verb == 'write' else 'write'}", *(others[start:] + others)[:3]}


def test_a_page_of_another_site_may_call_what_a_publishable_key_may(callers: Callers) -> None:
    client = callers.world.app.test_client()
    for path, method in operations():
        real = re.sub(r"{(\w+)}", lambda found: NOBODYS[found.group(1)], path)
        asked = client.options(real, headers={"Origin": "https://shop.example"})
        public = any(rule == re.sub(r"{(\w+)}", r"<\1>", path) for _, rule in PUBLIC)
        assert (asked.status_code == 204) is public, (path, asked.status_code)
        answer = client.open(real, method=method.upper(), headers={"Origin": "https://shop.example"})
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert (allowed == "*") is ((method.upper(), re.sub(r"{(\w+)}", r"<\1>", path)) in PUBLIC), (path, method)
        assert "Access-Control-Allow-Credentials" not in answer.headers


def soon(days: int = 1) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()
