"""The servers the tests run against: one real PostgreSQL and one Valkey a session, and a fresh database a test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from gateway.adapters.servers import RunningPostgres
from gateway.adapters.servers.account import closed_folder, lent_account

#: Whom to connect as. "owner" is the migrating superuser; a test of what a role may do must connect as that role.
ROLES = {
    "owner": "gateway",
    "app": "gateway_app",
    "worker": "gateway_worker",
    "operator": "gateway_operator",
    "read": "gateway_read",
}
_PREFIX = "gateway-tests-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database of the session's server."""

    name: str
    server: RunningPostgres

    def url(self, role: str = "app") -> str:
        """A SQLAlchemy URL for one of ROLES."""
        return self.server.url_for(ROLES[role], self.name)

    def plain_url(self, role: str = "app") -> str:
        """The same for psycopg alone, which knows no `+psycopg`."""
        return self.url(role).replace("+psycopg", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Makes databases from a template and drops them, in milliseconds."""

    server: RunningPostgres
    numbers: Iterator[int]

    @contextmanager
    def fresh(self, template: str = "template1") -> Iterator[Database]:
        """A copy of `template` for the length of the block; sessions left open on it are cut."""
        database = Database(name=f"test_{next(self.numbers)}", server=self.server)
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database.name, template)
        try:
            yield database
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", database.name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.url_for().replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def databases_of(server: RunningPostgres) -> Databases:
    return Databases(server=server, numbers=count(1))


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of our own that `nobody` may pass through; those of test runs that were killed are swept on the way."""
    places = (Path(tempfile.gettempdir()), Path("/var/tmp"))  # noqa: S108
    place = next(place for place in places if closed_folder(place, lent_account(place)) is None)
    for left in place.glob(f"{_PREFIX}*"):
        if not _alive(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
    with suppress(PermissionError):
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
