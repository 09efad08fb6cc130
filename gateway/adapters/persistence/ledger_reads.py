"""Reading the books: a business's own under its row policies, and everything for an operator, on one snapshot each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Engine, bindparam, text

from gateway.adapters.persistence.types import Units
from gateway.application.ledger import Entry, TrialLine
from gateway.domain.ledger import Class

_BALANCES = text(
    "SELECT a.asset, a.path, a.class, n.balance FROM ledger.account a JOIN ledger.balance_now n ON n.account_id = a.id"
    " WHERE a.business_id = :business AND a.livemode = :livemode ORDER BY a.asset, a.path"
).columns(balance=Units)

# A page is of journals, since they are what a business's balance transactions are; the lines of each follow it. The
# filter by business stands beside the row policy, and never in place of it.
_ENTRIES = text(
    "SELECT j.uid, e.line, j.kind, a.path, a.class, e.asset, e.change, e.balance_after, e.version, j.effective_at,"
    " j.recorded_at FROM (SELECT * FROM ledger.journal p WHERE p.business_id = :business AND p.livemode = :livemode"
    " AND p.id < :before ORDER BY p.id DESC LIMIT :limit) AS j"
    " JOIN ledger.entry e ON e.journal_id = j.id JOIN ledger.account a ON a.id = e.account_id"
    " WHERE a.business_id = :business ORDER BY j.id DESC, e.line, e.side DESC"
).columns(change=Units, balance_after=Units)
_BEFORE = text("SELECT id FROM ledger.journal WHERE uid = :uid AND business_id = :business AND livemode = :livemode")
_NEWEST = 2**63 - 1

_TRIAL = text(
    "SELECT path, title, class, asset, dr, cr FROM ledger.trial_balance WHERE livemode = :livemode ORDER BY path, asset"
).columns(dr=Units, cr=Units)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction in which everything that is read agrees; nothing is written, and nobody waits for it."""
    with engine.connect() as opened:
        conn = opened.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with conn.begin():
            yield conn


@contextmanager
def as_business(engine: Engine, business_id: UUID, *, livemode: bool) -> Iterator[Connection]:
    """The same, bound to one business and mode."""
    with snapshot(engine) as conn:
        conn.execute(
            text("SELECT set_config('app.business', :business, true), set_config('app.livemode', :livemode, true)"),
            {"business": str(business_id), "livemode": "true" if livemode else "false"},
        )
        yield conn


def balances(conn: Connection, business_id: UUID, *, livemode: bool) -> dict[str, dict[str, int]]:
    """Asset → bucket → units, in the sense in which the bucket grows."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in conn.execute(_BALANCES, {"business": business_id, "livemode": livemode}):
        found[row.asset][_bucket(row.path)] = _sign(row[2]) * row.balance
    return dict(found)


def entries(conn: Connection, business_id: UUID, *, livemode: bool, before: UUID | None, limit: int) -> list[Entry]:
    """The entries of a page of journals, newest first; of nothing when there is no such journal `before`."""
    whose = {"business": business_id, "livemode": livemode}
    edge = _NEWEST
    if before is not None:
        edge = conn.execute(_BEFORE, {**whose, "uid": before}).scalar_one_or_none() or 0
    stmt = _ENTRIES.bindparams(bindparam("before", type_=BigInteger))
    return [
        Entry(
            uid=row.uid,
            line=row.line,
            kind=row.kind,
            bucket=_bucket(row.path),
            asset=row.asset,
            change=_sign(row[4]) * row.change,
            after=_sign(row[4]) * row.balance_after,
            version=row.version,
            effective_at=row.effective_at,
            recorded_at=row.recorded_at,
        )
        for row in conn.execute(stmt, {**whose, "before": edge, "limit": limit})
    ]


def trial_balance(conn: Connection, *, livemode: bool) -> list[TrialLine]:
    """Every account of a mode, by path."""
    return [
        TrialLine(path=row.path, title=row.title, class_=_letter(row[2]), asset=row.asset, dr=row.dr, cr=row.cr)
        for row in conn.execute(_TRIAL, {"livemode": livemode})
    ]


def _bucket(path: str) -> str:
    """The last part of a business's path is the name of the bucket."""
    return path.rpartition(":")[2]


def _sign(class_: str | bytes) -> int:
    """1 where the account grows by credit, -1 where it grows by debit."""
    return -1 if Class(_letter(class_)) in (Class.ASSET, Class.EXPENSE) else 1


def _letter(class_: str | bytes) -> str:
    """The type "char" comes as bytes from some drivers."""
    return class_.decode() if isinstance(class_, bytes) else class_
