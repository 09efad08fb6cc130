"""Receipts as rows: one money fact, one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import receipt as table
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import Page, Receipts
from gateway.domain.receipts import Receipt


class SqlReceipts(Receipts):
    """Receipts of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, receipt: Receipt) -> bool:
        row = {
            "id": receipt.id,
            "created": receipt.created,
            "updated": receipt.updated,
            "version": receipt.version,
            "payment_id": receipt.payment_id,
            "attempt_id": receipt.attempt_id,
            "float_id": receipt.float_id,
            "clearing_id": receipt.clearing_id,
            "receipt_namespace": receipt.receipt_namespace,
            "receipt_number": receipt.receipt_number,
            "currency": receipt.amount.asset.code,
            "amount_units": receipt.amount.units,
            "due_units": receipt.due_units,
            "over_units": receipt.over_units,
            "charge": kept.charge_out(receipt.charge),
            "bucket": receipt.bucket,
            "happened_at": receipt.happened_at,
            "available_on": receipt.available_on,
            "released_at": receipt.released_at,
            "payer_hint": receipt.payer_hint,
            "refunded_units": receipt.refunded_units,
            "reversed_units": receipt.reversed_units,
            "over_spent_units": receipt.over_spent_units,
            "sole": receipt.sole,
        }
        return self._tx.added_once(table, row)

    def of(self, payment_id: UUID) -> Sequence[Receipt]:
        return [_receipt(row) for row in self._tx.found(table, "id", payment_id=payment_id)]

    def get(self, receipt_id: UUID, *, lock: bool = False) -> Receipt:
        return _receipt(self._tx.get(table, receipt_id, "receipt", lock=lock))

    def of_attempt(self, attempt_id: UUID) -> Receipt | None:
        row = self._tx.first(table, attempt_id=attempt_id)
        return None if row is None else _receipt(row)

    def name(self, receipt_id: UUID, number: str, payer_hint: str | None) -> bool:
        """Fill in the number once.

        A receipt of another business with that number can't be seen here; the unique index sees it. So the update
        runs in a savepoint: a number that is taken must not undo what else the unit does.
        """
        stmt = (
            update(table)
            .where(self._tx.own(table), table.c.id == receipt_id, table.c.receipt_number.is_(None))
            .values(receipt_number=number, version=table.c.version + 1, updated=self._tx.now)
        )
        if payer_hint is not None:
            stmt = stmt.values(payer_hint=payer_hint)
        return self._tx.one_or_taken(stmt)

    def origin(self, receipt_id: UUID) -> tuple[UUID, str] | None:
        sql = "SELECT connection_id, code FROM gateway.find_origin(%s)"
        row = self._tx.raw.execute(sql, (receipt_id,)).fetchone()
        return None if row is None else (row[0], row[1])

    def save(self, receipt: Receipt) -> Receipt:
        values = {
            "updated": receipt.updated,
            "released_at": receipt.released_at,
            "available_on": receipt.available_on,
            "refunded_units": receipt.refunded_units,
            "reversed_units": receipt.reversed_units,
            "over_spent_units": receipt.over_spent_units,
        }
        return self._tx.saved(table, receipt, values)

    def page(self, page: Page) -> tuple[Sequence[Receipt], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "payment_id"))
        return [_receipt(row) for row in rows], more


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        payment_id=row.payment_id,
        attempt_id=row.attempt_id,
        float_id=row.float_id,
        clearing_id=row.clearing_id,
        receipt_namespace=row.receipt_namespace,
        receipt_number=row.receipt_number,
        amount=kept.money(row.amount_units, row.currency),
        due_units=row.due_units,
        over_units=row.over_units,
        charge=kept.charge_in(row.charge),
        bucket=row.bucket,
        happened_at=row.happened_at,
        available_on=row.available_on,
        released_at=row.released_at,
        payer_hint=row.payer_hint,
        refunded_units=row.refunded_units,
        reversed_units=row.reversed_units,
        over_spent_units=row.over_spent_units,
        sole=row.sole,
    )
