"""Incoming sums as providers named them, and receipts that are nobody's, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import external_record, history_cursor
from gateway.adapters.persistence.tables import receipt as receipts
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import ExternalRecords, LooseReceipts, Page
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.external_records import ExternalRecord, Found, HistoryCursor, LooseReceipt, RecordState
from gateway.domain.fees import NO_CHARGE
from gateway.domain.receipts import Receipt


class SqlExternalRecords(ExternalRecords):
    """Incoming sums of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def known(self, record: ExternalRecord) -> ExternalRecord:
        table = external_record
        row = {
            "id": record.id,
            "created": record.created,
            "version": record.version,
            "connection_id": record.connection_id,
            "float_id": record.float_id,
            "receipt_namespace": record.receipt_namespace,
            "receipt_number": record.receipt_number,
            **_written(record),
        }
        self._tx.added_once(table, row)
        named = {"receipt_namespace": record.receipt_namespace, "receipt_number": record.receipt_number}
        return _record(self._tx.found(table, lock=True, **named)[0])

    def get(self, record_id: UUID, *, lock: bool = False) -> ExternalRecord:
        return _record(self._tx.get(external_record, record_id, "record", lock=lock))

    def save(self, record: ExternalRecord) -> ExternalRecord:
        return self._tx.saved(external_record, record, _written(record))

    def in_conflict(self, limit: int) -> Sequence[ExternalRecord]:
        table = external_record
        stmt = select(table).where(self._tx.own(table), table.c.state == RecordState.CONFLICT.value)
        return [_record(row) for row in self._tx.conn.execute(stmt.order_by(table.c.id).limit(limit))]

    def named(self, float_id: UUID, reference: str) -> Found | None:
        sql = "SELECT * FROM gateway.find_reference(%s, %s, %s)"
        row = self._tx.raw.execute(sql, (float_id, self._tx.scope.livemode, reference)).fetchone()
        return None if row is None else Found(attempt_id=row[0], business_id=row[1], payment_id=row[2])

    def candidate(self, reference: str) -> UUID | None:
        found: UUID | None = self._one("SELECT gateway.find_candidate(%s)", reference)
        return found

    def is_ambiguous(self, float_id: UUID, units: int) -> bool:
        return bool(self._one("SELECT gateway.is_ambiguous(%s, %s, %s)", float_id, self._tx.scope.livemode, units))

    def owner(self, namespace: str, number: str) -> UUID | None:
        sql = "SELECT business_id FROM gateway.find_receipt(%s, %s, %s)"
        found: UUID | None = self._one(sql, namespace, number, self._tx.scope.livemode)
        return found

    def cursor(self, connection_id: UUID) -> HistoryCursor | None:
        table = history_cursor
        stmt = select(table).where(self._tx.own(table), table.c.connection_id == connection_id)
        row = self._tx.conn.execute(stmt).first()
        if row is None:
            return None
        return HistoryCursor(
            connection_id=row.connection_id,
            read_until=row.read_until,
            page=row.page,
            page_since=row.page_since,
            page_until=row.page_until,
        )

    def keep_cursor(self, cursor: HistoryCursor) -> None:
        values = {
            "read_until": cursor.read_until,
            "page": cursor.page,
            "page_since": cursor.page_since,
            "page_until": cursor.page_until,
            "updated": self._tx.now,
        }
        stmt = insert(history_cursor).on_conflict_do_update(index_elements=["connection_id"], set_=values)
        self._tx.conn.execute(stmt, {"connection_id": cursor.connection_id, **values, **self._tx.whose()})

    def _one(self, sql: str, *values: object) -> Any:
        row = self._tx.raw.execute(sql, values).fetchone()
        return None if row is None else row[0]


class SqlLooseReceipts(LooseReceipts):
    """Receipts that are nobody's, in the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, receipt: LooseReceipt) -> bool:
        row = {
            "id": receipt.id,
            "created": receipt.created,
            "updated": receipt.updated,
            "version": receipt.version,
            "float_id": receipt.float_id,
            "receipt_namespace": receipt.receipt_namespace,
            "receipt_number": receipt.receipt_number,
            "currency": receipt.amount.asset.code,
            "amount_units": receipt.amount.units,
            "due_units": 0,
            "over_units": receipt.amount.units,
            "charge": kept.charge_out(NO_CHARGE),
            "bucket": "suspense",
            "happened_at": receipt.happened_at,
            "payer_hint": receipt.payer_hint,
            "candidate_id": receipt.candidate_id,
            "typed_masked": receipt.typed_masked,
            **self._tx.whose(),
        }
        stmt = insert(receipts).on_conflict_do_nothing().returning(receipts.c.id)
        return self._tx.conn.execute(stmt, row).first() is not None

    def get(self, receipt_id: UUID) -> LooseReceipt:
        row = self._tx.conn.execute(self._all().where(receipts.c.id == receipt_id)).first()
        if row is None:
            raise NotFound("there is no such receipt")
        return _loose(row)

    def find(self, namespace: str, number: str) -> LooseReceipt | None:
        row = self._tx.raw.execute("SELECT * FROM gateway.find_loose(%s, %s)", (namespace, number)).fetchone()
        if row is None or row[0] is None:
            return None
        return LooseReceipt(
            id=row[0],
            livemode=self._tx.scope.livemode,
            created=row[1],
            updated=row[1],
            float_id=row[2],
            receipt_namespace=namespace,
            receipt_number=number,
            amount=kept.money(int(row[3]), row[4]),
            happened_at=row[5],
            payer_hint=row[6],
            version=row[7],
            reversed_units=int(row[8]),
        )

    def take_back(self, receipt: LooseReceipt, units: int) -> None:
        values = {"reversed_units": receipts.c.reversed_units + units, "updated": self._tx.now}
        stmt = update(receipts).where(self._tx.own(receipts), receipts.c.id == receipt.id)
        self._tx.conn.execute(stmt.values(**values, version=receipts.c.version + 1))

    def take(self, receipt: Receipt) -> bool:
        sql = "SELECT gateway.take_receipt(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        values = (
            receipt.id,
            receipt.payment_id,
            receipt.attempt_id,
            receipt.sole,
            receipt.due_units,
            receipt.over_units,
            Jsonb(kept.charge_out(receipt.charge)),
            receipt.bucket,
            receipt.available_on,
            self._tx.now,
        )
        row = self._tx.raw.execute(sql, values).fetchone()
        return row is not None and bool(row[0])

    def offer(self, receipt_id: UUID, business_id: UUID) -> None:
        stmt = update(receipts).where(
            receipts.c.id == receipt_id, receipts.c.livemode == self._tx.scope.livemode, receipts.c.payment_id.is_(None)
        )
        values = {"candidate_id": business_id, "updated": self._tx.now, "version": receipts.c.version + 1}
        if self._tx.conn.execute(stmt.values(**values)).rowcount != 1:
            raise Conflict("this receipt has found its payment", code="receipt_assigned")

    def of_business(self, page: Page) -> tuple[Sequence[LooseReceipt], bool]:
        mine = self._all().where(receipts.c.candidate_id == self._tx.scope.business_id, self._waits)
        if page.ending_before is not None:
            stmt = mine.where(receipts.c.id > page.ending_before).order_by(receipts.c.id)
        else:
            if page.starting_after is not None:
                mine = mine.where(receipts.c.id < page.starting_after)
            stmt = mine.order_by(receipts.c.id.desc())
        rows = self._tx.conn.execute(stmt.limit(page.limit + 1)).all()
        more, rows = len(rows) > page.limit, rows[: page.limit]
        return [_loose(row) for row in (rows[::-1] if page.ending_before is not None else rows)], more

    def all(self, limit: int) -> Sequence[LooseReceipt]:
        stmt = self._all().where(self._waits).order_by(receipts.c.id).limit(limit)
        return [_loose(row) for row in self._tx.conn.execute(stmt)]

    def _all(self) -> Any:
        return select(receipts).where(
            receipts.c.business_id == HOUSE,
            receipts.c.livemode == self._tx.scope.livemode,
            receipts.c.payment_id.is_(None),
        )

    @property
    def _waits(self) -> Any:
        """Not all of it was taken back: somebody may still be given it."""
        return receipts.c.reversed_units < receipts.c.amount_units


def _written(one: ExternalRecord) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "reference": one.reference,
        "state": one.state.value,
        "owner_id": one.owner_id,
        "attempt_id": one.attempt_id,
        "trusted": one.trusted,
        "look_ups": one.look_ups,
        "decided_units": one.decided_units,
        "decided_at": one.decided_at,
    }


def _record(row: Row[Any]) -> ExternalRecord:
    return ExternalRecord(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        connection_id=row.connection_id,
        float_id=row.float_id,
        receipt_namespace=row.receipt_namespace,
        receipt_number=row.receipt_number,
        reference=row.reference,
        state=RecordState(row.state),
        owner_id=row.owner_id,
        attempt_id=row.attempt_id,
        trusted=row.trusted,
        look_ups=row.look_ups,
        decided_units=None if row.decided_units is None else int(row.decided_units),
        decided_at=row.decided_at,
    )


def _loose(row: Row[Any]) -> LooseReceipt:
    return LooseReceipt(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        float_id=row.float_id,
        receipt_namespace=row.receipt_namespace,
        receipt_number=row.receipt_number,
        amount=kept.money(row.amount_units, row.currency),
        happened_at=row.happened_at,
        payer_hint=row.payer_hint,
        candidate_id=row.candidate_id,
        typed_masked=row.typed_masked,
        reversed_units=int(row.reversed_units),
    )
