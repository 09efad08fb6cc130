"""Due work: put once, claimed by one, started by one, and due again when its worker is gone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.adapters.persistence.clock import SqlTestClock
from gateway.adapters.persistence.doors import SqlDoors
from gateway.application.interfaces import Claimed, Due, Scope
from gateway.domain.due import DISPATCH_LEASE_S, KINDS, QUEUES
from tests.persistence.shop import NOW, Shop, new_id
from tests.waiting import eventually

ALL = dict.fromkeys(QUEUES, 100)


def put(
    shop: Shop,
    kind: str = "attempt.look_up",
    subject: UUID | None = None,
    *,
    after_s: int = 0,
    scope: Scope | None = None,
) -> UUID:
    subject = subject or new_id()
    with shop.units("worker")(scope or shop.a) as work:
        work.due.put(Due(kind=kind, subject_id=subject, due_at=NOW + timedelta(seconds=after_s)))
    return subject


def row(shop: Shop, subject: UUID) -> Any:
    with shop.engine("operator").connect() as conn:
        return conn.execute(
            text("SELECT * FROM gateway.outbox WHERE subject_id = :s ORDER BY done_at IS NULL DESC"), {"s": subject}
        ).first()


def lease_over(shop: Shop) -> None:
    with shop.engine("operator").connect() as conn:
        conn.execute(text("UPDATE gateway.outbox SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL"))


def start(shop: Shop, subject: UUID, worker: SqlDoors | None = None) -> tuple[SqlDoors, Claimed]:
    worker = worker or shop.worker()
    (claimed,) = [c for c in shop.doors.claim_due(ALL) if c.subject_id == subject]
    begun = worker.due(claimed.id)
    assert begun is not None
    return worker, begun


def test_work_is_claimed_when_it_is_due_and_by_one_relay(shop: Shop) -> None:
    now, later = put(shop), put(shop, after_s=30)
    claimed = shop.doors.claim_due(ALL)
    assert [c.subject_id for c in claimed] == [now]
    assert (claimed[0].scope, claimed[0].kind, claimed[0].dispatches) == (shop.a, "attempt.look_up", 1)
    assert shop.doors.claim_due(ALL) == []
    shop.clock.at += timedelta(seconds=30)
    assert [c.subject_id for c in shop.doors.claim_due(ALL)] == [later]


def test_what_a_queue_loses_is_claimed_again_after_a_short_lease(shop: Shop) -> None:
    subject = put(shop)
    (claimed,) = shop.doors.claim_due(ALL)
    left = (row(shop, subject).lease_until - datetime.now(UTC)).total_seconds()
    assert 0 < left <= DISPATCH_LEASE_S
    lease_over(shop)
    (again,) = shop.doors.claim_due(ALL)
    assert (again.id, again.dispatches) == (claimed.id, 2)


def test_each_queue_gives_what_there_is_room_for_the_oldest_first(shop: Shop) -> None:
    looks = [put(shop, after_s=-n) for n in range(3)]
    submit, tend = put(shop, "attempt.submit"), put(shop, "payment.expire", after_s=-99)
    claimed = shop.doors.claim_due({"pay": 5, "ask": 2, "tend": 0})
    assert [c.subject_id for c in claimed] == [submit, looks[2], looks[1]]
    assert shop.doors.claim_due({}) == []
    assert {c.subject_id for c in shop.doors.claim_due(ALL)} == {looks[0], tend}


def test_two_relays_never_claim_the_same(shop: Shop) -> None:
    wanted = {put(shop) for _ in range(60)}
    got: list[UUID] = []

    def relay() -> None:
        while claimed := shop.doors.claim_due({"ask": 3}):
            got.extend(c.subject_id for c in claimed)

    threads = [threading.Thread(target=relay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 60
    assert set(got) == wanted


def test_one_worker_starts_a_row(shop: Shop) -> None:
    subject = put(shop)
    worker, begun = start(shop, subject)
    assert shop.worker().due(begun.id) is None, "in another worker's hands"
    assert begun.holder is not None
    left = (row(shop, subject).lease_until - datetime.now(UTC)).total_seconds()
    assert left > KINDS["attempt.look_up"][1] - 5, "from here on it has its kind's lease"
    worker.finish(begun, again_at=None)
    assert worker.due(begun.id) is None
    assert row(shop, subject).done_at is not None


def test_a_worker_that_died_leaves_its_row_to_the_next(shop: Shop) -> None:
    subject = put(shop)
    worker, begun = start(shop, subject)
    assert shop.doors.free_abandoned() == 0
    worker.worker.close()
    # The server notices a closed session a moment later.
    eventually(lambda: shop.doors.free_abandoned() == 1)
    second, taken = start(shop, subject)
    worker.finish(begun, again_at=None)
    assert row(shop, subject).done_at is None, "who lost the row can't finish it"
    second.finish(taken, again_at=None)
    assert row(shop, subject).done_at is not None


def test_a_lease_that_ran_out_frees_the_row_and_extending_keeps_it(shop: Shop) -> None:
    subject = put(shop)
    worker, begun = start(shop, subject)
    worker.extend(begun, 500)
    assert (row(shop, subject).lease_until - datetime.now(UTC)).total_seconds() > 400
    lease_over(shop)
    _, taken = start(shop, subject)
    assert taken.holder != begun.holder


def test_putting_again_hurries_the_open_row(shop: Shop) -> None:
    subject = put(shop, after_s=60)
    put(shop, subject=subject, after_s=90)
    assert row(shop, subject).due_at == NOW + timedelta(seconds=60)
    put(shop, subject=subject, after_s=10)
    kept = row(shop, subject)
    assert (kept.due_at, kept.generation) == (NOW + timedelta(seconds=10), 3)


def test_work_that_comes_while_a_worker_is_at_it_isn_t_lost(shop: Shop) -> None:
    """A callback wakes a question while another question is being asked."""
    subject = put(shop)
    worker, begun = start(shop, subject)
    put(shop, subject=subject)
    assert shop.doors.claim_due(ALL) == [], "it is in a worker's hands"
    worker.finish(begun, again_at=None)
    (claimed,) = shop.doors.claim_due(ALL)
    assert (claimed.subject_id, claimed.generation) == (subject, 2)


def test_a_worker_that_puts_its_own_work_again_comes_back_when_it_said(shop: Shop) -> None:
    subject = put(shop)
    worker, begun = start(shop, subject)
    put(shop, subject=subject, after_s=30)
    worker.finish(begun, again_at=None)
    assert shop.doors.claim_due(ALL) == []
    assert row(shop, subject).due_at == NOW + timedelta(seconds=30)
    put(shop, subject=subject, after_s=60)
    assert row(shop, subject).due_at == NOW + timedelta(seconds=30), "later puts can only hurry"


def test_finishing_with_a_time_is_due_then(shop: Shop) -> None:
    subject = put(shop)
    worker, begun = start(shop, subject)
    worker.finish(begun, again_at=NOW + timedelta(seconds=5))
    assert shop.doors.claim_due(ALL) == []
    shop.clock.at += timedelta(seconds=5)
    worker, begun = start(shop, subject, worker)
    put(shop, subject=subject, after_s=7)
    worker.finish(begun, again_at=NOW + timedelta(seconds=60))
    assert row(shop, subject).due_at == NOW + timedelta(seconds=7), "the earlier of the two"


def test_work_that_was_dropped_is_forgotten(shop: Shop) -> None:
    subject = put(shop)
    with shop.units()(shop.a) as work:
        work.due.drop("attempt.look_up", subject)
        work.due.drop("attempt.submit", subject)
    assert shop.doors.claim_due(ALL) == []
    put(shop, subject=subject)
    assert len(shop.doors.claim_due(ALL)) == 1


def test_puts_and_drops_of_one_unit_keep_their_order(shop: Shop) -> None:
    subject = new_id()
    with shop.units()(shop.a) as work:
        work.due.put(Due(kind="attempt.look_up", subject_id=subject, due_at=NOW))
        work.due.drop("attempt.look_up", subject)
        work.due.put(Due(kind="attempt.look_up", subject_id=subject, due_at=NOW + timedelta(seconds=9)))
    assert row(shop, subject).due_at == NOW + timedelta(seconds=9)


def test_a_misspelt_kind_is_refused(shop: Shop) -> None:
    with pytest.raises(KeyError):
        put(shop, "attempt.lok_up")


def test_failures_in_a_row_are_counted_and_told(shop: Shop) -> None:
    subject = put(shop)
    worker = shop.worker()
    for n in range(1, 6):
        worker, begun = start(shop, subject, worker)
        assert begun.failures == n - 1
        worker.fail(begun, after_s=10)
        assert shop.doors.claim_due(ALL) == []
        shop.clock.at += timedelta(seconds=10)
    (alert,) = shop.directory.alerts()
    assert (alert["kind"], alert["subject"]) == ("due_work_failing", str(subject))
    worker, begun = start(shop, subject, worker)
    worker.finish(begun, again_at=shop.clock.at)
    _, begun = start(shop, subject, worker)
    assert begun.failures == 0


def test_sweeping_forgets_what_is_over_and_nothing_else(shop: Shop) -> None:
    done, fresh, open_ = put(shop), put(shop), put(shop)
    worker = shop.worker()
    for claimed in shop.doors.claim_due(ALL):
        if claimed.subject_id != open_:
            begun = worker.due(claimed.id)
            assert begun is not None
            worker.finish(begun, again_at=None)
    shop.keys.begin(shop.call(), "old", b"f", object_id=new_id(), keep_days=1)
    shop.keys.begin(shop.call(), "new", b"f", object_id=new_id(), keep_days=1)
    with shop.units()(shop.a) as work:
        work.attempts.take_prompt("+254712345126", NOW - timedelta(hours=2))
        work.attempts.take_prompt("+254712345126", NOW)
        work.attempts.reserve_reference(shop.float_id, "NJERI-AAAAAA")
    with shop.engine("operator").connect() as conn:
        day_ago = text("UPDATE gateway.outbox SET done_at = done_at - interval '25 hours' WHERE subject_id = :s")
        conn.execute(day_ago, {"s": done})
        past = (
            "UPDATE gateway.idempotency_key SET keep_until = clock_timestamp()"
            " WHERE id = (SELECT id FROM gateway.idempotency_key ORDER BY id LIMIT 1)"
        )
        conn.execute(text(past))
    assert shop.doors.sweep(100) == 3
    assert shop.doors.sweep(100) == 0
    assert row(shop, done) is None
    assert row(shop, fresh) is not None
    assert row(shop, open_) is not None
    with shop.units()(shop.a) as work:
        assert not work.attempts.reserve_reference(shop.float_id, "NJERI-AAAAAA")


def test_the_test_clock_decides_what_is_due(shop: Shop) -> None:
    shop.sandbox = True
    put(shop, after_s=3600)
    assert shop.doors.claim_due(ALL) == []
    SqlTestClock(engine=shop.engine("app")).advance(timedelta(hours=1))
    (claimed,) = shop.doors.claim_due(ALL)
    assert shop.worker().due(claimed.id) is not None
