"""Checkout sessions as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gateway.adapters.persistence.tables import checkout_session as table
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import IdempotentCall, Page, Sessions
from gateway.domain.checkout import CheckoutSession
from gateway.domain.errors import Conflict


class SqlSessions(Sessions):
    """Checkout sessions of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, session: CheckoutSession, idempotency: IdempotentCall | None) -> None:
        row = {
            "id": session.id,
            "created": session.created,
            "updated": session.updated,
            "version": session.version,
            "metadata": dict(session.metadata),
            "payment_id": session.payment_id,
            "secret_hash": session.secret_hash,
            "success_url": session.success_url,
            "cancel_url": session.cancel_url,
            "expires_at": session.expires_at,
            "line_items": [[name, units] for name, units in session.line_items],
        }
        if not self._tx.add_once(table, row, idempotency):
            raise Conflict("this payment has a session already")

    def get(self, session_id: UUID) -> CheckoutSession:
        return _session(self._tx.get(table, session_id, "checkout session"))

    def page(self, page: Page) -> tuple[Sequence[CheckoutSession], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "payment_id"))
        return [_session(row) for row in rows], more


def _session(row: Row[Any]) -> CheckoutSession:
    return CheckoutSession(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        metadata=row.metadata,
        payment_id=row.payment_id,
        secret_hash=row.secret_hash,
        success_url=row.success_url,
        cancel_url=row.cancel_url,
        expires_at=row.expires_at,
        line_items=tuple((name, units) for name, units in row.line_items),
    )
