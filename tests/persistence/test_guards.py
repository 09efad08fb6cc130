"""What is counted over all businesses: what a float can promise, how often a phone is prompted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from gateway.application.interfaces import Scope
from gateway.domain.errors import Conflict
from gateway.domain.ids import Prefix, encode
from gateway.domain.payouts import Payout, PayoutAttemptState, PayoutState
from ports.payout_channel import Destination, DestinationKind
from tests.persistence.shop import NOW, PHONE, Shop, kes, new_id


def _scope(payout: Payout) -> Scope:
    return Scope(business_id=payout.business_id, livemode=payout.livemode)


def _fill_float(shop: Shop, units: int, *, queued: int = 0) -> None:
    """Put money on the float behind the ledger's back: a balance, and some of it still queued as a delta."""
    path = f"float:{encode(Prefix.FLOAT, shop.float_id)}"
    with psycopg.connect(shop.database.plain_url("owner"), autocommit=True) as conn:
        row = conn.execute(
            "INSERT INTO ledger.account (livemode, path, title, class, asset, balance_mode)"
            " VALUES (false, %s, 'Paybill', 'A', 'KES', 'Q') RETURNING id",
            (path,),
        ).fetchone()
        assert row is not None
        conn.execute("INSERT INTO ledger.balance (account_id, livemode, dr) VALUES (%s, false, %s)", (row[0], units))
        if queued:
            conn.execute(
                "INSERT INTO ledger.balance_delta (account_id, livemode, dr, cr) VALUES (%s, false, %s, 0)",
                (row[0], queued),
            )


def _promise(shop: Shop, payout: Payout) -> bool:
    """What the submitting transaction does."""
    with shop.units("worker")(_scope(payout)) as work:
        if not work.payout_attempts.promise(shop.float_id, payout.id, payout.amount.units):
            return False
        (attempt,) = work.payout_attempts.of(payout.id)
        work.payout_attempts.save(replace(attempt, state=PayoutAttemptState.SUBMITTING))
        work.payouts.save(replace(work.payouts.get(payout.id), state=PayoutState.SUBMITTING))
        return True


def _queued(shop: Shop, units: int, scope: Scope | None = None, **changes: Any) -> Payout:
    payout = shop.payout(scope, amount=kes(units), **changes)
    shop.payout_attempt(payout)
    return payout


def test_a_payout_comes_back_as_it_was_kept(shop: Shop) -> None:
    kept = shop.payout(
        destination=Destination(
            kind=DestinationKind.BANK_ACCOUNT, account="0123456789", bank_code="68", name="Wanjiru"
        ),
        description="rent",
        reference="R-1",
        waiting_for="insufficient_channel_float",
        needs_attention=True,
        receipt_number="UJ6AB12CD3",
        paid_at=NOW,
        attempts=1,
        metadata={"a": "b"},
    )
    attempt = shop.payout_attempt(
        kept,
        state=PayoutAttemptState.UNKNOWN,
        provider_reference="AG_2026",
        submitted_at=NOW,
        receipt_number="UJ6AB12CD3",
        look_ups=1,
        looked_up_at=NOW,
        woken=0,
        sends=1,
    )
    with shop.units("worker")(shop.a) as work:
        assert work.payouts.get(kept.id, lock=True) == kept
        assert work.payout_attempts.get(attempt.id, lock=True) == attempt
        assert work.payout_attempts.of(kept.id) == [attempt]
        assert work.payout_attempts.of_many([kept.id]) == {kept.id: [attempt]}
        saved = work.payouts.save(replace(kept, state=PayoutState.PAID))
        assert work.payouts.get(kept.id) == saved


def test_one_attempt_of_a_payout_is_live(shop: Shop) -> None:
    payout = _queued(shop, 100)
    with pytest.raises(Conflict):
        shop.payout_attempt(payout, number=2)
    with shop.units()(shop.a) as work:
        (first,) = work.payout_attempts.of(payout.id)
        work.payout_attempts.save(replace(first, state=PayoutAttemptState.FAILED))
    shop.payout_attempt(payout, number=2)


def test_a_float_promises_what_it_holds_and_no_more(shop: Shop) -> None:
    _fill_float(shop, 60_000, queued=40_000)
    first, second = _queued(shop, 70_000), _queued(shop, 70_000, shop.b)
    assert _promise(shop, first)
    assert not _promise(shop, second)
    for state in (PayoutAttemptState.IN_TRANSIT, PayoutAttemptState.UNKNOWN):
        with shop.units("worker")(shop.a) as work:
            (attempt,) = work.payout_attempts.of(first.id)
            work.payout_attempts.save(replace(attempt, state=state))
        assert not _promise(shop, second), "what may have left is promised still"
    with shop.units("worker")(shop.a) as work:
        (attempt,) = work.payout_attempts.of(first.id)
        work.payout_attempts.save(replace(attempt, state=PayoutAttemptState.FAILED))
        work.payouts.save(replace(work.payouts.get(first.id), state=PayoutState.FAILED))
    assert _promise(shop, second)


def test_a_float_without_an_account_promises_nothing(shop: Shop) -> None:
    assert not _promise(shop, _queued(shop, 1))


def test_a_smaller_payout_doesn_t_overtake_an_older_one(shop: Shop) -> None:
    _fill_float(shop, 100_000)
    first, big, small = _queued(shop, 70_000), _queued(shop, 70_000, shop.b), _queued(shop, 10_000)
    assert _promise(shop, first)
    assert not _promise(shop, small), "the older one of another business needs what is left"
    assert not _promise(shop, big)
    with shop.units()(shop.b) as work:
        work.payouts.save(replace(work.payouts.get(big.id), state=PayoutState.CANCELED))
    assert _promise(shop, small)


def test_a_younger_payout_goes_where_there_is_enough_for_both(shop: Shop) -> None:
    _fill_float(shop, 100_000)
    older, younger = _queued(shop, 60_000), _queued(shop, 40_000)
    assert _promise(shop, younger)
    assert _promise(shop, older)


def test_payouts_of_another_kind_or_float_don_t_hold_this_one_up(shop: Shop) -> None:
    _fill_float(shop, 10_000)
    _queued(shop, 9_000, destination=Destination(kind=DestinationKind.BANK_ACCOUNT, account="1"))
    elsewhere = shop.payout(amount=kes(9_000))
    with psycopg.connect(shop.database.plain_url("operator"), autocommit=True) as conn:
        other = new_id()
        conn.execute(
            "INSERT INTO gateway.float (id, livemode, title, currency, created) VALUES (%s, false, 'x', 'KES', now())",
            (other,),
        )
        conn.execute("UPDATE gateway.payout SET waits_on_float = %s WHERE id = %s", (other, elsewhere.id))
    assert _promise(shop, _queued(shop, 10_000))


def test_nobody_can_promise_for_another_business(shop: Shop) -> None:
    _fill_float(shop, 100_000)
    payout = _queued(shop, 10)
    with shop.units("worker")(shop.b) as work:
        assert not work.payout_attempts.promise(shop.float_id, payout.id, 10)


def test_promises_in_a_race_never_exceed_the_float(shop: Shop) -> None:
    _fill_float(shop, 50_000)
    payouts = [_queued(shop, 10_000, shop.a if n % 2 else shop.b) for n in range(12)]
    _together([lambda p=p: _promise(shop, p) for p in payouts])
    for _ in range(len(payouts)):  # those that had to wait for an older one come again
        for payout in payouts:
            with shop.units("worker")(_scope(payout)) as work:
                waiting = work.payouts.get(payout.id).state is PayoutState.QUEUED
            if waiting:
                _promise(shop, payout)
    with psycopg.connect(shop.database.plain_url("operator")) as conn:
        rows = conn.execute("SELECT payout_id FROM gateway.payout_attempt WHERE state = 'submitting'").fetchall()
    assert {row[0] for row in rows} == {p.id for p in payouts[:5]}, "five go, and they are the oldest"


def test_a_phone_gets_five_prompts_in_ten_minutes_from_all_businesses(shop: Shop) -> None:
    def prompt(scope: Scope, seconds: int = 0, phone: str = PHONE) -> int | None:
        with shop.units()(scope) as work:
            return work.attempts.take_prompt(phone, NOW + timedelta(seconds=seconds))

    taken = [prompt(shop.a if n % 2 else shop.b, 60 * n) for n in range(5)]
    assert taken == [None] * 5
    assert prompt(shop.a, 299) == 301, "until ten minutes after the first"
    assert prompt(shop.b, 599) == 1
    assert prompt(shop.a, 299, "+254700000001") is None
    assert prompt(shop.live, 299) is None, "test prompts don't use up a real phone's"
    assert prompt(shop.a, 600) is None
    assert prompt(shop.a, 601) == 59


def test_a_refused_prompt_isn_t_counted(shop: Shop) -> None:
    def refused() -> None:
        with shop.units()(shop.a) as work:
            work.attempts.take_prompt(PHONE, NOW)
            raise ZeroDivisionError

    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            refused()
    with shop.units()(shop.a) as work:
        assert work.attempts.take_prompt(PHONE, NOW) is None


def test_prompts_in_a_race_are_five(shop: Shop) -> None:
    waits: list[int | None] = []

    def prompt() -> None:
        with shop.units()(shop.a) as work:
            waits.append(work.attempts.take_prompt(PHONE, NOW))

    _together([prompt] * 12)
    assert waits.count(None) == 5
    assert len(waits) == 12


def _together(calls: list[Callable[[], object]]) -> None:
    together = threading.Barrier(len(calls))
    errors: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        together.wait()
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
