"""Idempotency keys: one round trip to begin, and the answer kept with the work it answers for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine

from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import one
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.prepared import Statement, raw_bytes
from gateway.adapters.persistence.transaction import Transaction
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import (
    Begun,
    Call,
    Idempotency,
    IdempotencyKeys,
    IdempotentCall,
    InFlight,
    Json,
    Mismatch,
    NewId,
    Replay,
)

#: How long another process waits before it takes the work over from one that went silent.
LEASE_S = 10

_ANSWER = "idempotency_key.answer"
_BEGIN = Statement(
    "SELECT outcome, record_id, object_id, status, answer, wait_s"
    " FROM gateway.begin_idempotent($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
#: In a sandbox the units' time is the database's to tell, and this call learns it on the way: microseconds of shift.
_BEGIN_AND_SHIFT = Statement(
    "SELECT outcome, record_id, object_id, status, answer, wait_s,"
    " (SELECT (extract(epoch FROM shift) * 1000000)::bigint FROM gateway.test_clock)"
    " FROM gateway.begin_idempotent($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_END = "SELECT gateway.end_idempotent(%(id)s, %(business)s, %(livemode)s, %(status)s, %(answer)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlIdempotencyKeys(IdempotencyKeys):
    """The store of idempotency keys, for web: each call is a transaction of one round trip.

    The commit of `begin` isn't waited for (`synchronous_commit = off`). A key that a crash of the server loses has lost
    no work: the work's own transaction comes later in the log, so where that is on disk the key is too, and the
    object's unique constraint stands behind both.
    """

    engine: Engine
    vault: Vault
    new_id: NewId
    clock: UnitClock

    def begin(
        self, call: Call, key: str, fingerprint: bytes, *, object_id: UUID, keep_days: int
    ) -> Begun | Replay | InFlight | Mismatch:
        wanted = IdempotentCall(
            record_id=self.new_id(), object_id=object_id, key=key, fingerprint=fingerprint, owner_id=call.owner_id
        )
        values = (
            wanted.record_id,
            call.owner_id or call.business_id,
            call.business_id,
            call.livemode,
            wanted.key_hash,
            fingerprint,
            object_id,
            LEASE_S,
            keep_days,
        )
        with in_our_words():
            row = (_BEGIN_AND_SHIFT if self.clock.sandbox else _BEGIN).one(self.engine, values)
        return self._outcome(call, wanted, row)

    def refuse(self, call: Call, idempotent: IdempotentCall, status: int, body: Json) -> None:
        self._end(call, idempotent, status, sealed_answer(self.vault, call.business_id, body))

    def release(self, call: Call, idempotent: IdempotentCall) -> None:
        self._end(call, idempotent, None, None)

    def _end(self, call: Call, idempotent: IdempotentCall, status: int | None, answer: bytes | None) -> None:
        values = {
            "id": idempotent.record_id,
            "business": call.business_id,
            "livemode": call.livemode,
            "status": status,
            "answer": answer,
        }
        with in_our_words():
            one(self.engine, _END, values)

    def _outcome(
        self, call: Call, wanted: IdempotentCall, row: Sequence[str | None]
    ) -> Begun | Replay | InFlight | Mismatch:
        outcome, record_id, object_id, status, answer, wait_s, *shift = row
        match outcome:
            case "begun":
                first = IdempotentCall(
                    record_id=UUID(record_id),
                    object_id=UUID(object_id),
                    key=wanted.key,
                    fingerprint=wanted.fingerprint,
                    owner_id=wanted.owner_id,
                    at=self.clock.system() + timedelta(microseconds=int(shift[0] or 0) if shift else 0),
                )
                return Begun(call=first)
            case "replay":
                sealed = raw_bytes(answer) or b""
                plain = self.vault.open_text(sealed, column=_ANSWER, business_id=call.business_id)
                return Replay(status=int(status or 0), body=json.loads(plain))
            case "in_flight":
                return InFlight(retry_after_s=int(wait_s or 1))
            case _:
                return Mismatch()


class SqlIdempotency(Idempotency):
    """The answer of an idempotent call, from inside a unit."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def finish(self, call: IdempotentCall, status: int, body: Json) -> None:
        self._tx.answer = (call.record_id, status, sealed_answer(self._tx.vault, self._tx.scope.business_id, body))


def sealed_answer(vault: Vault, business_id: UUID, body: Json) -> bytes:
    """An answer as it is kept: it may hold a capability URL or a secret that is shown once."""
    return vault.seal(json.dumps(body, separators=(",", ":")), column=_ANSWER, business_id=business_id)
