"""Attempts as rows: which one blocks, which references are taken, how often a phone was prompted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.columns import OWN
from gateway.adapters.persistence.payments import payment_of
from gateway.adapters.persistence.tables import attempt as table
from gateway.adapters.persistence.tables import payment as payments
from gateway.adapters.persistence.texts import as_text, rows_of
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Attempts
from gateway.domain.attempts import Attempt, AttemptState
from gateway.domain.errors import NotFound
from gateway.domain.payments import Payment

#: Only in these states can a try keep another prompt waiting; when its window ends is for the domain to say.
_MAY_BLOCK = (
    AttemptState.CREATED.value,
    AttemptState.SUBMITTING.value,
    AttemptState.SUBMITTED.value,
    AttemptState.UNKNOWN.value,
)
_SECRET = "attempt.provider_reference"  # noqa: S105  # nosec B105

#: Both rows in one round trip, locked in the order that FOR UPDATE names them. Each is found by a key of its own:
#: were they joined, a plan might walk along all payments of the business.
_ITS = table.alias("its")
_WITH_PAYMENT = as_text(
    select(*payments.c, *table.c)
    .where(
        table.c.id == bindparam("attempt_id"),
        *(of.c[name] == bindparam(name) for of in (table, payments) for name in OWN),
        payments.c.id == select(_ITS.c.payment_id).where(_ITS.c.id == bindparam("attempt_id")).scalar_subquery(),
    )
    .with_for_update(key_share=True, of=[payments, table])
)
_WIDTH = len(payments.c)
_PAYMENT_ROW = rows_of(payments, tuple(c.name for c in payments.c))(None)
_ATTEMPT_ROW = rows_of(table, tuple(c.name for c in table.c))(None)


class SqlAttempts(Attempts):
    """Attempts of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, attempt: Attempt, key_hash: bytes | None = None) -> None:
        row = {
            "id": attempt.id,
            "payment_id": attempt.payment_id,
            "created": attempt.created,
            "version": attempt.version,
            "number": attempt.number,
            "blocking": not attempt.pay_to and attempt.state.value in _MAY_BLOCK,
            "pay_to": attempt.pay_to,
            "idempotency_key": key_hash,
            **self._written(attempt),
        }
        self._tx.add(table, row)

    def get(self, attempt_id: UUID, *, lock: bool = False) -> Attempt:
        held: Attempt | None = self._tx.held.get(attempt_id)
        if held is not None:
            return held
        attempt = self._attempt(self._tx.get(table, attempt_id, "attempt", lock=lock))
        if lock:
            self._tx.held[attempt_id] = attempt
        return attempt

    def locked(self, attempt_id: UUID) -> tuple[Payment, Attempt]:
        held: Attempt | None = self._tx.held.get(attempt_id)
        if held is not None and (payment := self._tx.held.get(held.payment_id)) is not None:
            return payment, held
        row = self._tx.raw.execute(_WITH_PAYMENT, {**self._tx.whose(), "attempt_id": attempt_id}).fetchone()
        if row is None:
            raise NotFound("there is no such attempt")
        ours, theirs = payment_of(_PAYMENT_ROW(row[:_WIDTH])), self._attempt(_ATTEMPT_ROW(row[_WIDTH:]))
        self._tx.held |= {ours.id: ours, theirs.id: theirs}
        return ours, theirs

    def by_key(self, key_hash: bytes) -> Attempt | None:
        row = self._tx.first(table, idempotency_key=key_hash)
        return None if row is None else self._attempt(row)

    def of(self, payment_id: UUID) -> Sequence[Attempt]:
        return [self._attempt(row) for row in self._tx.found(table, "number", payment_id=payment_id)]

    def of_many(self, payment_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Attempt]]:
        stmt = select(table).where(self._tx.own(table), table.c.payment_id.in_(payment_ids)).order_by(table.c.number)
        found: dict[UUID, list[Attempt]] = defaultdict(list)
        for row in self._tx.conn.execute(stmt):
            found[row.payment_id].append(self._attempt(row))
        return found

    def save(self, attempt: Attempt) -> Attempt:
        ended = {} if attempt.state.value in _MAY_BLOCK else {"blocking": False}
        saved = self._tx.saved(table, attempt, {**self._written(attempt), **ended})
        if saved.id in self._tx.held:
            self._tx.held[saved.id] = saved
        return saved

    def unblock(self, attempt_id: UUID) -> None:
        self._tx.conn.execute(update(table).where(self._tx.own(table), table.c.id == attempt_id).values(blocking=False))

    def reserve_reference(self, float_id: UUID, reference: str) -> bool:
        taken = select(func.gateway.take_reference(float_id, reference))
        return bool(self._tx.conn.execute(taken).scalar_one())

    def take_prompt(self, phone: str, now: datetime) -> int | None:
        hashed = self._tx.vault.blind(phone, "phone")
        wait: int | None = self._tx.conn.execute(
            select(func.gateway.take_prompt(hashed, self._tx.scope.livemode, now))
        ).scalar_one()
        return wait

    def _written(self, one: Attempt) -> dict[str, Any]:
        return {
            "updated": one.updated,
            "state": one.state.value,
            "connection_id": one.connection_id,
            "rail": one.rail,
            "method": one.method,
            "float_id": one.float_id,
            "reference": one.reference,
            "provider_reference": self._tx.seal(one.provider_reference, _SECRET),
            "currency": one.amount.asset.code,
            "amount_units": one.amount.units,
            "customer_id": one.customer_id,
            "payer_masked": one.payer_masked,
            "submitted_at": one.submitted_at,
            "prompt_until": one.prompt_until,
            "blocks_until": one.blocks_until,
            "failure": kept.failure_out(one.failure),
            "look_ups": one.look_ups,
            "looked_up_at": one.looked_up_at,
            "woken": one.woken,
            "sends": one.sends,
        }

    def _attempt(self, row: Row[Any]) -> Attempt:
        return Attempt(
            id=row.id,
            payment_id=row.payment_id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            number=row.number,
            state=AttemptState(row.state),
            connection_id=row.connection_id,
            rail=row.rail,
            method=row.method,
            float_id=row.float_id,
            reference=row.reference,
            provider_reference=self._tx.open(row.provider_reference, _SECRET),
            amount=kept.money(row.amount_units, row.currency),
            customer_id=row.customer_id,
            payer_masked=row.payer_masked,
            submitted_at=row.submitted_at,
            prompt_until=row.prompt_until,
            blocks_until=row.blocks_until,
            failure=kept.failure_in(row.failure),
            look_ups=row.look_ups,
            looked_up_at=row.looked_up_at,
            woken=row.woken,
            sends=row.sends,
            pay_to=row.pay_to,
        )
