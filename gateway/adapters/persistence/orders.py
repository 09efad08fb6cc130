"""Orders of ours by the id that the provider gave them: it is sealed, so a keyed hash of it is looked for."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces.money_back import KnownOrder, Orders


def theirs_of(tx: Transaction, provider_reference: str | None) -> bytes | None:
    """What is kept beside a provider's id, so that it can be found again."""
    return None if provider_reference is None else tx.vault.blind(provider_reference, "provider_reference")


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
