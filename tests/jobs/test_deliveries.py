"""Webhooks on a real database: the schedule on a moved clock, who is disabled, and what a consumer can rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from gateway.application.commands import EndpointChange
from gateway.application.deliveries import DeliverWebhook
from gateway.application.webhooks import ManageEndpoints
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import RETRY_AFTER_S, Delivery, DeliveryState, EndpointState, WebhookEndpoint
from tests.jobs.courier import Chances, Courier
from tests.jobs.doing import deliveries
from tests.outbound.receivers import Answer, Receiver, a_receiver, says
from tests.persistence.shop import Shop
from tests.waiting import eventually

SECRET = "whsec_" + "c2VjcmV0LWJ5dGVzLW9mLWEtdGVzdC1vZi0zMi0hISE="


@pytest.fixture
def courier(shop: Shop) -> Courier:
    return Courier(shop)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as running:
        yield running


def the_delivery(shop: Shop, endpoint: WebhookEndpoint) -> Delivery:
    [found] = deliveries(shop, endpoint.id)
    return found


def state_of(shop: Shop, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    with shop.units("worker")(shop.a, read_only=True) as work:
        return work.endpoints.get(endpoint.id)


def slowly(receiver: Receiver) -> Answer:
    def answer(_: Any) -> None:
        receiver.let_go.wait(10)

    return answer


@pytest.mark.parametrize("kind", ["500", "302", "404", "slow"])
def test_g3_ten_tries_by_the_table(shop: Shop, receiver: Receiver, kind: str) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.answer = slowly(receiver) if kind == "slow" else says(int(kind), Location="http://127.0.0.1:1/")
    shop.payment()
    expected = list(accumulate(RETRY_AFTER_S))
    observed = Courier(shop, timeout_s=0.05).times()
    assert observed == pytest.approx(expected, abs=3)
    assert 74 * 3600 < observed[-1] < 77 * 3600
    assert len(receiver.received) == len(RETRY_AFTER_S) == 10
    delivery = the_delivery(shop, endpoint)
    assert (delivery.state, delivery.tries, delivery.next_try_at) == (DeliveryState.EXHAUSTED, 10, None)
    assert delivery.last_error == ("timeout" if kind == "slow" else None)
    assert delivery.last_status == (None if kind == "slow" else int(kind))
    assert state_of(shop, endpoint).state is EndpointState.FAILING, "three days are not five"


def test_g3_jitter_only_lengthens_and_by_a_tenth_at_most(shop: Shop, receiver: Receiver) -> None:
    shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.answer = says(500)
    shop.payment()
    observed = Courier(shop, Chances(0.999)).times()
    gaps = [later - earlier for earlier, later in pairwise(observed)]
    for gap, wait in zip(gaps, RETRY_AFTER_S[1:], strict=True):
        assert wait <= gap <= wait * 1.1 + 3


def test_g3_retry_after_is_honoured_and_can_only_lengthen(shop: Shop, receiver: Receiver, courier: Courier) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.script = [says(429, Retry_After="60"), says(503, Retry_After="1")]
    shop.payment()
    assert courier.times() == pytest.approx([0, 60, 360], abs=3)
    assert the_delivery(shop, endpoint).state is DeliveryState.DELIVERED


def test_g3_gone_disables_the_endpoint_at_once(shop: Shop, receiver: Receiver, courier: Courier) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.answer = says(410)
    shop.payment()
    assert courier.times() == [0]
    assert the_delivery(shop, endpoint).state is DeliveryState.EXHAUSTED
    disabled = state_of(shop, endpoint)
    assert (disabled.state, disabled.disabled_for) == (EndpointState.DISABLED, "gone")
    assert [a["kind"] for a in shop.directory.alerts()] == ["webhook_endpoint_disabled"]
    shop.payment()
    assert len(deliveries(shop, endpoint.id)) == 1, "what happens meanwhile is in /v1/events"


def test_every_try_has_the_same_id_and_bytes_and_a_signature_of_its_own_time(
    shop: Shop, receiver: Receiver, courier: Courier
) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.script = [says(500)] * 3
    shop.payment(metadata={"note": "Malipo ✓", "b": "1", "a": "2"})
    courier.times()
    delivery = the_delivery(shop, endpoint)
    assert len(receiver.received) == 4
    assert len({got.body for got in receiver.received}) == 1
    assert {got.headers["webhook-id"] for got in receiver.received} == {encode(Prefix.EVENT, delivery.event_id)}
    assert {got.headers["gateway-delivery"] for got in receiver.received} == {encode(Prefix.DELIVERY, delivery.id)}
    for got in receiver.received:
        # The test's clock is hours ahead by now; a receiver's isn't.
        payload = Webhook(SECRET).verify(got.body, got.headers)
        assert payload["id"] == got.headers["webhook-id"]
        assert b": " not in got.body.replace("✓".encode(), b"")


def test_g4_an_endpoint_that_took_nothing_for_five_days_is_disabled_until_it_is_enabled(
    shop: Shop, receiver: Receiver, courier: Courier
) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.answer = says(500)
    began = shop.clock()
    shop.payment()
    courier.go_to(began + timedelta(days=3))
    shop.payment()
    while state_of(shop, endpoint).state is not EndpointState.DISABLED:
        due = courier.next_due()
        if due is None:
            assert state_of(shop, endpoint).state is EndpointState.FAILING
            due = began + timedelta(days=8, hours=1)
            courier.go_to(due)
            shop.payment()
        courier.go_to(max(due, courier.clock()))
        courier.deliver()
    disabled = state_of(shop, endpoint)
    assert disabled.disabled_for == "failing"
    assert timedelta(days=5) < courier.clock() - began < timedelta(days=9)
    assert [a["kind"] for a in shop.directory.alerts()] == ["webhook_endpoint_disabled"]

    receiver.answer = says(200)
    seen = len(receiver.received)
    manage(shop).change(EndpointChange(endpoint_id=endpoint.id, enabled=True), shop.call())
    shop.payment()
    assert courier.deliver() == 3, "what was still open, what was given up, and what is new"
    assert len(receiver.received) == seen + 3
    assert state_of(shop, endpoint).disabled_for is None


def test_g4_new_events_are_still_attempted_after_others_were_given_up(
    shop: Shop, receiver: Receiver, courier: Courier
) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.answer = says(500)
    shop.payment()
    courier.times()
    receiver.answer = says(200)
    shop.payment()
    assert courier.times() == [0]
    assert [d.state for d in deliveries(shop, endpoint.id)] == [DeliveryState.EXHAUSTED, DeliveryState.DELIVERED]


def manage(shop: Shop) -> ManageEndpoints:
    return ManageEndpoints(unit=shop.units(), chance=Chances(), allow_loopback=True)


def test_a_disabled_endpoint_keeps_what_is_open_and_enabling_it_sends_that(
    shop: Shop, receiver: Receiver, courier: Courier
) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    receiver.script = [says(500)]
    shop.payment()
    shop.payment()
    assert courier.deliver() == 2
    shop.payment()
    manage(shop).change(EndpointChange(endpoint_id=endpoint.id, enabled=False), shop.call())
    while (due := courier.next_due()) is not None:
        courier.go_to(due)
        courier.deliver()
    assert len(receiver.received) == 2
    assert sorted(d.state.value for d in deliveries(shop, endpoint.id)) == ["delivered", "pending", "retrying"]
    manage(shop).change(EndpointChange(endpoint_id=endpoint.id, enabled=True), shop.call())
    assert courier.deliver() == 2
    assert {d.state for d in deliveries(shop, endpoint.id)} == {DeliveryState.DELIVERED}


def test_a_deleted_endpoint_gets_nothing_more(shop: Shop, receiver: Receiver, courier: Courier) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    shop.payment()
    manage(shop).delete(endpoint.id, shop.call())
    assert courier.deliver() == 0
    assert receiver.received == []


def test_a_crash_after_the_send_sends_again_under_the_same_id(
    shop: Shop, receiver: Receiver, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = shop.endpoint(url=receiver.url, secret=SECRET)
    shop.payment()
    [row] = courier.doors.claim_due({"send": 1})

    def crash(*_: object) -> None:
        raise SystemExit("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(DeliverWebhook, "_record", crash)
        with pytest.raises(SystemExit):
            courier.run(row.id)
    assert the_delivery(shop, endpoint).state is DeliveryState.PENDING
    courier.doors.worker.close()
    eventually(lambda: courier.doors.free_abandoned() == 1)
    courier.deliver()
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert the_delivery(shop, endpoint).state is DeliveryState.DELIVERED


@dataclass(slots=True)
class Consumer:
    """What we tell businesses to do: keep the newest event of each object by `sequence`, and each event once."""

    held: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        shown = event["data"]["object"]
        sequence, _ = self.held.get(shown["id"], (0, {}))
        if event["sequence"] > sequence:
            self.held[shown["id"]] = (event["sequence"], shown)

    def statuses(self) -> dict[str, str]:
        return {name: shown["status"] for name, (_, shown) in self.held.items()}


WALKS: dict[str, tuple[str, ...]] = {
    "1": ("requires_payment_method", "requires_action", "requires_payment_method", "requires_action", "succeeded"),
    "2": ("requires_payment_method", "requires_action", "processing", "expired", "succeeded"),
    "3": ("requires_payment_method", "canceled"),
}


def test_g5_a_consumer_that_goes_by_sequence_ends_right_in_any_order(
    shop: Shop, receiver: Receiver, courier: Courier
) -> None:
    """Events as the database numbered them, delivered for real, then shuffled and repeated in every way."""
    shop.endpoint(url=receiver.url, secret=SECRET)
    objects = {name: UUID(int=int(name)) for name in WALKS}
    for step in range(5):
        for name, walk in WALKS.items():
            if step < len(walk):
                with shop.units("worker")(shop.a) as work:
                    work.events.put("payment.processing", objects[name], {"id": name, "status": walk[step]})
    while courier.deliver():
        pass
    events = [json.loads(got.body) for got in receiver.received]
    assert len(events) == sum(len(walk) for walk in WALKS.values())
    truth = {name: walk[-1] for name, walk in WALKS.items()}
    for name, walk in WALKS.items():
        mine = sorted((e for e in events if e["data"]["object"]["id"] == name), key=lambda e: int(e["sequence"]))
        assert [e["sequence"] for e in mine] == list(range(1, len(walk) + 1))
        assert [e["data"]["object"]["status"] for e in mine] == list(walk)

    @settings(max_examples=300, deadline=None)
    @given(st.permutations(events), st.lists(st.sampled_from(events), max_size=12))
    def check(shuffled: list[dict[str, Any]], again: list[dict[str, Any]]) -> None:
        consumer = Consumer()
        for event in [*shuffled, *again]:
            consumer.take(event)
        assert consumer.statuses() == truth

    check()


def test_replaced_fields_do_not_change_what_was_recorded(shop: Shop, courier: Courier, receiver: Receiver) -> None:
    """The payload is fixed when the state changes: a delivery that comes late tells of then, not of now."""
    shop.endpoint(url=receiver.url, secret=SECRET)
    payment = shop.payment(description="before")
    with shop.units("worker")(shop.a) as work:
        kept = work.payments.get(payment.id)
        work.payments.save(replace(kept, description="after"))
    courier.deliver()
    [event] = [json.loads(got.body) for got in receiver.received]
    assert event["data"]["object"] == {"status": "requires_payment_method"}
