"""What a business owes us after a reversal: while it does, nothing new leaves; what comes in goes to it first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Call, OpenUnit, UnitOfWork
from gateway.domain.errors import Conflict, InsufficientFunds
from gateway.domain.postings_of_refunds import debt_recovered
from gateway.domain.reversals import recovery_of
from ports.money import ASSETS

#: A debt is looked at again after this, for as long as there is one: receipts of that time go to it.
SWEEP_S = 60
#: Somebody was faster with the money: so soon again.
AGAIN_S = 2


def refuse_debtors(work: UnitOfWork) -> None:
    """Raise Conflict (`business_owes`) while the unit's business owes us anything."""
    if any(buckets.get("owed", 0) > 0 for buckets in work.balances.now().values()):
        raise Conflict(
            "the provider took money back and it is owed; new payouts and refunds wait until it is recovered",
            code="business_owes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDebt:
    """Move what there is to a business's debt, again and again until there is none."""

    unit: OpenUnit

    def __call__(self, _: UUID, call: Call) -> datetime | None:
        """When to come again, or None when nothing is owed."""
        now = None
        try:
            with self.unit(call.scope, call=call) as work:
                now = work.now
                return _swept(work)
        except InsufficientFunds:
            return None if now is None else now + timedelta(seconds=AGAIN_S)


def _swept(work: UnitOfWork) -> datetime | None:
    number = work.reversals.lock()
    again = None
    for currency, buckets in work.balances.now().items():
        owed = buckets.get("owed", 0)
        if owed <= 0:
            continue
        moved = recovery_of(
            number, owed=owed, available=buckets.get("available", 0), withheld=buckets.get("withheld", 0)
        )
        if moved.total < owed:
            again = work.now + timedelta(seconds=SWEEP_S)
        if not moved.total:
            continue
        work.reversals.add_recovery(moved)
        work.journal.post(
            debt_recovered(moved, work.scope.business_id, ASSETS[currency], livemode=work.scope.livemode, at=work.now)
        )
        number += 1
    return again
