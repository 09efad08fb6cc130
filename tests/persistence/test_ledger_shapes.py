"""What no journal of ours would ask for, asked for behind the domain's back: refused, and nothing changes."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.persistence.books import NOON, Books, Trader, new_id


@pytest.fixture
def trader() -> Trader:
    return Trader()


_ASK = (
    "SELECT ledger.post(%(uid)s, %(livemode)s, %(business)s, %(key)s, %(fingerprint)s, 'receipt.booked', now(), '{}',"
    " %(path)s::text[], %(asset)s::text[], %(open)s, %(debit)s::int[], %(credit)s::int[],"
    " %(amount)s::text[]::numeric[])"
)
_ASK_MANY = "SELECT * FROM ledger.post_many(%(livemode)s, %(accounts)s::text::jsonb, %(journals)s::text::jsonb)"


def ask(conn: psycopg.Connection[Any], trader: Trader, **changes: Any) -> None:
    """A well-formed posting of 10.00 with `changes`."""
    values = {
        "uid": new_id(),
        "livemode": True,
        "business": trader.business_id,
        "key": f"raw:{new_id()}",
        "fingerprint": trader.pay_in(1000).fingerprint(),
        "path": [trader.float.path, trader.bucket("available").path],
        "asset": ["KES", "KES"],
        "open": json.dumps([["A", "Q", 0, "float"], ["L", "L", 1, "available"]]),
        "debit": [1],
        "credit": [2],
        "amount": ["1000"],
        **changes,
    }
    conn.execute(_ASK, values)


def ask_many(conn: psycopg.Connection[Any], trader: Trader, **changes: Any) -> None:
    """The same through the batch."""
    single = {
        "uid": str(new_id()),
        "business": str(trader.business_id),
        "key": f"raw:{new_id()}",
        "fingerprint": trader.pay_in(1000).fingerprint().hex(),
        "kind": "receipt.booked",
        "effective_at": NOON.isoformat(),
        "meta": {},
        "legs": [[1, 2, "1000"]],
    }
    accounts = [
        [trader.float.path, "KES", None, "A", "Q", 0, "float"],
        [trader.bucket("available").path, "KES", str(trader.business_id), "L", "L", 1, "available"],
    ]
    journals = changes.pop("journals", [{}])
    values = {
        "livemode": True,
        "accounts": json.dumps(changes.pop("accounts", accounts)),
        "journals": json.dumps(
            [{**single, "key": f"raw:{new_id()}", "uid": str(new_id()), **changes, **j} for j in journals]
        ),
    }
    conn.execute(_ASK_MANY, values)


def test_the_well_formed_ones_pass(shared_books: Books, trader: Trader) -> None:
    with shared_books.role("app") as conn:
        ask(conn, trader)
        ask_many(conn, trader)
    assert shared_books.holds(trader.bucket("available")) == 2000


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": ["0"]},
        {"amount": ["-1"]},
        {"amount": ["1.5"]},
        {"amount": ["NaN"]},
        {"amount": ["Infinity"]},
        {"amount": [None]},
        {"amount": ["1", "1"]},
        {"amount": []},
        {"debit": [], "credit": [], "amount": []},
        {"debit": [1] * 101, "credit": [2] * 101, "amount": ["1"] * 101},
        {"debit": [0]},
        {"debit": [3]},
        {"credit": [1]},
        {"credit": [None]},
        {"debit": None},
        {"asset": ["KES"]},
        {"asset": ["KES", "CELO"]},
        {
            "path": ["clearing:own", "equity:funding", "adjustment"],
            "asset": ["KES"] * 3,
            "business": None,
            "open": json.dumps([["A", "Q", 0, "c"], ["E", "Q", 0, "e"], ["E", "Q", 0, "a"]]),
        },
        {"path": ["clearing:own"] * 2, "business": None, "open": json.dumps([["A", "Q", 0, "c"]] * 2)},
        {"open": None},
        {"open": "[]"},
        {"open": json.dumps([["A", "Q", 1, "float"], ["L", "L", 1, "available"]])},
    ],
    ids=str,
)
def test_a_bad_shape_is_lg004_and_changes_nothing(shared_books: Books, trader: Trader, changes: Any) -> None:
    before = shared_books.count("journal"), shared_books.count("account")
    with shared_books.role("app") as conn, pytest.raises(psycopg.Error) as refused:
        ask(conn, trader, **changes)
    assert refused.value.sqlstate == "LG004"
    assert (shared_books.count("journal"), shared_books.count("account")) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"legs": []},
        {"legs": [[1, 2, "0"]]},
        {"legs": [[1, 2, "1.5"]]},
        {"legs": [[1, 2, "NaN"]]},
        {"legs": [[1, 2, None]]},
        {"legs": [[1, 1, "1"]]},
        {"legs": [[1, 3, "1"]]},
        {"legs": [[0, 2, "1"]]},
        {"legs": [[1, 2, "1"]] * 101},
        {"journals": []},
        {"journals": [{}] * 201},
        {"key": "raw:twice", "journals": [{"key": "raw:twice"}] * 2},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_bad_batch_is_lg004_and_changes_nothing(shared_books: Books, trader: Trader, changes: Any) -> None:
    before = shared_books.count("journal"), shared_books.count("account")
    with shared_books.role("app") as conn, pytest.raises(psycopg.Error) as refused:
        ask_many(conn, trader, **changes)
    assert refused.value.sqlstate == "LG004"
    assert (shared_books.count("journal"), shared_books.count("account")) == before


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_the_ledger_posts_in_read_committed_alone(shared_books: Books, trader: Trader, level: str) -> None:
    for act in (ask, ask_many):
        with shared_books.role("app") as conn:
            conn.execute(f"BEGIN ISOLATION LEVEL {level}")
            with pytest.raises(psycopg.Error, match="READ COMMITTED"):
                act(conn, trader)
