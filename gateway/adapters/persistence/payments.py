"""Payments as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import payment as table
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import IdempotentCall, Page, Payments
from gateway.domain.errors import Conflict
from gateway.domain.payments import ExceptionStatus, Payment, PaymentState, SettlementStatus


class SqlPayments(Payments):
    """Payments of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, payment: Payment, idempotency: IdempotentCall | None) -> None:
        row = {"id": payment.id, "created": payment.created, "version": payment.version, **_written(payment)}
        row["currency"] = payment.amount.asset.code
        taken = Conflict(
            "another payment has this reference; references are unique", code="reference_taken", param="/reference"
        )
        self._tx.add_late(table, row, idempotency, taken)

    def get(self, payment_id: UUID, *, lock: bool = False) -> Payment:
        held: Payment | None = self._tx.held.get(payment_id)
        if held is not None:
            return held
        payment = payment_of(self._tx.get(table, payment_id, "payment", lock=lock))
        if lock:
            self._tx.held[payment_id] = payment
        return payment

    def many(self, payment_ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
        stmt = select(table).where(self._tx.own(table), table.c.id.in_(payment_ids))
        return {row.id: payment_of(row) for row in self._tx.conn.execute(stmt)}

    def save(self, payment: Payment) -> Payment:
        saved = self._tx.saved(table, payment, _written(payment))
        if saved.id in self._tx.held:
            self._tx.held[saved.id] = saved
        return saved

    def page(self, page: Page) -> tuple[Sequence[Payment], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "state", "reference", "customer_id"))
        return [payment_of(row) for row in rows], more


def _written(one: Payment) -> dict[str, Any]:
    """What changes in a payment's life."""
    return {
        "updated": one.updated,
        "metadata": dict(one.metadata),
        "amount_units": one.amount.units,
        "due_units": one.amount_due.units,
        "received_units": one.received_units,
        "refunded_units": one.refunded_units,
        "state": one.state.value,
        "exception_status": one.exception_status.value if one.exception_status else None,
        "outcome_unknown": one.outcome_unknown,
        "description": one.description,
        "reference": one.reference,
        "customer_id": one.customer_id,
        "session_id": one.session_id,
        "terms": kept.terms_out(one.terms),
        "settlement_status": one.settlement_status.value,
        "available_on": one.available_on,
        "next_action": kept.action_out(one.next_action),
        "last_error": kept.failure_out(one.last_error),
        "expires_at": one.expires_at,
        "succeeded_at": one.succeeded_at,
    }


def payment_of(row: Any) -> Payment:
    """The payment of a row."""
    return Payment(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        metadata=row.metadata,
        amount=kept.money(row.amount_units, row.currency),
        amount_due=kept.money(row.due_units, row.currency),
        received_units=row.received_units,
        refunded_units=row.refunded_units,
        state=PaymentState(row.state),
        exception_status=ExceptionStatus(row.exception_status) if row.exception_status else None,
        outcome_unknown=row.outcome_unknown,
        description=row.description,
        reference=row.reference,
        customer_id=row.customer_id,
        session_id=row.session_id,
        terms=kept.terms_in(row.terms),
        settlement_status=SettlementStatus(row.settlement_status),
        available_on=row.available_on,
        next_action=kept.action_in(row.next_action),
        last_error=kept.failure_in(row.last_error),
        expires_at=row.expires_at,
        succeeded_at=row.succeeded_at,
    )
