"""The unit of work: one transaction that owns the order of what it writes, in as few round trips as it can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine

from gateway.adapters.persistence.access import SqlAccess
from gateway.adapters.persistence.alerts import SqlAlerts
from gateway.adapters.persistence.attempts import SqlAttempts
from gateway.adapters.persistence.balances import SqlBalances
from gateway.adapters.persistence.breakers import SqlBreakers
from gateway.adapters.persistence.businesses import SqlBusinesses
from gateway.adapters.persistence.chain_transfers import SqlChainTransfers
from gateway.adapters.persistence.checkout import SqlSessions
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.connections import SqlConnections
from gateway.adapters.persistence.customers import SqlCustomers
from gateway.adapters.persistence.due import SqlDueWork
from gateway.adapters.persistence.engines import driver_of
from gateway.adapters.persistence.evidence import SqlEvidenceLog, SqlReplies
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.floats import SqlFloats, SqlOwnTransfers
from gateway.adapters.persistence.idempotency import SqlIdempotency
from gateway.adapters.persistence.inserts import as_json
from gateway.adapters.persistence.money_in import SqlExternalRecords, SqlLooseReceipts
from gateway.adapters.persistence.orders import SqlOrders
from gateway.adapters.persistence.payment_links import SqlPaymentLinks
from gateway.adapters.persistence.payments import SqlPayments
from gateway.adapters.persistence.payouts import SqlPayoutAttempts, SqlPayouts
from gateway.adapters.persistence.prepared import Statement
from gateway.adapters.persistence.receipts import SqlReceipts
from gateway.adapters.persistence.refunds import SqlRefundAttempts, SqlRefunds
from gateway.adapters.persistence.replays import SqlReplays
from gateway.adapters.persistence.request_log import SqlRequests
from gateway.adapters.persistence.reversals import SqlOverpayments, SqlQuotes, SqlReversals
from gateway.adapters.persistence.statements import SqlStatements
from gateway.adapters.persistence.tables import payment
from gateway.adapters.persistence.timelines import SqlTimelines
from gateway.adapters.persistence.transaction import Begun, Transaction
from gateway.adapters.persistence.treasury import SqlChainLog, SqlConversions, SqlSightings, SqlWallets
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.persistence.webhooks import SqlDeliveries, SqlEndpoints, SqlEvents
from gateway.application.interfaces import Call, JournalOut, NewId, OpenUnit, Scope, UnitOfWork
from gateway.domain.ledger import Journal

_CLOSE = (
    "SELECT gateway.close_unit(%(business)s, %(livemode)s, %(now)s, %(events)s, %(due)s,"
    " %(record)s, %(status)s, %(answer)s)"
)
_FINISH = "gateway.finish_due(%(due_id)s, %(business)s, %(livemode)s, %(holder)s, %(generation)s, %(again)s)"
#: In this order: work that the unit puts for the row at hand makes it due once more.
_CLOSE_AND_FINISH = f"{_CLOSE}, {_FINISH}"
_PUT_PAYMENT = Statement("SELECT gateway.put_payment($1, $2, $3, $4, $5, $6, $7, $8, $9)")


def _silence() -> None:
    """No bell: the relay looks by itself."""


class Posting(Protocol):
    """What a unit asks of the ledger: to post inside its transaction, as the last thing before the commit."""

    def post(self, conn: Connection, journal: Journal) -> object:
        """Post one journal. Raises InsufficientFunds."""

    def post_many(self, journals: Sequence[Journal], conn: Connection) -> object:
        """Post several of one mode, all or none."""


class SqlJournalOut(JournalOut):
    """Journals recorded inside a unit."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def post(self, journal: Journal) -> None:
        """Its `meta` learns the unit's time, which stands beside events in a timeline; `recorded_at` stays real."""
        self._tx.journals.append(replace(journal, meta={**journal.meta, "at": self._tx.now.isoformat()}))


class SqlUnitOfWork(UnitOfWork):
    """An open unit. Rows are written as they come; events, due work and the answer as it closes; journals last."""

    def __init__(self, tx: Transaction) -> None:
        self.now = tx.now
        self.scope = tx.scope
        self.call = tx.call
        self._tx = tx
        self.payments = SqlPayments(tx)
        self.attempts = SqlAttempts(tx)
        self.receipts = SqlReceipts(tx)
        self.customers = SqlCustomers(tx)
        self.records = SqlExternalRecords(tx)
        self.loose_receipts = SqlLooseReceipts(tx)
        self.statements = SqlStatements(tx)
        self.sessions = SqlSessions(tx)
        self.payouts = SqlPayouts(tx)
        self.payout_attempts = SqlPayoutAttempts(tx)
        self.refunds = SqlRefunds(tx)
        self.refund_attempts = SqlRefundAttempts(tx)
        self.orders = SqlOrders(tx)
        self.reversals = SqlReversals(tx)
        self.overpayments = SqlOverpayments(tx)
        self.quotes = SqlQuotes(tx)
        self.replies = SqlReplies(tx)
        self.evidence = SqlEvidenceLog(tx)
        self.due = SqlDueWork(tx)
        self.events = SqlEvents(tx)
        self.endpoints = SqlEndpoints(tx)
        self.deliveries = SqlDeliveries(tx)
        self.replays = SqlReplays(tx)
        self.links = SqlPaymentLinks(tx)
        self.requests = SqlRequests(tx)
        self.connections = SqlConnections(tx)
        self.breakers = SqlBreakers(tx)
        self.idempotency = SqlIdempotency(tx)
        self.journal = SqlJournalOut(tx)
        self.balances = SqlBalances(tx)
        self.businesses = SqlBusinesses(tx)
        self.alerts = SqlAlerts(tx)
        self.timelines = SqlTimelines(tx)
        self.floats = SqlFloats(tx)
        self.own_transfers = SqlOwnTransfers(tx)
        self.access = SqlAccess(tx)
        self.wallets = SqlWallets(tx)
        self.chain_log = SqlChainLog(tx)
        self.sightings = SqlSightings(tx)
        self.conversions = SqlConversions(tx)
        self.chain_transfers = SqlChainTransfers(tx)

    def new_id(self) -> UUID:
        return self._tx.new_id()

    def ends(self, again_at: datetime | None = None) -> datetime | None:
        due = self.call.due if self.call is not None else None
        if due is not None and due.claimed.scope == self.scope:
            self._tx.ends = (due, again_at)
        return again_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlUnits(OpenUnit):
    """Opens units on one role's engine.

    `reads_secrets`: the role may read sealed secrets (workers and operators; web may not). `ring` is called after a
    commit that left work due at once; it may fail silently, since the relay looks by itself as well.
    """

    engine: Engine
    vault: Vault
    clock: UnitClock
    new_id: NewId
    books: Posting
    reads_secrets: bool = False
    ring: Callable[[], None] = _silence

    @contextmanager
    def __call__(self, scope: Scope, *, call: Call | None = None, read_only: bool = False) -> Iterator[SqlUnitOfWork]:
        """A unit for that business and mode.

        Leaving it raises InsufficientFunds, Busy (a lock wait, a deadlock, no free connection: the same call may
        succeed at once) or Conflict; all of it is rolled back then. A lost connection goes through as it is: whether
        the commit happened is unknown.
        """
        tx: Transaction | None = None
        with in_our_words():
            try:
                tx = self._transaction(scope, call, read_only=read_only)
                yield SqlUnitOfWork(tx)
                due_now = self._commit(tx, self._close(tx))
                if tx.ends is not None:
                    tx.ends[0].ended = True
            except BaseException:
                if tx is not None and tx.begun is not None:
                    _roll_back(tx.begun.raw)
                raise
            finally:
                if tx is not None and tx.begun is not None:
                    tx.begun.conn.close()
        if due_now:
            self.ring()

    def _transaction(self, scope: Scope, call: Call | None, *, read_only: bool) -> Transaction:
        """A transaction that begins when its connection is first needed, or at once where only the database knows the
        time: in a sandbox, unless the call's key has just learnt it."""
        learnt = call.idempotency.at if call is not None and call.idempotency is not None else None
        now = learnt or self.clock.system()
        tx = Transaction(
            begin=lambda: self._begin(scope, read_only=read_only)[0],
            scope=scope,
            call=call,
            now=now,
            vault=self.vault,
            new_id=self.new_id,
            reads_secrets=self.reads_secrets,
            moved_clock=self.clock.sandbox,
        )
        if self.clock.sandbox and learnt is None:
            tx.begun, shift = self._begin(scope, read_only=read_only)
            tx.now = now + shift
        return tx

    def _begin(self, scope: Scope, *, read_only: bool) -> tuple[Begun, timedelta]:
        """Begin, bind the transaction to its business and mode, and learn the clock's shift: one round trip.

        The values are a UUID and a bool of ours, written into the text: only a text without parameters may hold two
        statements.
        """
        conn = self.engine.connect()
        try:
            raw = driver_of(conn)
            shift = ", (SELECT shift FROM gateway.test_clock)" if self.clock.sandbox else ""
            cursor = raw.execute(
                f"BEGIN ISOLATION LEVEL READ COMMITTED {'READ ONLY' if read_only else 'READ WRITE'};"
                f" SELECT set_config('app.business', '{UUID(int=scope.business_id.int)}', true),"
                f" set_config('app.livemode', '{'true' if scope.livemode else 'false'}', true){shift}",
                prepare=False,
            )
            cursor.nextset()
            row = cursor.fetchone() if self.clock.sandbox else None
        except BaseException:
            conn.close()
            raise
        return Begun(conn=conn, raw=raw), row[2] if row else timedelta(0)

    def _close(self, tx: Transaction) -> bool:
        """Events, due work, the answer and the row at hand in one round trip; then the books. Gives whether work is due
        at once.

        Where all that the unit writes is one row that waits, it waits for the commit.
        """
        if tx.journals or (tx.kept is not None and tx.kept.table is not payment):
            tx.raw  # noqa: B018  # what waits is written now
        if tx.kept is not None:
            return False
        due_now = False
        if tx.events or tx.due or tx.answer:
            sql = _CLOSE if tx.ends is None else _CLOSE_AND_FINISH
            closed = tx.raw.execute(sql, {**_closing(tx), **_finishing(tx)}).fetchone()
            due_now = closed is not None and bool(closed[0])
        elif tx.ends is not None:
            tx.raw.execute(f"SELECT {_FINISH}", _finishing(tx))
        if len(tx.journals) == 1:
            self.books.post(tx.conn, tx.journals[0])
        elif tx.journals:
            self.books.post_many(tx.journals, tx.conn)
        return due_now

    def _commit(self, tx: Transaction, due_now: bool) -> bool:
        """Make it last; gives whether work is due at once. A row that still waits is its unit's one statement."""
        if (kept := tx.kept) is None:
            if tx.begun is not None:
                tx.begun.raw.commit()
            return due_now
        row = as_json(kept.table, tx.keyed(kept.values, kept.idempotency))
        record, status, answer = tx.answer or (None, None, None)
        scope, events, due = tx.scope, _json(tx.events), _json(tx.due)
        (closed,) = _PUT_PAYMENT.one(
            self.engine,
            (scope.business_id, scope.livemode, tx.now, row, events, due, record, status, answer),
        )
        if closed is None:
            tx.kept = None
            tx.refuse_made(kept.table, kept.values, kept.idempotency)
            raise kept.taken
        return closed == "t"


def _closing(tx: Transaction) -> dict[str, Any]:
    record, status, answer = tx.answer or (None, None, None)
    return {
        "business": tx.scope.business_id,
        "livemode": tx.scope.livemode,
        "now": tx.now,
        "events": _json(tx.events),
        "due": _json(tx.due),
        "record": record,
        "status": status,
        "answer": answer,
    }


def _finishing(tx: Transaction) -> dict[str, Any]:
    if tx.ends is None:
        return {}
    (at_hand, again_at), scope = tx.ends, tx.scope
    return {
        "business": scope.business_id,
        "livemode": scope.livemode,
        "due_id": at_hand.claimed.id,
        "holder": at_hand.claimed.holder,
        "generation": at_hand.claimed.generation,
        "again": again_at,
    }


def _roll_back(raw: psycopg.Connection[Any]) -> None:
    """Undo what there is; on a lost connection the server has done it, and the first error is the one to tell."""
    with suppress(psycopg.Error):
        raw.rollback()


def _json(items: list[Any]) -> str:
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)
