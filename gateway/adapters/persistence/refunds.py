"""Refunds and their attempts as rows, and what a float can still promise them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.orders import changing
from gateway.adapters.persistence.tables import refund as table
from gateway.adapters.persistence.tables import refund_attempt as tries
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import AlreadyMade, IdempotentCall, Page, RefundAttempts, Refunds
from gateway.domain.errors import Conflict
from gateway.domain.refunds import Part, Refund, RefundAttempt, RefundAttemptState, RefundState, Way
from ports.payout_channel import DestinationKind

_DESTINATION = "refund.destination"
_SECRET = "refund_attempt.provider_reference"  # noqa: S105  # nosec B105


class SqlRefunds(Refunds):
    """Refunds of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, refund: Refund, idempotency: IdempotentCall | None) -> None:
        to = refund.destination
        row = {
            "id": refund.id,
            "created": refund.created,
            "version": refund.version,
            "payment_id": refund.payment_id,
            "currency": refund.amount.asset.code,
            "amount_units": refund.amount.units,
            "over_units": refund.over_units,
            "parts": [[str(p.receipt_id), str(p.units), str(p.over_units)] for p in refund.parts],
            "destination": None if to is None else self._tx.seal(kept.destination_out(to), _DESTINATION),
            "destination_masked": refund.destination_masked,
            **_written(refund),
        }
        if not self._tx.add_once(table, row, idempotency):
            raise Conflict("another refund is in the way")

    def made_by(self, idempotency: IdempotentCall | None) -> None:
        if idempotency is None:
            return
        made = or_(table.c.id == idempotency.object_id, table.c.idempotency_key == idempotency.key_hash)
        stmt = select(table.c.id, table.c.fingerprint).where(self._tx.own(table), made)
        found = self._tx.conn.execute(stmt).first()
        if found is not None:
            raise AlreadyMade(found.id, same=found.fingerprint == idempotency.fingerprint)

    def get(self, refund_id: UUID, *, lock: bool = False) -> Refund:
        return self._refund(self._tx.get(table, refund_id, "refund", lock=lock))

    def of_payment(self, payment_id: UUID) -> Sequence[Refund]:
        stmt = select(table).where(self._tx.own(table), table.c.payment_id == payment_id).order_by(table.c.id)
        return [self._refund(row) for row in self._tx.conn.execute(stmt)]

    def save(self, refund: Refund) -> Refund:
        """Amount, parts and destination stay as they were promised: they are never written again."""
        return self._tx.saved(table, refund, _written(refund))

    def page(self, page: Page) -> tuple[Sequence[Refund], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "state", "payment_id"))
        return [self._refund(row) for row in rows], more

    def _refund(self, row: Row[Any]) -> Refund:
        to = self._tx.open(row.destination, _DESTINATION)
        return Refund(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            metadata=row.metadata,
            payment_id=row.payment_id,
            amount=kept.money(row.amount_units, row.currency),
            over_units=row.over_units,
            sent_units=row.sent_units,
            parts=tuple(
                Part(receipt_id=UUID(receipt), units=int(units), over_units=int(over))
                for receipt, units, over in row.parts
            ),
            destination=None if to is None else kept.destination_in(DestinationKind.MPESA_PHONE.value, to),
            destination_masked=row.destination_masked,
            reason=row.reason,
            state=RefundState(row.state),
            waiting_for=row.waiting_for,
            failure=kept.failure_in(row.failure),
            receipt_number=row.receipt_number,
            needs_attention=row.needs_attention,
            succeeded_at=row.succeeded_at,
            attempts=row.attempts,
        )


def _written(one: Refund) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "metadata": dict(one.metadata),
        "sent_units": one.sent_units,
        "reason": one.reason,
        "state": one.state.value,
        "waiting_for": one.waiting_for,
        "failure": kept.failure_out(one.failure),
        "receipt_number": one.receipt_number,
        "needs_attention": one.needs_attention,
        "succeeded_at": one.succeeded_at,
        "attempts": one.attempts,
    }


class SqlRefundAttempts(RefundAttempts):
    """Refund attempts of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, attempt: RefundAttempt) -> None:
        row = {
            "id": attempt.id,
            "refund_id": attempt.refund_id,
            "created": attempt.created,
            "version": attempt.version,
            "number": attempt.number,
            "way": attempt.way.value,
            "connection_id": attempt.connection_id,
            "code": attempt.code,
            "float_id": attempt.float_id,
            "receipt_id": attempt.receipt_id,
            "reference": attempt.reference,
            "currency": attempt.amount.asset.code,
            "amount_units": attempt.amount.units,
            **changing(self._tx, attempt, _SECRET),
        }
        self._tx.add(tries, row)

    def get(self, attempt_id: UUID, *, lock: bool = False) -> RefundAttempt:
        return self._attempt(self._tx.get(tries, attempt_id, "refund attempt", lock=lock))

    def of(self, refund_id: UUID) -> Sequence[RefundAttempt]:
        return self.of_many([refund_id]).get(refund_id, [])

    def of_many(self, refund_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[RefundAttempt]]:
        stmt = select(tries).where(self._tx.own(tries), tries.c.refund_id.in_(refund_ids)).order_by(tries.c.number)
        found: dict[UUID, list[RefundAttempt]] = defaultdict(list)
        for row in self._tx.conn.execute(stmt):
            found[row.refund_id].append(self._attempt(row))
        return found

    def of_receipt(self, receipt_id: UUID) -> Sequence[RefundAttempt]:
        stmt = select(tries).where(self._tx.own(tries), tries.c.receipt_id == receipt_id).order_by(tries.c.id)
        return [self._attempt(row) for row in self._tx.conn.execute(stmt)]

    def save(self, attempt: RefundAttempt) -> RefundAttempt:
        return self._tx.saved(tries, attempt, changing(self._tx, attempt, _SECRET))

    def promise(self, float_id: UUID, refund_id: UUID, units: int) -> bool:
        return bool(self._tx.conn.execute(select(func.gateway.promise_refund(float_id, refund_id, units))).scalar_one())

    def short_of(self, float_id: UUID) -> int:
        return int(self._tx.conn.execute(select(func.gateway.float_short(float_id))).scalar_one() or 0)

    def _attempt(self, row: Row[Any]) -> RefundAttempt:
        return RefundAttempt(
            id=row.id,
            refund_id=row.refund_id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            number=row.number,
            state=RefundAttemptState(row.state),
            way=Way(row.way),
            connection_id=row.connection_id,
            code=row.code,
            float_id=row.float_id,
            receipt_id=row.receipt_id,
            reference=row.reference,
            provider_reference=self._tx.open(row.provider_reference, _SECRET),
            amount=kept.money(row.amount_units, row.currency),
            submitted_at=row.submitted_at,
            failure=kept.failure_in(row.failure),
            receipt_number=row.receipt_number,
            look_ups=row.look_ups,
            looked_up_at=row.looked_up_at,
            woken=row.woken,
            sends=row.sends,
        )
