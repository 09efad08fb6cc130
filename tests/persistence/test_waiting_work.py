"""How long due work waits: what a connection holds back for a while is told apart, and sheds no load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from sqlalchemy import text

from gateway.adapters.persistence.breakers import SqlHealth
from gateway.application.interfaces import Due
from gateway.domain.due import QUEUES
from gateway.domain.maintenance import EAT, Operation, Window
from tests.persistence.shop import NOW, Shop, a_connection, new_id
from tests.persistence.test_lanes import break_it, close_it, run
from tests.servers import Database

WAITED_S = 100
MAINTENANCE = Window(id="w1", starts="11:00", ends="13:00")


def put(shop: Shop, kind: str = "payout.submit", *, lane: UUID | None = None, after_s: int = 0) -> UUID:
    subject = new_id()
    with shop.units("worker")(shop.a) as work:
        work.due.put(Due(kind=kind, subject_id=subject, due_at=NOW + timedelta(seconds=after_s), lane=lane))
    return subject


def backlog_s(shop: Shop) -> int:
    return SqlHealth(engine=shop.engine(), clock=shop.unit_clock).backlog_s()


def shown(shop: Shop, name: str, queue: str) -> float:
    wanted = text("SELECT value FROM gateway.metrics(:now) WHERE name = :name AND labels->>'queue' = :queue")
    with shop.engine().connect() as conn:
        found = conn.execute(wanted, {"now": shop.clock.at, "name": name, "queue": queue}).scalar_one()
    return float(found)


def paused(shop: Shop) -> Callable[[], None]:
    shop.directory.set_connection_state(shop.connection_id, paused_for="a look", now=NOW)
    return lambda: shop.directory.set_connection_state(shop.connection_id, paused_for=None, now=NOW)


def in_maintenance(shop: Shop) -> Callable[[], None]:
    shop.directory.set_policy(shop.connection_id, Operation(windows=(MAINTENANCE,)).kept())
    return lambda: shop.directory.set_policy(shop.connection_id, Operation().kept())


def halted(shop: Shop) -> Callable[[], None]:
    run(
        shop,
        "INSERT INTO gateway.halt (livemode, what, reason, since) VALUES (false, 'payouts', 'a look', :at)",
        at=NOW,
    )
    return lambda: run(shop, "DELETE FROM gateway.halt")


def broken(shop: Shop) -> Callable[[], None]:
    break_it(shop, probe_in_s=WAITED_S + 60)
    return lambda: close_it(shop)


@pytest.mark.parametrize("hold", [paused, in_maintenance, halted, broken])
def test_what_waits_for_its_connection_is_no_backlog_and_is_counted_apart(
    shop: Shop, hold: Callable[[Shop], Callable[[], None]]
) -> None:
    let_go = hold(shop)
    for _ in range(2):
        put(shop, lane=shop.connection_id)
    shop.clock.at += timedelta(seconds=WAITED_S)
    assert backlog_s(shop) == 0
    assert shown(shop, "gateway_due_lag_seconds", "pay") == 0
    assert shown(shop, "gateway_due_held", "pay") == 2
    let_go()
    assert backlog_s(shop) == WAITED_S
    assert shown(shop, "gateway_due_lag_seconds", "pay") == WAITED_S
    assert shown(shop, "gateway_due_held", "pay") == 0


@pytest.mark.parametrize("hold", [in_maintenance, halted])
def test_a_window_and_a_halt_hold_new_money_alone(shop: Shop, hold: Callable[[Shop], Callable[[], None]]) -> None:
    """A question about what was sent goes on, so it counts when it waits, behind any number of payouts."""
    hold(shop)
    for n in range(30):
        put(shop, lane=shop.connection_id, after_s=-n)
    put(shop, "payout.look_up", lane=shop.connection_id, after_s=40)
    put(shop, "attempt.submit", lane=shop.connection_id, after_s=30)
    shop.clock.at += timedelta(seconds=WAITED_S)
    assert backlog_s(shop) == WAITED_S - 30
    assert shown(shop, "gateway_due_lag_seconds", "ask") == WAITED_S - 40
    assert shown(shop, "gateway_due_held", "pay") == 30


def test_another_connection_s_work_and_work_of_nobody_s_count_beside_what_is_held(shop: Shop) -> None:
    other = a_connection(new_id(), shop.float_id)
    shop.directory.add_connection(other)
    paused(shop)
    put(shop, lane=shop.connection_id, after_s=-50)
    shop.clock.at += timedelta(seconds=WAITED_S)
    put(shop, lane=other.id, after_s=20)
    assert backlog_s(shop) == WAITED_S - 20
    put(shop, "callback.weigh", after_s=5)
    assert backlog_s(shop) == WAITED_S - 5


def test_what_waits_in_its_queue_still_waits_until_a_worker_begins(shop: Shop) -> None:
    put(shop)
    shop.clock.at += timedelta(seconds=WAITED_S)
    [claimed] = shop.doors.claim_due(dict.fromkeys(QUEUES, 1))
    assert backlog_s(shop) == WAITED_S, "no worker has it yet"
    assert shop.worker().due(claimed.id) is not None
    assert backlog_s(shop) == 0


def test_what_failed_before_sheds_no_load_and_shows_as_lag(shop: Shop) -> None:
    put(shop)
    run(shop, "UPDATE gateway.outbox SET failures = 1")
    shop.clock.at += timedelta(seconds=WAITED_S)
    assert backlog_s(shop) == 0
    assert shown(shop, "gateway_due_lag_seconds", "pay") == WAITED_S


HOURS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
TIMES = st.integers(-2 * 10**11, 2 * 10**11).map(lambda us: NOW + timedelta(microseconds=us))
MOMENTS = TIMES.flatmap(
    lambda at: st.sampled_from(
        [
            at.isoformat(timespec="minutes"),
            at.isoformat(),
            at.astimezone(EAT).isoformat(timespec="minutes"),
            at.strftime("%Y-%m-%d"),
            at.strftime("%Y-%m-%dT%H:%M"),
            at.strftime("%Y-%m-%d %H:%M:%S.%f"),
            at.strftime("%Y-%m-%dT%H:%MZ"),
        ]
    )
)


def _window(parts: tuple[bool, str, str]) -> Window | None:
    daily, starts, ends = parts
    try:
        return Window(id="w", starts=starts, ends=ends, daily=daily)
    except ValueError:
        return None


WINDOWS = st.one_of(st.tuples(st.just(True), HOURS, HOURS), st.tuples(st.just(False), MOMENTS, MOMENTS)).map(_window)


@given(
    windows=st.lists(WINDOWS.filter(lambda one: one is not None), max_size=3),
    now=TIMES,
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_reads_windows_as_the_domain_does(
    module_database: Database, windows: list[Window], now: datetime
) -> None:
    kept = replace(Operation(), windows=tuple(windows))
    with psycopg.connect(module_database.plain_url("owner")) as conn:
        row = conn.execute("SELECT gateway.is_closed(%s, %s)", (Jsonb(kept.kept()), now)).fetchone()
    assert row == (kept.closed_until(now) is not None,)
