"""One connection's faults stay its own: its lane, its breaker, and what businesses and the operator are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.domain.breakers import PROBE_AFTER_S, BreakerState
from gateway.domain.due import QUEUES
from gateway.domain.errors import Busy
from ports.abilities import History, Refunds
from ports.errors import NotSent, OutcomeUnknown
from tests.application.harness import ACT, World, a_phone
from tests.application.processes import Engines, Process


class Watched(World):
    """A world whose workers' calls are watched, as the gateway's are."""

    def process(self, role: str, **more: Any) -> Process:
        process = super().process(role, **more)
        lines = replace(process.lines_, watch=lambda *call: process.watch.watched(*call), _built={})
        object.__setattr__(process, "lines_", lines)
        return process


@pytest.fixture
def world(engines: Engines) -> Iterator[Watched]:
    made = Watched(engines=engines)
    yield made
    made.close()


def breaker(world: World, connection_id: UUID) -> str:
    return str(world.value("SELECT state FROM gateway.connection_health WHERE connection_id = :c", c=connection_id))


def operators_events(world: World, connection_id: UUID) -> list[str]:
    sql = "SELECT type FROM gateway.event WHERE object_id = :c ORDER BY sequence"
    return [row[0] for row in world.rows(sql, c=connection_id)]


def open_alerts(world: World, connection_id: UUID) -> list[str]:
    sql = "SELECT kind FROM gateway.alert WHERE subject_id = :c AND resolved_at IS NULL"
    return [row[0] for row in world.rows(sql, c=connection_id)]


def break_rail(world: World, times: int = 5, fault: type[Exception] = OutcomeUnknown) -> list[Any]:
    payments = [world.payment() for _ in range(times)]
    world.rail.on_start(*[fault("nothing came back") for _ in payments])
    for payment in payments:
        world.confirm(payment)
    world.settle()
    return payments


def test_five_silent_calls_open_it_new_prompts_are_refused_at_once_and_a_probe_closes_it(world: Watched) -> None:
    break_rail(world)
    line = world.rail_line.id
    assert breaker(world, line) == BreakerState.OPEN.value
    assert (operators_events(world, line), open_alerts(world, line)) == (
        ["connection.degraded"],
        ["connection_degraded"],
    )
    started = len(world.rail.started)
    with pytest.raises(Busy) as refused:
        world.confirm(world.payment())
    assert (refused.value.code, refused.value.retry_after_s) == ("rail_unavailable", PROBE_AFTER_S[0])
    assert len(world.rail.started) == started
    world.advance(PROBE_AFTER_S[0])
    probe = world.payment()
    world.confirm(probe)
    world.settle()
    assert world.attempt(probe)["status"] == "submitted"
    assert breaker(world, line) == BreakerState.CLOSED.value
    assert operators_events(world, line) == ["connection.degraded", "connection.recovered"]
    assert open_alerts(world, line) == []


def test_an_adapter_that_raises_what_nobody_foresaw_is_broken_and_payouts_go_on(world: Watched) -> None:
    world.paid()
    break_rail(world, fault=ZeroDivisionError)
    assert breaker(world, world.rail_line.id) == BreakerState.OPEN.value
    payout = world.payout(20_000)
    world.settle()
    assert world.see(payout)["status"] == "in_transit"
    assert breaker(world, world.channel_line.id) == BreakerState.CLOSED.value


def test_while_it_is_open_what_waits_is_let_through_one_by_one(world: Watched) -> None:
    """Prompts that were taken before it opened wait; of all that is due one row is the probe."""
    waiting = [world.payment() for _ in range(8)]
    world.rail.on_start(*[OutcomeUnknown("silence")] * 6)
    for payment in waiting:
        world.confirm(payment)
    claimed = 0
    for _ in range(20):
        rows = world.worker.doors.claim_due(dict.fromkeys(QUEUES, 50))
        claimed += len(rows)
        assert len(rows) <= 2, "a lane's share of a queue"
        for row in rows:
            world.worker.use_cases.run_due(row.id)
    assert breaker(world, world.rail_line.id) == BreakerState.OPEN.value
    assert len(world.rail.started) in (5, 6), "who was under way as it opened ended its call; nobody else called"
    world.clock.forward(10)
    rows = [r for r in world.worker.doors.claim_due(dict.fromkeys(QUEUES, 50)) if r.kind != "attempt.window"]
    assert len(rows) == 1
    assert breaker(world, world.rail_line.id) == BreakerState.HALF_OPEN.value
    with pytest.raises(Busy):
        world.confirm(world.payment())


def test_prompts_that_an_open_breaker_kept_past_their_time_fail_and_go_out_to_nobody(world: Watched) -> None:
    break_rail(world)
    world.run_sql(
        "UPDATE gateway.connection_health SET probe_at = probe_at - interval '20 seconds' WHERE connection_id = :c",
        c=world.rail_line.id,
    )
    late = world.payment()
    world.confirm(late)
    world.run_sql(
        "UPDATE gateway.connection_health SET probe_at = probe_at + interval '900 seconds' WHERE connection_id = :c",
        c=world.rail_line.id,
    )
    started = len(world.rail.started)
    world.clock.forward(91)
    world.settle()
    seen = world.see(late)
    assert (seen["status"], seen["last_error"]["code"]) == ("requires_payment_method", "rail_unavailable")
    assert len(world.rail.started) == started


def test_no_connection_is_a_fault_and_too_fast_is_not(world: Watched) -> None:
    payments = [world.payment() for _ in range(7)]
    world.rail.on_start(*[NotSent("429", retry_after_s=1, whole_connection=True)] * 7)
    for payment in payments:
        world.confirm(payment)
    for _ in range(30):
        world.clock.forward(2)
        world.settle()
    assert breaker(world, world.rail_line.id) == BreakerState.CLOSED.value
    assert {world.attempt(p)["status"] for p in payments} == {"submitted"}, "they went out a little later"


def test_repeats_are_a_fifth_of_first_tries_and_then_spaced_out(world: Watched) -> None:
    """Ten may be repeated at any time; after that each waits for a minute at least, whatever the adapter says."""
    line = world.rail_line.id
    watch = world.worker.watch
    assert [watch.again_after_s(line, 5) for _ in range(12)] == [5] * 10 + [60, 60]
    assert watch.again_after_s(line, 600) == 600
    for _ in range(5):
        world.prompted()
    assert [watch.again_after_s(line, 5) for _ in range(2)] == [5, 60], "five first tries earned one"


def test_a_connection_is_asked_no_more_than_it_declares(world: Watched) -> None:
    """Calls in flight over both queues, and calls a second, as the capabilities say."""
    world.rail.capabilities = replace(world.rail.capabilities, concurrency=1, calls_per_s=1)
    worker = world.process("worker")
    for _ in range(3):
        world.confirm(world.payment(), phone=a_phone())
    first = worker.doors.claim_due(dict.fromkeys(QUEUES, 50))
    assert [row.kind for row in first] == ["attempt.submit"]
    assert worker.doors.claim_due(dict.fromkeys(QUEUES, 50)) == [], "one in flight"
    worker.use_cases.run_due(first[0].id)
    assert worker.doors.claim_due(dict.fromkeys(QUEUES, 50)) == [], "and one a second"
    world.run_sql("UPDATE gateway.connection_health SET calls_at = calls_at - interval '1 second'")
    assert len(worker.doors.claim_due(dict.fromkeys(QUEUES, 50))) == 1
    worker.doors.worker.close()


def test_watching_an_adapter_hides_none_of_its_abilities(world: Watched) -> None:
    line = world.worker.lines.rail(world.rail_line)
    assert isinstance(line, Refunds)
    assert not isinstance(line, History)


def test_another_connection_goes_first_while_one_is_broken(world: Watched) -> None:
    break_rail(world)
    second = world.operator.desk.add_connection(
        world.rail_code, "Second", world.rail_float.id, {}, livemode=False, act=ACT
    )
    payment = world.payment()
    world.confirm(payment)
    world.settle()
    used = world.value("SELECT connection_id FROM gateway.attempt WHERE id = :a", a=world.attempt_id(payment))
    assert used == second.id
