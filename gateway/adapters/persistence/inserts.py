"""Rows as JSON, for a function in the database that inserts them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from json import JSONEncoder
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from gateway.adapters.persistence.types import Units
from ports.money import UNITS_MAX, whole_units


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
