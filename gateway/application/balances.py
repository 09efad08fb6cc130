"""A business's own money as the books have it, and itself as we know it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Json, OpenUnit
from gateway.application.lists import listed, page_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBalances:
    """Read the balance and what moved it."""

    unit: OpenUnit

    def now(self, call: Call) -> Json:
        """The six buckets."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            buckets = {currency: dict(held) for currency, held in work.balances.now().items()}
            return shown.balance(call.business_id, call.livemode, buckets)

    def transactions(self, query: ListQuery, call: Call) -> Json:
        """A page of balance transactions, newest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            rows, more = work.balances.transactions(page_of(query))
            return listed(list(rows), more)

    def transaction(self, uid: UUID, call: Call) -> Json:
        """One balance transaction."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return work.balances.transaction(uid)

    def business(self, call: Call) -> Json:
        """The business itself."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return shown.business(work.businesses.get())
