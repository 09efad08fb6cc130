"""Due work as a worker runs it, and chores that nobody puts: never lost, never twice at once, never in a hot loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from gateway.application.interfaces import AtHand, Call, Claimed, Doors
from gateway.domain.errors import Conflict, GatewayError

#: Does the work of one kind; gives when to come again, or None when it is done.
Handler = Callable[[UUID, Call], datetime | None]

#: Seconds to the next run after so many failures in a row; the last one repeats.
FAILED_AFTER_S = (5, 30, 120, 600)
#: The same after a lock that was busy or a version that was stale: the same call may succeed at once.
BUSY_AFTER_S = (1, 2, 5, 30, 120, 600)

#: Kinds of which few of one endpoint or connection are on their way at a time.
LANED = frozenset(
    {
        "webhook.deliver",
        "webhook.deliver_slowly",
        "attempt.submit",
        "attempt.look_up",
        "payout.submit",
        "payout.look_up",
        "payout.repeat",
        "refund.submit",
        "refund.look_up",
        "money.look_up",
        "connection.pull",
        "connection.balance",
        "own.submit",
        "own.look_up",
    }
)

_BATCH = 1000
_BATCHES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run came to: `again_at` when it is due once more, `fault` and `after_s` when it failed."""

    claimed: Claimed
    again_at: datetime | None = None
    fault: Exception | None = None
    after_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDueWork:
    """Start on a row, do what its kind asks, and finish it. Running a row that another worker is at does nothing."""

    doors: Doors
    handlers: Mapping[str, Handler]
    #: Called when work that waits for its lane's turn was done: the next may go.
    ring: Callable[[], None] | None = None

    def __call__(self, due_id: UUID) -> Run | None:
        """What it came to, or None when there was nothing to do. Raises only when the database can't be reached."""
        claimed = self.doors.due(due_id)
        if claimed is None:
            return None
        at_hand = AtHand(claimed=claimed)
        call = Call(business_id=claimed.business_id, livemode=claimed.livemode, due=at_hand)
        try:
            again_at = self.handlers[claimed.kind](claimed.subject_id, call)
        except Exception as fault:
            # The worker's edge: whatever went wrong, the row stays, later and later, and a person is told in the end.
            after_s = wait_after(fault, claimed.failures)
            self.doors.fail(claimed, after_s=after_s)
            return Run(claimed=claimed, fault=fault, after_s=after_s)
        if not at_hand.ended:
            self.doors.finish(claimed, again_at=again_at)
        if self.ring is not None and claimed.kind in LANED:
            self.ring()
        return Run(claimed=claimed, again_at=again_at)


def wait_after(fault: Exception, failures: int) -> int:
    """Seconds to the next run, after `failures` earlier ones in a row."""
    passes = isinstance(fault, Conflict) or (isinstance(fault, GatewayError) and fault.retryable)
    table = BUSY_AFTER_S if passes else FAILED_AFTER_S
    return table[min(failures, len(table) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Work that recurs without being put. Two processes at one chore do no harm."""

    name: str
    every_s: float
    do: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainLedger:
    """Carry queued movements of the books to their balances; `drain(livemode, rows)` gives how many it carried."""

    drain: Callable[[bool, int], int]

    def __call__(self) -> int:
        """How many were carried, of both modes."""
        return sum(_until_short(partial(self.drain, livemode, _BATCH)) for livemode in (False, True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDone:
    """Forget done work, keys past their time and old prompts."""

    doors: Doors

    def __call__(self) -> int:
        """How many rows went."""
        return _until_short(lambda: self.doors.sweep(_BATCH))


def chores_of(doors: Doors, drain: Callable[[bool, int], int]) -> tuple[Chore, ...]:
    """What the relay does beside its relaying."""
    return (
        Chore(name="free", every_s=1.0, do=doors.free_abandoned),
        Chore(name="drain", every_s=2.0, do=DrainLedger(drain=drain)),
        Chore(name="sweep", every_s=60.0, do=SweepDone(doors=doors)),
    )


def _until_short(batch: Callable[[], int]) -> int:
    """Batch after batch until one isn't full; not for ever, since prompts wait behind a chore."""
    total = 0
    for _ in range(_BATCHES_MAX):
        done = batch()
        total += done
        if done < _BATCH:
            break
    return total
