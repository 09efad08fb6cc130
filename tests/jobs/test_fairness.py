"""An endpoint that hangs costs itself: others, of its own business too, are served while it keeps what it was given."""

from __future__ import annotations

import time
from collections import Counter
from http.server import BaseHTTPRequestHandler
from threading import Lock
from uuid import UUID

from sqlalchemy import text

from gateway.adapters.jobs.relay import Relay
from gateway.application.interfaces import Scope
from gateway.domain.due import QUEUES
from tests.jobs.conftest import Workers
from tests.outbound.receivers import Receiver, a_receiver, says
from tests.outbound.test_sender import SECRET
from tests.persistence.shop import Shop, new_id
from tests.waiting import eventually

MANY, FEW = 500, 30
PROCESSES = "pay=1,send=3,slow=1"


def put_events(shop: Shop, scope: Scope, type_: str, n: int) -> None:
    with shop.units("worker")(scope) as work:
        for _ in range(n):
            work.events.put(type_, new_id(), {"id": "pay_x", "object": "payment"})


class Hanging:
    """Never answers; counts how many wait at the same time."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver, self.now, self.most, self.lock = receiver, 0, 0, Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.receiver.let_go.wait(60)
        with self.lock:
            self.now -= 1
        says(200)(handler)


def test_a_hanging_endpoint_with_500_events_starves_nobody(shop: Shop, relay: Relay, workers: Workers) -> None:
    with a_receiver() as hung, a_receiver() as own, a_receiver() as other:
        hanging = Hanging(hung)
        hung.answer = hanging
        shop.endpoint(url=hung.url, secret=SECRET)
        shop.endpoint(url=own.url, secret=SECRET, enabled_events=("payment.succeeded",))
        shop.endpoint(shop.b, url=other.url, secret=SECRET)
        put_events(shop, shop.a, "payment.processing", MANY)
        workers.start(WORKS_PROCESSES=PROCESSES)
        eventually(lambda: hung.received, within_s=20)
        began = time.monotonic()
        put_events(shop, shop.a, "payment.succeeded", FEW)
        put_events(shop, shop.b, "payment.succeeded", FEW)
        eventually(lambda: len(own.received) == len(other.received) == FEW, within_s=12, every_s=0.05)
        assert time.monotonic() - began < 12, "before the first hanging one has run into its 15 seconds"
        assert hanging.most <= 2
        assert len(hung.received) <= 2
        with shop.engine("operator").connect() as conn:
            states = "SELECT state, count(*) FROM gateway.delivery GROUP BY state"
            found = {row[0]: row[1] for row in conn.execute(text(states))}
        assert found == {"pending": MANY + FEW, "delivered": 2 * FEW}, "nothing is lost"


def test_of_a_lane_two_are_on_their_way_and_the_oldest_lane_goes_first(shop: Shop) -> None:
    lanes = [shop.endpoint(url=f"https://{n}.example/", secret=SECRET).id for n in range(3)]
    put_events(shop, shop.a, "payment.succeeded", 10)
    doors = shop.worker()
    first = doors.claim_due(dict.fromkeys(QUEUES, 100))
    assert Counter(lane_of(shop, row.id) for row in first) == dict.fromkeys(lanes, 2)
    assert doors.claim_due(dict.fromkeys(QUEUES, 100)) == []
    done = doors.due(first[0].id)
    assert done is not None
    doors.finish(done, again_at=None)
    [after] = doors.claim_due(dict.fromkeys(QUEUES, 100))
    assert lane_of(shop, after.id) == lane_of(shop, first[0].id)


def test_work_without_a_lane_is_claimed_beside_it(shop: Shop) -> None:
    shop.endpoint(secret=SECRET)
    put_events(shop, shop.a, "payment.succeeded", 10)
    payment = shop.payment()
    kinds = Counter(row.kind for row in shop.worker().claim_due(dict.fromkeys(QUEUES, 100)))
    assert kinds["webhook.deliver"] == 2
    assert payment


def lane_of(shop: Shop, due_id: UUID) -> UUID:
    with shop.engine("operator").connect() as conn:
        found: UUID = conn.execute(text("SELECT lane FROM gateway.outbox WHERE id = :id"), {"id": due_id}).scalar_one()
    return found


def test_a_quick_endpoint_is_served_quickly(shop: Shop, relay: Relay, workers: Workers) -> None:
    """Two of a lane at a time must not mean two a look: each one that is done lets the next go."""
    with a_receiver() as receiver:
        shop.endpoint(url=receiver.url, secret=SECRET)
        workers.start(WORKS_PROCESSES=PROCESSES)
        put_events(shop, shop.a, "payment.succeeded", 1)
        eventually(lambda: receiver.received, within_s=20)
        began = time.monotonic()
        put_events(shop, shop.a, "payment.succeeded", 200)
        eventually(lambda: len(receiver.received) == 201, within_s=20, every_s=0.05)
        took_s = time.monotonic() - began
        assert took_s < 15, f"{200 / took_s:.0f} a second"
        print(f"{200 / took_s:.0f} a second")
