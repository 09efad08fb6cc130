"""Running due work: started once, finished or failed, and later each time it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

from gateway.application.interfaces import Call, Claimed, Doors
from gateway.application.jobs import (
    BUSY_AFTER_S,
    FAILED_AFTER_S,
    DrainLedger,
    RunDueWork,
    SweepDone,
    chores_of,
    wait_after,
)
from gateway.domain.errors import Busy, Conflict, NotFound

LATER = datetime(2026, 11, 25, tzinfo=UTC)
ROW = Claimed(
    id=UUID(int=1),
    kind="payment.expire",
    subject_id=UUID(int=2),
    business_id=UUID(int=3),
    livemode=True,
    generation=4,
    dispatches=1,
    holder=7,
    failures=0,
)


@dataclass
class FakeDoors:
    """One row, or none; notes what becomes of it."""

    row: Claimed | None = ROW
    finished: list[tuple[Claimed, datetime | None]] = field(default_factory=list)
    failed: list[tuple[Claimed, int]] = field(default_factory=list)
    sweeps: list[int] = field(default_factory=lambda: [1000, 1000, 3])

    def due(self, due_id: UUID) -> Claimed | None:
        return self.row if self.row is not None and self.row.id == due_id else None

    def finish(self, claimed: Claimed, *, again_at: datetime | None) -> None:
        self.finished.append((claimed, again_at))

    def fail(self, claimed: Claimed, *, after_s: int) -> None:
        self.failed.append((claimed, after_s))

    def claim_due(self, rooms: Mapping[str, int], shares: Mapping[str, int] | None = None) -> Sequence[Claimed]:
        return []

    def free_abandoned(self) -> int:
        return 0

    def sweep(self, limit: int) -> int:
        return self.sweeps.pop(0)


def runner(doors: FakeDoors, outcome: datetime | Exception | None, calls: list[tuple[UUID, Call]]) -> RunDueWork:
    def handler(subject: UUID, call: Call) -> datetime | None:
        calls.append((subject, call))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return RunDueWork(doors=cast(Doors, doors), handlers={"payment.expire": handler})


@pytest.mark.parametrize("again_at", [None, LATER])
def test_the_handler_gets_its_subject_and_scope_and_says_when_again(again_at: datetime | None) -> None:
    doors, calls = FakeDoors(), list[tuple[UUID, Call]]()
    done = runner(doors, again_at, calls)(ROW.id)
    assert calls == [(ROW.subject_id, Call(business_id=ROW.business_id, livemode=True))]
    assert doors.finished == [(ROW, again_at)]
    assert doors.failed == []
    assert done is not None
    assert (done.again_at, done.fault) == (again_at, None)


def test_a_row_that_is_done_or_in_other_hands_is_left_alone() -> None:
    doors, calls = FakeDoors(row=None), list[tuple[UUID, Call]]()
    assert runner(doors, None, calls)(ROW.id) is None
    assert (calls, doors.finished, doors.failed) == ([], [], [])


@pytest.mark.parametrize("fault", [ValueError("x"), OSError("x"), NotFound("the plugin is not installed")])
def test_whatever_goes_wrong_the_row_stays_and_waits(fault: Exception) -> None:
    doors = FakeDoors()
    done = runner(doors, fault, [])(ROW.id)
    assert doors.finished == []
    assert doors.failed == [(ROW, FAILED_AFTER_S[0])]
    assert done is not None
    assert (done.fault, done.after_s) == (fault, FAILED_AFTER_S[0])


def test_a_kind_that_nobody_handles_stays_as_well() -> None:
    doors = FakeDoors(row=replace(ROW, kind="unheard.of"))
    assert runner(doors, None, [])(ROW.id) is not None
    assert [after for _, after in doors.failed] == [FAILED_AFTER_S[0]]


def test_what_passes_by_itself_is_tried_again_soon_and_all_else_later_and_later() -> None:
    waits = [wait_after(ValueError(), n) for n in range(8)]
    assert waits == [*FAILED_AFTER_S, *[FAILED_AFTER_S[-1]] * 4]
    for passing in (Busy("x"), Conflict("x", code="stale_version")):
        assert [wait_after(passing, n) for n in range(7)] == [*BUSY_AFTER_S, BUSY_AFTER_S[-1]]
    assert sorted(FAILED_AFTER_S) == list(FAILED_AFTER_S)
    assert min(*FAILED_AFTER_S, *BUSY_AFTER_S) >= 1, "never in a hot loop"


def test_the_end_of_a_process_is_no_failure_of_the_work() -> None:
    doors = FakeDoors()

    def stop(*_: object) -> None:
        raise SystemExit

    run = RunDueWork(doors=cast(Doors, doors), handlers={"payment.expire": stop})
    with pytest.raises(SystemExit):
        run(ROW.id)
    assert (doors.finished, doors.failed) == ([], [])


def test_the_drain_goes_on_until_a_batch_is_short_in_both_modes_and_not_for_ever() -> None:
    batches = {False: [1000, 1000, 5], True: [0]}
    assert DrainLedger(drain=lambda livemode, _: batches[livemode].pop(0))() == 2005
    assert batches == {False: [], True: []}
    assert DrainLedger(drain=lambda _, rows: rows)() == 2 * 20 * 1000


def test_the_sweep_goes_on_until_a_batch_is_short() -> None:
    assert SweepDone(doors=cast(Doors, FakeDoors()))() == 2003


def test_there_are_three_chores() -> None:
    chores = chores_of(cast(Doors, FakeDoors()), lambda _, __: 0)
    assert {chore.name: chore.every_s for chore in chores} == {"free": 1.0, "drain": 2.0, "sweep": 60.0}
    for chore in chores:
        chore.do()
