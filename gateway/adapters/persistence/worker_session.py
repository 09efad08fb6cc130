"""A worker's own session: the lock it holds there says that the worker lives, and so whose the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import DBAPIError


class WorkerSession:
    """One connection outside the pool, opened on first use, with the number under which this process holds rows.

    The rows are started on this very session, so a number whose session broke never starts on anything. It must reach
    PostgreSQL itself: behind a pooler that shares sessions the lock would say nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one_at_a_time = Lock()
        self._conn: Connection | None = None
        self._holder = 0

    def one(self, sql: str, values: Mapping[str, Any]) -> Row[Any] | None:
        """The first row of a statement that gets `holder`. A session that broke is opened anew, once."""
        with self._one_at_a_time:
            try:
                return self._run(sql, values)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                self._conn = None
                return self._run(sql, values)

    def close(self) -> None:
        """End the session: what this process still held is free at once."""
        with self._one_at_a_time:
            if self._conn is not None:
                self._conn.close()
                self._conn = None

    def _run(self, sql: str, values: Mapping[str, Any]) -> Row[Any] | None:
        if self._conn is None:
            conn = self._engine.connect()
            conn.detach()
            self._holder = int(conn.exec_driver_sql("SELECT gateway.take_holder()").scalar_one())
            self._conn = conn
        return self._conn.exec_driver_sql(sql, {**values, "holder": self._holder}).first()
