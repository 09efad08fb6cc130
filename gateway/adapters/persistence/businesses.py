"""Businesses and their prices as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import business as table
from gateway.adapters.persistence.tables import fee_schedule as prices
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Businesses
from gateway.domain.businesses import Business
from gateway.domain.errors import NotFound
from gateway.domain.fees import Bearer, FeeSchedule, Settlement

#: Where nothing was priced, nothing is charged.
FREE = FeeSchedule(id=UUID(int=0), version=0)


class SqlBusinesses(Businesses):
    """The unit's business, and its prices; both are the same in both modes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self) -> Business:
        row = self._tx.conn.execute(select(table).where(table.c.id == self._tx.scope.business_id)).first()
        if row is None:
            raise NotFound("there is no such business")
        return business_of(row)

    def fee_schedule(self, product: str, now: datetime, method: str | None = None) -> FeeSchedule:
        mine = or_(prices.c.business_id == self._tx.scope.business_id, prices.c.business_id.is_(None))
        stmt = (
            select(prices)
            .where(prices.c.product == product, prices.c.effective_from <= now, mine)
            .where(or_(prices.c.method.is_(None), prices.c.method == method))
            .order_by(
                prices.c.business_id.is_(None),
                prices.c.method.is_(None),
                prices.c.effective_from.desc(),
                prices.c.version.desc(),
            )
            .limit(1)
        )
        row = self._tx.conn.execute(stmt).first()
        return FREE if row is None else schedule_of(row)


def business_of(row: Row[Any]) -> Business:
    """The business of a row."""
    return Business(
        id=row.id,
        platform_id=row.platform_id,
        created=row.created,
        updated=row.updated,
        version=row.version,
        metadata=row.metadata,
        name=row.name,
        shop_tag=row.shop_tag,
        statement_descriptor=row.statement_descriptor,
        support_contact=row.support_contact,
        settlement=Settlement.parse(row.settlement),
        payments_enabled=row.payments_enabled,
        payouts_enabled=row.payouts_enabled,
    )


def schedule_of(row: Row[Any]) -> FeeSchedule:
    """The price of a row."""
    return FeeSchedule(
        id=row.id,
        version=row.version,
        flat_units=row.flat_units,
        bps=row.bps,
        cap_units=row.cap_units,
        min_units=row.min_units,
        taxes=kept.taxes_in(row.taxes),
        method=row.method,
        bearer=Bearer(row.bearer),
        customer_bps=row.customer_bps,
    )
