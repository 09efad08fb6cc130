"""The operator's door: platforms, businesses, keys, connections, floats, prices, past the row-level policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row, Table, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence import tables
from gateway.adapters.persistence.access import business_row, key_row
from gateway.adapters.persistence.businesses import business_of, schedule_of
from gateway.adapters.persistence.connections import OPEN_COLUMNS, connection_of, sealed
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import Directory, Json, PriceListed, Scope
from gateway.application.representations import moment
from gateway.domain.businesses import ApiKey, Business, Platform
from gateway.domain.connections import Connection, ConnectionState, Float
from gateway.domain.errors import NotFound
from gateway.domain.fees import FeeSchedule
from gateway.domain.ids import Prefix, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlDirectory(Directory):
    """On the operator's engine; each call is a transaction of its own."""

    engine: Engine
    vault: Vault

    def add_platform(self, platform: Platform) -> None:
        self._add(tables.platform, {"id": platform.id, "name": platform.name, "created": platform.created})

    def add_business(self, business: Business) -> None:
        self._add(tables.business, business_row(business))

    def add_key(self, key: ApiKey) -> None:
        self._add(tables.api_key, key_row(key))

    def add_key_once(self, key: ApiKey) -> None:
        stmt = insert(tables.api_key).on_conflict_do_nothing(index_elements=[tables.api_key.c.key_hash])
        with in_our_words(), self.engine.connect() as conn:
            conn.execute(stmt, key_row(key))

    def add_float(self, float_: Float) -> None:
        row = {
            "id": float_.id,
            "livemode": float_.livemode,
            "title": float_.title,
            "currency": float_.currency,
            "created": float_.created,
        }
        self._add(tables.float_, row)

    def add_connection(self, connection: Connection) -> None:
        row = {
            "id": connection.id,
            "livemode": connection.livemode,
            "created": connection.created,
            "updated": connection.updated,
            "version": connection.version,
            "title": connection.title,
            "code": connection.code,
            "tag": connection.tag,
            "float_id": connection.float_id,
            "state": connection.state.value,
            "paused_for": connection.paused_for,
            "config": sealed(self.vault, connection.config),
        }
        self._add(tables.connection, row)

    def add_fee_schedule(
        self, schedule: FeeSchedule, *, product: str, business_id: UUID | None, effective_from: datetime
    ) -> None:
        row = {
            "id": schedule.id,
            "product": product,
            "business_id": business_id,
            "version": schedule.version,
            "effective_from": effective_from,
            "flat_units": schedule.flat_units,
            "bps": schedule.bps,
            "cap_units": schedule.cap_units,
            "min_units": schedule.min_units,
            "taxes": kept.taxes_out(schedule.taxes),
            "method": schedule.method,
            "bearer": schedule.bearer.value,
            "customer_bps": schedule.customer_bps,
        }
        self._add(tables.fee_schedule, row)

    def fee_schedules(self) -> Sequence[PriceListed]:
        table = tables.fee_schedule
        stmt = select(table).order_by(table.c.product, table.c.business_id, table.c.effective_from, table.c.version)
        with in_our_words(), self.engine.connect() as conn:
            return [
                PriceListed(
                    schedule=schedule_of(row),
                    product=row.product,
                    business_id=row.business_id,
                    effective_from=row.effective_from,
                )
                for row in conn.execute(stmt)
            ]

    def settle_float_alert(self, float_id: UUID) -> None:
        with in_our_words(), self.engine.connect() as conn:
            conn.execute(select(func.gateway.settle_float_alert(float_id)))

    def platforms(self) -> Sequence[Platform]:
        return [Platform(id=row.id, name=row.name, created=row.created) for row in self._all(tables.platform)]

    def businesses(self) -> Sequence[Business]:
        return [business_of(row) for row in self._all(tables.business)]

    def connections(self) -> Sequence[Connection]:
        return [connection_of(row) for row in self._all(tables.connection, OPEN_COLUMNS)]

    def floats(self) -> Sequence[Float]:
        return [
            Float(id=row.id, livemode=row.livemode, title=row.title, currency=row.currency, created=row.created)
            for row in self._all(tables.float_)
        ]

    def set_connection_state(self, connection_id: UUID, *, paused_for: str | None, now: datetime) -> None:
        """Raises NotFound."""
        state = ConnectionState.ACTIVE if paused_for is None else ConnectionState.PAUSED
        values = {"state": state.value, "paused_for": paused_for, "updated": now}
        self._change(tables.connection, connection_id, values, "connection")

    def set_connection_config(self, connection_id: UUID, config: Mapping[str, object], *, now: datetime) -> None:
        """Raises NotFound."""
        values = {"config": sealed(self.vault, config), "updated": now}
        self._change(tables.connection, connection_id, values, "connection")

    def open_business(self, business_id: UUID, *, payments: bool, payouts: bool, now: datetime) -> None:
        """Raises NotFound."""
        values = {"payments_enabled": payments, "payouts_enabled": payouts, "updated": now}
        self._change(tables.business, business_id, values, "business")

    def mode_of_connection(self, connection_id: UUID) -> bool:
        stmt = select(tables.connection.c.livemode).where(tables.connection.c.id == connection_id)
        with in_our_words(), self.engine.connect() as conn:
            found: bool | None = conn.execute(stmt).scalar_one_or_none()
        if found is None:
            raise NotFound("there is no such connection")
        return found

    def set_policy(self, connection_id: UUID, policy: Json) -> None:
        # Merged: what others keep there stays.
        merged = tables.connection.c.policy.op("||")(literal(policy, JSONB))
        self._set(tables.connection, connection_id, {"policy": merged}, "connection")

    def scope_of(self, kind: str, object_id: UUID) -> Scope:
        table = {"payment": tables.payment, "payout": tables.payout, "refund": tables.refund}[kind]
        stmt = select(table.c.business_id, table.c.livemode).where(table.c.id == object_id)
        with in_our_words(), self.engine.connect() as conn:
            row = conn.execute(stmt).first()
        if row is None:
            raise NotFound(f"there is no such {kind}")
        return Scope(business_id=row.business_id, livemode=row.livemode)

    def audit(self, actor: str, action: str, subject_id: UUID | None, reason: str, at: datetime) -> None:
        row = {"actor": actor, "action": action, "subject_id": subject_id, "reason": reason, "at": at}
        with in_our_words(), self.engine.connect() as conn:
            conn.execute(insert(tables.audit).values(id=func.gateway.new_id(), **row))

    def revoke_key(self, key_id: UUID, *, now: datetime) -> None:
        self._set(tables.api_key, key_id, {"revoked_at": now}, "key")

    def close_alert(self, alert_id: UUID, *, now: datetime) -> None:
        self._set(tables.alert, alert_id, {"resolved_at": now}, "alert")

    def alerts(self) -> Sequence[Json]:
        table = tables.alert
        stmt = select(table).where(table.c.resolved_at.is_(None)).order_by(table.c.id.desc())
        with in_our_words(), self.engine.connect() as conn:
            return [_alert(row) for row in conn.execute(stmt)]

    def _add(self, table: Table, row: Mapping[str, Any]) -> None:
        with in_our_words(), self.engine.connect() as conn:
            conn.execute(insert(table), row)

    def _all(self, table: Table, columns: Sequence[Any] | None = None) -> Sequence[Row[Any]]:
        with in_our_words(), self.engine.connect() as conn:
            return conn.execute(select(*(columns or table.c)).order_by(table.c.created, table.c.id)).all()

    def _change(self, table: Table, id_: UUID, values: Mapping[str, Any], what: str) -> None:
        self._set(table, id_, {**values, "version": table.c.version + 1}, what)

    def _set(self, table: Table, id_: UUID, values: Mapping[str, Any], what: str) -> None:
        stmt = update(table).where(table.c.id == id_).values(**values)
        with in_our_words(), self.engine.connect() as conn:
            if conn.execute(stmt).rowcount != 1:
                raise NotFound(f"there is no such {what}")


def _alert(row: Row[Any]) -> Json:
    return {
        "id": encode(Prefix.ALERT, row.id),
        "object": "alert",
        "kind": row.kind,
        "subject": None if row.subject_id is None else str(row.subject_id),
        "business": None if row.business_id is None else encode(Prefix.BUSINESS, row.business_id),
        "livemode": row.livemode,
        "detail": row.detail,
        "raised_at": moment(row.raised_at),
    }
