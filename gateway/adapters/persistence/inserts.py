"""Inserts of every request, as text that is made once: building a statement each time costs as much as running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from json import JSONEncoder
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gateway.adapters.persistence.types import Units
from ports.money import UNITS_MAX, whole_units

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


def as_json(table: Table, row: Mapping[str, Any]) -> str:
    """A row as `jsonb_populate_record` reads it. Raises as Units does for what is no whole number."""
    for name in _units_of(table):
        if (value := row.get(name)) is not None and abs(whole_units(value)) > UNITS_MAX:
            raise ValueError("units have at most 38 digits")
    return _ROW.encode(row)


@cache
def _units_of(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.c if isinstance(column.type, Units))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no column takes a {type(value).__name__}")


_ROW = JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)


def _units(value: Any) -> Any:
    """As the column type writes it, so that one prepared statement serves sums of every size."""
    return Units().process_bind_param(value, _PSYCOPG)
