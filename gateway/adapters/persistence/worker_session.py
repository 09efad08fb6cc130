"""A worker's own session: the lock it holds there says that the worker lives, and so whose the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine

from gateway.adapters.persistence.engines import driver_of

#: Nothing waits here until a start is on disk: it means something as long as this session lives, and a server that lost
#: it has lost the session as well. What the work itself commits is on disk, and what came before that with it.
_OPEN = "SELECT gateway.take_holder(), set_config('synchronous_commit', 'off', false)"


class WorkerSession:
    """One connection outside the pool, opened on first use, with the number under which this process holds rows.

    The rows are started on this very session, so a number whose session broke never starts on anything. It must reach
    PostgreSQL itself: behind a pooler that shares sessions the lock would say nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._one_at_a_time = Lock()
        self._conn: Connection | None = None
        self._driver: psycopg.Connection[Any] | None = None
        self._holder = 0

    def one(self, sql: str, values: Mapping[str, Any]) -> Any:
        """The first row of a statement that gets `holder`, as a named tuple. A session that broke is opened anew."""
        with self._one_at_a_time:
            try:
                return self._run(sql, values)
            except psycopg.Error:
                if self._driver is None or not self._driver.closed:
                    raise
                self._drop()
                return self._run(sql, values)

    def close(self) -> None:
        """End the session: what this process still held is free at once."""
        with self._one_at_a_time:
            self._drop()

    def _drop(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = self._driver = None

    def _run(self, sql: str, values: Mapping[str, Any]) -> Any:
        driver = self._driver or self._opened()
        cursor = driver.cursor(row_factory=namedtuple_row)
        return cursor.execute(sql, {**values, "holder": self._holder}).fetchone()

    def _opened(self) -> psycopg.Connection[Any]:
        conn = self._engine.connect()
        driver = driver_of(conn)
        conn.detach()
        try:
            opened = driver.execute(_OPEN).fetchone()
        except BaseException:
            conn.close()
            raise
        self._holder = int(opened[0]) if opened else 0
        self._conn, self._driver = conn, driver
        return driver
