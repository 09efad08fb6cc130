"""Payouts and their attempts as rows, and what a float can still promise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.orders import changing
from gateway.adapters.persistence.tables import payout as table
from gateway.adapters.persistence.tables import payout_attempt as tries
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import IdempotentCall, Page, PayoutAttempts, Payouts
from gateway.domain.errors import Conflict
from gateway.domain.payouts import Payout, PayoutAttempt, PayoutAttemptState, PayoutState

_DESTINATION = "payout.destination"
_SECRET = "payout_attempt.provider_reference"  # noqa: S105  # nosec B105


class SqlPayouts(Payouts):
    """Payouts of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, payout: Payout, idempotency: IdempotentCall | None) -> None:
        row = {
            "id": payout.id,
            "created": payout.created,
            "version": payout.version,
            "currency": payout.amount.asset.code,
            "amount_units": payout.amount.units,
            "destination_kind": payout.destination.kind.value,
            "destination": self._tx.seal(kept.destination_out(payout.destination), _DESTINATION),
            "destination_masked": payout.destination_masked,
            **_written(payout),
        }
        if not self._tx.add_once(table, row, idempotency):
            raise Conflict("another payout is in the way")

    def get(self, payout_id: UUID, *, lock: bool = False) -> Payout:
        return self._payout(self._tx.get(table, payout_id, "payout", lock=lock))

    def save(self, payout: Payout) -> Payout:
        """Amount and destination stay as they were promised: they are never written again."""
        return self._tx.saved(table, payout, _written(payout))

    def page(self, page: Page) -> tuple[Sequence[Payout], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "state", "reference"))
        return [self._payout(row) for row in rows], more

    def _payout(self, row: Row[Any]) -> Payout:
        destination = self._tx.open(row.destination, _DESTINATION) or ""
        return Payout(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            metadata=row.metadata,
            amount=kept.money(row.amount_units, row.currency),
            charge=kept.charge_in(row.charge),
            destination=kept.destination_in(row.destination_kind, destination),
            destination_masked=row.destination_masked,
            description=row.description,
            reference=row.reference,
            state=PayoutState(row.state),
            waiting_for=row.waiting_for,
            failure=kept.failure_in(row.failure),
            receipt_number=row.receipt_number,
            needs_attention=row.needs_attention,
            paid_at=row.paid_at,
            attempts=row.attempts,
        )


def _written(one: Payout) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "metadata": dict(one.metadata),
        "charge": kept.charge_out(one.charge),
        "description": one.description,
        "reference": one.reference,
        "state": one.state.value,
        "waiting_for": one.waiting_for,
        "failure": kept.failure_out(one.failure),
        "receipt_number": one.receipt_number,
        "needs_attention": one.needs_attention,
        "paid_at": one.paid_at,
        "attempts": one.attempts,
    }


class SqlPayoutAttempts(PayoutAttempts):
    """Payout attempts of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, attempt: PayoutAttempt) -> None:
        row = {
            "id": attempt.id,
            "payout_id": attempt.payout_id,
            "created": attempt.created,
            "version": attempt.version,
            "number": attempt.number,
            "connection_id": attempt.connection_id,
            "channel": attempt.channel,
            "float_id": attempt.float_id,
            "reference": attempt.reference,
            "currency": attempt.amount.asset.code,
            "amount_units": attempt.amount.units,
            **changing(self._tx, attempt, _SECRET),
        }
        self._tx.add(tries, row)

    def get(self, attempt_id: UUID, *, lock: bool = False) -> PayoutAttempt:
        return self._attempt(self._tx.get(tries, attempt_id, "payout attempt", lock=lock))

    def of(self, payout_id: UUID) -> Sequence[PayoutAttempt]:
        return self.of_many([payout_id]).get(payout_id, [])

    def of_many(self, payout_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PayoutAttempt]]:
        stmt = select(tries).where(self._tx.own(tries), tries.c.payout_id.in_(payout_ids)).order_by(tries.c.number)
        found: dict[UUID, list[PayoutAttempt]] = defaultdict(list)
        for row in self._tx.conn.execute(stmt):
            found[row.payout_id].append(self._attempt(row))
        return found

    def save(self, attempt: PayoutAttempt) -> PayoutAttempt:
        return self._tx.saved(tries, attempt, changing(self._tx, attempt, _SECRET))

    def promise(self, float_id: UUID, payout_id: UUID, units: int) -> bool:
        return bool(self._tx.conn.execute(select(func.gateway.promise_float(float_id, payout_id, units))).scalar_one())

    def _attempt(self, row: Row[Any]) -> PayoutAttempt:
        return PayoutAttempt(
            id=row.id,
            payout_id=row.payout_id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            number=row.number,
            state=PayoutAttemptState(row.state),
            connection_id=row.connection_id,
            channel=row.channel,
            float_id=row.float_id,
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
