"""The plug is pulled, the client dies, the database moves house: what was acknowledged is there, and the books hold."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from gateway.adapters.persistence.ledger import _POST, _arguments
from gateway.adapters.persistence.migrate import migrate
from gateway.adapters.servers import RunningPostgres, embedded_postgres
from gateway.adapters.servers.account import lent_account
from gateway.adapters.servers.binaries import postgres_programs
from gateway.domain.errors import InsufficientFunds
from gateway.domain.ledger import Journal, KeyConflict, fees
from tests.persistence.books import Books, Trader, at_once, new_id
from tests.servers import Database
from tests.waiting import eventually

WRITERS, ENOUGH = 6, 120


@contextmanager
def _shop(server: RunningPostgres) -> Iterator[Books]:
    books = Books(database=Database(name="shop", server=server))
    yield books
    books.close()


def _journals(trader: Trader) -> Iterator[Journal]:
    """Money in, and a payout of a part of it, for ever."""
    while True:
        available = trader.bucket("available")
        yield trader.journal((trader.float, available, 1000), (available, fees("collect"), 15))
        yield (accepted := trader.reserve(500))
        yield trader.outcome(accepted, paid=True)


@pytest.mark.crash
def test_a_killed_server_keeps_what_it_acknowledged(scratch: Path) -> None:
    folder, traders = scratch / f"killed-{new_id().hex}", [Trader() for _ in range(3)]
    asked: list[Journal] = []
    acknowledged: list[Journal] = []
    enough = threading.Event()

    def write(books: Books, trader: Trader, role: str) -> None:
        for number, journal in enumerate(_journals(trader)):
            asked.append(journal)
            if number % 2:
                books.of(role).post_many([journal])
            else:
                books.of(role).post_now(journal)
            acknowledged.append(journal)
            if len(acknowledged) >= ENOUGH:
                enough.set()

    def drain(books: Books) -> None:
        while True:
            books.of("worker").drain(livemode=True, rows=5)

    with embedded_postgres(folder) as server:
        server.ensure_database("shop")
        migrate(server.url_for("gateway", "shop"))
        with _shop(server) as books:

            def pull_the_plug() -> None:
                assert enough.wait(20)
                server.kill()

            writers = [
                lambda n=n: write(books, traders[n % 3], ("app", "worker")[n % 2])  # type: ignore[misc]
                for n in range(WRITERS)
            ]
            ends = at_once([*writers, lambda: drain(books), pull_the_plug])
            assert all(isinstance(end, DBAPIError) for end in ends[:-1]), ends
            assert ends[-1] is None
    with embedded_postgres(folder) as server, _shop(server) as books:
        with books.owner() as conn:
            there = {row[0] for row in conn.execute("SELECT idem_key FROM ledger.journal")}
        assert {journal.key for journal in acknowledged} <= there <= {journal.key for journal in asked}
        assert books.proved()
        for journal in asked:
            assert books.of().post_now(journal).replayed is (journal.key in there)
        while books.of("worker").drain(livemode=True):
            pass
        for trader in traders:
            mine = [journal for journal in asked if journal.business_id == trader.business_id]
            received = 1000 * sum(journal.key.startswith("test:") for journal in mine)
            paid = 500 * sum(journal.key.endswith(":outcome") for journal in mine)
            assert books.holds(trader.float) == paid - received
        assert books.proved()


def test_a_client_that_dies_before_the_answer_tries_again(books: Books) -> None:
    """The journal was committed, and nobody heard of it."""
    trader = Trader()
    journal = trader.pay_in(1000)
    client = books.role("app")
    query = psycopg.ClientCursor(client).mogrify(_POST, _arguments(journal, new_id()))
    client.pgconn.send_query(query.encode())
    client.pgconn.flush()
    assert eventually(lambda: books.count("journal") == 1)
    client.pgconn.finish()
    again = books.of().post_now(journal)
    assert again.replayed
    assert books.holds(trader.bucket("available")) == 1000
    assert books.proved()


def test_dump_and_restore_into_a_fresh_server(books: Books, scratch: Path) -> None:
    trader = Trader()
    first = trader.pay_in(10_000)
    known = books.of().post_now(first)
    accepted = [trader.reserve(1000) for _ in range(3)]
    books.of("worker").post_many(accepted)
    books.of("worker").drain(livemode=True)
    books.of("worker").post_now(trader.outcome(accepted[0], paid=True))
    before = books.of("operator").trial_balance(livemode=True)
    waiting = books.count("balance_delta")
    assert waiting > 0
    with embedded_postgres(scratch / f"restored-{new_id().hex}", durable=False) as server, _shop(server) as restored:
        server.ensure_database("shop")
        _feed(server, "postgres", _dumped(books.database.server, "pg_dumpall", "--roles-only"))
        _feed(server, "shop", _dumped(books.database.server, "pg_dump", books.database.name))
        assert restored.of("operator").trial_balance(livemode=True) == before
        assert restored.count("balance_delta") == waiting
        assert restored.proved()
        again = restored.of().post_now(first)
        assert (again.uid, again.journal_id, again.replayed) == (known.uid, known.journal_id, True)
        with pytest.raises(KeyConflict):
            restored.of().post_now(trader.outcome(accepted[0], paid=False))
        assert not restored.of().post_now(trader.outcome(accepted[1], paid=False)).replayed
        with pytest.raises(InsufficientFunds):
            restored.of().post_now(trader.reserve(10_000))
        assert restored.of("worker").drain(livemode=True) >= waiting
        assert restored.proved()


def _dumped(server: RunningPostgres, program: str, *arguments: str) -> bytes:
    command = [_program(program), "-h", "127.0.0.1", "-p", str(server.port), "-U", "gateway", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def _feed(server: RunningPostgres, database: str, sql: bytes) -> None:
    """The role that runs a server is there already, in a dump too; nothing else may fail."""
    script = sql.replace(b"CREATE ROLE gateway;\n", b"")
    command = [_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(server.port)]
    subprocess.run([*command, "-U", "gateway", database], check=True, input=script, capture_output=True, timeout=60)


def _program(name: str) -> str:
    return str(postgres_programs(lent_account(Path("/"))) / name)
