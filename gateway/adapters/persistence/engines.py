"""Engines: one a role, with as many connections as the process has threads, opened after the fork."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

#: A queue behind one busy balance must not take every connection of a process (ledger: lock waits).
LOCK_TIMEOUT_MS = 2_000
STATEMENT_TIMEOUT_MS = 10_000
#: How long a thread waits for a free connection before the caller is told to come back.
POOL_TIMEOUT_S = 5


def open_engine(
    url: str,
    *,
    threads: int,
    name: str = "gateway",
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> Engine:
    """An engine for one role's URL (`postgresql+psycopg://role@…`); connects on first use.

    Connections are in autocommit: a lone statement is a transaction of one round trip, and a unit of work says BEGIN
    and COMMIT itself. A forked process never uses its parent's connections, and nobody a connection that the server
    closed while it was idle.
    """
    options = f"-c lock_timeout={lock_timeout_ms} -c statement_timeout={statement_timeout_ms} -c timezone=UTC"
    engine = create_engine(
        url,
        pool_size=threads,
        max_overflow=0,
        pool_use_lifo=True,  # the one used last has its plans and catalogues warm
        pool_timeout=POOL_TIMEOUT_S,
        pool_reset_on_return=None,  # see _leave_clean
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error's text ends in a log, and parameters are phones and secrets
        connect_args={"options": options, "application_name": name, "connect_timeout": 10},
    )
    event.listen(engine, "connect", _remember_process)
    event.listen(engine, "checkout", _refuse_unusable)
    event.listen(engine, "reset", _leave_clean)
    return engine


def _remember_process(_: Any, record: Any) -> None:
    record.info["pid"] = os.getpid()


def _refuse_unusable(connection: Any, record: Any, proxy: Any) -> None:
    """The pool opens another one then. Two processes on one socket would read one another's answers.

    An idle connection has nothing to read: if it has, the server said goodbye. Asking the socket costs no round trip.
    """
    if record.info["pid"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("this connection belongs to the parent process")
    if connection.closed or _has_something_to_read(connection.fileno()):
        raise DisconnectionError("the server closed this connection")


def _leave_clean(connection: Any, _: Any, __: Any) -> None:
    """Whoever left a transaction open has lost it. Mostly there is none, and a look costs nothing."""
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:
        connection.rollback()


def _has_something_to_read(descriptor: int) -> bool:
    asked = select.poll()
    asked.register(descriptor, select.POLLIN)
    return bool(asked.poll(0))


def driver_of(conn: Connection) -> psycopg.Connection[Any]:
    """The driver's connection under SQLAlchemy's: for BEGIN and COMMIT, which are the unit's to say, and for speed."""
    driver = conn.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the gateway works on psycopg connections alone")
    return driver


def one(engine: Engine, sql: str, values: Mapping[str, Any]) -> Any:
    """The first row of one statement, a transaction of its own, as a named tuple; None without a row.

    It goes to the driver directly: on a path of every request the layers between cost as much as the statement.
    """
    with borrowed(engine) as (driver, _):
        return driver.cursor(row_factory=namedtuple_row).execute(sql, values).fetchone()


@contextmanager
def borrowed(engine: Engine) -> Iterator[tuple[psycopg.Connection[Any], dict[Any, Any]]]:
    """A driver's connection for one statement, and what is remembered about it for as long as it lives."""
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the gateway works on psycopg connections alone")
    try:
        yield driver, pooled.info
    except psycopg.Error:
        if driver.closed:
            pooled.invalidate()
        raise
    finally:
        pooled.close()
