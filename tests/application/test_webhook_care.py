"""What endpoints are cared for with: notices of failure, replays, single deliveries again, tests, thin payloads."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.application.commands import EndpointChange, ListQuery, NewEndpoint
from gateway.application.interfaces import Json, Sent
from gateway.application.replays import ResendWebhooks
from gateway.application.webhooks import ManageEndpoints
from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.ids import Prefix, decode
from gateway.domain.webhooks import OVERLAP_MAX_S
from tests.application.harness import World, id_of

HOUR, DAY = 3600, 24 * 3600
A, B = "https://a.example/hook", "https://b.example/hook"


def manage(world: World) -> ManageEndpoints:
    found: ManageEndpoints = world.web.use_cases.endpoints
    return found


def resend(world: World) -> ResendWebhooks:
    found: ResendWebhooks = world.web.use_cases.resend
    return found


def made(world: World, url: str, *events: str, payload: str = "full") -> Json:
    return manage(world).create(NewEndpoint(url=url, enabled_events=events or ("*",), payload=payload), world.call)


def deliveries(world: World, endpoint: Json, **filters: object) -> list[Json]:
    found: list[Json] = manage(world).deliveries(id_of(endpoint), ListQuery(limit=100, filters=filters), world.call)[
        "data"
    ]
    return found


def got(world: World, url: str) -> list[Json]:
    return [json.loads(body) for to, _, body in world.receiver.got if to == url]


def see(world: World, endpoint: Json) -> Json:
    return manage(world).get(id_of(endpoint), world.call)


def fails(world: World, url: str) -> None:
    """From now on that URL answers 500, and every other one 200."""
    world.receiver.by_url[url] = Sent(status=500)


def test_the_others_are_told_that_one_fails_and_that_it_was_disabled(world: World) -> None:
    bad, good = made(world, A), made(world, B, "webhook_endpoint.*")
    fails(world, A)
    world.payment()
    world.advance(20 * HOUR)
    assert see(world, bad)["status"] == "failing"
    world.advance(5 * DAY)
    world.payment()
    world.settle()
    assert (see(world, bad)["status"], see(world, bad)["disabled_reason"]) == ("disabled", "failing")
    notices = got(world, B)
    assert [one["type"] for one in notices] == ["webhook_endpoint.failing", "webhook_endpoint.disabled"]
    assert {one["data"]["object"]["id"] for one in notices} == {bad["id"]}
    assert [one["data"]["object"]["status"] for one in notices] == ["failing", "disabled"]
    assert "secret" not in json.dumps(notices).replace('"secret": null', "").replace("previous_secret_until", "")
    assert not [one for one in got(world, A) if one["type"].startswith("webhook_endpoint.")]
    assert world.told(bad) == ["webhook_endpoint.failing", "webhook_endpoint.disabled"]
    assert see(world, good)["status"] == "enabled"


def test_one_that_recovers_before_it_is_disabled_gets_the_old_and_the_new(world: World) -> None:
    endpoint = made(world, A, "payment.created")
    fails(world, A)
    world.payment()
    world.advance(30 * HOUR)
    world.receiver.by_url.clear()
    world.payment()
    world.settle()
    assert see(world, endpoint)["status"] == "enabled"
    assert see(world, endpoint)["failing_since"] is None
    world.advance(20 * HOUR)
    assert [one["status"] for one in deliveries(world, endpoint)] == ["delivered", "delivered"]


def test_one_that_was_disabled_gets_the_old_and_the_new_once_it_is_enabled(world: World) -> None:
    endpoint = made(world, A, "payment.created")
    fails(world, A)
    first = world.payment()
    world.advance(6 * DAY)
    second = world.payment()
    world.settle()
    assert see(world, endpoint)["status"] == "disabled"
    third = world.payment()
    world.settle()
    world.receiver.by_url.clear()
    world.receiver.got.clear()
    manage(world).change(EndpointChange(endpoint_id=id_of(endpoint), enabled=True), world.call)
    world.settle()
    fourth = world.payment()
    world.settle()
    told = [one["data"]["object"]["id"] for one in got(world, A)]
    assert sorted(told) == sorted(one["id"] for one in (first, second, third, fourth))
    assert {one["status"] for one in deliveries(world, endpoint)} == {"delivered"}


def test_a_replay_sends_a_span_again_under_the_same_ids_and_only_what_was_asked(world: World) -> None:
    endpoint = made(world, A, "payment.*")
    began = world.now
    for _ in range(3):
        world.prompted()
    world.advance(60)
    before = [(webhook_id, body) for _, webhook_id, body in world.receiver.got]
    world.receiver.got.clear()
    asked = resend(world).replay(
        id_of(endpoint), world.call, since=began - timedelta(seconds=1), types=("payment.created",)
    )
    assert asked["status"] == "running"
    world.settle()
    again = [(webhook_id, body) for _, webhook_id, body in world.receiver.got]
    assert sorted(again) == sorted(one for one in before if json.loads(one[1])["type"] == "payment.created")
    assert len(again) == 3
    done = resend(world).read(id_of(endpoint), decode(Prefix.WEBHOOK_REPLAY, asked["id"]), world.call)
    assert (done["status"], done["resent"]) == ("done", 3)


def test_a_replay_goes_batch_by_batch_and_a_second_worker_repeats_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.application.replays.BATCH", 2)
    endpoint = made(world, A, "payment.created")
    for _ in range(5):
        world.payment()
    world.settle()
    world.receiver.got.clear()
    asked = resend(world).replay(id_of(endpoint), world.call, since=world.now - timedelta(hours=1))
    replay_id = decode(Prefix.WEBHOOK_REPLAY, asked["id"])
    assert world.run("webhook.replay", replay_id) == world.now
    assert resend(world).read(id_of(endpoint), replay_id, world.call)["resent"] == 2
    world.settle()
    assert world.run("webhook.replay", replay_id) is None
    assert len(world.receiver.got) == len({webhook_id for _, webhook_id, _ in world.receiver.got}) == 5


def test_a_replay_has_bounds_and_only_one_runs(world: World) -> None:
    endpoint = made(world, A)
    for since in (world.now - timedelta(days=31), world.now + timedelta(hours=1)):
        with pytest.raises(Invalid):
            resend(world).replay(id_of(endpoint), world.call, since=since)
    world.payment()
    resend(world).replay(id_of(endpoint), world.call, since=world.now - timedelta(hours=1))
    with pytest.raises(Conflict):
        resend(world).replay(id_of(endpoint), world.call, since=world.now - timedelta(hours=1))
    world.settle()
    resend(world).replay(id_of(endpoint), world.call, since=world.now - timedelta(hours=1))
    other = world.of(world.add_business())
    with pytest.raises(NotFound):
        resend(world).replay(id_of(endpoint), other, since=world.now - timedelta(hours=1))


def test_one_delivery_is_sent_again_and_the_table_begins_anew(world: World) -> None:
    endpoint = made(world, A, "payment.created")
    fails(world, A)
    world.payment()
    world.advance(4 * DAY)
    (spent,) = deliveries(world, endpoint)
    assert (spent["status"], spent["tries"]) == ("exhausted", 10)
    again = resend(world).redeliver(id_of(endpoint), id_of(spent), world.call)
    assert again["status"] == "pending"
    world.settle()
    assert deliveries(world, endpoint)[0]["status"] == "retrying"
    world.receiver.by_url.clear()
    world.advance(10)
    one = manage(world).delivery(id_of(endpoint), id_of(spent), world.call)
    assert (one["status"], one["tries"]) == ("delivered", 12)
    assert [t["number"] for t in one["attempts"]] == list(range(1, 13))
    assert [t["status"] for t in one["attempts"]] == [500] * 11 + [200]
    assert len({webhook_id for _, webhook_id, _ in world.receiver.got}) == 1
    with pytest.raises(NotFound):
        resend(world).redeliver(id_of(made(world, B)), id_of(spent), world.call)


def test_a_test_event_goes_to_that_endpoint_alone_whatever_it_asked_for(world: World) -> None:
    endpoint, other = made(world, A, "payout.*"), made(world, B)
    sent = resend(world).test(id_of(endpoint), world.call)
    world.settle()
    assert [one["id"] for one in got(world, A)] == [sent["event"]]
    assert got(world, A)[0]["type"] == "webhook_endpoint.test"
    assert got(world, B) == []
    assert deliveries(world, other) == []
    manage(world).change(EndpointChange(endpoint_id=id_of(endpoint), enabled=False), world.call)
    for refused in (
        lambda: resend(world).test(id_of(endpoint), world.call),
        lambda: resend(world).replay(id_of(endpoint), world.call, since=world.now - timedelta(hours=1)),
        lambda: resend(world).redeliver(id_of(endpoint), id_of(endpoint), world.call),
    ):
        with pytest.raises(Conflict):
            refused()


def test_a_family_gets_its_own_and_no_others(world: World) -> None:
    made(world, A, "payout.*")
    made(world, B, "*")
    world.prompted()
    world.paid()
    world.payout()
    world.settle()
    assert {one["type"].split(".")[0] for one in got(world, A)} == {"payout"}
    assert {one["type"].split(".")[0] for one in got(world, B)} >= {"payout", "payment"}


def test_a_thin_endpoint_gets_ids_and_the_api_has_the_rest(world: World) -> None:
    made(world, A, "payment.created", payload="thin")
    payment = world.payment(description="two bags")
    world.settle()
    (told,) = got(world, A)
    assert told["data"] == {"object": {"id": payment["id"], "object": "payment"}}
    whole = world.web.use_cases.events.get(decode(Prefix.EVENT, told["id"]), world.call)
    assert whole["data"]["object"]["description"] == "two bags"
    assert {k: v for k, v in whole.items() if k != "data"} == {k: v for k, v in told.items() if k != "data"}


def test_while_a_secret_rotates_two_sign_and_afterwards_the_new_one_alone(world: World) -> None:
    endpoint = made(world, A, "payment.created")
    rotated = manage(world).rotate(id_of(endpoint), 3600, world.call)
    assert rotated["secret"] != endpoint["secret"]
    assert see(world, endpoint)["secret"] is None
    world.payment()
    world.settle()
    assert world.receiver.secrets[-1] == (rotated["secret"], endpoint["secret"])
    world.advance(3601)
    world.payment()
    world.settle()
    assert world.receiver.secrets[-1] == (rotated["secret"], None)
    at_once = manage(world).rotate(id_of(endpoint), 0, world.call)
    world.payment()
    world.settle()
    assert world.receiver.secrets[-1] == (at_once["secret"], None)
    for wrong in (-1, OVERLAP_MAX_S + 1):
        with pytest.raises(Invalid):
            manage(world).rotate(id_of(endpoint), wrong, world.call)


def test_what_a_try_says_of_an_endpoint_leaves_a_rotation_alone(world: World) -> None:
    endpoint = made(world, A, "payment.created")
    rotated = manage(world).rotate(id_of(endpoint), 3600, world.call)
    fails(world, A)
    world.payment()
    world.settle()
    assert see(world, endpoint)["failing_since"] is not None
    world.receiver.by_url.clear()
    world.advance(6)
    assert see(world, endpoint)["failing_since"] is None
    assert world.receiver.secrets[-1] == (rotated["secret"], endpoint["secret"])


def test_an_endpoint_that_kept_a_worker_waiting_goes_to_the_slow_queue(world: World) -> None:
    made(world, A, "payment.created")
    world.receiver.answers.append(Sent(status=None, error="timeout", duration_ms=15_000))
    world.payment()
    world.settle()
    world.payment()
    kinds = "SELECT DISTINCT kind, queue FROM gateway.outbox WHERE business_id = :b AND kind LIKE 'webhook.%'"
    world.settle()
    assert ("webhook.deliver_slowly", "slow") in [tuple(row) for row in world.rows(kinds, b=world.business.id)]
    assert len(world.receiver.got) == 2
    world.advance(601)
    before = len(world.rows(kinds + " AND kind = 'webhook.deliver'", b=world.business.id))
    world.payment()
    world.settle()
    assert before == 1
    assert len({webhook_id for _, webhook_id, _ in world.receiver.got}) == 3


def test_events_are_filtered_by_types_and_by_endpoint_and_read_on_from_a_cursor(world: World) -> None:
    endpoint = made(world, A, "payment.requires_action")
    world.prompted()
    world.prompted()
    read = world.web.use_cases.events

    def types(**filters: object) -> list[str]:
        return [one["type"] for one in read.page(ListQuery(limit=100, filters=filters), world.call)["data"]]

    assert set(types(types=("payment.requires_action", "payout.*"))) == {"payment.requires_action"}
    assert types(endpoint_id=id_of(endpoint)) == ["payment.requires_action"] * 2
    assert set(types(types=("*",))) == {"payment.created", "payment.requires_action"}
    assert types(oldest_first=True) == [], "what is only just made waits a moment"


def test_a_reader_of_the_feed_rebuilds_the_exact_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.adapters.persistence.webhooks.SETTLED_AFTER", timedelta(seconds=-1))
    payments = [world.paid() for _ in range(3)] + [world.prompted(), world.payment()]
    held: dict[str, Json] = {}
    cursor, pages = None, 0
    while True:
        page = world.web.use_cases.events.page(
            ListQuery(limit=4, starting_after=cursor, filters={"oldest_first": True}), world.call
        )
        ids = [one["id"] for one in page["data"]]
        assert ids == sorted(ids)
        for event in page["data"]:
            held[event["data"]["object"]["id"]] = event["data"]["object"]
        pages += 1
        if not page["has_more"]:
            break
        cursor = decode(Prefix.EVENT, page["next_cursor"])
    assert pages > 3
    for payment in payments:
        assert held[payment["id"]]["status"] == world.see(payment)["status"]


def test_old_events_are_forgotten_with_their_deliveries_and_the_count_goes_on(world: World) -> None:
    endpoint = made(world, A, "payment.*")
    payment = world.payment()
    world.settle()
    sweep = "SELECT gateway.sweep_events(:before, 1000)"
    assert world.value("SELECT count(*) FROM gateway.event WHERE business_id = :b", b=world.business.id) == 1
    # Other worlds of this database have events too, and a sweep takes a thousand.
    while world.value("SELECT count(*) FROM gateway.event WHERE business_id = :b", b=world.business.id):
        world.run_sql(sweep, before="ffffffff-ffff-7fff-bfff-ffffffffffff")
    for table in ("event", "delivery", "delivery_try"):
        count = f"SELECT count(*) FROM gateway.{table} WHERE business_id = :b"
        assert world.value(count, b=world.business.id) == 0
    world.confirm(payment)
    world.settle()
    assert [one["sequence"] for one in world.events(payment)] == [2]
    assert [one["status"] for one in deliveries(world, endpoint)] == ["delivered"]
