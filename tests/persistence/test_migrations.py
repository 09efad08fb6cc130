"""Migrations: any number of times, on any number of databases at once, by a role that is no superuser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.adapters.persistence import migrate as migrations
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.adapters.servers import RunningPostgres, embedded_postgres
from tests.persistence.books import Books, Trader, at_once, new_id
from tests.servers import Database, Databases, databases_of

LOGINS = ("gateway_app", "gateway_worker", "gateway_operator", "gateway_read")


@pytest.fixture
def bare_server(scratch: Path) -> Iterator[RunningPostgres]:
    """A server on which nobody has made our roles."""
    with embedded_postgres(scratch / f"bare-{new_id().hex}", durable=False) as running:
        yield running


def _in_processes(urls: list[str]) -> list[int]:
    """Migrate each in a process of its own, all at the same time; their exit statuses."""
    act = (
        "import sys; from gateway.adapters.persistence.migrate import migrate;"
        " sys.stdin.readline(); migrate(sys.argv[1])"
    )
    running = [subprocess.Popen([sys.executable, "-c", act, url], stdin=subprocess.PIPE) for url in urls]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    return [process.wait(timeout=30) for process in running]


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_up_again_down_and_up(empty_database: Database) -> None:
    url = empty_database.url("owner")
    assert migrations.pending(url)[0] == "0001"
    assert migrations.pending(url)[-1] == migrations.HEAD
    for _ in range(2):
        migrations.migrate(url)
        assert migrations.pending(url) == []
    migrations.downgrade(url, "base")
    assert migrations.pending(url)[0] == "0001"
    migrations.migrate(url)
    books = Books(database=empty_database)
    books.of().post_now(Trader().pay_in(1))
    assert books.proved()
    books.close()


def test_two_runs_on_one_database(empty_database: Database) -> None:
    url = empty_database.url("owner")
    assert at_once([partial(migrations.migrate, url)] * 3) == [None] * 3
    migrations.downgrade(url, "base")
    assert _in_processes([url] * 2) == [0] * 2
    assert migrations.pending(url) == []


def test_databases_of_one_server_migrate_at_once(bare_server: RunningPostgres) -> None:
    """Roles belong to the server: every migration wants to make them, at the same moment."""
    databases = databases_of(bare_server)
    with databases.fresh() as one, databases.fresh() as two, databases.fresh() as three:
        urls = [database.url("owner") for database in (one, two, three)]
        assert _in_processes(urls) == [0] * 3
        assert [migrations.pending(url) for url in urls] == [[]] * 3
        for database in (one, two, three):
            books = Books(database=database)
            books.of().post_now(Trader().pay_in(1))
            assert books.proved()
            books.close()


@pytest.mark.parametrize("by_hand", [False, True], ids=["createrole", "dba"])
def test_the_migrating_role_is_no_superuser(bare_server: RunningPostgres, by_hand: bool) -> None:
    """It may create roles; or an administrator has done that part, and then it may not."""
    plain = bare_server.url_for().replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as conn:
        conn.execute("CREATE ROLE migrator LOGIN NOSUPERUSER CREATEROLE")
        conn.execute("CREATE DATABASE shop OWNER migrator")
    if by_hand:
        with psycopg.connect(plain.replace("gateway@", "migrator@"), autocommit=True) as conn:
            conn.execute(migrations.print_sql_for_dba())  # type: ignore[call-overload]
        with psycopg.connect(plain, autocommit=True) as conn:
            conn.execute("ALTER ROLE migrator NOCREATEROLE")
    url = bare_server.url_for("migrator", "shop")
    migrations.migrate(url)
    assert migrations.pending(url) == []
    books = Books(database=Database(name="shop", server=bare_server))
    trader = Trader()
    books.of().post_now(trader.pay_in(10))
    assert SqlLedger(engine=books.engine("worker"), new_id=new_id).drain(livemode=True) == 1
    assert books.proved()
    books.close()


def test_the_login_roles_do_not_wait_for_ever(database: Database) -> None:
    with psycopg.connect(database.plain_url("owner")) as conn:
        for role in LOGINS:
            row = conn.execute(
                "SELECT rolconfig, rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", (role,)
            ).fetchone()
            assert row is not None
            settings = dict(entry.split("=", 1) for entry in row[0])
            assert {"lock_timeout", "statement_timeout"} <= set(settings)
            assert row[1:] == (True, False, False)


def test_nobody_creates_in_public_or_temporary(empty_database: Database, databases: Databases) -> None:
    migrations.migrate(empty_database.url("owner"))
    with psycopg.connect(empty_database.plain_url("app"), autocommit=True) as conn:
        for sql in ("CREATE TABLE public.mine (x int)", "CREATE TEMPORARY TABLE mine (x int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql)  # type: ignore[call-overload]
