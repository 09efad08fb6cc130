"""Runs the migrations: no configuration file, one at a time on a database, and each run all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine

#: The newest revision: what a database must be at for this release to work with it.
HEAD = "0010"

_FOLDER = Path(__file__).parent / "migrations"
#: Any number of ours: who holds this lock on a database migrates it.
_LOCK = 0x6D696772
#: Alembic keeps what it is doing in globals and holds an import lock meanwhile: one run at a time in a process.
_IN_PROCESS = Lock()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database of `url` up to `revision`; nothing happens when it is there already.

    The role of `url` owns the database and can create roles, or a database administrator has run
    `print_sql_for_dba` for it. Two runs at once are harmless: the second waits, and finds nothing to do.
    """
    with _alone(url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take revisions back, with the data that they hold: for development alone."""
    with _alone(url) as connection:
        command.downgrade(_config(connection), revision)


def pending(url: str) -> list[str]:
    """The revisions that the database of `url` doesn't have yet, the oldest first."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": "public"})
        here = context.get_current_revision()
    script = ScriptDirectory.from_config(_config())
    return [step.revision for step in reversed(list(script.iterate_revisions("head", here)))]


def print_sql_for_dba() -> str:
    """The part that needs CREATEROLE, to be run once on the server by hand, as the role that will migrate."""
    return (_FOLDER / "sql" / "roles.sql").read_text()


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A connection in a transaction that nobody else migrates beside; leaving the block commits."""
    engine = create_engine(url, poolclass=NullPool)
    with _IN_PROCESS, engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
