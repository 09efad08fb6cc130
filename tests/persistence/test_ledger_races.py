"""Many at once, on a real server: no overdraft, no second posting, no deadlock, no total that goes backwards."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.domain.errors import Busy, InsufficientFunds
from gateway.domain.ledger import Account, Journal, KeyConflict, Posted
from tests.persistence.books import Books, Trader, at_once, new_id
from tests.waiting import eventually


def _tried(books: Books, journal: Journal, role: str = "app") -> Posted:
    """Post; where the row was too busy for too long, again, as a caller would."""
    while True:
        try:
            return books.of(role).post_now(journal)
        except Busy:
            continue


def _deadlocks(books: Books) -> int:
    """What the server counted; a posting that met one would have been tried again, and passed."""
    with books.owner() as conn:
        conn.execute("SELECT pg_stat_force_next_flush()")
        row = conn.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


def test_80_spends_of_100_on_1000(books: Books) -> None:
    trader = Trader()
    books.of().post_now(trader.pay_in(1000))
    results = at_once([partial(_tried, books, trader.reserve(100)) for _ in range(80)])
    kinds = Counter(type(result) for result in results)
    assert kinds == {Posted: 10, InsufficientFunds: 70}
    assert books.holds(trader.bucket("available")) == 0
    assert books.holds(trader.bucket("reserved")) == 1000
    assert books.proved()


def test_spends_in_batches_and_singly(books: Books) -> None:
    trader = Trader()
    books.of().post_now(trader.pay_in(1000))

    def batch() -> int:
        return len(books.of("worker").post_many([trader.reserve(100), trader.reserve(100)]))

    def single() -> int:
        _tried(books, trader.reserve(100))
        return 1

    results = at_once([batch, single] * 10)
    assert sum(result for result in results if isinstance(result, int)) == 10
    assert {type(result) for result in results} == {int, InsufficientFunds}
    assert books.holds(trader.bucket("reserved")) == 1000
    assert books.proved()


def test_one_key_from_16_callers(books: Books) -> None:
    trader = Trader()
    journal = trader.pay_in(1000)
    results = at_once([partial(_tried, books, journal, role) for role in ("app", "worker") for _ in range(8)])
    posted = [result for result in results if isinstance(result, Posted)]
    assert len(posted) == 16, results
    assert len({result.uid for result in posted}) == 1
    assert sum(not result.replayed for result in posted) == 1
    assert (books.count("journal"), books.count("leg")) == (1, 1)
    assert books.holds(trader.bucket("available")) == 1000
    assert books.proved()


def test_one_key_with_two_contents_from_16_callers(books: Books) -> None:
    trader = Trader()
    key = f"test:{new_id()}"
    journals = [trader.pay_in(1000 + n % 2, key=key) for n in range(16)]
    results = at_once([partial(_tried, books, journal) for journal in journals])
    won = books.holds(trader.bucket("available"))
    assert won in (1000, 1001)
    for journal, result in zip(journals, results, strict=True):
        assert isinstance(result, Posted if journal.legs[0].units == won else KeyConflict)
    assert books.proved()


def test_success_against_failure(books: Books) -> None:
    """For each payout one outcome exists, and it is the one that the balances tell of."""
    trader = Trader()
    accepted = [trader.reserve(100) for _ in range(12)]
    books.of().post_now(trader.pay_in(1200))
    books.of().post_many(accepted)
    results = at_once(
        [partial(_tried, books, trader.outcome(one, paid=paid)) for one in accepted for paid in (True, False)]
    )
    paid = 0
    for success, failure in zip(results[::2], results[1::2], strict=True):
        assert {type(success), type(failure)} == {Posted, KeyConflict}
        paid += isinstance(success, Posted)
    assert books.holds(trader.bucket("reserved")) == 0
    assert books.holds(trader.bucket("available")) == 1200 - paid * 100
    assert books.proved()


def test_a_new_business_from_16_callers(books: Books) -> None:
    """All of them want to open the same accounts."""
    trader = Trader()
    journals = [trader.pay_in(1) for _ in range(15)]
    results = at_once(
        [partial(_tried, books, journal) for journal in journals]
        + [lambda: books.of("worker").post_many([trader.pay_in(1), trader.pay_in(1)])[0]]
    )
    assert {type(result) for result in results} == {Posted}, results
    assert books.holds(trader.bucket("available")) == 17
    assert books.count("account") == 2
    assert books.proved()


def test_no_deadlock_over_8_accounts(books: Books) -> None:
    """Journals of two to four legs over the six buckets and two floats, single and in batches, in any order."""
    trader, rng = Trader(), random.Random(20261124)
    floats = [Trader().float for _ in range(2)]
    buckets = [trader.bucket(name) for name in ("pending", "available", "reserved", "withheld", "overpayments")]
    accounts: list[Account] = [*buckets, trader.bucket("owed"), *floats]
    rich = [trader.journal((floats[0], bucket, 10**12)) for bucket in buckets]
    books.of().post_many([*rich, trader.journal((trader.bucket("owed"), floats[0], 10**12))])

    def a_journal() -> Journal:
        pairs = [rng.sample(accounts, 2) for _ in range(rng.randint(2, 4))]
        mine = [pair for pair in pairs if any(account.business_id for account in pair)] or [(accounts[0], accounts[1])]
        return trader.journal(*((debit, credit, rng.randint(1, 1000)) for debit, credit in mine))

    work = [[a_journal() for _ in range(12)] for _ in range(16)]

    def single(journals: list[Journal]) -> int:
        for journal in journals:
            books.of().post_now(journal)
        return len(journals)

    def batched(journals: list[Journal]) -> int:
        return len([posted for at in range(0, 12, 4) for posted in books.of("worker").post_many(journals[at : at + 4])])

    acts: list[Callable[[], int]] = [partial(batched if n % 2 else single, journals) for n, journals in enumerate(work)]
    results = at_once(acts)
    assert results == [12] * 16
    assert _deadlocks(books) == 0
    assert books.proved(but="reserved is what waits for an outcome")


def test_no_deadlock_over_the_same_keys(books: Books) -> None:
    """Batches of the same journals, some from the last to the first: whoever comes second waits, and replays."""
    trader = Trader()
    books.of().post_now(trader.pay_in(1))
    for _ in range(12):
        journals = [trader.pay_in(1) for _ in range(20)]
        orders = [journals, journals[::-1]] * 3
        results = at_once([partial(books.of("worker").post_many, order) for order in orders])
        assert all(isinstance(result, list) for result in results), results
    assert books.holds(trader.bucket("available")) == 1 + 12 * 20
    assert _deadlocks(books) == 0
    assert books.proved()


def test_no_deadlock_over_accounts_that_nobody_has_opened(books: Books) -> None:
    """Everyone wants to open the same accounts and names them in an order of their own."""
    for _ in range(12):
        trader = Trader()
        into = [trader.bucket(name) for name in ("pending", "available", "reserved", "withheld", "overpayments")]
        lines = [(trader.float, bucket, 1) for bucket in into]
        orders = [lines, lines[::-1]] * 3
        single = [partial(books.of().post_now, trader.journal(*order)) for order in orders]
        batched = [partial(books.of("worker").post_many, [trader.journal(*order)]) for order in orders]
        results = at_once([*single, *batched])
        assert not [result for result in results if isinstance(result, Exception)]
        assert books.holds(trader.float) == -12 * 5
    assert _deadlocks(books) == 0
    assert books.proved(but="reserved is what waits for an outcome")


def test_two_drains_and_a_reader(books: Books) -> None:
    """Money only comes in, so what a reader sees of the float may only grow, whatever the drains do beside it."""
    trader, done = Trader(), threading.Event()
    books.of().post_now(trader.pay_in(1))
    seen: list[int] = []

    def pay() -> int:
        try:
            for _ in range(40):
                books.of().post_many([trader.pay_in(1) for _ in range(5)])
        finally:
            done.set()
        return 200

    def drain() -> int:
        moved = 0
        while not done.is_set():
            moved += books.of("worker").drain(livemode=True, rows=7)
        return moved

    def read() -> int:
        while not done.is_set():
            seen.append(-books.holds(trader.float))
        return len(seen)

    results = at_once([pay, drain, drain, read])
    assert all(isinstance(result, int) for result in results), results
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
    assert eventually(lambda: books.of("worker").drain(livemode=True) == 0)
    assert books.holds(trader.float) == -201
    assert books.proved()


def test_one_drain_at_a_time_in_each_mode(books: Books) -> None:
    trader = Trader()
    for livemode in (True, False):
        books.of().post_now(trader.pay_in(1, livemode=livemode))
    with books.role("worker") as conn:
        conn.execute("BEGIN")
        assert conn.execute("SELECT ledger.drain(true)").fetchone() == (1,)
        books.of().post_now(trader.pay_in(1))
        assert books.of("worker").drain(livemode=True) == 0
        assert books.of("worker").drain(livemode=False) == 1
        assert books.holds(trader.float) == -2
        conn.execute("COMMIT")
    assert books.of("worker").drain(livemode=True) == 1
    assert books.proved()


def test_a_busy_balance_is_told_as_busy(books: Books) -> None:
    trader = Trader()
    journal = trader.pay_in(1)
    books.of().post_now(trader.pay_in(1000))
    impatient = open_engine(books.database.url("app"), threads=1, lock_timeout_ms=50)
    with books.engine("app").connect() as holder:
        holder.exec_driver_sql("BEGIN")
        books.of().post(holder, trader.pay_in(1))
        with pytest.raises(Busy) as refused:
            SqlLedger(engine=impatient, new_id=new_id).post_now(journal)
        holder.exec_driver_sql("ROLLBACK")
    assert refused.value.retryable
    assert not SqlLedger(engine=impatient, new_id=new_id).post_now(journal).replayed
    impatient.dispose()
    assert books.proved()
