"""Customers as a business sees them: one per phone number, the number masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.answers import answered
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Json, OpenUnit
from gateway.application.lists import listed, page_of
from gateway.domain.phones import to_e164


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCustomer:
    """Make a customer, or find the one with that number, and fill in what is given."""

    unit: OpenUnit

    def __call__(
        self,
        call: Call,
        *,
        phone: str,
        name: str | None = None,
        email: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Json:
        """The customer: the same one however the number was typed."""
        e164 = to_e164(phone)
        with self.unit(call.scope, call=call) as work:
            found = work.customers.by_phone(e164, new_id=work.new_id(), now=work.now)
            wanted = replace(
                found,
                name=found.name if name is None else name,
                email=found.email if email is None else email,
                metadata=found.metadata if metadata is None else dict(metadata),
            )
            if wanted != found:
                found = work.customers.save(replace(wanted, updated=work.now))
            return answered(work, 201, shown.customer(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCustomers:
    """Read customers."""

    unit: OpenUnit

    def get(self, customer_id: UUID, call: Call) -> Json:
        """One customer."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return shown.customer(work.customers.get(customer_id))

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of customers, newest first; `filters["phone"]` may be typed any way."""
        filters = dict(query.filters)
        if filters.get("phone"):
            filters["phone"] = to_e164(filters["phone"])
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.customers.page(replace(page_of(query), filters=filters))
            return listed([shown.customer(c) for c in found], more)
