"""The statements of every request, given to libpq itself: the layers between cost more than such a statement does.

Values and answers are in PostgreSQL's text form. What libpq says of an error becomes the driver's own exception, so
that nobody above has to know which way a statement went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Engine

from gateway.adapters.persistence.engines import borrowed

_NO_SUCH_STATEMENT = b"26000"

Value = str | bytes | bool | int | UUID | datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that gives one row; each connection prepares it once. `sql` has `$1`, `$2`, … for its values."""

    sql: str
    name: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", b"gateway_%x" % (hash(self.sql) & 0xFFFFFFFFFFFFFFFF))

    def one(self, engine: Engine, values: Sequence[Value]) -> list[str | None]:
        """Run it as a transaction of its own; gives its row. Raises what psycopg raises."""
        with borrowed(engine) as (driver, info):
            conn = driver.pgconn
            if self.name not in info:
                _checked(conn, conn.prepare(self.name, self.sql.encode()), ExecStatus.COMMAND_OK)
                info[self.name] = True
            result = conn.exec_prepared(self.name, _texts(values))
            if result.error_field(DiagnosticField.SQLSTATE) == _NO_SUCH_STATEMENT:
                # The driver forgets all statements of a connection, ours too, after some of its rollbacks.
                _checked(conn, conn.prepare(self.name, self.sql.encode()), ExecStatus.COMMAND_OK)
                result = conn.exec_prepared(self.name, _texts(values))
            _checked(conn, result, ExecStatus.TUPLES_OK)
            row = [result.get_value(0, column) for column in range(result.nfields)]
        return [None if value is None else value.decode() for value in row]


def flag(text: str | None) -> bool | None:
    """A boolean of an answer."""
    return None if text is None else text == "t"


def raw_bytes(text: str | None) -> bytes | None:
    """A bytea of an answer."""
    return None if text is None else bytes.fromhex(text[2:])


def _texts(values: Sequence[Value]) -> list[Any]:
    return [_text(value) for value in values]


def _text(value: Value) -> bytes | None:
    match value:
        case None:
            return None
        case str():
            return value.encode()
        case bytes():
            return b"\\x" + value.hex().encode()
        case bool():
            return b"t" if value else b"f"
        case datetime():
            return value.isoformat().encode()
        case _:
            return str(value).encode()


def _checked(conn: PGconn, result: PGresult, wanted: ExecStatus) -> None:
    if result.status == wanted:
        return
    if conn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(conn.get_error_message())
    raise psycopg.errors.error_from_result(result)
