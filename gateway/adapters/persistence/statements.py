"""Providers' statements as rows: brought in by one statement of SQL a few thousand lines, settled line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.statement_texts import ADD, KNOWN, LINES, ON_THEIR_WAY, OWN, SUMMARY
from gateway.adapters.persistence.tables import connection, provider_charge, statement, statement_line
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Json
from gateway.application.interfaces.statements import Statements
from gateway.application.representations import moment
from gateway.domain.errors import Conflict
from gateway.domain.ids import Prefix, encode
from gateway.domain.matching import masked_reference
from gateway.domain.statements import KeptLine, Match, MoneyOut, Outcome, Statement, StatementState, places_of
from ports.statement import LineKind, StatementLine

#: Lines of one INSERT.
SLICE = 5_000

_PUBLIC = {
    "payment": Prefix.PAYMENT,
    "receipt": Prefix.RECEIPT,
    "refund": Prefix.REFUND,
    "payout": Prefix.PAYOUT,
    "external_record": Prefix.EXTERNAL_RECORD,
    "own_transfer": Prefix.OWN_TRANSFER,
}


class SqlStatements(Statements):
    """Statements of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def imported(self, connection_id: UUID, sha256: bytes) -> Statement | None:
        table = statement
        stmt = select(table).where(
            self._tx.own(table), table.c.connection_id == connection_id, table.c.sha256 == sha256
        )
        row = self._tx.conn.execute(stmt).first()
        return None if row is None else _statement(row)

    def known(self, float_id: UUID, lines: Sequence[StatementLine]) -> int:
        places = places_of(lines)
        found = 0
        for start in range(0, len(lines), SLICE):
            values = _identity(lines[start : start + SLICE], places[start : start + SLICE])
            found += self._count(KNOWN, {"float": float_id, **values})
        return found

    def add(self, one: Statement, lines: Sequence[StatementLine], tell: Callable[[int], None]) -> Statement:
        known = self.known(one.float_id, lines)
        row = {**_columns(one), "known": known, **self._tx.whose()}
        stmt = insert(statement).on_conflict_do_nothing().returning(statement.c.id)
        if self._tx.conn.execute(stmt, row).first() is None:
            raise Conflict("this file is being imported already", code="statement_known")
        places, added = places_of(lines), 0
        for start in range(0, len(lines), SLICE):
            part = lines[start : start + SLICE]
            added += self._add(one, part, places[start : start + SLICE])
            tell(start + len(part))
        if added != len(lines) - known:
            # Another file with some of these lines came in just now: this one is to be brought in after it.
            raise Conflict("another import with the same lines is under way; import it again", code="stale_version")
        return replace(one, known=known)

    def _add(self, one: Statement, part: Sequence[StatementLine], places: Sequence[int]) -> int:
        values: dict[str, Any] = {
            "business": self._tx.scope.business_id,
            "livemode": self._tx.scope.livemode,
            "statement": one.id,
            "float": one.float_id,
            "rows": [line.row for line in part],
            "ats": [line.happened_at for line in part],
            "currencies": [line.amount.asset.code for line in part],
            "typed": [line.reference for line in part],
            "originals": [line.original_receipt for line in part],
            "hints": [line.payer_hint for line in part],
            "balances": [None if line.balance is None else str(line.balance.units) for line in part],
            "details": [masked_reference(line.detail) or "" for line in part],
        }
        return self._tx.raw.execute(ADD, {**values, **_identity(part, places)}).rowcount

    def get(self, statement_id: UUID, *, lock: bool = False) -> Statement:
        return _statement(self._tx.get(statement, statement_id, "statement", lock=lock))

    def save(self, one: Statement) -> None:
        values = {"state": one.state.value, "looks": one.looks, "updated": self._tx.now}
        stmt = update(statement).where(self._tx.own(statement), statement.c.id == one.id)
        self._tx.conn.execute(stmt.values(**values))

    def latest(self, limit: int) -> Sequence[Statement]:
        stmt = select(statement).where(self._tx.own(statement)).order_by(statement.c.id.desc()).limit(limit)
        return [_statement(row) for row in self._tx.conn.execute(stmt)]

    def settle_known(self, statement_id: UUID) -> int:
        return self._count("SELECT gateway.settle_known_lines(%s, %s)", (statement_id, self._tx.now))

    def open_lines(self, statement_id: UUID, kinds: Sequence[LineKind], limit: int) -> Sequence[KeptLine]:
        table = statement_line
        stmt = select(table).where(
            self._tx.own(table),
            table.c.statement_id == statement_id,
            table.c.outcome.is_(None),
            table.c.kind.in_([kind.value for kind in kinds]),
        )
        rows = self._tx.conn.execute(stmt.order_by(table.c.row).limit(limit).with_for_update())
        return [_line(row) for row in rows]

    def settle(self, line_id: UUID, outcome: Outcome, match: Match | None = None) -> None:
        self._settle(line_id, outcome, match, statement_line.c.outcome.is_(None))

    def _settle(self, line_id: UUID, outcome: Outcome, match: Match | None, before: ColumnElement[bool]) -> None:
        table = statement_line
        values: dict[str, Any] = {"outcome": outcome.value, "settled_at": self._tx.now}
        if match is not None:
            values |= {"matched_kind": match.kind, "matched_id": match.id}
        stmt = update(table).where(self._tx.own(table), table.c.id == line_id, before)
        self._tx.conn.execute(stmt.values(**values))

    def late_lines(self, statement_id: UUID) -> Sequence[KeptLine]:
        rows = self._tx.raw.execute("SELECT line_id FROM gateway.late_lines(%s)", (statement_id,)).fetchall()
        if not rows:
            return []
        table = statement_line
        stmt = select(table).where(self._tx.own(table), table.c.id.in_([row[0] for row in rows])).order_by(table.c.row)
        return [_line(row) for row in self._tx.conn.execute(stmt)]

    def settle_late(self, line_id: UUID, outcome: Outcome, match: Match | None = None) -> None:
        self._settle(line_id, outcome, match, statement_line.c.outcome == Outcome.UNMATCHED.value)

    def waits(self, statement_id: UUID) -> bool:
        stmt = self._waiting().where(statement_line.c.statement_id == statement_id).limit(1)
        return self._tx.conn.execute(stmt).first() is not None

    def waiting(self, *, float_id: UUID | None = None, original: tuple[str, str] | None = None) -> Sequence[UUID]:
        stmt = self._waiting().distinct()
        if float_id is not None:
            stmt = stmt.where(statement_line.c.float_id == float_id)
        if original is not None:
            namespace, number = original
            named = statement.c.id == statement_line.c.statement_id
            stmt = stmt.join(statement, named & (statement.c.receipt_namespace == namespace))
            stmt = stmt.where(statement_line.c.original_receipt == number)
        return [row[0] for row in self._tx.conn.execute(stmt)]

    def _waiting(self) -> Any:
        table = statement_line
        return select(table.c.statement_id).where(
            self._tx.own(table),
            table.c.original_receipt.is_not(None),
            text("kind IN ('reversal', 'return') AND COALESCE(outcome, 'unmatched') = 'unmatched'"),
        )

    def charged(self, statement_id: UUID, receipt_number: str) -> int:
        table = statement_line
        stmt = select(func.coalesce(func.sum(table.c.amount_units), 0)).where(
            self._tx.own(table),
            table.c.statement_id == statement_id,
            table.c.receipt_number == receipt_number,
            table.c.kind == LineKind.CHARGE.value,
            table.c.completed,
            ~table.c.comes_in,
        )
        return int(self._tx.conn.execute(stmt).scalar_one())

    def charge_booked(self, float_id: UUID, receipt_number: str) -> int | None:
        table = provider_charge
        stmt = select(table.c.units).where(table.c.float_id == float_id, table.c.number == receipt_number)
        return self._tx.conn.execute(stmt).scalar_one_or_none()

    def is_settling_money(self, statement_id: UUID) -> bool:
        row = self._tx.raw.execute(ON_THEIR_WAY, (self._tx.now, statement_id)).fetchone()
        return row is not None and bool(row[0])

    def money_out(self, float_id: UUID, receipt_number: str, reference: str | None) -> MoneyOut | None:
        sql = "SELECT * FROM gateway.find_money_out(%s, %s, %s, %s)"
        row = self._tx.raw.execute(sql, (float_id, self._tx.scope.livemode, receipt_number, reference)).fetchone()
        if row is None:
            return None
        return MoneyOut(
            kind=row[0],
            attempt_id=row[1],
            object_id=row[2],
            business_id=row[3],
            amount_units=int(row[4]),
            receipt_number=row[5],
        )

    def own_transfer(self, float_id: UUID, line: KeptLine) -> UUID | None:
        values = {
            "livemode": self._tx.scope.livemode,
            "float": float_id,
            "comes_in": line.comes_in,
            "number": line.receipt_number,
            "reference": line.reference,
        }
        row = self._tx.raw.execute(OWN, values).fetchone()
        return None if row is None else row[0]

    def own_line(self, float_ids: Sequence[UUID], number: str) -> KeptLine | None:
        table = statement_line
        stmt = select(table).where(
            self._tx.own(table),
            table.c.float_id.in_(float_ids),
            table.c.receipt_number == number,
            table.c.kind == LineKind.OWN.value,
            table.c.completed,
        )
        row = self._tx.conn.execute(stmt.order_by(table.c.id).limit(1)).first()
        return None if row is None else _line(row)

    def rail_on(self, float_id: UUID, codes: Sequence[str]) -> UUID | None:
        table = connection
        stmt = select(table.c.id).where(
            table.c.livemode == self._tx.scope.livemode, table.c.float_id == float_id, table.c.code.in_(codes)
        )
        return self._tx.conn.execute(stmt.order_by(table.c.created, table.c.id).limit(1)).scalar_one_or_none()

    def differing(self, statement_id: UUID) -> int:
        return self._count("SELECT gateway.statement_conflicts(%s)", (statement_id,))

    def missing(self, statement_id: UUID) -> Sequence[Json]:
        rows = self._tx.raw.execute("SELECT * FROM gateway.payouts_missing(%s)", (statement_id,)).fetchall()
        return [
            {
                "payout": encode(Prefix.PAYOUT, row[0]),
                "business": encode(Prefix.BUSINESS, row[1]),
                "receipt_number": row[2],
                "amount": int(row[3]),
                "currency": row[4],
                "paid_at": moment(row[5]),
            }
            for row in rows
        ]

    def books_at(self, float_id: UUID, currency: str, at: datetime) -> int:
        sql = "SELECT gateway.held_on_at(%s, %s, %s, %s)"
        return self._count(sql, (float_id, self._tx.scope.livemode, currency, at))

    def summary(self, statement_id: UUID) -> Sequence[Json]:
        rows = self._tx.raw.execute(SUMMARY, (statement_id,)).fetchall()
        return [
            {"kind": r[0], "outcome": r[1], "count": r[2], "came_in": int(r[3]), "left": int(r[4]), "currency": r[5]}
            for r in rows
        ]

    def lines(self, statement_id: UUID, *, kind: str | None, outcomes: Sequence[str], limit: int) -> Sequence[Json]:
        values = {
            "statement": statement_id,
            "kind": kind,
            "any": not outcomes,
            "outcomes": list(outcomes),
            "limit": limit,
        }
        return [_shown(row) for row in self._tx.raw.execute(LINES, values).fetchall()]

    def _count(self, sql: str, values: Any) -> int:
        row = self._tx.raw.execute(sql, values).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])


def _identity(lines: Sequence[StatementLine], places: Sequence[int]) -> dict[str, Any]:
    return {
        "numbers": [line.receipt_number for line in lines],
        "kinds": [line.kind.value for line in lines],
        "ins": [line.comes_in for line in lines],
        "units": [str(line.amount.units) for line in lines],
        "done": [line.completed for line in lines],
        "places": list(places),
    }


def _columns(one: Statement) -> dict[str, Any]:
    return {
        "id": one.id,
        "created": one.created,
        "updated": one.updated,
        "connection_id": one.connection_id,
        "float_id": one.float_id,
        "receipt_namespace": one.receipt_namespace,
        "name": one.name,
        "sha256": one.sha256,
        "account": one.account,
        "currency": one.currency,
        "since": one.since,
        "until": one.until,
        "opening_units": one.opening_units,
        "closing_units": one.closing_units,
        "lines": one.lines,
        "state": one.state.value,
        "looks": one.looks,
    }


def _statement(row: Row[Any]) -> Statement:
    return Statement(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        connection_id=row.connection_id,
        float_id=row.float_id,
        receipt_namespace=row.receipt_namespace,
        name=row.name,
        sha256=bytes(row.sha256),
        account=row.account,
        currency=row.currency,
        since=row.since,
        until=row.until,
        opening_units=row.opening_units,
        closing_units=row.closing_units,
        lines=row.lines,
        known=row.known,
        state=StatementState(row.state),
        looks=row.looks,
    )


def _line(row: Row[Any]) -> KeptLine:
    return KeptLine(
        id=row.id,
        statement_id=row.statement_id,
        row=row.row,
        kind=LineKind(row.kind),
        receipt_number=row.receipt_number,
        happened_at=row.happened_at,
        amount=kept.money(row.amount_units, row.currency),
        comes_in=row.comes_in,
        reference=row.reference,
        original_receipt=row.original_receipt,
        payer_hint=row.payer_hint,
    )


def _shown(row: Sequence[Any]) -> Json:
    prefix = _PUBLIC.get(row[12] or "")
    return {
        "row": row[0],
        "kind": row[1],
        "outcome": row[2],
        "receipt_number": row[3],
        "happened_at": moment(row[4]),
        "amount": int(row[5]),
        "currency": row[6],
        "comes_in": row[7],
        "reference": masked_reference(row[8]),
        "original_receipt": row[9],
        "payer_hint": row[10],
        "detail": row[11],
        "matched": encode(prefix, row[13]) if prefix is not None and row[13] is not None else None,
    }
