"""Lists: pages that join without a gap, in both directions, and filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import Shop, World, a_phone


@pytest.fixture(scope="module")
def shop(world: World) -> Shop:
    """A shop with five payments of its own kind, and some of everything."""
    for number in range(5):
        world.a_live.payment(20_000, reference=f"list-{number}")
    world.furnish(world.a_live)
    return world.a_live


def walk(shop: Shop, path: str, limit: int) -> list[Any]:
    """All pages, forwards."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = shop.get(f"{path}?limit={limit}{cursor}")
        assert len(page["data"]) <= limit
        found += page["data"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        assert page["next_cursor"] == page["data"][-1]["id"]
        cursor = f"&starting_after={page['next_cursor']}"


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/events", "/v1/balance_transactions"])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_join_without_a_gap(shop: Shop, path: str, limit: int) -> None:
    whole = [one["id"] for one in shop.get(f"{path}?limit=100")["data"]]
    assert [one["id"] for one in walk(shop, path, limit)] == whole
    assert len(set(whole)) == len(whole)


def test_backwards_is_the_same_road(shop: Shop) -> None:
    ids = [one["id"] for one in shop.get("/v1/payments?limit=100")["data"]]
    back = shop.get(f"/v1/payments?limit=2&ending_before={ids[3]}")
    assert [one["id"] for one in back["data"]] == ids[1:3]
    assert back["has_more"] is True
    first = shop.get(f"/v1/payments?limit=2&ending_before={ids[2]}")
    assert [one["id"] for one in first["data"]] == ids[0:2]
    assert first["has_more"] is False


def test_bounds_on_created(shop: Shop) -> None:
    every = shop.get("/v1/payments?limit=100")["data"]
    middle = every[2]["created"]
    newer = shop.get(f"/v1/payments?limit=100&created[gt]={middle}")["data"]
    older = shop.get(f"/v1/payments?limit=100&created[lte]={middle}")["data"]
    assert [one["id"] for one in newer + older] == [one["id"] for one in every]
    assert shop.get("/v1/payments?created[lt]=2001-01-01T00:00:00Z")["data"] == []
    for far in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00%2B14:00"):
        shop.get(f"/v1/payments?created[gte]={far}&created[lte]={far}")


def test_filters(shop: Shop) -> None:
    assert [p["reference"] for p in shop.get("/v1/payments?reference=list-3")["data"]] == ["list-3"]
    states = {p["status"] for p in shop.get("/v1/payments?status=succeeded")["data"]}
    assert states == {"succeeded"}
    types = {e["type"] for e in shop.get("/v1/events?type=payment.created")["data"]}
    assert types == {"payment.created"}
    kinds = {t["kind"] for t in shop.get("/v1/balance_transactions")["data"]}
    for kind in kinds:
        assert {t["kind"] for t in shop.get(f"/v1/balance_transactions?kind={kind}")["data"]} == {kind}
    assert shop.get("/v1/balance_transactions?kind=nothing")["data"] == []


def test_a22_one_customer_however_the_number_is_typed(shop: Shop) -> None:
    local = a_phone()
    national = local[1:]
    made = {
        shop.post("/v1/customers", {"phone": typed})["id"]
        for typed in (local, f"+254{national}", f"254{national}", f"{local[:4]} {local[4:7]} {local[7:]}")
    }
    assert len(made) == 1
    (customer,) = made
    found = shop.get(f"/v1/customers?phone=%2B254{national}")["data"]
    assert [one["id"] for one in found] == [customer]
    assert found[0]["phone"] == f"+254{national[:1]}•••••{national[-3:]}"
    assert shop.call("GET", "/v1/customers?phone=123").json["code"] == "phone_invalid"
    kept = shop.post("/v1/customers", {"phone": local, "name": "Wanjiru"})
    assert shop.post("/v1/customers", {"phone": local})["name"] == kept["name"] == "Wanjiru"
