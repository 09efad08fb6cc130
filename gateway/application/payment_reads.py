"""Payments and what hangs on them, as a business reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.application import refund_views
from gateway.application import representations as shown
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Json, OpenUnit
from gateway.application.lists import listed, page_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPayments:
    """Read payments and what hangs on them."""

    unit: OpenUnit

    def get(self, payment_id: UUID, call: Call, expand: Sequence[str] = ()) -> Json:
        """One payment; `expand` may name `attempts`, `receipts` and `refunds`."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            payment = work.payments.get(payment_id)
            attempts = work.attempts.of(payment_id) if "attempts" in expand else None
            receipts = work.receipts.of(payment_id) if "receipts" in expand else None
            view = shown.payment(payment, attempts=attempts, receipts=receipts)
            if "refunds" in expand:
                view["refunds"] = [refund_views.refund(r) for r in work.refunds.of_payment(payment_id)]
            return view

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of payments, newest first; attempts of the whole page come in one query."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.payments.page(page_of(query))
            tries = work.attempts.of_many([p.id for p in found]) if "attempts" in query.expand and found else None
            rows = [shown.payment(p, attempts=None if tries is None else tries.get(p.id, ())) for p in found]
            return listed(rows, more)

    def attempts(self, payment_id: UUID, call: Call) -> Json:
        """All attempts of a payment, oldest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.payments.get(payment_id)
            return listed([shown.attempt(a) for a in work.attempts.of(payment_id)], False)

    def receipts(self, payment_id: UUID, call: Call) -> Json:
        """All receipts of a payment, oldest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.payments.get(payment_id)
            return listed([shown.receipt(r) for r in work.receipts.of(payment_id)], False)

    def timeline(self, payment_id: UUID, call: Call) -> Json:
        """All that happened to a payment, oldest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.payments.get(payment_id)
            return listed(list(work.timelines.of_payment(payment_id)), False)
