"""What the repositories of one unit share: its connection, whose it is, its time, and what is written as it closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import ge, gt, le, lt
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.errors import UniqueViolation
from sqlalchemy import ColumnElement, Connection, Row, Table, Update, and_, or_, select
from sqlalchemy.exc import IntegrityError

from gateway.adapters.persistence.texts import added, changed, found
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import AlreadyMade, AtHand, Call, IdempotentCall, Json, NewId, Page, Scope
from gateway.domain.attempts import Attempt
from gateway.domain.customers import Customer
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.external_records import ExternalRecord
from gateway.domain.ledger import Journal
from gateway.domain.payment_links import PaymentLink
from gateway.domain.payments import Payment
from gateway.domain.payouts import Payout, PayoutAttempt
from gateway.domain.receipts import Receipt
from gateway.domain.refunds import Refund, RefundAttempt
from gateway.domain.webhooks import Delivery, Replay, WebhookEndpoint

#: An id is made at most so long before its row (a retry under an idempotency key uses the first call's id), and clocks
#: of two machines differ by at most so much: bounds on time give bounds on ids, which the lists walk along.
_ID_OLDER_BY = timedelta(days=31)
_ID_NEWER_BY = timedelta(days=1)

#: What is written under a version.
R = TypeVar(
    "R",
    Attempt,
    Customer,
    Delivery,
    ExternalRecord,
    Payment,
    PaymentLink,
    Payout,
    PayoutAttempt,
    Receipt,
    Refund,
    RefundAttempt,
    Replay,
    WebhookEndpoint,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The two faces of a connection inside its transaction."""

    conn: Connection
    raw: psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A new row that waits for the unit to close; `taken` is for when another unique key than the call's is taken."""

    table: Table
    values: Mapping[str, Any]
    idempotency: IdempotentCall
    taken: Conflict


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One transaction, begun by `begin` as its connection is first asked for.

    `moved_clock` says that `now` isn't the time that ids are made by. `kept` is a row that waits: as long as nothing
    else needs the connection, it goes with what is written as the unit closes.
    """

    begin: Callable[[], Begun]
    scope: Scope
    call: Call | None
    now: datetime
    vault: Vault
    new_id: NewId
    reads_secrets: bool
    moved_clock: bool
    events: list[Json] = field(default_factory=list)
    due: list[Json] = field(default_factory=list)
    journals: list[Journal] = field(default_factory=list)
    answer: tuple[UUID, int, bytes] | None = None
    #: The due work that ends with this unit, and when it is due again.
    ends: tuple[AtHand, datetime | None] | None = None
    kept: Kept | None = None
    #: Payments and tries that this unit has locked, as they are now: nobody else can change them before it closes.
    held: dict[UUID, Any] = field(default_factory=dict)
    begun: Begun | None = None

    @property
    def conn(self) -> Connection:
        """SQLAlchemy's connection, inside the transaction."""
        return self._open().conn

    @property
    def raw(self) -> psycopg.Connection[Any]:
        """The driver's connection under it."""
        return self._open().raw

    def _open(self) -> Begun:
        if self.begun is None:
            self.begun = self.begin()
            if (kept := self.kept) is not None:
                self.kept = None
                if not self.add_once(kept.table, kept.values, kept.idempotency):
                    raise kept.taken
        return self.begun

    def own(self, table: Table) -> ColumnElement[bool]:
        """The business filter: no statement about a business's rows goes without it."""
        return and_(table.c.business_id == self.scope.business_id, table.c.livemode == self.scope.livemode)

    def whose(self) -> dict[str, Any]:
        """The two columns that every row of a business bears."""
        return {"business_id": self.scope.business_id, "livemode": self.scope.livemode}

    def seal(self, plain: str | bytes | None, column: str) -> bytes | None:
        """Encrypt for this business; None stays None."""
        return None if plain is None else self.vault.seal(plain, column=column, business_id=self.scope.business_id)

    def open(self, sealed: bytes | None, column: str) -> str | None:
        """Decrypt what was sealed for this business."""
        if sealed is None:
            return None
        return self.vault.open_text(sealed, column=column, business_id=self.scope.business_id)

    def add(self, table: Table, values: Mapping[str, Any]) -> None:
        """Insert one row; `business_id` and `livemode` are the unit's, whatever the object says."""
        added(self.raw, table, {**values, **self.whose()})

    def added_once(self, table: Table, values: Mapping[str, Any]) -> bool:
        """The same; False, and nothing is written, where a unique key of the table is taken."""
        return added(self.raw, table, {**values, **self.whose()}, once=True)

    def found(self, table: Table, *order: str, lock: bool = False, **equal: Any) -> list[Any]:
        """The unit's rows of a table whose columns equal what is named, ordered by columns."""
        return found(self.raw, table, {**self.whose(), **equal}, order=order, lock=lock)

    def first(self, table: Table, *, lock: bool = False, **equal: Any) -> Any:
        """One of them, or None."""
        rows = self.found(table, lock=lock, **equal)
        return rows[0] if rows else None

    def add_once(self, table: Table, values: Mapping[str, Any], idempotency: IdempotentCall | None) -> bool:
        """Insert the object of an idempotent call. Raises AlreadyMade when its id or its key has made one.

        False when another unique key of the table stands in the way.
        """
        if added(self.raw, table, self.keyed(values, idempotency), once=True):
            return True
        return self.refuse_made(table, values, idempotency)

    def add_late(
        self, table: Table, values: Mapping[str, Any], idempotency: IdempotentCall | None, taken: Conflict
    ) -> None:
        """`add_once`, at the latest as the unit closes; what is raised then, `taken` where that gives False.

        A row of an idempotent call that is the unit's first may wait: its unit may then be one round trip.
        """
        if idempotency is not None and self.begun is None and self.kept is None:
            self.kept = Kept(table=table, values=values, idempotency=idempotency, taken=taken)
        elif not self.add_once(table, values, idempotency):
            raise taken

    def keyed(self, values: Mapping[str, Any], idempotency: IdempotentCall | None) -> dict[str, Any]:
        """The row of an idempotent call's object, whose it is and by which call."""
        hashed = None if idempotency is None else idempotency.key_hash
        fingerprint = None if idempotency is None else idempotency.fingerprint
        return {**values, **self.whose(), "idempotency_key": hashed, "fingerprint": fingerprint}

    def refuse_made(self, table: Table, values: Mapping[str, Any], idempotency: IdempotentCall | None) -> bool:
        """Raise AlreadyMade when the row's id or its key has made one; False when another unique key is taken."""
        hashed = None if idempotency is None else idempotency.key_hash
        fingerprint = None if idempotency is None else idempotency.fingerprint
        by_key = (
            table.c.id == values["id"]
            if hashed is None
            else or_(table.c.id == values["id"], table.c.idempotency_key == hashed)
        )
        made = self.conn.execute(select(table.c.id, table.c.fingerprint).where(self.own(table), by_key)).first()
        if made is not None:
            raise AlreadyMade(made.id, same=fingerprint is not None and made.fingerprint == fingerprint)
        return False

    def get(
        self, table: Table, id_: UUID, what: str, *, lock: bool = False, columns: Sequence[Any] | None = None
    ) -> Any:
        """One row by id, as a named tuple. Raises NotFound, for another business's row as for none."""
        names = tuple(column.name for column in columns or ())
        rows = found(self.raw, table, {**self.whose(), "id": id_}, columns=names, lock=lock)
        if not rows:
            raise NotFound(f"there is no such {what}")
        return rows[0]

    def saved(self, table: Table, one: R, values: Mapping[str, Any]) -> R:
        """Write a row guarded by the version that was read; gives the object with the next one. Raises Conflict."""
        where = {**self.whose(), "id": one.id, "version": one.version}
        if changed(self.raw, table, where, {**values, "version": one.version + 1}) != 1:
            raise Conflict("somebody changed it in the meantime; read it again", code="stale_version")
        return replace(one, version=one.version + 1)

    def one_or_taken(self, stmt: Update) -> bool:
        """Whether an update reached its one row; False also when a unique key refused it, and the unit goes on."""
        self.conn.exec_driver_sql("SAVEPOINT taken")
        try:
            found = self.conn.execute(stmt).rowcount == 1
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
            self.conn.exec_driver_sql("ROLLBACK TO SAVEPOINT taken")
            found = False
        self.conn.exec_driver_sql("RELEASE SAVEPOINT taken")
        return found

    def page(
        self, table: Table, page: Page, *criteria: ColumnElement[bool], columns: Sequence[Any] | None = None
    ) -> tuple[Sequence[Row[Any]], bool]:
        """A keyset page, newest first, and whether there is more in the direction of the cursor."""
        stmt = select(*(columns or table.c)).where(self.own(table), *criteria, *self._bounds(table, page))
        if page.ending_before is not None:
            stmt = stmt.where(table.c.id > page.ending_before).order_by(table.c.id)
        else:
            if page.starting_after is not None:
                stmt = stmt.where(table.c.id < page.starting_after)
            stmt = stmt.order_by(table.c.id.desc())
        rows = self.conn.execute(stmt.limit(page.limit + 1)).all()
        more = len(rows) > page.limit
        rows = rows[: page.limit]
        return (rows[::-1] if page.ending_before is not None else rows), more

    def _bounds(self, table: Table, page: Page) -> list[ColumnElement[bool]]:
        bounds: list[ColumnElement[bool]] = [
            compare(table.c.created, at)
            for compare, at in (
                (ge, page.created_gte),
                (gt, page.created_gt),
                (le, page.created_lte),
                (lt, page.created_lt),
            )
            if at is not None
        ]
        if not bounds or not self._ids_tell_the_time():
            return bounds
        lower = [at for at in (page.created_gte, page.created_gt) if at is not None]
        upper = [at for at in (page.created_lte, page.created_lt) if at is not None]
        bounds += [table.c.id >= first_id(at - _ID_OLDER_BY) for at in lower]
        bounds += [table.c.id <= first_id(at + _ID_NEWER_BY) for at in upper]
        return bounds

    def real_time(self) -> datetime:
        """The time that ids are made by, whatever a test has made of `now`."""
        return datetime.fromtimestamp((self.new_id().int >> 80) / 1000, UTC)

    def _ids_tell_the_time(self) -> bool:
        """Whether ids are made by the same clock as `now`: not in a sandbox, whose clock may have been moved."""
        return not self.moved_clock and abs(self.real_time() - self.now) < _ID_NEWER_BY


def filtered(table: Table, page: Page, *names: str) -> list[ColumnElement[bool]]:
    """The page's filters on columns of the same names; other filters are the caller's."""
    wanted = ((name, page.filters[name]) for name in names if page.filters.get(name) is not None)
    return [table.c[name] == (value.value if isinstance(value, Enum) else value) for name, value in wanted]


def first_id(at: datetime) -> UUID:
    """The smallest UUIDv7 of that millisecond."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
