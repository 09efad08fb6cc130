"""Events, endpoints, deliveries: what is told, to whom, and in which order."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.application.interfaces import Page
from gateway.domain.due import KINDS
from gateway.domain.errors import Busy, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.webhooks import DeliveryState, EndpointState
from tests.persistence.shop import NOW, Shop, a_payment, idempotent, new_id


def _told(shop: Shop) -> list[tuple[UUID, str]]:
    """Endpoint and event type of every delivery, past the policies."""
    with shop.engine("operator").connect() as conn:
        rows = conn.execute(
            text(
                "SELECT d.endpoint_id, e.type FROM gateway.delivery d JOIN gateway.event e ON e.id = d.event_id"
                " JOIN gateway.outbox o ON o.subject_id = d.id AND o.kind = 'webhook.deliver' AND o.done_at IS NULL"
                " ORDER BY e.id, d.id"
            )
        )
        return [(row.endpoint_id, row.type) for row in rows]


def test_an_event_carries_what_happened_and_never_changes(shop: Shop) -> None:
    call = idempotent("order-1")
    payment = a_payment(shop.a)
    with shop.units()(shop.a, call=shop.call(idempotency=call)) as work:
        work.payments.add(payment, None)
        work.events.put("payment.created", payment.id, {"status": "first"})
        work.events.put("payment.canceled", payment.id, {"status": "second"}, {"status": "first"})
    with shop.units()(shop.a) as work:
        second, first = work.events.page(Page())[0]
        assert work.events.get(first.id) == first
    assert first.payload == {
        "id": encode(Prefix.EVENT, first.id),
        "type": "payment.created",
        "timestamp": "2026-03-02T09:00:00.000000Z",
        "api_version": first.payload["api_version"],
        "business": encode(Prefix.BUSINESS, shop.a.business_id),
        "livemode": False,
        "sequence": 1,
        "request": {"id": "req_1", "idempotency_key": "order-1"},
        "initiator": None,
        "data": {"object": {"status": "first"}, "previous_attributes": None},
    }
    assert (first.sequence, second.sequence, second.payload["sequence"]) == (1, 2, 2)
    assert second.payload["data"] == {"object": {"status": "second"}, "previous_attributes": {"status": "first"}}
    for role in ("app", "worker"):
        with shop.engine(role).connect() as conn, pytest.raises(Exception, match="permission denied"):
            conn.execute(text("UPDATE gateway.event SET payload = '{}'"))
        with shop.engine(role).connect() as conn, pytest.raises(Exception, match="permission denied"):
            conn.execute(text("DELETE FROM gateway.event"))


def test_events_are_listed_by_type_and_object(shop: Shop) -> None:
    one, two = shop.payment(), shop.payment()
    with shop.units()(shop.a) as work:
        assert [e.object_id for e in work.events.page(Page(filters={"object_id": one.id}))[0]] == [one.id]
        assert len(work.events.page(Page(filters={"type": "payment.created"}))[0]) == 2
        assert work.events.page(Page(filters={"type": "payment.canceled"}))[0] == []
        newest = work.events.page(Page(limit=1))[0][0]
        assert newest.object_id == two.id
    with shop.units()(shop.b) as work, pytest.raises(NotFound):
        work.events.get(newest.id)


@pytest.mark.parametrize(
    ("wanted", "type_", "told"),
    [
        (("*",), "payment.created", True),
        (("payment.created",), "payment.created", True),
        (("payment.*",), "payment.created", True),
        (("checkout.*",), "checkout.session.completed", True),
        (("checkout.session.*",), "checkout.session.completed", True),
        (("payout.*", "payment.created"), "payment.created", True),
        (("payout.*",), "payment.created", False),
        (("pay.*",), "payment.created", False),
        (("payment",), "payment.created", False),
        (("payment.cre*",), "payment.created", False),
        (("payment.created.*",), "payment.created", False),
    ],
)
def test_an_endpoint_is_told_what_it_asked_for(shop: Shop, wanted: tuple[str, ...], type_: str, told: bool) -> None:
    endpoint = shop.endpoint(enabled_events=wanted)
    with shop.units()(shop.a) as work:
        work.events.put(type_, new_id(), {})
    assert _told(shop) == ([(endpoint.id, type_)] if told else [])


def test_only_the_business_s_enabled_endpoints_of_the_mode_are_told(shop: Shop) -> None:
    ours = shop.endpoint()
    shop.endpoint(shop.b)
    shop.endpoint(shop.live)
    off, gone = shop.endpoint(), shop.endpoint()
    with shop.units()(shop.a) as work:
        work.endpoints.save(replace(work.endpoints.get(off.id), state=EndpointState.DISABLED))
        work.endpoints.delete(gone.id)
    shop.payment()
    assert _told(shop) == [(ours.id, "payment.created")]


def test_deliveries_go_through_the_queue_that_the_kinds_name(shop: Shop) -> None:
    shop.endpoint()
    shop.payment()
    with shop.engine("operator").connect() as conn:
        row = conn.execute(text("SELECT queue, lease_s FROM gateway.outbox WHERE kind = 'webhook.deliver'")).one()
    assert tuple(row) == KINDS["webhook.deliver"]


def test_sequences_have_no_gap_under_a_race(shop: Shop) -> None:
    payment = shop.payment()
    errors: list[BaseException] = []

    def tell() -> None:
        try:
            for _ in range(5):
                with shop.units()(shop.a) as work:
                    work.payments.get(payment.id, lock=True)
                    work.events.put("payment.processing", payment.id, {})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with shop.units()(shop.a) as work:
        events, _ = work.events.page(Page(limit=100, filters={"object_id": payment.id}))
    assert sorted(e.sequence for e in events) == list(range(1, 32))


def test_numbering_without_the_object_s_lock_is_busy_and_never_a_second_number(shop: Shop) -> None:
    object_id = new_id()
    together = threading.Barrier(6)
    told: list[str] = []

    def tell() -> None:
        for _ in range(5):
            together.wait()
            try:
                with shop.units()(shop.a) as work:
                    work.events.put("payment.processing", object_id, {})
                told.append("told")
            except Busy:
                told.append("busy")

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 30, "nothing else than told or busy"
    with shop.units()(shop.a) as work:
        events, _ = work.events.page(Page(limit=100, filters={"object_id": object_id}))
    assert sorted(e.sequence for e in events) == list(range(1, told.count("told") + 1))


def test_an_endpoint_comes_back_as_it_was_kept(shop: Shop) -> None:
    kept = shop.endpoint(description="orders", metadata={"a": "b"}, enabled_events=("payment.*", "payout.paid"))
    with shop.units("worker")(shop.a) as work:
        assert work.endpoints.get(kept.id) == kept
    with shop.units()(shop.a) as work:
        seen = work.endpoints.get(kept.id)
        assert seen == replace(kept, secret=""), "web can't read the secret again"
        saved = work.endpoints.save(replace(seen, url="https://shop.example/other"))
        assert work.endpoints.page(Page()) == ([saved], False)
    with shop.units("worker")(shop.a) as work:
        assert work.endpoints.get(kept.id) == replace(saved, secret=kept.secret), "and doesn't lose it by saving"
    until = NOW + timedelta(days=400)
    with shop.units()(shop.a) as work:
        rotated = replace(work.endpoints.get(kept.id), secret="whsec_rotated", previous_until=until)
        work.endpoints.rotate(rotated)
    with shop.units("worker")(shop.a) as work:
        found = work.endpoints.save(work.endpoints.get(kept.id))
        assert (found.secret, found.previous_secret, found.previous_until) == ("whsec_rotated", kept.secret, until)
        assert work.endpoints.get(kept.id) == found, "and a worker that saves it loses neither"


def test_a_deleted_endpoint_ends_its_deliveries(shop: Shop) -> None:
    endpoint = shop.endpoint()
    shop.payment()
    with shop.units()(shop.a) as work:
        work.endpoints.delete(endpoint.id)
    assert _told(shop) == []
    with shop.units("worker")(shop.a) as work:
        with pytest.raises(NotFound):
            work.endpoints.get(endpoint.id)
        with pytest.raises(NotFound):
            work.endpoints.delete(endpoint.id)
        assert work.endpoints.page(Page()) == ([], False)
        (delivery,), _ = work.deliveries.page(endpoint.id, Page())
    assert (delivery.state, delivery.last_error) == (DeliveryState.EXHAUSTED, "endpoint_deleted")
    with shop.engine("operator").connect() as conn:
        assert conn.execute(text("SELECT secret FROM gateway.webhook_endpoint")).scalar_one() is None


def test_each_try_of_a_delivery_is_logged_once(shop: Shop) -> None:
    endpoint = shop.endpoint()
    shop.payment()
    with shop.units("worker")(shop.a) as work:
        (delivery,), _ = work.deliveries.page(endpoint.id, Page())
        assert (delivery.state, delivery.tries, delivery.next_try_at) == (DeliveryState.PENDING, 0, NOW)
    tried = replace(
        delivery, state=DeliveryState.RETRYING, tries=1, last_status=500, last_tried_at=NOW, next_try_at=NOW
    )
    with shop.units("worker")(shop.a) as work:
        tried = work.deliveries.save(tried)
        tried = work.deliveries.save(replace(tried, next_try_at=NOW + timedelta(seconds=5)))
        assert work.deliveries.get(delivery.id, lock=True) == tried
        work.deliveries.save(replace(tried, state=DeliveryState.DELIVERED, tries=2, last_status=200, last_error=None))
    with shop.engine("operator").connect() as conn:
        rows = conn.execute(text("SELECT number, status FROM gateway.delivery_try ORDER BY number")).all()
    assert [tuple(row) for row in rows] == [(1, 500), (2, 200)]
