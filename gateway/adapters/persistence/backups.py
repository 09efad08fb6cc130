"""A backup and its proof: dump a database at one instant, restore it elsewhere, and compare every row."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.engine import make_url

from gateway.adapters.persistence.ledger_checks import run_checks
from gateway.application.ledger import Finding
from gateway.domain.errors import Conflict

#: Longer than any backup should take: a drill that hangs is a finding too.
_WITHIN_S = 3_600
_TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_catalog.pg_tables
WHERE schemaname IN ('gateway', 'ledger') OR tablename = 'alembic_version' ORDER BY 1
"""


class BackupFailed(Conflict):
    """A program of PostgreSQL gave up; the sentence is its own."""

    code = "backup_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProof:
    """One table as it stood: how many rows, and a number that any change of any of them changes."""

    rows: int
    digest: int


@contextmanager
def frozen(url: str) -> Iterator[tuple[str, Mapping[str, TableProof]]]:
    """The database as of one instant, for as long as the block lasts: a snapshot's name, and the proof of each table.

    `url` is the owner's, who sees every row.
    """
    with _connected(url) as conn:
        conn.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        name = conn.exec_driver_sql("SELECT pg_catalog.pg_export_snapshot()").scalar_one()
        yield str(name), _proofs(conn)


def proofs(url: str) -> Mapping[str, TableProof]:
    """The proof of each table of a database at rest."""
    with _connected(url) as conn:
        return _proofs(conn)


def books_of(url: str) -> list[Finding]:
    """The proof of the books, with an owner's connection."""
    with _connected(url) as conn:
        conn.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return run_checks(conn)


def dump(program: Path, url: str, snapshot: str, into: Path) -> None:
    """Write the snapshot to a file with `pg_dump`. Raises BackupFailed."""
    _run([str(program), "--format=custom", f"--snapshot={snapshot}", f"--file={into}", _where(url)], url)


def restore(program: Path, backup: Path, url: str) -> None:
    """Read it into an empty database with `pg_restore`, all or nothing. Raises BackupFailed."""
    _run([str(program), "--exit-on-error", "--single-transaction", _where(url), str(backup)], url)


def make_roles(url: str, sql: str) -> None:
    """Roles belong to a server, not to a database: a new server must have them before the restore."""
    with _connected(url) as conn:
        driver = conn.connection.driver_connection
        if driver is None:
            raise BackupFailed("the connection was lost")
        driver.execute(sql)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def _proofs(conn: Connection) -> dict[str, TableProof]:
    found = {}
    for table in conn.exec_driver_sql(_TABLES).scalars().all():
        row = conn.exec_driver_sql(
            # The names are the catalog's own, quoted by it.
            f"SELECT count(*), COALESCE(sum(hashtextextended(t::text, 0)), 0) FROM {table} t"  # noqa: S608  # nosec B608
        ).one()
        found[str(table)] = TableProof(rows=int(row[0]), digest=int(row[1]))
    return found


def _where(url: str) -> str:
    """The database as PostgreSQL's own programs name it, without the password."""
    at = make_url(url)._replace(drivername="postgresql", password=None)
    return f"--dbname={at.render_as_string()}"


def _run(command: list[str], url: str) -> None:
    """The password travels in the environment, which holds nothing else: a command line is everybody's to read."""
    password = make_url(url).password
    environ = {"PGTZ": "UTC", **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(  # noqa: S603  # nosec B603
        command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN_S, check=False
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise BackupFailed(f"{Path(command[0]).name}: {words[-1] if words else f'status {done.returncode}'}")
