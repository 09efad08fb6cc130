"""Every sealed column there is, how much stands under which master key, and values sealed again under the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from gateway.adapters.persistence.engines import borrowed
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.vault import CannotOpen, Vault
from gateway.application.interfaces import Resealing, SealedColumn
from gateway.domain.errors import Conflict

#: Bytes that aren't sealed: hashes and keyed hashes, which have nothing to open, and what any node may read.
_PLAIN = ("idempotency_key", "fingerprint", "signed_bytes")
_PLAIN_ENDS = ("_hash", "_hmac")
#: Where a value is sealed for another place than its own: a secret that was replaced stays what it was.
_SEALED_AS = {("webhook_endpoint", "previous_secret"): "webhook_endpoint.secret"}

#: From the catalog, so that no new table is forgotten.
_COLUMNS = """
SELECT c.relname, a.attname, EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = c.oid AND b.attname = 'business_id')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'gateway' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
  AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype
ORDER BY 1, 2
"""
#: The form, the length of the key's id, the id: see the vault.
_MASTER = "substring({column} FROM 3 FOR get_byte({column}, 1))"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlResealing(Resealing):
    """On the operator's engine; each call is a transaction of its own."""

    engine: Engine
    vault: Vault

    @property
    def current(self) -> str:
        return next(iter(self.vault.masters))

    def columns(self) -> Sequence[SealedColumn]:
        return [
            SealedColumn(table=table, column=column, owned=owned)
            for table, column, owned in self._all(_COLUMNS, {})
            if column not in _PLAIN and not column.endswith(_PLAIN_ENDS)
        ]

    def count(self, place: SealedColumn) -> Mapping[str, int]:
        master = _MASTER.format(column=place.column)
        sql = (
            f"SELECT convert_from({master}, 'SQL_ASCII'), count(*) FROM gateway."  # noqa: S608  # nosec B608
            f'"{place.table}" WHERE {place.column} IS NOT NULL GROUP BY 1'
        )
        return {str(name): int(rows) for name, rows in self._all(sql, {})}

    def reseal(self, place: SealedColumn, after: UUID | None, limit: int) -> tuple[int, UUID | None]:
        rows = self._stale(place, after, limit)
        if not rows:
            return 0, None
        label = _SEALED_AS.get((place.table, place.column), f"{place.table}.{place.column}")
        fresh = [self._again(place, label, row) for row in rows]
        values = {
            "table": place.table,
            "column": place.column,
            "ids": [row[0] for row in rows],
            "old": [row[1] for row in rows],
            "new": fresh,
        }
        ((written,),) = self._all("SELECT gateway.reseal(%(table)s, %(column)s, %(ids)s, %(old)s, %(new)s)", values)
        return int(written), rows[-1][0]

    def _stale(self, place: SealedColumn, after: UUID | None, limit: int) -> list[tuple[Any, ...]]:
        master = _MASTER.format(column=place.column)
        owner = "business_id" if place.owned else "NULL::uuid"
        sql = (
            f'SELECT id, {place.column}, {owner} FROM gateway."{place.table}"'  # noqa: S608  # nosec B608
            f" WHERE {place.column} IS NOT NULL AND {master} <> %(current)s AND id > %(after)s"
            " ORDER BY id LIMIT %(limit)s"
        )
        return self._all(sql, {"current": self.current.encode(), "after": after or UUID(int=0), "limit": limit})

    def _again(self, place: SealedColumn, label: str, row: tuple[Any, ...]) -> bytes:
        id_, sealed, business_id = row
        try:
            plain = self.vault.open(sealed, column=label, business_id=business_id)
        except CannotOpen as trouble:
            raise Conflict(f"{place.table} {id_}: {trouble}; nothing of it was changed") from None
        return self.vault.seal(plain, column=label, business_id=business_id)

    def _all(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with in_our_words(), borrowed(self.engine) as (driver, _):
            return driver.execute(sql, values).fetchall()
