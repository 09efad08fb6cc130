"""Reads and writes of single tables as text that is made once: to build such a statement costs more than to run it.

They go to the driver, whose prepared statements they become, and errors are the driver's own.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import ClauseElement, Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from gateway.adapters.persistence.types import Units

_PSYCOPG = PGDialect_psycopg(paramstyle="pyformat")  # type: ignore[no-untyped-call]
#: What stands before the names of a condition's values, which may be those of columns that are written.
_OF = "of_"

#: Makes a row of the driver's values.
Make = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    sql: str
    rows: Callable[[Any], Make]


def found(
    conn: psycopg.Connection[Any],
    table: Table,
    where: Mapping[str, Any],
    *,
    columns: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    lock: bool = False,
) -> list[Any]:
    """The rows whose columns equal those of `where`, each a named tuple; whole numbers of units are `int`.

    A lock leaves room for foreign keys to the row: nothing here changes an id.
    """
    made = _reading(table, tuple(where), columns, order, lock)
    return conn.cursor(row_factory=made.rows).execute(made.sql, _named(where)).fetchall()


def changed(conn: psycopg.Connection[Any], table: Table, where: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Write the rows whose columns equal those of `where`; gives how many."""
    sql = _changing(table, tuple(where), tuple(values))
    return conn.execute(sql, {**sent(table, values), **_named(where)}).rowcount


def added(conn: psycopg.Connection[Any], table: Table, row: Mapping[str, Any], *, once: bool = False) -> bool:
    """Insert a row. False where a unique key is taken and `once` allows for that; else that raises UniqueViolation."""
    return conn.execute(_adding(table, tuple(row), once), sent(table, row)).rowcount == 1


def sent(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the driver takes them: what it can't know is that a column is JSON, or whole units."""
    ready = dict(values)
    for name, convert in _converted(table).items():
        if (value := ready.get(name)) is not None:
            ready[name] = convert(value)
    return ready


def units_out(value: Any) -> Any:
    """As the column type writes it, so that one prepared statement serves sums of every size."""
    return Units().process_bind_param(value, _PSYCOPG)


@cache
def _converted(table: Table) -> Mapping[str, Callable[[Any], Any]]:
    known: dict[str, Callable[[Any], Any]] = {}
    for column in table.c:
        if isinstance(column.type, JSONB):
            known[column.name] = Jsonb
        elif isinstance(column.type, Units):
            known[column.name] = units_out
    return known


def as_text(stmt: ClauseElement) -> str:
    """A statement as the driver takes it: made once, and given its bound parameters by name each time."""
    return str(stmt.compile(dialect=_PSYCOPG))


@cache
def _reading(
    table: Table, where: tuple[str, ...], columns: tuple[str, ...], order: tuple[str, ...], lock: bool
) -> _Reading:
    names = columns or tuple(column.name for column in table.c)
    stmt = select(*(table.c[name] for name in names)).where(*_conditions(table, where))
    stmt = stmt.order_by(*(table.c[name] for name in order))
    if lock:
        stmt = stmt.with_for_update(key_share=True)
    return _Reading(sql=as_text(stmt), rows=rows_of(table, names))


def rows_of(table: Table, names: tuple[str, ...]) -> Callable[[Any], Make]:
    """The driver's row factory for these columns."""
    shape: Any = namedtuple("Row", names)  # type: ignore[misc]  # mypy wants them written out
    units = [place for place, name in enumerate(names) if isinstance(table.c[name].type, Units)]

    def with_units(values: Sequence[Any]) -> Any:
        whole = list(values)
        for place in units:
            if whole[place] is not None:
                whole[place] = int(whole[place])
        return shape._make(whole)

    make: Make = with_units if units else shape._make
    return lambda _: make


@cache
def _changing(table: Table, where: tuple[str, ...], names: tuple[str, ...]) -> str:
    stmt = update(table).where(*_conditions(table, where)).values({name: bindparam(name) for name in names})
    return as_text(stmt)


@cache
def _adding(table: Table, names: tuple[str, ...], once: bool) -> str:
    stmt = insert(table).values({name: bindparam(name) for name in names})
    return as_text(stmt.on_conflict_do_nothing() if once else stmt)


def _conditions(table: Table, where: tuple[str, ...]) -> list[Any]:
    return [table.c[name] == bindparam(_OF + name) for name in where]


def _named(where: Mapping[str, Any]) -> dict[str, Any]:
    return {_OF + name: value for name, value in where.items()}
