"""A business's own lines in the books, read under the ledger's row policies: the platform's accounts stay unseen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Balances, Json, Page
from gateway.application.representations import moment
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode

#: The buckets that are the business's money; what is owed to us counts the other way.
_ASSET_BUCKETS = frozenset({"owed"})

_NOW = text(
    "SELECT a.asset, a.path, b.dr, b.cr FROM ledger.account a JOIN ledger.balance_now b ON b.account_id = a.id"
    " WHERE a.business_id = :business AND a.livemode = :livemode"
)
_PAGE = """
SELECT j.id, j.uid, j.kind, j.effective_at, j.recorded_at, j.meta FROM ledger.journal j
WHERE j.business_id = :business AND j.livemode = :livemode {more} ORDER BY j.id {order} LIMIT :limit
"""
_CURSOR = "(SELECT c.id FROM ledger.journal c WHERE c.uid = :cursor)"
_LEGS = text(
    "SELECT l.journal_id, l.asset, l.amount, d.path AS debit, c.path AS credit FROM ledger.leg l"
    " LEFT JOIN ledger.account d ON d.id = l.debit_id LEFT JOIN ledger.account c ON c.id = l.credit_id"
    " WHERE l.journal_id = ANY (:journals) AND l.business_id = :business AND l.livemode = :livemode"
    " ORDER BY l.journal_id, l.line"
)


class SqlBalances(Balances):
    """Balances and balance transactions of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._whose = {"business": tx.scope.business_id, "livemode": tx.scope.livemode}

    def now(self) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for row in self._tx.conn.execute(_NOW, self._whose):
            bucket = _bucket(row.path)
            found[row.asset][bucket] = int(row.dr - row.cr if bucket in _ASSET_BUCKETS else row.cr - row.dr)
        return found

    def transactions(self, page: Page) -> tuple[Sequence[Json], bool]:
        """Cursors are the uids of journals; rows go by the order in which they were recorded."""
        more, values = self._conditions(page)
        backwards = page.ending_before is not None
        sql = text(_PAGE.format(more=more, order="ASC" if backwards else "DESC"))
        rows = self._tx.conn.execute(sql, {**values, "limit": page.limit + 1}).all()
        left = len(rows) > page.limit
        rows = rows[: page.limit]
        return self._shown(rows[::-1] if backwards else rows), left

    def transaction(self, uid: UUID) -> Json:
        sql = text(_PAGE.format(more="AND j.uid = :uid", order="DESC"))
        rows = self._tx.conn.execute(sql, {**self._whose, "uid": uid, "limit": 1}).all()
        if not rows:
            raise NotFound("there is no such balance transaction")
        return self._shown(rows)[0]

    def _conditions(self, page: Page) -> tuple[str, dict[str, Any]]:
        values: dict[str, Any] = dict(self._whose)
        conditions: list[str] = []
        for sign, cursor in (("<", page.starting_after), (">", page.ending_before)):
            if cursor is not None:
                conditions.append(f"AND j.id {sign} {_CURSOR}")
                values["cursor"] = cursor
        for name, sign in (("created_gte", ">="), ("created_gt", ">"), ("created_lte", "<="), ("created_lt", "<")):
            if (at := getattr(page, name)) is not None:
                conditions.append(f"AND j.recorded_at {sign} :{name}")
                values[name] = at
        if page.filters.get("kind") is not None:
            conditions.append("AND j.kind = :kind")
            values["kind"] = page.filters["kind"]
        return " ".join(conditions), values

    def _shown(self, journals: Sequence[Row[Any]]) -> list[Json]:
        lines: dict[int, list[Row[Any]]] = defaultdict(list)
        wanted = {"journals": [j.id for j in journals], **self._whose}
        for leg in self._tx.conn.execute(_LEGS, wanted) if journals else ():
            lines[leg.journal_id].append(leg)
        return [self._transaction(j, lines[j.id]) for j in journals]

    def _transaction(self, journal: Row[Any], legs: Sequence[Row[Any]]) -> Json:
        effect = effect_of(legs, journal.meta)
        return {
            "id": encode(Prefix.BALANCE_TRANSACTION, journal.uid),
            "object": "balance_transaction",
            "livemode": self._tx.scope.livemode,
            "business": encode(Prefix.BUSINESS, self._tx.scope.business_id),
            "kind": journal.kind,
            "created": moment(recorded(journal)),
            "effective_at": moment(journal.effective_at),
            "source": journal.meta.get("object"),
            "currency": effect.currency,
            "amount": effect.amount,
            "fee": effect.fee,
            "tax": effect.tax,
            "net": effect.net,
            "buckets": effect.buckets,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one journal did to a business, in units.

    `buckets` holds the change of each bucket that changed. `net` is the change of all the business's money: the sum of
    the buckets, `owed` counted against it. `fee` and `tax` are what we took in this journal. `amount` is what moved
    apart from them: `net` + `fee` + `tax`, positive for money that came in and negative for money that left; in a
    journal that only moves money between the business's own buckets it is the sum that moved.
    """

    currency: str
    amount: int
    fee: int
    tax: int
    net: int
    buckets: dict[str, int]


def effect_of(legs: Sequence[Row[Any]], meta: Mapping[str, Any]) -> Effect:
    """The effect of the legs that a business can see. An account that it can't see has no path here.

    Fees and taxes go to accounts of the platform, so their sums stand in the journal's `meta` (`fee`, `tax`).
    """
    buckets: dict[str, int] = defaultdict(int)
    moved = 0
    crossed = False
    for leg in legs:
        units = int(leg.amount)
        for path, sign in ((leg.debit, -1), (leg.credit, 1)):
            if path is not None:
                bucket = _bucket(path)
                buckets[bucket] += -sign * units if bucket in _ASSET_BUCKETS else sign * units
        if leg.debit is not None and leg.credit is not None:
            moved += units
        else:
            crossed = True
    net = sum(-units if bucket in _ASSET_BUCKETS else units for bucket, units in buckets.items())
    fee, tax = int(meta.get("fee", 0)), int(meta.get("tax", 0))
    return Effect(
        currency=legs[0].asset if legs else "KES",
        amount=net + fee + tax if crossed else moved,
        fee=fee,
        tax=tax,
        net=net,
        buckets={bucket: units for bucket, units in buckets.items() if units},
    )


def recorded(journal: Row[Any]) -> datetime:
    """When it was booked: by the unit's clock where the unit noted it, else by the server's."""
    noted = journal.meta.get("at")
    at: datetime = datetime.fromisoformat(noted) if noted else journal.recorded_at
    return at


def _bucket(path: str) -> str:
    """The last part of a business's path is the name of the bucket."""
    return path.rpartition(":")[2]
