"""Engines: one a role, with as many connections as the process has threads, opened after the fork."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Engine, create_engine, event
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
    and COMMIT itself. A forked process never uses its parent's connections.
    """
    options = f"-c lock_timeout={lock_timeout_ms} -c statement_timeout={statement_timeout_ms} -c timezone=UTC"
    engine = create_engine(
        url,
        pool_size=threads,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        isolation_level="AUTOCOMMIT",
        connect_args={"options": options, "application_name": name, "connect_timeout": 10},
    )
    _keep_to_own_process(engine)
    return engine


def _keep_to_own_process(engine: Engine) -> None:
    """Two processes on one socket would read one another's answers: each connection remembers who opened it."""

    def remember(_: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    def refuse_inherited(_: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("this connection belongs to the parent process")

    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", refuse_inherited)
