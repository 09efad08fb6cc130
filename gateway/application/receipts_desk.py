"""What a business may ask about receipts, on one page."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.application.assignments import AssignReceipt, ReadReceipts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsDesk:
    """Read them, and give those in suspense to a payment."""

    read: ReadReceipts
    assign: AssignReceipt
