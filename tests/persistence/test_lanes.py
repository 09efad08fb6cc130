"""What bounds the rows of one connection that are on their way: also those that came back, and its breaker's probe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.adapters.jobs.supervisor import PROCESSES, SPARES
from gateway.application.interfaces import Claimed, Due, LaneLimit
from gateway.application.jobs import LANED
from gateway.domain.breakers import PROBE_AFTER_S
from gateway.domain.businesses import HOUSE
from gateway.domain.connections import Float
from gateway.domain.due import KINDS, QUEUES, SHARES
from tests.persistence.shop import NOW, Shop, a_connection, new_id

ALL = dict.fromkeys(QUEUES, 100)
LEASE_S = KINDS["attempt.submit"][1]


def put(shop: Shop, n: int = 1, kind: str = "attempt.submit", lane: UUID | None = None) -> list[UUID]:
    """Rows of the connection's lane that are due, the oldest first; gives their subjects."""
    subjects = [new_id() for _ in range(n)]
    with shop.units("worker")(shop.a) as work:
        for i, subject in enumerate(subjects):
            due_at = NOW - timedelta(seconds=60 - i)
            work.due.put(Due(kind=kind, subject_id=subject, due_at=due_at, lane=lane or shop.connection_id))
    return subjects


def run(shop: Shop, sql: str, **values: Any) -> None:
    with shop.engine("owner").begin() as conn:
        conn.execute(text(sql), values)


def leases_over(shop: Shop) -> None:
    run(shop, "UPDATE gateway.outbox SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")


def health(shop: Shop) -> Any:
    with shop.engine("operator").connect() as conn:
        wanted = text("SELECT * FROM gateway.connection_health WHERE connection_id = :c")
        return conn.execute(wanted, {"c": shop.connection_id}).one()


def break_it(shop: Shop, *, probe_in_s: int) -> None:
    sql = "UPDATE gateway.connection_health SET state = 'open', opens = 1, opened_at = :at, probe_at = :probe"
    run(shop, sql, at=NOW, probe=shop.clock.at + timedelta(seconds=probe_in_s))


def close_it(shop: Shop, lane: UUID | None = None) -> None:
    sql = "UPDATE gateway.connection_health SET state = 'closed', opens = 0, opened_at = NULL, probe_at = NULL"
    run(shop, f"{sql} WHERE connection_id = :c", c=lane or shop.connection_id)


def subjects_of(rows: Sequence[Claimed]) -> list[UUID]:
    return [row.subject_id for row in rows]


def test_rows_whose_lease_ran_out_wait_for_the_breaker_like_others(shop: Shop) -> None:
    put(shop, 2)
    assert len(shop.doors.claim_due(ALL)) == 2
    break_it(shop, probe_in_s=5)
    leases_over(shop)
    assert shop.doors.claim_due(ALL) == []
    shop.clock.at += timedelta(seconds=5)
    assert len(shop.doors.claim_due(ALL)) == 1, "the probe"


def test_rows_whose_lease_ran_out_count_towards_their_lane_and_go_first(shop: Shop) -> None:
    old = put(shop, 4)
    run(shop, "UPDATE gateway.outbox SET lease_until = clock_timestamp() - interval '1 second'")
    put(shop, 1)
    first = shop.doors.claim_due(ALL)
    assert subjects_of(first) == old[:2], "its share of the queue, though all of them came back"
    worker = shop.worker()
    begun = worker.due(first[0].id)
    assert begun is not None
    worker.finish(begun, again_at=None)
    assert subjects_of(shop.doors.claim_due(ALL)) == [old[2]], "before what nobody took yet"


def test_rows_whose_lease_ran_out_keep_the_calls_in_flight_that_are_declared(shop: Shop) -> None:
    put(shop, 2)
    put(shop, 2, "attempt.look_up")
    run(shop, "UPDATE gateway.outbox SET lease_until = clock_timestamp() - interval '1 second'")
    limit = LaneLimit(code="mpesa_push", in_flight=1, calls_per_s=50)
    run(shop, "UPDATE gateway.connection_health SET calls = 50")
    doors = replace(shop.doors, limits=lambda: [limit])
    assert [row.kind for row in doors.claim_due(ALL)] == ["attempt.submit"]
    assert doors.claim_due(ALL) == []


@pytest.mark.parametrize("calls_per_s", [1, 2])
def test_rows_whose_lease_ran_out_keep_the_calls_a_second(shop: Shop, calls_per_s: int) -> None:
    put(shop, 2)
    run(shop, "UPDATE gateway.outbox SET lease_until = clock_timestamp() - interval '1 second'")
    run(shop, "UPDATE gateway.connection_health SET calls = :n", n=calls_per_s)
    limit = LaneLimit(code="mpesa_push", in_flight=9, calls_per_s=calls_per_s)
    assert len(replace(shop.doors, limits=lambda: [limit]).claim_due(ALL)) == calls_per_s


def test_no_probe_goes_beside_one_that_a_worker_is_at_however_long_that_takes(shop: Shop) -> None:
    put(shop, 3)
    break_it(shop, probe_in_s=0)
    [probe] = shop.doors.claim_due(ALL)
    worker = shop.worker()
    begun = worker.due(probe.id)
    assert begun is not None
    assert (health(shop).state, health(shop).probe_id) == ("half_open", probe.id)
    assert health(shop).probe_at - shop.clock.at > timedelta(seconds=LEASE_S), (
        "what businesses are told outlasts it too"
    )
    for _ in range(4):
        shop.clock.at += timedelta(seconds=LEASE_S)
        assert shop.doors.claim_due(ALL) == []
    worker.extend(begun, 600)
    run(
        shop, "UPDATE gateway.outbox SET lease_until = lease_until - interval '120 seconds' WHERE id = :id", id=probe.id
    )
    assert shop.doors.claim_due(ALL) == [], "a lease that was made longer counts as well"


def test_a_probe_that_made_no_call_gives_way_to_the_next_at_once(shop: Shop) -> None:
    put(shop, 3)
    break_it(shop, probe_in_s=0)
    [probe] = shop.doors.claim_due(ALL)
    worker = shop.worker()
    begun = worker.due(probe.id)
    assert begun is not None
    worker.finish(begun, again_at=None)
    [following] = shop.doors.claim_due(ALL)
    assert following.id != probe.id
    assert shop.doors.claim_due(ALL) == []


def test_a_probe_whose_worker_died_is_made_again_and_alone(shop: Shop) -> None:
    put(shop, 3)
    break_it(shop, probe_in_s=0)
    [probe] = shop.doors.claim_due(ALL)
    worker = shop.worker()
    assert worker.due(probe.id) is not None
    worker.worker.close()
    assert shop.doors.free_abandoned() == 1
    assert [row.id for row in shop.doors.claim_due(ALL)] == [probe.id]
    assert shop.doors.claim_due(ALL) == []


def test_the_next_probe_waits_for_its_time_when_the_last_one_failed(shop: Shop) -> None:
    put(shop, 3)
    break_it(shop, probe_in_s=0)
    [probe] = shop.doors.claim_due(ALL)
    assert shop.worker().due(probe.id) is not None
    break_it(shop, probe_in_s=PROBE_AFTER_S[1])
    assert shop.doors.claim_due(ALL) == []
    shop.clock.at += timedelta(seconds=PROBE_AFTER_S[1])
    [following] = shop.doors.claim_due(ALL)
    assert following.id != probe.id, "its silence was told: nobody waits for its end"


def test_a_row_that_waited_in_its_queue_as_the_breaker_opened_is_not_begun(shop: Shop) -> None:
    put(shop, 2)
    first, second = shop.doors.claim_due(ALL)
    worker = shop.worker()
    assert worker.due(first.id) is not None
    break_it(shop, probe_in_s=5)
    assert worker.due(second.id) is None
    close_it(shop)
    assert worker.due(second.id) is not None


def test_balances_and_moves_of_our_own_money_go_in_their_connections_lane(shop: Shop) -> None:
    other, transfer = new_id(), new_id()
    shop.directory.add_float(Float(id=other, livemode=False, title="Utility", currency="KES", created=NOW))
    values = {"id": transfer, "house": HOUSE, "c": shop.connection_id, "f": shop.float_id, "o": other, "at": NOW}
    run(
        shop,
        "INSERT INTO gateway.own_transfer (id, business_id, livemode, created, updated, version, connection_id,"
        " source_id, target_id, source_pocket, target_pocket, currency, amount_units, reference, state, sends,"
        " look_ups) VALUES (:id, :house, false, :at, :at, 1, :c, :f, :o, 'working', 'utility', 'KES', 100, 'R1',"
        " 'created', 0, 0)",
        **values,
    )
    with shop.units("worker")(replace(shop.a, business_id=HOUSE)) as work:
        for kind in ("own.submit", "own.look_up"):
            work.due.put(Due(kind=kind, subject_id=transfer, due_at=NOW))
        work.due.put(Due(kind="connection.balance", subject_id=shop.connection_id, due_at=NOW))
    with shop.engine("operator").connect() as conn:
        found = {tuple(row) for row in conn.execute(text("SELECT kind, lane FROM gateway.outbox"))}
    assert found == {(kind, shop.connection_id) for kind in ("own.submit", "own.look_up", "connection.balance")}
    break_it(shop, probe_in_s=5)
    assert shop.doors.claim_due(ALL) == []


def test_workers_ring_for_every_kind_that_the_database_gives_a_lane(shop: Shop) -> None:
    with shop.engine("operator").connect() as conn:
        shown = conn.execute(
            text("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'outbox_lane'")
        ).scalar_one()
    kinds = set(re.findall(r"'([a-z_]+\.[a-z_]+)'", shown))
    assert kinds == LANED
    assert kinds <= set(KINDS)


def test_a_probe_goes_beside_calls_that_hang_and_keep_the_lanes_share(shop: Shop) -> None:
    put(shop, 20)
    doors = replace(shop.worker(), limits=lambda: [LaneLimit(code="mpesa_push", in_flight=2, calls_per_s=1_000)])
    hanging = doors.claim_due(ALL)
    assert len(hanging) == 2
    assert all(doors.due(row.id) for row in hanging)
    assert doors.claim_due(ALL) == []
    probes = 0
    for _ in range(10):
        break_it(shop, probe_in_s=0)
        found = doors.claim_due(ALL)
        assert len(found) <= 1
        assert all(doors.due(row.id) for row in found)
        probes += len(found)
    doors.worker.close()
    assert probes == 6, "eight in all: who hangs for ever doesn't get every worker"


def test_probes_of_several_connections_that_hang_leave_a_worker_free_for_the_others(shop: Shop) -> None:
    """A queue's three workers and their six spares are nine; a connection that works still gets its share of them."""
    others = [a_connection(new_id(), shop.float_id) for _ in range(2)]
    for other in others:
        shop.directory.add_connection(other)
    broken = [shop.connection_id, others[0].id]
    for lane in broken:
        put(shop, 20, lane=lane)
    worker = shop.worker()
    hanging = 0
    for _ in range(12):
        found = worker.claim_due(ALL)
        assert all(worker.due(row.id) for row in found)
        hanging += len(found)
        break_it(shop, probe_in_s=0)
    assert hanging == PROCESSES["pay"] + SPARES["pay"] - 1
    put(shop, 3, lane=others[1].id)
    close_it(shop, others[1].id)
    assert len(worker.claim_due(ALL)) == SHARES["pay"]


def test_as_many_connections_may_hang_at_their_share_as_leave_a_worker_free() -> None:
    for queue in SPARES:
        together = PROCESSES[queue] + SPARES[queue]
        assert SHARES[queue] == PROCESSES[queue] - 1
        assert 4 * SHARES[queue] < together


def test_calls_that_an_outage_left_hanging_keep_nothing_back_when_it_is_over(shop: Shop) -> None:
    put(shop, 6)
    doors = replace(shop.worker(), limits=lambda: [LaneLimit(code="mpesa_push", in_flight=2, calls_per_s=1_000)])
    hanging = doors.claim_due(ALL)
    assert all(doors.due(row.id) for row in hanging)
    assert doors.claim_due(ALL) == []
    run(shop, "UPDATE gateway.outbox SET lease_until = lease_until - interval '11 seconds' WHERE holder IS NOT NULL")
    assert len(doors.claim_due(ALL)) == 2
    doors.worker.close()
