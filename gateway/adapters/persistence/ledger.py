"""The books in PostgreSQL: each posting is one call of a function there, and one round trip."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from gateway.adapters.persistence import ledger_reads
from gateway.adapters.persistence.ledger_checks import run_checks
from gateway.application.interfaces import NewId
from gateway.application.ledger import Books, Entry, Finding, TrialLine
from gateway.domain.errors import Busy, InsufficientFunds
from gateway.domain.ledger import Account, Journal, KeyConflict, LedgerRefused, Posted

T = TypeVar("T")

_POST = """SELECT journal_id, uid, replayed FROM ledger.post(%s, %s, %s, %s, %s, %s, %s, %s::text::jsonb,
 %s::text[], %s::text[], %s, %s::int[], %s::int[], %s::text[]::numeric[])"""
_POST_MANY = """SELECT journal_id, uid, replayed
 FROM ledger.post_many(%s, %s::text::jsonb, %s::text::jsonb) ORDER BY place"""
_OPEN = 'SELECT ledger.open_account(%s, %s, %s, %s::text::"char", %s::text::"char", %s, %s, %s)'
_DRAIN = "SELECT ledger.drain(%s, %s)"

#: Deadlock and serialization failure; the first can't come from postings alone, but rows of the unit may be in it.
_TRY_AGAIN = frozenset({"40P01", "40001"})
_BUSY = frozenset({"55P03", "57014"}) | _TRY_AGAIN
_TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLedger(Books):
    """The ledger as one role sees it; `new_id` makes the uid of each journal.

    Posting the same key with the same content gives the first journal, so every call may be repeated.
    """

    engine: Engine
    new_id: NewId

    def post(self, conn: Connection, journal: Journal) -> Posted:
        """Post as the last statement of the caller's transaction, in READ COMMITTED, once in a transaction.

        Raises InsufficientFunds, KeyConflict (the key was posted with other content), Busy (a lock wait), LedgerRefused
        (closed or unknown accounts, businesses or modes mixed). The transaction can only be rolled back then.
        """
        with _in_our_words():
            row = conn.exec_driver_sql(_POST, _arguments(journal, self.new_id())).one()
        return _posted(row)

    def post_now(self, journal: Journal) -> Posted:
        """Post in a transaction of its own; after a lost connection or a deadlock, again under the same key."""
        return self._repeated(lambda conn: self.post(conn, journal))

    def post_many(self, journals: Sequence[Journal], conn: Connection | None = None) -> list[Posted]:
        """Post 1 to 200 journals of one mode, all or none, in that order; without `conn`, in a transaction of its own.

        Raises what `post` raises, ValueError for journals of two modes.
        """
        if len({journal.livemode for journal in journals}) != 1:
            raise ValueError("a batch has journals of one mode")
        if conn is not None:
            return self._post_many(conn, journals)
        return self._repeated(lambda own: self._post_many(own, journals))

    def open_accounts(self, accounts: Sequence[Account], *, livemode: bool) -> None:
        """Open those that don't exist yet, each in a transaction of its own. Raises LedgerRefused for another shape."""
        with _in_our_words(), self._own() as conn:
            for account in sorted(accounts, key=lambda account: (account.path, account.asset.code)):
                class_, mode, rule, title = _shape(account)
                whose = account.business_id
                values = (account.path, account.asset.code, livemode, class_, mode, rule, whose, title)
                conn.exec_driver_sql(_OPEN, values)

    def drain(self, *, livemode: bool, rows: int = 1000) -> int:
        """Carry up to `rows` queued movements to their balances; 0 also while another drain is at it."""
        with _in_our_words(), self._own() as conn:
            return int(conn.exec_driver_sql(_DRAIN, (livemode, rows)).scalar_one())

    def business_balances(self, business_id: UUID, *, livemode: bool) -> dict[str, dict[str, int]]:
        with ledger_reads.as_business(self.engine, business_id, livemode=livemode) as conn:
            return ledger_reads.balances(conn, business_id, livemode=livemode)

    def business_entries(
        self, business_id: UUID, *, livemode: bool, before: UUID | None = None, limit: int = 20
    ) -> list[Entry]:
        with ledger_reads.as_business(self.engine, business_id, livemode=livemode) as conn:
            return ledger_reads.entries(conn, business_id, livemode=livemode, before=before, limit=limit)

    def trial_balance(self, *, livemode: bool) -> list[TrialLine]:
        with ledger_reads.snapshot(self.engine) as conn:
            return ledger_reads.trial_balance(conn, livemode=livemode)

    def check(self) -> list[Finding]:
        with ledger_reads.snapshot(self.engine) as conn:
            return run_checks(conn)

    def _post_many(self, conn: Connection, journals: Sequence[Journal]) -> list[Posted]:
        values = _batch(journals, self.new_id)
        with _in_our_words():
            rows = conn.exec_driver_sql(_POST_MANY, values).all()
        return [_posted(row) for row in rows]

    @contextmanager
    def _own(self) -> Iterator[Connection]:
        """A connection in which each statement is a transaction: one round trip."""
        with self.engine.connect() as conn:
            yield conn.execution_options(isolation_level="AUTOCOMMIT")

    def _repeated(self, act: Callable[[Connection], T]) -> T:
        """After a lost connection the outcome is unknown: the same key makes trying again safe."""
        for tries in range(1, _TRIES_MAX + 1):
            try:
                with self._own() as conn:
                    return act(conn)
            except NoFreeConnection as error:
                raise Busy("all connections to the database are in use; try again") from error
            except DBAPIError as error:
                if tries == _TRIES_MAX or not error.connection_invalidated:
                    raise
            except Busy as busy:
                if tries == _TRIES_MAX or _sqlstate(busy.__cause__) not in _TRY_AGAIN:
                    raise
        raise AssertionError("the last try returns or raises")


def _arguments(journal: Journal, uid: UUID) -> tuple[Any, ...]:
    """What `ledger.post` takes. Numbers go as text, so that one prepared statement serves them all."""
    places: dict[tuple[str, str], int] = {}
    accounts: list[Account] = []
    legs = [(_place(leg.debit, places, accounts), _place(leg.credit, places, accounts)) for leg in journal.legs]
    return (
        uid,
        journal.livemode,
        journal.business_id,
        journal.key,
        journal.fingerprint(),
        journal.kind.value,
        journal.effective_at,
        _json(dict(journal.meta)),
        [account.path for account in accounts],
        [account.asset.code for account in accounts],
        "[" + ",".join(_shape_json(account) for account in accounts) + "]",
        [debit for debit, _ in legs],
        [credit for _, credit in legs],
        [str(leg.units) for leg in journal.legs],
    )


def _batch(journals: Sequence[Journal], new_id: NewId) -> tuple[bool, str, str]:
    """What `ledger.post_many` takes."""
    places: dict[tuple[str, str], int] = {}
    accounts: list[Account] = []
    listed = [
        {
            "uid": str(new_id()),
            "business": journal.business_id and str(journal.business_id),
            "key": journal.key,
            "fingerprint": journal.fingerprint().hex(),
            "kind": journal.kind.value,
            "effective_at": journal.effective_at.isoformat(),
            "meta": dict(journal.meta),
            "legs": [
                [_place(leg.debit, places, accounts), _place(leg.credit, places, accounts), str(leg.units)]
                for leg in journal.legs
            ],
        }
        for journal in journals
    ]
    opened = [
        (account.path, account.asset.code, account.business_id and str(account.business_id), *_shape(account))
        for account in accounts
    ]
    return journals[0].livemode, _json(opened), _json(listed)


def _place(account: Account, places: dict[tuple[str, str], int], accounts: list[Account]) -> int:
    """The place of an account among those of the call, counted from 1."""
    name = (account.path, account.asset.code)
    if name not in places:
        accounts.append(account)
        places[name] = len(accounts)
    return places[name]


def _shape(account: Account) -> tuple[str, str, int, str]:
    return account.class_.value, account.mode.value, account.rule, account.title or account.path


@lru_cache(maxsize=4096)
def _shape_json(account: Account) -> str:
    return _json(list(_shape(account)))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _posted(row: Any) -> Posted:
    return Posted(journal_id=row.journal_id, uid=row.uid, replayed=row.replayed)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what the functions refuse into our errors; a lost connection goes through as it is."""
    try:
        yield
    except DBAPIError as error:
        state = _sqlstate(error)
        if state == "23514" and _constraint(error) == "balance_bound":
            raise InsufficientFunds("the balance doesn't cover it") from error
        if state == "LG002":
            raise KeyConflict("this was posted before with other content; a person has to look at it") from error
        if state in _BUSY:
            raise Busy("somebody else is at the same balance right now; try again", retry_after_s=1) from error
        if state.startswith("LG"):
            raise LedgerRefused(_message(error), extra={"sqlstate": state}) from error
        raise


def _sqlstate(error: BaseException | None) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _constraint(error: DBAPIError) -> str | None:
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name


def _message(error: DBAPIError) -> str:
    return getattr(getattr(error.orig, "diag", None), "message_primary", None) or "the ledger refused"
