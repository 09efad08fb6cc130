"""The release of money that waited for its banking day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, OpenUnit
from gateway.domain import postings
from gateway.domain.payments import SettlementStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReceipt:
    """Move a receipt's share from pending to available, once, when its day has come."""

    unit: OpenUnit

    def __call__(self, receipt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None."""
        with self.unit(call.scope, call=call) as work:
            payment = work.payments.get(work.receipts.get(receipt_id).payment_id, lock=True)
            receipt = work.receipts.get(receipt_id, lock=True)
            if receipt.released_at is not None or receipt.available_on is None:
                return None
            if work.now < receipt.available_on:
                return receipt.available_on
            receipt = work.receipts.save(replace(receipt, released_at=work.now, updated=work.now))
            if receipt.due_units > receipt.charge.total:
                work.journal.post(postings.receipt_released(receipt, work.now))
            waiting = [r for r in work.receipts.of(payment.id) if r.bucket == "pending" and r.released_at is None]
            if not waiting:
                payment = work.payments.save(
                    replace(payment, settlement_status=SettlementStatus.AVAILABLE, updated=work.now)
                )
            work.events.put("balance.available", payment.id, shown.payment(payment))
            return None
