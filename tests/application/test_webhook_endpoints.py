"""Webhook endpoints of a business: made, changed, disabled by their owner or by themselves, deleted."""

from __future__ import annotations

import pytest

from gateway.application.commands import EndpointChange, ListQuery, NewEndpoint
from gateway.application.interfaces import Json, Sent
from gateway.application.webhooks import ManageEndpoints
from gateway.domain.errors import Invalid, NotFound
from tests.application.harness import World, id_of

DAY = 24 * 3600


def manage(world: World) -> ManageEndpoints:
    found: ManageEndpoints = world.web.use_cases.endpoints
    return found


def made(world: World, *events: str, url: str = "https://shop.example/hook") -> Json:
    return manage(world).create(NewEndpoint(url=url, enabled_events=events or ("*",)), world.call)


def deliveries(world: World, endpoint: Json, **filters: object) -> list[Json]:
    found: list[Json] = manage(world).deliveries(id_of(endpoint), ListQuery(filters=filters), world.call)["data"]
    return found


def change(world: World, endpoint: Json, **changes: object) -> Json:
    return manage(world).change(EndpointChange(endpoint_id=id_of(endpoint), **changes), world.call)  # type: ignore[arg-type]


def test_an_endpoint_s_secret_is_shown_to_its_maker_alone(world: World) -> None:
    endpoint = made(world)
    assert endpoint["secret"].startswith("whsec_")
    assert manage(world).get(id_of(endpoint), world.call) == {**endpoint, "secret": None}
    assert manage(world).page(ListQuery(), world.call)["data"] == [{**endpoint, "secret": None}]


def test_a_change_changes_what_it_names(world: World) -> None:
    endpoint = made(world)
    changed = change(
        world,
        endpoint,
        url="https://b.example/x",
        enabled_events=("payout.*",),
        description="till",
        metadata={"a": "b"},
    )
    assert (changed["url"], changed["enabled_events"], changed["description"], changed["metadata"]) == (
        "https://b.example/x",
        ["payout.*"],
        "till",
        {"a": "b"},
    )
    assert change(world, endpoint)["version"] == changed["version"]
    for wrong in ({"url": "ftp://x"}, {"enabled_events": ()}, {"enabled_events": ("no.such",)}):
        with pytest.raises(Invalid):
            change(world, endpoint, **wrong)


def test_what_was_open_or_came_while_an_endpoint_was_disabled_is_sent_when_it_is_enabled(world: World) -> None:
    endpoint = made(world, "payment.created")
    world.payment()
    assert change(world, endpoint, enabled=False)["disabled_reason"] == "by_owner"
    assert change(world, endpoint, enabled=False)["status"] == "disabled"
    world.payment()  # while it is disabled
    world.settle()
    assert world.receiver.got == []
    assert change(world, endpoint, enabled=True)["status"] == "enabled"
    world.settle()
    assert len({webhook_id for _, webhook_id, _ in world.receiver.got}) == len(world.receiver.got) == 2
    assert [d["status"] for d in deliveries(world, endpoint)] == ["delivered"] * 2
    assert deliveries(world, endpoint)[0]["event_type"] == "payment.created"


def test_an_endpoint_that_says_gone_is_disabled(world: World) -> None:
    endpoint = made(world, "payment.created")
    world.receiver.answers.append(Sent(status=410))
    world.payment()
    world.settle()
    seen = manage(world).get(id_of(endpoint), world.call)
    assert (seen["status"], seen["disabled_reason"]) == ("disabled", "gone")
    assert [d["status"] for d in deliveries(world, endpoint)] == ["exhausted"]
    assert world.alerts() == ["webhook_endpoint_disabled"]


def test_a_delivery_is_given_up_after_the_table_and_an_endpoint_that_took_nothing_for_days_is_disabled(
    world: World,
) -> None:
    endpoint = made(world, "payment.created")
    world.receiver.answers += [Sent(status=500)] * 100
    world.payment()
    world.advance(4 * DAY)
    (first,) = deliveries(world, endpoint)
    assert (first["status"], first["tries"]) == ("exhausted", 10)
    assert manage(world).get(id_of(endpoint), world.call)["status"] == "failing"
    world.advance(3 * DAY)
    world.payment()
    world.advance(4 * DAY)
    seen = manage(world).get(id_of(endpoint), world.call)
    assert (seen["status"], seen["disabled_reason"]) == ("disabled", "failing")
    assert world.alerts() == ["webhook_endpoint_disabled"]


def test_a_deleted_endpoint_is_told_nothing_more(world: World) -> None:
    endpoint = made(world)
    world.receiver.answers.append(Sent(status=500))
    world.payment()
    world.settle()
    manage(world).delete(id_of(endpoint), world.call)
    world.advance(DAY)
    assert len(world.receiver.got) == 1
    with pytest.raises(NotFound):
        manage(world).delete(id_of(endpoint), world.call)
    assert manage(world).page(ListQuery(), world.call)["data"] == []


def test_a_delivery_of_another_s_is_not_found(world: World) -> None:
    endpoint, other = made(world), world.of(world.add_business())
    with pytest.raises(NotFound):
        manage(world).deliveries(id_of(endpoint), ListQuery(), other)


def test_a_delivery_that_is_done_is_not_sent_again(world: World) -> None:
    endpoint = made(world, "payment.created")
    world.payment()
    world.settle()
    (one,) = deliveries(world, endpoint)
    assert world.run("webhook.deliver", id_of(one)) is None
    assert world.run("webhook.deliver", id_of(endpoint)) is None  # no such delivery
    assert len(world.receiver.got) == 1


def test_a_slow_receiver_s_retry_after_is_heeded(world: World) -> None:
    made(world, "payment.created")
    world.receiver.answers.append(Sent(status=503, retry_after_s=3_000))
    world.payment()
    world.advance(2_900)
    assert len(world.receiver.got) == 1
    world.advance(200)
    assert len(world.receiver.got) == 2
