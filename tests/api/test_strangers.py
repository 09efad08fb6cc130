"""Another business's object, or the other mode's, does not exist: on every route of the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.api.contract import Contract
from tests.api.kinds import example_of
from tests.api.world import Shop, World


@pytest.fixture(scope="module")
def owned(world: World) -> Mapping[str, Mapping[str, str]]:
    """Ids of each kind, of business B in both modes and of business A in live mode."""
    return {
        "b": world.furnish(world.b),
        "b_live": world.furnish(world.b_live),
        "a_live": world.furnish(world.a_live),
        "a": world.furnish(world.a),
    }


PAIRS = [("a", "b"), ("a", "b_live"), ("a", "a_live"), ("a_live", "a"), ("a_live", "b"), ("b", "a")]


@pytest.mark.parametrize(("who", "whose"), PAIRS)
def test_no_route_shows_or_touches_what_is_not_the_callers(
    world: World, owned: Mapping[str, Mapping[str, str]], who: str, whose: str
) -> None:
    caller: Shop = getattr(world, who)
    owner: Shop = getattr(world, whose)
    contract = Contract(world.a.get("/openapi.json"))
    before = _state(owner, owned[whose])
    tried = 0
    for path, method, operation in contract.operations():
        if "{" not in path or ("business_id" in path and caller.business == owner.business):
            continue
        real = path.format(**owned[whose])
        # The document's own example is acceptable, so that only the id decides.
        answer = caller.call(method.upper(), real, example_of(operation, owned[whose]))
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), (method, path, answer.json)
        contract.check(method, real, answer)
        tried += 1
    assert tried >= 20
    assert _state(owner, owned[whose]) == before


@pytest.mark.parametrize(("who", "whose"), PAIRS)
def test_no_list_holds_what_is_not_the_callers(
    world: World, owned: Mapping[str, Mapping[str, str]], who: str, whose: str
) -> None:
    caller: Shop = getattr(world, who)
    theirs = {id_ for id_ in owned[whose].values() if id_ not in owned[who].values()}
    for path, method, operation in Contract(world.a.get("/openapi.json")).operations():
        if method == "get" and "{" not in path and "test_helpers" not in path:
            query = "?limit=100" if any(one.get("name") == "limit" for one in operation.get("parameters", ())) else ""
            text = json.dumps(caller.get(path + query))
            assert not [id_ for id_ in theirs if id_ in text], path
    payment, customer = owned[whose]["payment_id"], owned[whose]["customer_id"]
    assert caller.get(f"/v1/checkout/sessions?payment={payment}")["data"] == []
    assert caller.get(f"/v1/payments?customer={customer}")["data"] == []


@pytest.mark.parametrize(("who", "whose"), PAIRS)
def test_a_strangers_cursor_opens_nothing(
    world: World, owned: Mapping[str, Mapping[str, str]], who: str, whose: str
) -> None:
    caller: Shop = getattr(world, who)
    text = json.dumps(
        [
            caller.get(f"/v1/payments?starting_after={owned[whose]['payment_id']}"),
            caller.get(f"/v1/payments?ending_before={owned[whose]['payment_id']}"),
            caller.get(f"/v1/balance_transactions?starting_after={owned[whose]['transaction_id']}"),
            caller.get(f"/v1/balance_transactions?ending_before={owned[whose]['transaction_id']}"),
        ]
    )
    assert not [id_ for id_ in owned[whose].values() if id_ in text and id_ not in owned[who].values()]


def _state(owner: Shop, ids: Mapping[str, str]) -> list[object]:
    """What a stranger could have changed."""
    return [
        owner.get(f"/v1/payments/{ids['payment_id']}"),
        owner.get(f"/v1/payments/{ids['payment_id']}/attempts"),
        owner.get(f"/v1/payouts/{ids['payout_id']}"),
        owner.get(f"/v1/checkout/sessions/{ids['session_id']}"),
        owner.get(f"/v1/webhook_endpoints/{ids['endpoint_id']}"),
        owner.get(f"/v1/customers/{ids['customer_id']}"),
        owner.get("/v1/balance"),
    ]
