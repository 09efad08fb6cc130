"""Floats as rows: how they stand, what providers say of them, charges, own transfers, halts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.tables import float_, float_balance, halt, own_transfer, provider_charge
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import FloatListed, Floats, FloatsDirectory, FloatStanding, Json, OwnTransfers
from gateway.application.representations import moment
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.maintenance import Halt
from gateway.domain.own_transfers import OwnState, OwnTransfer
from ports.money import Money
from ports.report import Pocket

_STANDING = text("SELECT held, promised, awaited, low_units FROM gateway.float_standing(:id)")
_LISTED = text(
    "SELECT f.id, f.title, f.livemode, f.currency, s.held, s.promised, s.awaited, s.low_units,"
    " CASE WHEN b.is_owed THEN -b.units ELSE b.units END AS told, b.at"
    " FROM gateway.float f CROSS JOIN LATERAL gateway.float_standing(f.id) s"
    " LEFT JOIN LATERAL (SELECT w.* FROM gateway.float_balance w WHERE w.float_id = f.id ORDER BY w.at DESC LIMIT 1) b"
    " ON true ORDER BY f.created, f.id"
)


def _standing(row: Row[Any]) -> FloatStanding:
    return FloatStanding(
        held=int(row.held),
        promised=int(row.promised),
        awaited=int(row.awaited),
        low_units=None if row.low_units is None else int(row.low_units),
    )


class SqlFloats(Floats):
    """Floats of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def standing(self, float_id: UUID) -> FloatStanding:
        row = self._tx.conn.execute(_STANDING, {"id": float_id}).first()
        if row is None:
            raise NotFound("there is no such float")
        return _standing(row)

    def keep_balance(self, connection_id: UUID, float_id: UUID | None, pocket: Pocket, now: datetime) -> bool:
        row = {
            "connection_id": connection_id,
            "livemode": self._tx.scope.livemode,
            "pocket": pocket.name,
            "float_id": float_id,
            "currency": pocket.balance.asset.code,
            "units": pocket.balance.units,
            "is_owed": pocket.is_owed,
            "at": pocket.happened_at or now,
        }
        stmt = insert(float_balance).values(row)
        newer = stmt.on_conflict_do_update(
            index_elements=["connection_id", "pocket"],
            set_={name: stmt.excluded[name] for name in ("float_id", "currency", "units", "is_owed", "at")},
            where=float_balance.c.at <= stmt.excluded.at,
        )
        return self._tx.conn.execute(newer.returning(float_balance.c.pocket)).first() is not None

    def charge_once(self, float_id: UUID, number: str, amount: Money, at: datetime) -> bool:
        row = {
            "float_id": float_id,
            "number": number,
            "livemode": self._tx.scope.livemode,
            "units": amount.units,
            "at": at,
        }
        stmt = insert(provider_charge).values(row).on_conflict_do_nothing().returning(provider_charge.c.number)
        return self._tx.conn.execute(stmt).first() is not None

    def balance_asked(self, connection_id: UUID) -> datetime | None:
        found: datetime | None = self._tx.conn.execute(
            select(func.gateway.balance_asked(connection_id))
        ).scalar_one_or_none()
        return found

    def settle(self, kind: str, subject_id: UUID) -> None:
        self._tx.conn.execute(select(func.gateway.settle_alert(kind, subject_id)))

    def facts(self, connection_id: UUID, now: datetime) -> Mapping[str, Any]:
        sql = text("SELECT gateway.connection_facts(:id, :now) AS facts")
        row = self._tx.conn.execute(sql, {"id": connection_id, "now": now}).one()
        if row.facts is None:
            raise NotFound("there is no such connection")
        facts: Mapping[str, Any] = row.facts
        return facts


class SqlOwnTransfers(OwnTransfers):
    """Own transfers of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, transfer: OwnTransfer) -> None:
        self._tx.add(
            own_transfer,
            {
                **_changing(transfer),
                "id": transfer.id,
                "created": transfer.created,
                "version": transfer.version,
                "connection_id": transfer.connection_id,
                "source_id": transfer.source_id,
                "target_id": transfer.target_id,
                "source_pocket": transfer.source_pocket,
                "target_pocket": transfer.target_pocket,
                "currency": transfer.amount.asset.code,
                "amount_units": transfer.amount.units,
                "reference": transfer.reference,
            },
        )

    def get(self, transfer_id: UUID, *, lock: bool = False) -> OwnTransfer:
        stmt = select(own_transfer).where(self._tx.own(own_transfer), own_transfer.c.id == transfer_id)
        row = self._tx.conn.execute(stmt.with_for_update() if lock else stmt).first()
        if row is None:
            raise NotFound("there is no such transfer")
        return _transfer(row)

    def save(self, transfer: OwnTransfer) -> OwnTransfer:
        stmt = (
            update(own_transfer)
            .where(
                self._tx.own(own_transfer),
                own_transfer.c.id == transfer.id,
                own_transfer.c.version == transfer.version,
            )
            .values(**_changing(transfer), version=transfer.version + 1)
        )
        if self._tx.conn.execute(stmt).rowcount != 1:
            raise Conflict("the transfer has changed meanwhile", code="stale_version")
        return replace(transfer, version=transfer.version + 1)


def _changing(transfer: OwnTransfer) -> dict[str, Any]:
    return {
        "updated": transfer.updated,
        "provider_reference": transfer.provider_reference,
        "state": transfer.state.value,
        "sends": transfer.sends,
        "look_ups": transfer.look_ups,
        "receipt_number": transfer.receipt_number,
        "failure": kept.failure_out(transfer.failure),
    }


def _transfer(row: Row[Any]) -> OwnTransfer:
    return OwnTransfer(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        connection_id=row.connection_id,
        source_id=row.source_id,
        target_id=row.target_id,
        source_pocket=row.source_pocket,
        target_pocket=row.target_pocket,
        amount=kept.money(row.amount_units, row.currency),
        reference=row.reference,
        provider_reference=row.provider_reference,
        state=OwnState(row.state),
        sends=row.sends,
        look_ups=row.look_ups,
        receipt_number=row.receipt_number,
        failure=kept.failure_in(row.failure),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFloatsDirectory(FloatsDirectory):
    """On the operator's engine; each call is a transaction of its own."""

    engine: Engine

    def listed(self) -> Sequence[FloatListed]:
        with in_our_words(), self.engine.connect() as conn:
            return [
                FloatListed(
                    id=row.id,
                    title=row.title,
                    livemode=row.livemode,
                    currency=row.currency,
                    standing=_standing(row),
                    told=None if row.told is None else int(row.told),
                    told_at=row.at,
                )
                for row in conn.execute(_LISTED)
            ]

    def set_threshold(self, float_id: UUID, units: int | None) -> None:
        self._change(update(float_).where(float_.c.id == float_id).values(low_units=units), "float")

    def halt(self, what: Halt, *, reason: str, livemode: bool, now: datetime) -> None:
        with in_our_words(), self.engine.begin() as conn:
            conn.execute(delete(halt).where(halt.c.what == what.value, halt.c.livemode == livemode))
            conn.execute(insert(halt).values(what=what.value, livemode=livemode, reason=reason, since=now))

    def resume(self, what: Halt, *, livemode: bool) -> bool:
        stmt = delete(halt).where(halt.c.what == what.value, halt.c.livemode == livemode)
        with in_our_words(), self.engine.connect() as conn:
            return conn.execute(stmt).rowcount == 1

    def transfers(self, *, livemode: bool) -> Sequence[Json]:
        stmt = select(own_transfer).where(own_transfer.c.livemode == livemode).order_by(own_transfer.c.id.desc())
        with in_our_words(), self.engine.connect() as conn:
            return [shown_transfer(_transfer(row)) for row in conn.execute(stmt.limit(100))]

    def mode_of_transfer(self, transfer_id: UUID) -> bool:
        return self._mode(own_transfer, transfer_id, "transfer")

    def mode_of_float(self, float_id: UUID) -> bool:
        return self._mode(float_, float_id, "float")

    def _mode(self, table: Any, id_: UUID, what: str) -> bool:
        with in_our_words(), self.engine.connect() as conn:
            found: bool | None = conn.execute(select(table.c.livemode).where(table.c.id == id_)).scalar_one_or_none()
        if found is None:
            raise NotFound(f"there is no such {what}")
        return found

    def _change(self, stmt: Any, what: str) -> None:
        with in_our_words(), self.engine.connect() as conn:
            if conn.execute(stmt).rowcount != 1:
                raise NotFound(f"there is no such {what}")


def shown_transfer(transfer: OwnTransfer) -> Json:
    """A transfer as an operator reads it."""
    return {
        "id": encode(Prefix.OWN_TRANSFER, transfer.id),
        "object": "own_transfer",
        "livemode": transfer.livemode,
        "from": encode(Prefix.FLOAT, transfer.source_id),
        "to": encode(Prefix.FLOAT, transfer.target_id),
        "amount": transfer.amount.units,
        "currency": transfer.amount.asset.code,
        "status": transfer.state.value,
        "receipt_number": transfer.receipt_number,
        "created": moment(transfer.created),
        "updated": moment(transfer.updated),
    }
