"""Inserts of every request, as text that is made once: building a statement each time costs as much as running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gateway.adapters.persistence.types import Units

_PSYCOPG = PGDialect_psycopg(paramstyle="pyformat")  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Insert:
    """`converted`: what the driver can't take as the domain has it."""

    sql: str
    converted: Mapping[str, Callable[[Any], Any]]


def inserted(conn: psycopg.Connection[Any], table: Table, row: Mapping[str, Any]) -> bool:
    """Insert `row`, which names every column that has no default; False when any unique key of the table is taken."""
    made = _insert_into(table)
    values = dict(row)
    for name, convert in made.converted.items():
        if (value := values.get(name)) is not None:
            values[name] = convert(value)
    return conn.execute(made.sql, {column.name: values.get(column.name) for column in table.c}).fetchone() is not None


@cache
def _insert_into(table: Table) -> _Insert:
    stmt = insert(table).on_conflict_do_nothing().returning(table.c.id)
    converted: dict[str, Callable[[Any], Any]] = {}
    for column in table.c:
        if isinstance(column.type, JSONB):
            converted[column.name] = Jsonb
        elif isinstance(column.type, Units):
            converted[column.name] = _units
    return _Insert(sql=str(stmt.compile(dialect=_PSYCOPG)), converted=converted)


def _units(value: Any) -> Any:
    """As the column type writes it, so that one prepared statement serves sums of every size."""
    return Units().process_bind_param(value, _PSYCOPG)
