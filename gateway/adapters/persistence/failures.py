"""What PostgreSQL refuses, in our own words: busy rows, keys that are taken, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from gateway.domain.errors import Busy, Conflict, GatewayError

_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)
_TAKEN = (errors.UniqueViolation, errors.ForeignKeyViolation)

#: Two units numbered an event of one object at once: the later one reads on from the first when it comes again.
_RACES = frozenset({"event_sequence"})

#: Constraints whose refusal has a name of its own.
_CODES = {
    "attempt_one_blocking": (
        "attempt_outcome_unknown",
        "a prompt is out and its outcome isn't known; wait until it is",
    ),
    "payout_attempt_one_live": ("payout_attempt_live", "an attempt of this payout is under way"),
}


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn lock waits, time-outs and deadlocks into Busy, and taken keys into Conflict; the rest goes through."""
    try:
        yield
    except NoFreeConnection as error:
        raise Busy("all connections to the database are in use; try again") from error
    except DBAPIError as error:
        if (ours := _ours(error.orig)) is not None:
            raise ours from error
        raise
    except psycopg.Error as error:
        if (ours := _ours(error)) is not None:
            raise ours from error
        raise


def _ours(error: BaseException | None) -> GatewayError | None:
    constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    if isinstance(error, _BUSY) or constraint in _RACES:
        return Busy("somebody else is at the same object right now; try again", retry_after_s=1)
    if isinstance(error, _TAKEN):
        code, detail = _CODES.get(constraint or "", ("conflict", "that is taken, or belongs to nothing here"))
        return Conflict(detail, code=code)
    return None
