"""Reversals, recovered debts, kept excess and quotes as rows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import acceptance, recovery, reversal
from gateway.adapters.persistence.tables import quote as quotes
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import IdempotentCall, Overpayments, Quotes, Reversals, Scope
from gateway.domain.errors import Conflict
from gateway.domain.fees import Price
from gateway.domain.quotes import Quote, QuoteType
from gateway.domain.refunds import Acceptance
from gateway.domain.reversals import Recovery, Reversal
from ports.report import Grade


class SqlReversals(Reversals):
    """What the provider took back from the unit's business, and what was recovered of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def whose(self, namespace: str, number: str, *, livemode: bool) -> tuple[UUID, Scope] | None:
        sql = "SELECT receipt_id, business_id FROM gateway.find_receipt(%s, %s, %s)"
        row = self._tx.raw.execute(sql, (namespace, number, livemode)).fetchone()
        return None if row is None else (row[0], Scope(business_id=row[1], livemode=livemode))

    def is_known(self, namespace: str, number: str) -> bool:
        mine = self._tx.own(reversal)
        same = (reversal.c.receipt_namespace == namespace) & (reversal.c.reversal_number == number)
        return self._tx.conn.execute(select(reversal.c.id).where(mine, same)).first() is not None

    def add(self, one: Reversal) -> bool:
        row = {
            "id": one.id,
            "created": one.created,
            "payment_id": one.payment_id,
            "receipt_id": one.receipt_id,
            "receipt_namespace": one.receipt_namespace,
            "reversal_number": one.reversal_number,
            "currency": one.amount.asset.code,
            "amount_units": one.amount.units,
            "happened_at": one.happened_at,
            "grade": one.grade.value,
            "refund_id": one.refund_id,
            **self._tx.whose(),
        }
        stmt = insert(reversal).on_conflict_do_nothing().returning(reversal.c.id)
        return self._tx.conn.execute(stmt, row).first() is not None

    def of_receipt(self, receipt_id: UUID) -> Sequence[Reversal]:
        stmt = select(reversal).where(self._tx.own(reversal), reversal.c.receipt_id == receipt_id)
        return [
            Reversal(
                id=row.id,
                business_id=row.business_id,
                livemode=row.livemode,
                created=row.created,
                payment_id=row.payment_id,
                receipt_id=row.receipt_id,
                receipt_namespace=row.receipt_namespace,
                reversal_number=row.reversal_number,
                amount=kept.money(row.amount_units, row.currency),
                happened_at=row.happened_at,
                grade=Grade(row.grade),
                refund_id=row.refund_id,
            )
            for row in self._tx.conn.execute(stmt.order_by(reversal.c.id))
        ]

    def lock(self) -> int:
        """A lock by name, since a worker may not write reversals."""
        name = f"owed:{self._tx.scope.business_id}:{self._tx.scope.livemode}"
        self._tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
        last = select(func.max(recovery.c.number)).where(self._tx.own(recovery))
        return (self._tx.conn.execute(last).scalar_one() or 0) + 1

    def add_recovery(self, one: Recovery) -> None:
        row = {"id": self._tx.new_id(), "created": self._tx.now, "number": one.number, "amount_units": one.total}
        self._tx.add(recovery, row)


class SqlOverpayments(Overpayments):
    """What the unit's business kept of excesses."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of(self, payment_id: UUID) -> Sequence[Acceptance]:
        table = acceptance
        stmt = select(table).where(self._tx.own(table), table.c.payment_id == payment_id).order_by(table.c.number)
        return [
            Acceptance(
                id=row.id,
                business_id=row.business_id,
                livemode=row.livemode,
                created=row.created,
                payment_id=row.payment_id,
                number=row.number,
                amount=kept.money(row.amount_units, "KES"),
                charge=kept.charge_in(row.charge),
            )
            for row in self._tx.conn.execute(stmt)
        ]

    def add(self, one: Acceptance) -> None:
        row = {
            "id": one.id,
            "created": one.created,
            "payment_id": one.payment_id,
            "number": one.number,
            "amount_units": one.amount.units,
            "charge": kept.charge_out(one.charge),
        }
        self._tx.add(acceptance, row)


class SqlQuotes(Quotes):
    """Quotes of the unit's business and mode; a quote never changes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, one: Quote, idempotency: IdempotentCall | None) -> None:
        row = {
            "id": one.id,
            "created": one.created,
            "type": one.type.value,
            "method": one.method,
            "currency": one.amount.asset.code,
            "amount_units": one.amount.units,
            "due_units": one.price.due_units,
            "customer_units": one.price.customer_units,
            "rounding_units": one.price.rounding_units,
            "charge": kept.charge_out(one.price.charge),
            "schedule": kept.schedule_out(one.schedule),
            "expires_at": one.expires_at,
        }
        if not self._tx.add_once(quotes, row, idempotency):
            raise Conflict("another quote is in the way")

    def get(self, quote_id: UUID) -> Quote:
        row = self._tx.get(quotes, quote_id, "quote")
        return Quote(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            type=QuoteType(row.type),
            method=row.method,
            amount=kept.money(row.amount_units, row.currency),
            price=Price(
                units=row.amount_units,
                due_units=row.due_units,
                customer_units=row.customer_units,
                rounding_units=row.rounding_units,
                charge=kept.charge_in(row.charge),
            ),
            schedule=kept.schedule_in(row.schedule),
            expires_at=row.expires_at,
        )
