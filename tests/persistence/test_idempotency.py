"""Idempotency keys: one caller runs, and every other learns what became of it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from gateway.application.interfaces import AlreadyMade, Begun, Call, InFlight, Mismatch, Page, Replay
from tests.persistence.shop import Shop, a_payment, new_id


def _begin(shop: Shop, key: str = "k", fingerprint: bytes = b"f", call: Call | None = None) -> object:
    return shop.keys.begin(call or shop.call(), key, fingerprint, object_id=new_id(), keep_days=30)


def _sql(shop: Shop, sql: str) -> None:
    with shop.engine("operator").connect() as conn:
        conn.execute(text(sql))


def test_a_key_runs_once_and_is_replayed(shop: Shop) -> None:
    begun = _begin(shop)
    assert isinstance(begun, Begun)
    assert isinstance(_begin(shop), InFlight)
    with shop.units()(shop.a, call=shop.call(idempotency=begun.call)) as work:
        work.payments.add(a_payment(shop.a, id=begun.call.object_id), begun.call)
        work.idempotency.finish(begun.call, 201, {"id": "pay_1", "url": "https://pay.example/c/secret"})
    assert _begin(shop) == Replay(status=201, body={"id": "pay_1", "url": "https://pay.example/c/secret"})
    assert _begin(shop, fingerprint=b"other") == Mismatch()


def test_another_request_under_a_key_is_a_mismatch_also_in_flight(shop: Shop) -> None:
    _begin(shop)
    assert _begin(shop, fingerprint=b"other") == Mismatch()


def test_an_answer_that_was_rolled_back_isn_t_replayed(shop: Shop) -> None:
    begun = _begin(shop)
    assert isinstance(begun, Begun)

    def crash() -> None:
        with shop.units()(shop.a) as work:
            work.idempotency.finish(begun.call, 201, {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert isinstance(_begin(shop), InFlight)


def test_a_crashed_call_is_taken_over_with_the_first_object_id(shop: Shop) -> None:
    first = _begin(shop)
    _sql(shop, "UPDATE gateway.idempotency_key SET lease_until = clock_timestamp()")
    second = _begin(shop)
    assert isinstance(first, Begun)
    assert isinstance(second, Begun)
    assert second.call.object_id == first.call.object_id
    assert second.call.record_id == first.call.record_id
    # The first run had committed the object and died before it could answer.
    with shop.units()(shop.a) as work:
        work.payments.add(a_payment(shop.a, id=first.call.object_id), first.call)
    with pytest.raises(AlreadyMade) as made, shop.units()(shop.a) as work:
        work.payments.add(a_payment(shop.a, id=second.call.object_id), second.call)
    assert (made.value.object_id, made.value.same) == (first.call.object_id, True)


def test_sixteen_callers_with_one_key_make_one_payment(shop: Shop) -> None:
    outcomes: list[object] = []
    together = threading.Barrier(16)

    def call() -> None:
        together.wait()
        outcome = _begin(shop)
        if isinstance(outcome, Begun):
            with shop.units()(shop.a) as work:
                work.payments.add(a_payment(shop.a, id=outcome.call.object_id), outcome.call)
                work.idempotency.finish(outcome.call, 201, {})
        outcomes.append(outcome)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 16
    assert sum(isinstance(o, Begun) for o in outcomes) == 1
    assert all(isinstance(o, Begun | InFlight | Replay) for o in outcomes)
    with shop.units()(shop.a) as work:
        assert len(work.payments.page(Page())[0]) == 1


def test_an_emptied_store_still_makes_no_duplicate(shop: Shop) -> None:
    for run in range(2):
        begun = _begin(shop)
        assert isinstance(begun, Begun)
        if run == 0:
            with shop.units()(shop.a) as work:
                work.payments.add(a_payment(shop.a, id=begun.call.object_id), begun.call)
            _sql(shop, "UPDATE gateway.idempotency_key SET keep_until = clock_timestamp()")
        else:
            with pytest.raises(AlreadyMade) as made, shop.units()(shop.a) as work:
                work.payments.add(a_payment(shop.a, id=begun.call.object_id), begun.call)
            assert made.value.same


def test_a_refusal_is_stored_and_a_release_is_not(shop: Shop) -> None:
    begun = _begin(shop)
    assert isinstance(begun, Begun)
    shop.keys.release(shop.call(), begun.call)
    again = _begin(shop)
    assert isinstance(again, Begun)
    assert again.call.object_id == begun.call.object_id
    shop.keys.refuse(shop.call(), again.call, 400, {"code": "invalid_request"})
    assert _begin(shop) == Replay(status=400, body={"code": "invalid_request"})
    shop.keys.release(shop.call(), again.call)
    assert _begin(shop) == Replay(status=400, body={"code": "invalid_request"}), "a final answer stays"


def test_a_key_past_its_time_is_a_new_key(shop: Shop) -> None:
    begun = _begin(shop)
    assert isinstance(begun, Begun)
    shop.keys.refuse(shop.call(), begun.call, 400, {})
    _sql(shop, "UPDATE gateway.idempotency_key SET keep_until = clock_timestamp()")
    new = _begin(shop, fingerprint=b"other")
    assert isinstance(new, Begun)
    assert new.call.object_id != begun.call.object_id


def test_keys_are_apart_by_business_mode_and_owner(shop: Shop) -> None:
    platform = Call(business_id=shop.a.business_id, livemode=False, owner_id=shop.platform.id)
    calls = (shop.call(shop.a), shop.call(shop.b), shop.call(shop.live), platform)
    begun = [_begin(shop, call=call) for call in calls]
    assert all(isinstance(one, Begun) for one in begun)
    for one, call in zip(begun, calls, strict=True):
        assert isinstance(one, Begun)
        with shop.units()(call.scope, call=call) as work:
            work.payments.add(
                a_payment(call.scope, id=one.call.object_id), one.call
            )  # nor do the objects' own keys collide
