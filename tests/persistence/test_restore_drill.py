"""A backup is brought back row by row, and a drill that finds a difference says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from click.testing import CliRunner

from gateway.adapters.cli.drill import drill
from gateway.bootstrap import drill as drilling
from tests.persistence.books import Books, Trader
from tests.servers import Database


class Cli:
    """The command's process, on this test's database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def restore_drill(self, into: str | None, say: drilling.Say) -> drilling.Drill:
        return drilling.restore_drill(self.database.url("owner"), into, say)


def _trade(books: Books) -> None:
    trader = Trader()
    books.of().post_now(trader.pay_in(70_000))
    books.of().post_now(trader.reserve(1_000))


def test_every_row_comes_back_and_the_books_hold(database: Database, books: Books) -> None:
    _trade(books)
    found = CliRunner().invoke(drill, ["restore"], obj=Cli(database))
    assert found.exit_code == 0, found.output
    assert "Every row came back, and the books hold." in found.output
    assert "restoring ..." in found.output


def test_a_row_that_did_not_come_back_is_told(
    database: Database, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trade(books)
    real = drilling.backups.restore

    def forgetful(program: drilling.Path, backup: drilling.Path, url: str) -> None:
        real(program, backup, url)
        with psycopg.connect(url.replace("+psycopg", "")) as conn:
            conn.execute("UPDATE ledger.balance SET dr = dr + 1 WHERE business_id IS NULL")

    monkeypatch.setattr(drilling.backups, "restore", forgetful)
    found = CliRunner().invoke(drill, ["restore"], obj=Cli(database))
    assert found.exit_code == 1
    assert "ledger.balance: " in found.output
    assert "The books do not hold" in found.output


def test_it_restores_where_it_is_told_and_refuses_what_is_not_empty(database: Database, books: Books) -> None:
    with _empty(database) as target:
        first = CliRunner().invoke(drill, ["restore", "--into", target], obj=Cli(database))
        assert first.exit_code == 0, first.output
        again = CliRunner().invoke(drill, ["restore", "--into", target], obj=Cli(database))
    assert isinstance(again.exception, drilling.backups.BackupFailed)
    assert "pg_restore" in str(again.exception)


@contextmanager
def _empty(database: Database) -> Iterator[str]:
    name = f"{database.name}_restored"
    database.server.ensure_database(name)
    try:
        yield database.server.url_for("gateway", name)
    finally:
        with psycopg.connect(database.plain_url("owner"), autocommit=True) as conn:
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
