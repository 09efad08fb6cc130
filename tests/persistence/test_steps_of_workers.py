"""A worker's steps in few round trips: a try locked with its payment, due work finished by its last unit's commit."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from gateway.application.interfaces import AtHand, Call, Claimed, Due, Scope
from gateway.domain.errors import NotFound
from tests.persistence.shop import NOW, Shop
from tests.persistence.test_due_work import put, row, start
from tests.waiting import eventually


def call_of(claimed: Claimed) -> Call:
    return Call(business_id=claimed.business_id, livemode=claimed.livemode, due=AtHand(claimed=claimed))


def begun(shop: Shop) -> tuple[Any, Claimed]:
    subject = put(shop)
    return subject, start(shop, subject)[1]


def test_a_try_is_locked_with_its_payment_and_both_are_as_kept(shop: Shop) -> None:
    payment = shop.payment()
    attempt = shop.attempt(payment)
    with shop.units("worker")(shop.a) as work:
        assert work.attempts.locked(attempt.id) == (payment, attempt)
        moved = work.payments.save(replace(payment, description="Beans"))
        sent = work.attempts.save(replace(attempt, sends=1))
        assert work.attempts.locked(attempt.id) == (moved, sent)
        assert (work.payments.get(payment.id, lock=True), work.attempts.get(attempt.id)) == (moved, sent)
    with shop.units("worker")(shop.a) as work:
        assert work.attempts.locked(attempt.id) == (moved, sent)
    with shop.units("worker")(shop.b) as work, pytest.raises(NotFound):
        work.attempts.locked(attempt.id)


def test_the_payment_is_locked_first(shop: Shop) -> None:
    payment = shop.payment()
    attempt = shop.attempt(payment)
    got = threading.Event()

    def lock() -> None:
        with shop.units("worker")(shop.a) as work:
            work.attempts.locked(attempt.id)
            got.set()

    worker = threading.Thread(target=lock)
    url = shop.database.plain_url("owner")
    with psycopg.connect(url) as other, psycopg.connect(url) as third:
        other.execute("SET ROLE gateway_owner")
        other.execute("SELECT FROM gateway.attempt WHERE id = %s FOR UPDATE", (attempt.id,))
        worker.start()
        eventually(lambda: _is_locked(third, payment.id), within_s=5, every_s=0.02)
        assert not got.is_set()
        other.rollback()
        worker.join(5)
    assert got.is_set()


def _is_locked(conn: psycopg.Connection[Any], payment_id: Any) -> bool:
    conn.execute("SET ROLE gateway_owner")
    try:
        conn.execute("SELECT FROM gateway.payment WHERE id = %s FOR NO KEY UPDATE NOWAIT", (payment_id,))
    except LockNotAvailable:
        return True
    finally:
        conn.rollback()
    return False


def test_the_last_unit_finishes_the_row_with_its_own_commit(shop: Shop) -> None:
    subject, claimed = begun(shop)
    call = call_of(claimed)
    with shop.units("worker")(call.scope, call=call) as work:
        assert work.ends() is None
        assert row(shop, subject).done_at is None
    assert row(shop, subject).done_at is not None
    assert call.due is not None
    assert call.due.ended


def test_a_unit_that_fails_finishes_nothing(shop: Shop) -> None:
    subject, claimed = begun(shop)
    call = call_of(claimed)

    def fails() -> None:
        with shop.units("worker")(call.scope, call=call) as work:
            work.ends()
            raise RuntimeError("the machine went away")

    with pytest.raises(RuntimeError):
        fails()
    left = row(shop, subject)
    assert (left.done_at, left.holder) == (None, claimed.holder)
    assert call.due is not None
    assert not call.due.ended


@pytest.mark.parametrize("writes", [False, True])
def test_work_that_is_due_again_waits_for_its_time(shop: Shop, writes: bool) -> None:
    subject, claimed = begun(shop)
    call, again = call_of(claimed), NOW + timedelta(seconds=30)
    with shop.units("worker")(call.scope, call=call) as work:
        if writes:
            work.events.put("payment.created", subject, {})
        assert work.ends(again) == again
    left = row(shop, subject)
    assert (left.done_at, left.due_at, left.holder) == (None, again, None)


def test_work_that_its_own_unit_puts_again_stays_due(shop: Shop) -> None:
    subject, claimed = begun(shop)
    call = call_of(claimed)
    with shop.units("worker")(call.scope, call=call) as work:
        work.due.put(Due(kind="attempt.look_up", subject_id=subject, due_at=NOW))
        work.ends()
    left = row(shop, subject)
    assert (left.done_at, left.holder, left.due_at) == (None, None, NOW)


def test_a_unit_of_another_scope_finishes_nothing(shop: Shop) -> None:
    subject, claimed = begun(shop)
    other = Scope(business_id=shop.b.business_id, livemode=False)
    with shop.units("worker")(other, call=call_of(claimed)) as work:
        work.ends()
    assert row(shop, subject).holder == claimed.holder
