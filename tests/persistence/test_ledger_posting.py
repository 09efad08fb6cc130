"""Posting one journal or many: once, whole, in order, and never past a bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.application.ledger import LedgerService
from gateway.domain import ledger as words
from gateway.domain.errors import InsufficientFunds
from gateway.domain.ledger import BalanceMode, Class, KeyConflict, Kind, LedgerRefused
from ports.money import UNITS_MAX, Asset
from tests.persistence.books import ASSETS, NOON, Books, Trader, new_id

FEES, VAT = words.fees("collect"), words.tax("vat")


@pytest.fixture
def trader() -> Trader:
    return Trader()


def test_a_receipt_with_fee_and_tax(shared_books: Books, trader: Trader) -> None:
    available = trader.bucket("available")
    journal = trader.journal(
        (trader.float, available, 100_000), (available, FEES, 1293), (available, VAT, 207), meta={"object": "rcp_1"}
    )
    posted = shared_books.of("app").post_now(journal)
    assert not posted.replayed
    assert shared_books.holds(trader.float) == -100_000
    assert shared_books.holds(available) == 98_500
    with shared_books.engine("operator").connect() as conn:
        row = conn.execute(text("SELECT * FROM ledger.journal WHERE uid = :uid"), {"uid": posted.uid}).one()
    assert (row.idem_key, row.kind, row.meta) == (journal.key, "receipt.booked", {"object": "rcp_1"})
    assert (row.effective_at, row.livemode, row.business_id) == (NOON, True, trader.business_id)


def test_the_same_again_gives_the_first_one(shared_books: Books, trader: Trader) -> None:
    journal = trader.pay_in(1000)
    first = shared_books.of("app").post_now(journal)
    again = shared_books.of("worker").post_now(replace(journal, effective_at=datetime.now(UTC), meta={"try": 2}))
    assert (again.uid, again.journal_id, again.replayed) == (first.uid, first.journal_id, True)
    assert shared_books.holds(trader.bucket("available")) == 1000


def test_the_same_key_with_other_content_is_for_a_person(shared_books: Books, trader: Trader) -> None:
    journal = trader.pay_in(1000)
    shared_books.of().post_now(journal)
    with pytest.raises(KeyConflict):
        shared_books.of().post_now(trader.pay_in(1001, key=journal.key))
    with pytest.raises(KeyConflict):
        shared_books.of().post_many([trader.pay_in(5), trader.pay_in(1001, key=journal.key)])
    assert shared_books.holds(trader.bucket("available")) == 1000


def test_a_key_lives_once_in_each_mode(shared_books: Books, trader: Trader) -> None:
    live = trader.pay_in(1000)
    test = replace(live, livemode=False)
    assert not shared_books.of().post_now(live).replayed
    assert not shared_books.of().post_now(test).replayed
    assert shared_books.holds(trader.bucket("available"), livemode=False) == 1000


def test_money_that_is_not_there(shared_books: Books, trader: Trader) -> None:
    shared_books.of().post_now(trader.pay_in(1000))
    with pytest.raises(InsufficientFunds) as refused:
        shared_books.of().post_now(trader.reserve(1001))
    assert refused.value.code == "insufficient_funds"
    assert shared_books.holds(trader.bucket("reserved")) == 0
    shared_books.of().post_now(trader.reserve(1000))
    assert shared_books.holds(trader.bucket("available")) == 0


def test_what_is_owed_is_bounded_the_other_way(shared_books: Books, trader: Trader) -> None:
    owed = trader.bucket("owed")
    shared_books.of().post_now(trader.journal((owed, trader.float, 500)))
    with pytest.raises(InsufficientFunds):
        shared_books.of().post_now(trader.journal((trader.float, owed, 501)))
    shared_books.of().post_now(trader.journal((trader.float, owed, 500)))
    assert shared_books.holds(owed) == 0


def test_bounds_look_at_the_whole_journal(shared_books: Books, trader: Trader) -> None:
    """A fee may stand before the money it comes from: a journal happens at once."""
    available = trader.bucket("available")
    shared_books.of().post_now(trader.journal((available, FEES, 15), (trader.float, available, 1000)))
    assert shared_books.holds(available) == 985


def test_a_refused_journal_leaves_nothing(shared_books: Books, trader: Trader) -> None:
    before = shared_books.count("journal"), shared_books.count("leg"), shared_books.count("account")
    journal = trader.reserve(1)
    with pytest.raises(InsufficientFunds):
        shared_books.of().post_now(journal)
    assert (shared_books.count("journal"), shared_books.count("leg"), shared_books.count("account")) == before
    shared_books.of().post_now(trader.pay_in(1))
    assert not shared_books.of().post_now(journal).replayed


def test_a_rolled_back_transaction_leaves_nothing(shared_books: Books, trader: Trader) -> None:
    journal = trader.pay_in(1000)
    books = shared_books.of()
    with shared_books.engine("app").connect() as conn:
        conn.exec_driver_sql("BEGIN")
        assert not books.post(conn, journal).replayed
        conn.exec_driver_sql("ROLLBACK")
    assert shared_books.holds(trader.bucket("available")) == 0
    assert not books.post_now(journal).replayed
    assert shared_books.holds(trader.bucket("available")) == 1000


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.code)
@pytest.mark.parametrize("units", [1, 10**18 + 1, 10**30 + 1, UNITS_MAX])
def test_numbers_survive_the_round_trip(shared_books: Books, asset: Asset, units: int) -> None:
    trader = Trader()
    available = trader.bucket("available", asset)
    source = replace(trader.float, asset=asset)
    shared_books.of().post_now(trader.journal((source, available, units)))
    assert shared_books.of().business_balances(trader.business_id, livemode=True) == {asset.code: {"available": units}}
    (entry,) = shared_books.of().business_entries(trader.business_id, livemode=True)
    assert (entry.change, entry.after, entry.asset) == (units, units, asset.code)


def test_a_balance_beyond_38_digits_is_refused(shared_books: Books, trader: Trader) -> None:
    shared_books.of().post_now(trader.pay_in(UNITS_MAX))
    with pytest.raises(Exception, match=r"numeric field overflow|violates check"):
        shared_books.of().post_now(trader.pay_in(1))
    assert shared_books.holds(trader.bucket("available")) == UNITS_MAX


def test_two_assets_in_one_journal(shared_books: Books, trader: Trader) -> None:
    usdc = ASSETS[2]
    position = words.Account(path="fx:position", class_=Class.EQUITY, asset=usdc)
    kes = replace(position, asset=ASSETS[1])
    treasury = words.Account(path=f"treasury:celo:{trader.float_id}", class_=Class.ASSET, asset=usdc)
    journal = trader.journal(
        (treasury, position, 7_600_000), (kes, trader.float, 99_000), business_id=None, kind=Kind.FUNDING
    )
    shared_books.of("worker").post_now(journal)
    assert shared_books.holds(treasury) == -7_600_000
    assert shared_books.holds(trader.float) == 99_000


def test_effective_time_is_a_moment_whatever_its_zone(shared_books: Books, trader: Trader) -> None:
    nairobi = NOON.astimezone(timezone(timedelta(hours=3)))
    shared_books.of().post_now(trader.pay_in(1, effective_at=nairobi))
    (entry,) = shared_books.of().business_entries(trader.business_id, livemode=True)
    assert entry.effective_at == NOON
    assert entry.recorded_at - datetime.now(UTC) < timedelta(minutes=1)


def test_a_closed_account_takes_nothing(shared_books: Books, trader: Trader) -> None:
    shared_books.of().post_now(trader.pay_in(1))
    with shared_books.owner() as conn:
        conn.execute("UPDATE ledger.account SET closed = true WHERE path = %s", (trader.float.path,))
    for refused in (
        lambda: shared_books.of().post_now(trader.pay_in(1)),
        lambda: shared_books.of().post_many([trader.pay_in(1)]),
    ):
        with pytest.raises(LedgerRefused) as error:
            refused()
        assert error.value.extra["sqlstate"] == "LG003"


def test_an_asset_that_nobody_registered(shared_books: Books, trader: Trader) -> None:
    shell = Asset(code="SHELL", scale=0)
    with pytest.raises(LedgerRefused, match="unknown asset") as error:
        shared_books.of().post_now(
            trader.journal((replace(trader.float, asset=shell), trader.bucket("available", shell), 1))
        )
    assert error.value.extra["sqlstate"] == "LG004"


@pytest.mark.parametrize(
    "changes",
    [
        {"class_": Class.LIABILITY},
        {"mode": BalanceMode.LIVE},
        {"mode": BalanceMode.LIVE, "rule": 1},
        {"rule": 1},
        {"business_id": UUID(int=1)},
    ],
    ids=str,
)
def test_an_account_is_never_opened_in_another_shape(shared_books: Books, trader: Trader, changes: Any) -> None:
    shared_books.of().open_accounts([trader.float], livemode=True)
    with pytest.raises(Exception, match=r"shape|rule|account_owner"):
        shared_books.of().open_accounts([replace(trader.float, **changes)], livemode=True)


@pytest.mark.parametrize(("name", "rule"), [("available", 0), ("available", -1), ("owed", 0), ("owed", 1)])
def test_the_money_of_a_business_is_always_bounded(shared_books: Books, trader: Trader, name: str, rule: int) -> None:
    with pytest.raises(LedgerRefused, match="rule of its class"):
        shared_books.of().open_accounts([replace(trader.bucket(name), rule=rule)], livemode=True)


def test_opening_gives_a_title_once(shared_books: Books, trader: Trader) -> None:
    titled = words.float_(trader.float_id, "Paybill 600000, Utility")
    for _ in range(2):
        LedgerService(books=shared_books.of()).open_accounts([titled], livemode=True)
    shared_books.of().post_now(trader.pay_in(1))
    titles = {line.path: line.title for line in shared_books.of("operator").trial_balance(livemode=True)}
    assert titles[titled.path] == "Paybill 600000, Utility"


# Batches.


def test_a_batch_posts_all_in_order(shared_books: Books, trader: Trader) -> None:
    """Keys are taken in ascending order, and yet history goes in the order of the list."""
    other = Trader()
    journals = [
        trader.pay_in(1000, key=f"z:{new_id()}"),
        other.pay_in(50, key=f"y:{new_id()}"),
        trader.reserve(600, key=f"payout:b{new_id()}:accept"),
        trader.reserve(400, key=f"payout:a{new_id()}:accept"),
    ]
    posted = shared_books.of().post_many(journals)
    assert [one.replayed for one in posted] == [False] * 4
    entries = shared_books.of().business_entries(trader.business_id, livemode=True)
    available = [(entry.change, entry.after, entry.version) for entry in entries if entry.bucket == "available"]
    assert available == [(-400, 0, 3), (-600, 400, 2), (1000, 1000, 1)]
    assert [one.uid for one in posted if one is not posted[1]][::-1] == list(dict.fromkeys(e.uid for e in entries))
    assert shared_books.holds(other.bucket("available")) == 50


def test_no_step_of_a_batch_may_pass_a_bound(shared_books: Books, trader: Trader) -> None:
    """The sum would be all right at the end; the balance in between would not."""
    journals = [trader.reserve(1000), trader.pay_in(1000)]
    with pytest.raises(InsufficientFunds):
        shared_books.of().post_many(journals)
    assert shared_books.holds(trader.bucket("available")) == 0
    shared_books.of().post_many(journals[::-1])
    assert shared_books.holds(trader.bucket("reserved")) == 1000


def test_a_batch_is_all_or_nothing(shared_books: Books, trader: Trader) -> None:
    poor = Trader()
    journals = [trader.pay_in(10), poor.reserve(1)]
    with pytest.raises(InsufficientFunds):
        shared_books.of().post_many(journals)
    assert shared_books.holds(trader.bucket("available")) == 0
    assert not shared_books.of().post_now(journals[0]).replayed


def test_a_batch_with_replays(shared_books: Books, trader: Trader) -> None:
    first = trader.pay_in(1000)
    known = shared_books.of().post_now(first)
    posted = shared_books.of().post_many([trader.pay_in(1), first, trader.pay_in(2)])
    assert [one.replayed for one in posted] == [False, True, False]
    assert posted[1].uid == known.uid
    again = shared_books.of().post_many([first])
    assert (again[0].uid, again[0].replayed) == (known.uid, True)
    assert shared_books.holds(trader.bucket("available")) == 1003


def test_a_batch_of_200(shared_books: Books, trader: Trader) -> None:
    posted = shared_books.of("worker").post_many([trader.pay_in(n) for n in range(1, 201)])
    assert len({one.uid for one in posted}) == 200
    assert shared_books.holds(trader.bucket("available")) == 200 * 201 // 2


def test_a_batch_is_of_one_mode(shared_books: Books, trader: Trader) -> None:
    with pytest.raises(ValueError, match="one mode"):
        shared_books.of().post_many([trader.pay_in(1), trader.pay_in(1, livemode=False)])
    with pytest.raises(ValueError, match="one mode"):
        shared_books.of().post_many([])


def test_single_and_batch_make_the_same_rows(shared_books: Books) -> None:
    one, many = Trader(), Trader()
    for trader in (one, many):
        available = trader.bucket("available")
        journals = [
            trader.journal((trader.float, available, 1000), (available, FEES, 15)),
            trader.reserve(500),
        ]
        if trader is one:
            for journal in journals:
                shared_books.of().post_now(journal)
        else:
            shared_books.of().post_many(journals)

    def rows(trader: Trader) -> list[Any]:
        sql = (
            "SELECT l.line, l.phase, l.asset, l.amount, l.debit_after, l.debit_ver, l.credit_after, l.credit_ver,"
            " l.business_id = j.business_id AS own FROM ledger.leg l JOIN ledger.journal j ON j.id = l.journal_id"
            " WHERE j.business_id = %s ORDER BY l.journal_id, l.line"
        )
        with shared_books.owner() as conn:
            return conn.execute(sql, (trader.business_id,)).fetchall()

    assert rows(one) == rows(many)
    assert len(rows(one)) == 3


# Lost connections.


def test_after_a_lost_connection_the_same_key_is_tried_again(shared_books: Books, trader: Trader) -> None:
    books = shared_books.of("app")
    books.post_now(trader.pay_in(1))
    with shared_books.owner() as conn:
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway_app'")
    journal = trader.pay_in(1000)
    assert not books.post_now(journal).replayed
    assert shared_books.holds(trader.bucket("available")) == 1001


# Reading.


def test_a_business_pages_through_its_journals(shared_books: Books, trader: Trader) -> None:
    books = LedgerService(books=shared_books.of("read"))
    posted = shared_books.of().post_many([trader.pay_in(n) for n in range(1, 8)])
    seen: list[int] = []
    before = None
    while page := books.entries(trader.business_id, livemode=True, before=before, limit=3):
        assert len(page) <= 3
        seen += [entry.change for entry in page]
        before = page[-1].uid
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert books.entries(trader.business_id, livemode=True, before=posted[0].uid) == []
    assert books.entries(trader.business_id, livemode=True, before=new_id()) == []
    assert books.entries(trader.business_id, livemode=False) == []
    assert books.balances(trader.business_id, livemode=True) == {"KES": {"available": 28}}


def test_what_is_owed_grows_by_debit(shared_books: Books, trader: Trader) -> None:
    shared_books.of().post_now(trader.journal((trader.bucket("owed"), trader.float, 500)))
    assert shared_books.of().business_balances(trader.business_id, livemode=True) == {"KES": {"owed": 500}}
    (entry,) = shared_books.of().business_entries(trader.business_id, livemode=True)
    assert (entry.bucket, entry.change, entry.after) == ("owed", 500, 500)


def test_the_drain_changes_nothing_that_is_read(shared_books: Books, trader: Trader) -> None:
    shared_books.of().post_many([trader.pay_in(n) for n in (1, 2, 3)])
    shared_books.of().post_now(trader.pay_in(4))
    before = shared_books.of("operator").trial_balance(livemode=True)
    assert shared_books.count("balance_delta") > 0
    assert LedgerService(books=shared_books.of("worker")).drain() > 0
    assert shared_books.count("balance_delta") == 0
    assert shared_books.of("operator").trial_balance(livemode=True) == before
    assert LedgerService(books=shared_books.of("worker")).drain() == 0


def test_the_drain_stops_at_its_rows(shared_books: Books, trader: Trader) -> None:
    for n in (1, 2, 3):
        shared_books.of().post_now(trader.pay_in(n, livemode=False))
    worker = shared_books.of("worker")
    assert worker.drain(livemode=False, rows=2) == 2
    assert shared_books.holds(trader.float, livemode=False) == -6
    assert worker.drain(livemode=False, rows=2) >= 1


def test_everything_here_is_proved(shared_books: Books) -> None:
    """Last in the module: whatever the tests above did, the books hold."""
    assert shared_books.count("journal") > 20
    # These journals are made by hand: no chain showed what they put into a wallet.
    assert shared_books.proved(but="wallets hold what chains showed")
