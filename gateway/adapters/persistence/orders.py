"""What the orders of payouts and refunds have in common as rows, and whose the provider's id of one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces.money_back import KnownOrder, Orders
from gateway.domain.payouts import PayoutAttempt
from gateway.domain.refunds import RefundAttempt


def theirs_of(tx: Transaction, provider_reference: str | None) -> bytes | None:
    """What is kept beside a provider's id, which is sealed, so that it can be found again."""
    return None if provider_reference is None else tx.vault.blind(provider_reference, "provider_reference")


def changing(tx: Transaction, one: PayoutAttempt | RefundAttempt, column: str) -> dict[str, Any]:
    """What of an order changes in its life; `column` is where the provider's id of it is sealed for."""
    return {
        "updated": one.updated,
        "state": one.state.value,
        "provider_reference": tx.seal(one.provider_reference, column),
        "provider_reference_hmac": theirs_of(tx, one.provider_reference),
        "submitted_at": one.submitted_at,
        "failure": kept.failure_out(one.failure),
        "receipt_number": one.receipt_number,
        "look_ups": one.look_ups,
        "looked_up_at": one.looked_up_at,
        "woken": one.woken,
        "sends": one.sends,
    }


class SqlOrders(Orders):
    """Payouts' and refunds' orders, of every business of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def known_as(self, provider_reference: str) -> Sequence[KnownOrder]:
        sql = "SELECT attempt_id, code, over_rail FROM gateway.find_orders(%s, %s)"
        values = (theirs_of(self._tx, provider_reference), self._tx.scope.livemode)
        return [
            KnownOrder(attempt_id=row[0], code=row[1], over_rail=row[2])
            for row in self._tx.raw.execute(sql, values).fetchall()
        ]
