"""Answers of idempotent calls: stored with the unit, and found again after a crash."""

from __future__ import annotations

from gateway.application.interfaces import AlreadyMade, Json, UnitOfWork
from gateway.domain.errors import Unprocessable


def answered(work: UnitOfWork, status: int, body: Json) -> Json:
    """Store the answer under the call's idempotency key, in the unit's own transaction, and give it back."""
    if work.call is not None and work.call.idempotency is not None:
        work.idempotency.finish(work.call.idempotency, status, body)
    return body


def refuse_other_request(made: AlreadyMade) -> None:
    """A key that made another object with other content is a mistake of the caller's."""
    if not made.same:
        raise Unprocessable(
            "this Idempotency-Key was used for a different request; use a new key for a new request",
            code="idempotency_mismatch",
        )
