"""What a job calls: one function that runs one row of due work. Jobs carry the row's id and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import structlog

from gateway.application.jobs import Run

#: Runs a row: `RunDueWork`, once a worker is equipped.
RunDue = Callable[[UUID], Run | None]

#: Told when a job begins (True) and when it is over.
Mark = Callable[[bool], None]

_log = structlog.get_logger("gateway.jobs")
_run_due: RunDue | None = None
_mark: Mark | None = None


def equip(run_due: RunDue, mark: Mark | None = None) -> None:
    """Give this process what it needs to work. A worker does it after its fork."""
    global _run_due, _mark
    _run_due, _mark = run_due, mark


def run(due_id: str) -> None:
    """Run one row. Never raises: what PostgreSQL remembers decides what is tried again, and RQ must not."""
    if _run_due is None:
        raise RuntimeError("this process was not equipped to work")
    if _mark is not None:
        _mark(True)
    try:
        done = _run_due(UUID(due_id))
    except Exception:
        # The worker's edge. The row's lease brings it back.
        _log.exception("due_work_lost_its_database", due=due_id)
        return
    finally:
        if _mark is not None:
            _mark(False)
    if done is not None and done.fault is not None:
        _tell(done)


def _tell(done: Run) -> None:
    _log.warning(
        "due_work_failed",
        due=str(done.claimed.id),
        kind=done.claimed.kind,
        subject=str(done.claimed.subject_id),
        failures=done.claimed.failures + 1,
        again_in_s=done.after_s,
        exc_info=done.fault,
    )
