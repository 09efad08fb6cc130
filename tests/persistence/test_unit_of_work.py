"""What a unit promises: its order, its round trips, its time, its bell, and its words for what goes wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.adapters.persistence.clock import SqlTestClock
from gateway.adapters.persistence.engines import one, open_engine
from gateway.application.interfaces import Due, Page, Scope
from gateway.domain.errors import Busy
from gateway.domain.ledger import Journal, Kind, Leg, bucket, float_
from tests.persistence.shop import NOW, Shop, a_payment, idempotent, new_id
from tests.servers import Database
from tests.waiting import eventually


@contextmanager
def round_trips(shop: Shop, folder: Path) -> Iterator[list[str]]:
    """Collects what the server ended with ReadyForQuery: one for each time we waited for it."""
    raw: Any = shop.engine("app").connect().connection.driver_connection
    trace = folder / "trace"
    with trace.open("wb") as log:
        raw.pgconn.trace(log.fileno())
        seen: list[str] = []
        yield seen
        raw.pgconn.untrace()
    seen += [line for line in trace.read_text().splitlines() if "ReadyForQuery" in line]


def test_creating_a_payment_takes_few_round_trips(database: Database, tmp_path: Path) -> None:
    shop = Shop(database=database)
    shop.engines["app"] = open_engine(database.url("app"), threads=1)
    for _ in range(8):  # statements are prepared and the pool is warm
        _create(shop)
    with round_trips(shop, tmp_path) as seen:
        _create(shop)
    shop.close()
    # The row, its event, timer and answer, and the commit, in one.
    assert len(seen) == 1


def test_a_unit_that_also_reads_takes_one_more_for_each_step(database: Database, tmp_path: Path) -> None:
    shop = Shop(database=database)
    shop.engines["app"] = open_engine(database.url("app"), threads=1)
    for _ in range(8):
        _create(shop, reads=True)
    with round_trips(shop, tmp_path) as seen:
        _create(shop, reads=True)
    shop.close()
    # Begin and scope; the row; what is read; events, timer and answer; commit.
    assert len(seen) == 5


def test_a_unit_that_needs_nothing_asks_nothing(database: Database, tmp_path: Path) -> None:
    shop = Shop(database=database)
    shop.engines["app"] = open_engine(database.url("app"), threads=1)
    with round_trips(shop, tmp_path) as seen, shop.units()(shop.a):
        pass
    shop.close()
    assert seen == []


def test_beginning_an_idempotent_call_takes_one(database: Database, tmp_path: Path) -> None:
    shop = Shop(database=database)
    shop.engines["app"] = open_engine(database.url("app"), threads=1)
    for n in range(8):
        shop.keys.begin(shop.call(), f"k{n}", b"f", object_id=new_id(), keep_days=30)
    with round_trips(shop, tmp_path) as seen:
        shop.keys.begin(shop.call(), "k", b"f", object_id=new_id(), keep_days=30)
    shop.close()
    assert len(seen) == 1


def _create(shop: Shop, *, reads: bool = False) -> None:
    call = idempotent(key=str(new_id()))
    with shop.units()(shop.a, call=shop.call(idempotency=call)) as work:
        payment = a_payment(shop.a, id=call.object_id)
        work.payments.add(payment, call)
        if reads:
            assert work.payments.get(payment.id) == payment
        work.due.put(Due(kind="payment.expire", subject_id=payment.id, due_at=payment.expires_at))
        work.events.put("payment.created", payment.id, {"status": "requires_payment_method"})
        work.idempotency.finish(call, 201, {"id": "pay_1"})


def test_rows_come_first_and_journals_last(shop: Shop) -> None:
    payment = a_payment(shop.a)
    seen: list[object] = []

    class Watching:
        def post(self, conn: Any, journal: Journal) -> object:
            seen.append(conn.execute(text("SELECT count(*) FROM gateway.payment")).scalar_one())
            seen.append(conn.execute(text("SELECT count(*) FROM gateway.event")).scalar_one())
            seen.append(conn.execute(text("SELECT count(*) FROM gateway.outbox")).scalar_one())
            return None

        post_many = post

    shop.books = Watching()
    with shop.units()(shop.a) as work:
        work.journal.post(_journal(shop.a))
        work.due.put(Due(kind="payment.expire", subject_id=payment.id, due_at=NOW))
        work.events.put("payment.created", payment.id, {})
        work.payments.add(payment, None)
    assert seen == [1, 1, 1]


def test_journals_that_are_refused_undo_the_unit(shop: Shop) -> None:
    class Refusing:
        def post(self, conn: Any, journal: Journal) -> object:
            raise Busy("no")

        post_many = post

    shop.books = Refusing()

    def refused() -> None:
        with shop.units()(shop.a) as work:
            work.payments.add(a_payment(shop.a), None)
            work.journal.post(_journal(shop.a))

    with pytest.raises(Busy):
        refused()
    with shop.units()(shop.a) as work:
        assert work.payments.page(Page()) == ([], False)


def test_several_journals_are_one_call(shop: Shop) -> None:
    with shop.units()(shop.a) as work:
        work.journal.post(_journal(shop.a, "one"))
        work.journal.post(_journal(shop.a, "two"))
    assert [j.key for j in shop.books.journals] == ["test:one", "test:two"]


def _journal(scope: Scope, key: str = "one") -> Journal:
    leg = Leg(debit=float_(new_id()), credit=bucket(scope.business_id, "available"), units=5)
    return Journal(
        key=f"test:{key}",
        kind=Kind.RECEIPT_BOOKED,
        livemode=scope.livemode,
        business_id=scope.business_id,
        effective_at=NOW,
        legs=(leg,),
    )


def test_the_bell_rings_after_the_commit_and_only_for_work_due_now(shop: Shop) -> None:
    with shop.units()(shop.a) as work:
        work.due.put(Due(kind="payment.expire", subject_id=new_id(), due_at=NOW + timedelta(hours=24)))
    assert shop.rung == 0
    with shop.units()(shop.a) as work:
        work.due.put(Due(kind="attempt.submit", subject_id=new_id(), due_at=NOW))
        assert shop.rung == 0
    assert shop.rung == 1
    shop.endpoint()
    shop.payment()  # its event has somebody to be told
    assert shop.rung == 2


def test_a_busy_row_is_busy_and_not_a_wait_for_ever(shop: Shop) -> None:
    payment = shop.payment()
    shop.engines["worker"] = open_engine(shop.database.url("worker"), threads=1, lock_timeout_ms=50)
    with shop.units()(shop.a) as holder:
        holder.payments.get(payment.id, lock=True)
        with pytest.raises(Busy) as busy, shop.units("worker")(shop.a) as work:
            work.payments.get(payment.id, lock=True)
    assert busy.value.retryable


def test_no_free_connection_is_busy(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.adapters.persistence.engines.POOL_TIMEOUT_S", 0.05)
    shop.engines["worker"] = open_engine(shop.database.url("worker"), threads=1)
    with shop.units("worker")(shop.a) as first:
        first.payments.page(Page())
        with pytest.raises(Busy), shop.units("worker")(shop.a) as second:
            second.payments.page(Page())


def test_a_lost_connection_is_told_as_it_is_and_the_next_unit_works(shop: Shop) -> None:
    def cut() -> None:
        with shop.units()(shop.a) as work:
            work.payments.page(Page())
            with psycopg.connect(shop.database.plain_url("owner"), autocommit=True) as owner:
                owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'gateway_app' AND datname = current_database()"
                )
            work.payments.page(Page())

    with pytest.raises((OperationalError, psycopg.OperationalError)):
        cut()
    shop.payment()


def test_a_read_only_unit_can_t_write(shop: Shop) -> None:
    def write() -> None:
        with shop.units()(shop.a, read_only=True) as work:
            work.payments.add(a_payment(shop.a), None)

    with pytest.raises(Exception, match="read-only transaction"):
        write()


def test_a_sandbox_s_clock_moves_all_units(database: Database) -> None:
    shop = Shop(database=database, sandbox=True)
    clock = SqlTestClock(engine=shop.engine("app"))
    assert clock.shift() == timedelta(0)
    clock.advance(timedelta(days=2))
    clock.advance(timedelta(hours=1))
    assert clock.shift() == timedelta(days=2, hours=1)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(seconds=-1))
    for role in ("app", "worker", "operator"):
        with shop.units(role)(shop.a) as work:
            assert work.now == NOW + timedelta(days=2, hours=1)
    shop.sandbox = False
    with shop.units()(shop.a) as work:
        assert work.now == NOW, "outside a sandbox the row isn't read"
    shop.close()


def test_a_forked_process_opens_connections_of_its_own(shop: Shop) -> None:
    with shop.units()(shop.a) as work:
        work.payments.page(Page())
    theirs = _backend(shop)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            os.write(write, str(_backend(shop)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        assert int(said.read()) != theirs
    os.waitpid(child, 0)
    assert _backend(shop) == theirs, "and the parent's still works"


def _backend(shop: Shop) -> int:
    with shop.engine("app").connect() as conn:
        return int(conn.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_units_of_many_threads_don_t_mix(shop: Shop) -> None:
    """A setting that outlived its transaction would show one business's rows to another."""
    for scope in (shop.a, shop.b):
        shop.payment(scope)
    wrong: list[object] = []

    def look(scope: Scope) -> None:
        for _ in range(25):
            with shop.units()(scope) as work:
                found = [p.business_id for p in work.payments.page(Page())[0]]
            if found != [scope.business_id]:
                wrong.append(found)

    threads = [threading.Thread(target=look, args=(scope,)) for scope in (shop.a, shop.b) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_server_that_restarted_costs_no_request(shop: Shop) -> None:
    """Connections that ended while they were idle are seen before they are used."""
    shop.payment()
    with psycopg.connect(shop.database.plain_url("owner"), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'gateway_app' AND datname = current_database()"
        )
        eventually(
            lambda: (
                owner.execute(
                    "SELECT count(*) = 0 FROM pg_stat_activity"
                    " WHERE usename = 'gateway_app' AND datname = current_database()"
                ).fetchone()
                == (True,)
            )
        )
    shop.payment()
    assert shop.web_doors.api_key(b"x") is None


def test_an_error_s_text_holds_no_parameter(shop: Shop) -> None:
    def refused() -> None:
        with shop.units()(shop.a) as work:
            work.customers.page(Page())
            work.payments.save(a_payment(shop.a, description="planted \x00"))

    with pytest.raises(Exception, match=r"NUL|0x00|null") as error:
        refused()
    assert "planted" not in str(error.value)


def test_a_lone_statement_on_a_lost_connection_gives_the_connection_up(shop: Shop) -> None:
    engine = open_engine(shop.database.url("app"), threads=1)
    mine = one(engine, "SELECT pg_backend_pid()", {})[0]
    with pytest.raises(psycopg.OperationalError):
        one(engine, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", {})
    assert one(engine, "SELECT pg_backend_pid()", {})[0] != mine
    engine.dispose()
