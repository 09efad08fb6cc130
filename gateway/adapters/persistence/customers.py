"""Customers as rows: phone, name and e-mail sealed, the phone found by its keyed hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gateway.adapters.persistence.tables import customer as table
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Customers, Page
from gateway.domain.customers import Customer
from gateway.domain.errors import Conflict


class SqlCustomers(Customers):
    """Customers of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_phone(self, phone: str, *, new_id: UUID, now: datetime, name: str | None = None) -> Customer:
        known = self._by_phone(phone)
        if known is not None:
            return known
        one = Customer(id=new_id, created=now, updated=now, phone=phone, name=name, **self._tx.whose())
        row = {"id": one.id, "created": one.created, "version": one.version, **self._written(one)}
        if self._tx.added_once(table, row):
            return one
        # Another unit made it between the two statements; the insert waited for its commit.
        known = self._by_phone(phone)
        if known is None:
            raise Conflict("this customer was removed a moment ago; try again")
        return known

    def get(self, customer_id: UUID) -> Customer:
        return self._customer(self._tx.get(table, customer_id, "customer"))

    def save(self, customer: Customer) -> Customer:
        return self._tx.saved(table, customer, self._written(customer))

    def page(self, page: Page) -> tuple[Sequence[Customer], bool]:
        phone = page.filters.get("phone")
        criteria = [] if phone is None else [table.c.phone_hmac == self._tx.vault.blind(phone, "phone")]
        rows, more = self._tx.page(table, page, *criteria)
        return [self._customer(row) for row in rows], more

    def _by_phone(self, phone: str) -> Customer | None:
        hashed = self._tx.vault.blind(phone, "phone")
        row = self._tx.first(table, phone_hmac=hashed)
        return None if row is None else self._customer(row)

    def _written(self, one: Customer) -> dict[str, Any]:
        return {
            "updated": one.updated,
            "metadata": dict(one.metadata),
            "phone": self._tx.seal(one.phone, "customer.phone"),
            "name": self._tx.seal(one.name, "customer.name"),
            "email": self._tx.seal(one.email, "customer.email"),
            "phone_hmac": self._tx.vault.blind(one.phone, "phone"),
        }

    def _customer(self, row: Row[Any]) -> Customer:
        return Customer(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            metadata=row.metadata,
            phone=self._tx.open(row.phone, "customer.phone") or "",
            name=self._tx.open(row.name, "customer.name"),
            email=self._tx.open(row.email, "customer.email"),
        )
