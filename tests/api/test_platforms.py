"""A platform's key: its businesses, on behalf of each, and the feed of all."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.application.operators import Act
from gateway.bootstrap import Gateway
from gateway.domain.ids import Prefix, encode
from tests.api.world import World

ACT = Act(actor="tests", reason="platforms")
_NUMBERS = count(1)


class Platform:
    """A platform with a key in test mode."""

    def __init__(self, world: World, key: str) -> None:
        self.world, self.key = world, key

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"platform-{next(_NUMBERS)}")
        return self.world.app.test_client().open(path, method=method, json=body, headers=sent)


@pytest.fixture(scope="module")
def platforms(world: World) -> tuple[Platform, Platform]:
    operator = Gateway(settings=world.worker.settings, role="operator")
    ours = next(one for one in operator.directory.platforms() if one.name == "Platform")
    other = operator.desk.add_platform("Rival", ACT)
    keys = [operator.issue_platform_key(one.id, livemode=False, name="p", act=ACT)[1] for one in (ours, other)]
    operator.close()
    return Platform(world, keys[0]), Platform(world, keys[1])


def test_a_platform_makes_businesses_and_acts_for_them(platforms: tuple[Platform, Platform]) -> None:
    ours, rival = platforms
    body = {"name": "Duka Jipya", "shop_tag": "JIPYA", "settlement": "T+1", "support_contact": "help@jipya.example"}
    made = ours.call("POST", "/v1/businesses", body, Idempotency_Key="make-jipya")
    assert made.status_code == 201, made.json
    again = ours.call("POST", "/v1/businesses", body, Idempotency_Key="make-jipya")
    assert again.json["id"] == made.json["id"]
    taken = ours.call("POST", "/v1/businesses", body)
    assert (taken.status_code, taken.json["code"]) == (409, "shop_tag_taken")
    id_ = made.json["id"]
    payment = ours.call("POST", "/v1/payments", {"amount": 1_000_00, "currency": "KES"}, Gateway_Business=id_)
    assert (payment.status_code, payment.json["business"]) == (201, id_)
    feed = ours.call("GET", "/v1/events").json["data"]
    mine = next(one for one in feed if one["type"] == "payment.created" and one["business"] == id_)
    assert mine["initiator"].startswith("plt_")
    assert ours.call("GET", f"/v1/events/{mine['id']}").json == mine
    assert ours.call("GET", "/v1/business", Gateway_Business=id_).json["shop_tag"] == "JIPYA"
    changed = ours.call("PATCH", f"/v1/businesses/{id_}", {"support_contact": "+254 20 1"})
    assert (changed.status_code, changed.json["support_contact"]) == (200, "+254 20 1")
    assert rival.call("GET", f"/v1/businesses/{id_}").status_code == 404
    assert rival.call("PATCH", f"/v1/businesses/{id_}", {"name": "Taken over"}).status_code == 404
    assert rival.call("GET", f"/v1/events/{mine['id']}").status_code == 404
    assert rival.call("GET", "/v1/businesses").json["data"] == []
    assert rival.call("GET", "/v1/events").json["data"] == []
    assert rival.call("GET", f"/v1/payments/{payment.json['id']}", Gateway_Business=id_).status_code == 404


def test_one_idempotency_key_is_apart_for_platform_and_business(
    world: World, platforms: tuple[Platform, Platform]
) -> None:
    id_ = encode(Prefix.BUSINESS, world.a.business.id)
    body = {"amount": 1_000_00, "currency": "KES"}
    by_platform = platforms[0].call("POST", "/v1/payments", body, Gateway_Business=id_, Idempotency_Key="same")
    by_business = world.a.call("POST", "/v1/payments", body, Idempotency_Key="same")
    assert (by_platform.status_code, by_business.status_code) == (201, 201)
    assert by_platform.json["id"] != by_business.json["id"]


def test_a_business_makes_no_business(world: World) -> None:
    answer = world.a.call("POST", "/v1/businesses", {"name": "x", "shop_tag": "XXXX"})
    assert (answer.status_code, answer.json["code"]) == (403, "platform_key_required")
    own = world.a.get("/v1/businesses")["data"]
    assert [one["id"] for one in own] == [encode(Prefix.BUSINESS, world.a.business.id)]
    other = encode(Prefix.BUSINESS, world.b.business.id)
    assert world.a.call("GET", f"/v1/businesses/{other}").status_code == 404
    settlement = world.a.call("PATCH", f"/v1/businesses/{own[0]['id']}", {"settlement": "instant"})
    assert (settlement.status_code, settlement.json["code"]) == (403, "platform_key_required")
