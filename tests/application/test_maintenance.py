"""Windows, halts, lists of callers: what is refused, what waits, and what goes on all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.errors import Busy, Invalid, NotFound
from gateway.domain.maintenance import Halt, Listed, Window
from tests.application.harness import ACT, World


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-24T20:59", None),
        ("2026-11-24T21:00", "2026-11-25T01:30"),
        ("2026-11-25T01:29", "2026-11-25T01:30"),
        ("2026-11-25T01:30", None),
    ],
)
def test_a_daily_window_is_in_east_africa_time_and_may_pass_midnight(now: str, ends: str | None) -> None:
    window = Window(id="a", starts="00:00", ends="04:30")
    assert window.ends_at(at(now)) == (at(ends) if ends else None)
    late = Window(id="b", starts="23:00", ends="01:00")
    assert late.ends_at(at("2026-11-24T20:30")) == at("2026-11-24T22:00")
    assert late.ends_at(at("2026-11-24T21:30")) == at("2026-11-24T22:00")
    assert late.ends_at(at("2026-11-24T22:00")) is None


def test_a_single_window_ends_for_ever() -> None:
    window = Window(id="a", starts="2026-11-24T23:00", ends="2026-11-25T02:00", daily=False)
    assert window.ends_at(at("2026-11-24T20:00")) == at("2026-11-24T23:00")
    assert window.ends_at(at("2026-11-24T23:00")) is None
    assert not window.is_over(at("2026-11-24T22:59"))
    assert window.is_over(at("2026-11-24T23:00"))


@pytest.mark.parametrize(("starts", "ends"), [("24:00", "01:00"), ("01:00", "01:00"), ("1:00", "2:00")])
def test_a_window_that_cannot_be_is_refused(world: World, starts: str, ends: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.operator.operation.windows.add(world.rail_line.id, starts, ends, ACT, daily=True)
    assert refused.value.code == "window_invalid"


def _close(world: World, minutes: int = 30) -> None:
    starts, ends = world.now - timedelta(minutes=1), world.now + timedelta(minutes=minutes)
    for line in (world.rail_line, world.channel_line):
        world.operator.operation.windows.add(line.id, starts.isoformat(), ends.isoformat(), ACT, daily=False)


def test_in_maintenance_prompts_are_refused_payouts_wait_and_questions_go_on(world: World) -> None:
    world.paid(300_000)
    out, payment = world.prompted(), world.payment()
    asked = len(world.rail.looked_up)
    _close(world)
    with pytest.raises(Busy) as refused:
        world.confirm(payment)
    assert refused.value.code == "rail_unavailable"
    assert 29 * 60 < (refused.value.retry_after_s or 0) <= 30 * 60
    payout = world.payout(50_000)
    world.advance(300)
    seen = world.see(payout)
    assert (seen["status"], seen["waiting_for"], seen["attempts"]) == ("queued", "maintenance", [])
    assert len(world.rail.looked_up) > asked
    world.call_back(world.rail.pay(world.reference(out)), world.rail.started[-1].reply_to)
    world.advance(10)
    assert world.see(out)["status"] == "succeeded"
    world.advance(30 * 60)
    assert world.see(payout)["status"] == "in_transit"
    world.confirm(payment)


def test_a_removed_window_holds_nothing(world: World) -> None:
    windows = world.operator.operation.windows
    made = windows.add(world.rail_line.id, "00:00", "23:59", ACT, daily=True)
    assert [w.id for w in windows.of(world.rail_line.id).windows] == [made.id]
    windows.remove(world.rail_line.id, made.id, ACT)
    world.prompted()
    with pytest.raises(NotFound):
        windows.remove(world.rail_line.id, made.id, ACT)


def test_what_others_keep_in_the_policy_stays(world: World) -> None:
    windows = world.operator.operation.windows
    windows.set_pocket(world.rail_line.id, "Utility", ACT)
    windows.add(world.rail_line.id, "00:00", "01:00", ACT, daily=True)
    kept = world.value("SELECT policy FROM gateway.connection WHERE id = :id", id=world.rail_line.id)
    assert (kept["pocket"], len(kept["windows"])) == ("Utility", 1)


def test_a_halt_refuses_new_work_and_what_is_out_finishes(world: World) -> None:
    world.paid(300_000)
    out, fresh, queued = world.prompted(), world.payment(), world.payout(50_000)
    windows = world.operator.operation.windows
    windows.halt(Halt.PAYMENTS, ACT, livemode=False)
    windows.halt(Halt.PAYOUTS, ACT, livemode=False)
    try:
        for refused in (lambda: world.confirm(fresh), lambda: world.payout(1_000)):
            with pytest.raises(Busy) as told:
                refused()
            assert (told.value.code, told.value.retry_after_s) == ("temporarily_paused", 60)
        world.settle()
        assert (world.see(queued)["status"], world.see(queued)["waiting_for"]) == ("queued", "paused")
        world.call_back(world.rail.pay(world.reference(out)), world.rail.started[-1].reply_to)
        world.settle()
        assert world.see(out)["status"] == "succeeded"
    finally:
        for what in Halt:
            windows.resume(what, ACT, livemode=False)
    world.advance(60)
    assert world.see(queued)["status"] == "in_transit"
    world.confirm(fresh)
    with pytest.raises(NotFound):
        windows.resume(Halt.PAYMENTS, ACT, livemode=False)


def _callbacks(world: World) -> int:
    return int(
        world.value("SELECT count(*) FROM gateway.provider_callback WHERE connection_id = :c", c=world.rail_line.id)
    )


def test_enforced_a_callback_from_elsewhere_is_404_and_nothing_is_kept(world: World) -> None:
    payment = world.prompted()
    windows = world.operator.operation.windows
    windows.list_callers(world.rail_line.id, Listed.ENFORCE, ["196.201.214.0/24"], ACT)
    incoming, reply_to = world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to
    with pytest.raises(NotFound):
        world.call_back(incoming, reply_to)
    assert _callbacks(world) == 0
    windows.list_callers(world.rail_line.id, Listed.ENFORCE, ["127.0.0.0/8"], ACT)
    world.call_back(incoming, reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"


def test_logged_it_is_kept_with_a_mark_and_a_person_is_told(world: World) -> None:
    payment = world.prompted()
    windows = world.operator.operation.windows
    with pytest.raises(Invalid):
        windows.list_callers(world.rail_line.id, Listed.LOG, ["not a network"], ACT)
    with pytest.raises(Invalid):
        windows.list_callers(world.rail_line.id, Listed.LOG, [], ACT)
    windows.list_callers(world.rail_line.id, Listed.LOG, ["196.201.214.200"], ACT)
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"
    assert "callback_from_elsewhere" in world.alerts()
    marked = world.value(
        "SELECT headers ->> :mark FROM gateway.provider_callback WHERE connection_id = :c",
        mark=":elsewhere",
        c=world.rail_line.id,
    )
    assert marked == "1"
