"""Importing a provider's statement: seen before anything is kept, kept once, settled by due work; and reading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from uuid import UUID

from gateway.application.interfaces import Directory, Due, Json, OpenUnit, Providers, UnitOfWork
from gateway.application.late_lines import wake_waiting
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.representations import moment
from gateway.domain.connections import Connection
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.ids import Prefix, encode
from gateway.domain.matching import masked_reference
from gateway.domain.statements import Statement, moves
from ports.abilities import Ability, ReadsFiles
from ports.errors import Misconfigured, Unreadable
from ports.money import Money
from ports.statement import LineKind, StatementFile, StatementLine

#: So many lines that nobody understands are named before anything is kept.
SHOWN = 50
#: What `unmatched` asks for: everything that a person should look at.
FOR_A_PERSON = ("unmatched", "conflict", "suspense", "open", "announced")

Tell = Callable[[int], None]


def _silently(_: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStatement:
    """An operator brings in a file. The connection's adapter reads it; all of it is kept, or nothing."""

    unit: OpenUnit
    providers: Providers
    directory: Directory
    desk: OperatorDesk

    def __call__(
        self,
        connection_id: UUID,
        name: str,
        content: bytes,
        act: Act,
        *,
        preview: bool = False,
        any_account: bool = False,
        tell: Tell = _silently,
    ) -> Json:
        """What the file holds; without `preview` it is kept as well and its lines become due.

        Raises Invalid (`statement_unreadable`, `statement_account`), Conflict (`statement_known`) and NotFound.
        """
        livemode = self.directory.mode_of_connection(connection_id)
        digest = sha256(content).digest()
        with self.unit(house(livemode), read_only=True) as work:
            connection = work.connections.get(connection_id)
            _refuse_known(work, connection_id, digest)
        file = self._read(connection, name, content)
        differs = _account_differs(file.account, connection.config)
        with self.unit(house(livemode), read_only=True) as work:
            known = work.statements.known(connection.float_id, file.lines)
        shown = _preview(file, known, differs=differs)
        if preview:
            return shown
        if differs and not any_account:
            raise Invalid(
                f"the file is of account {file.account}, which the connection isn't configured with;"
                " import it with --any-account if it is the right one all the same",
                code="statement_account",
            )
        with self.unit(house(livemode)) as work:
            kept = work.statements.add(_new(work, connection, name, digest, file), file.lines, tell)
            work.due.put(Due(kind="statement.settle", subject_id=kept.id, due_at=work.now))
            wake_waiting(work, float_id=connection.float_id)
        self.desk.note(act, "statement.import", kept.id)
        return {**shown, "id": encode(Prefix.STATEMENT, kept.id), "known": kept.known, "new": kept.lines - kept.known}

    def _read(self, connection: Connection, name: str, content: bytes) -> StatementFile:
        try:
            return self._reader(connection).read_file(name, content)
        except Unreadable as wrong:
            raise Invalid(f"nothing was kept: {wrong}", code="statement_unreadable") from None

    def _reader(self, connection: Connection) -> ReadsFiles:
        """The connection's adapter, of whichever kind."""
        is_rail = connection.code in self.providers.rail_codes()
        offer = (
            self.providers.rail_capabilities(connection.code)
            if is_rail
            else self.providers.channel_capabilities(connection.code)
        )
        if Ability.READ_FILE not in offer.abilities:
            raise Invalid("this connection reads no statements", code="not_supported")
        try:
            line: object = self.providers.rail(connection) if is_rail else self.providers.channel(connection)
        except Misconfigured as wrong:
            raise Invalid(str(wrong), code="configuration_invalid") from None
        if not isinstance(line, ReadsFiles):
            raise Invalid("the adapter declares that it reads statements and can't", code="not_supported")
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatements:
    """What became of imported files, for an operator."""

    unit: OpenUnit

    def latest(self, *, livemode: bool, limit: int = 50) -> list[Json]:
        """The newest first."""
        with self.unit(house(livemode), read_only=True) as work:
            return [_statement(one) for one in work.statements.latest(limit)]

    def one(self, statement_id: UUID, *, livemode: bool) -> Json:
        """It with counts and sums by kind and outcome, missing payouts, and its closing balance beside the books'."""
        with self.unit(house(livemode), read_only=True) as work:
            found = work.statements.get(statement_id)
            return {
                **_statement(found),
                "summary": list(work.statements.summary(statement_id)),
                "missing": list(work.statements.missing(statement_id)),
                "balance": balance_of(work, found),
            }

    def lines(
        self, statement_id: UUID, *, livemode: bool, kind: str | None = None, unmatched: bool = False, limit: int = 1000
    ) -> list[Json]:
        """Its lines that no earlier file had; `unmatched` gives those that a person should look at."""
        outcomes = FOR_A_PERSON if unmatched else ()
        with self.unit(house(livemode), read_only=True) as work:
            work.statements.get(statement_id)
            return list(work.statements.lines(statement_id, kind=kind, outcomes=outcomes, limit=limit))


def balance_of(work: UnitOfWork, one: Statement) -> Json | None:
    """The file's closing balance and what the books held then; None where the file names no balance or no period."""
    if one.closing_units is None or one.until is None:
        return None
    books = work.statements.books_at(one.float_id, one.currency, one.until)
    return {
        "at": moment(one.until),
        "statement": one.closing_units,
        "books": books,
        "difference": one.closing_units - books,
        "currency": one.currency,
    }


def _refuse_known(work: UnitOfWork, connection_id: UUID, digest: bytes) -> None:
    first = work.statements.imported(connection_id, digest)
    if first is not None:
        raise Conflict(
            f"this very file was imported as {encode(Prefix.STATEMENT, first.id)} on {moment(first.created)}",
            code="statement_known",
        )


def _account_differs(account: str, config: Mapping[str, object]) -> bool:
    """Whether the file names an account that nothing in the connection's configuration names. What isn't named can't
    differ."""
    named = {str(value).strip() for value in config.values() if isinstance(value, str | int)}
    return bool(account and named) and account not in named


def _new(work: UnitOfWork, connection: Connection, name: str, digest: bytes, file: StatementFile) -> Statement:
    money = next(
        (one for one in (file.closing, file.opening, *(line.amount for line in file.lines)) if one is not None), None
    )
    return Statement(
        id=work.new_id(),
        livemode=work.scope.livemode,
        created=work.now,
        updated=work.now,
        connection_id=connection.id,
        float_id=connection.float_id,
        receipt_namespace=file.receipt_namespace,
        name=masked_reference(PurePath(name).name) or "statement",
        sha256=digest,
        account=file.account,
        currency=money.asset.code if money else "KES",
        since=file.since,
        until=file.until,
        opening_units=_units(file.opening),
        closing_units=_units(file.closing),
        lines=len(file.lines),
    )


def _preview(file: StatementFile, known: int, *, differs: bool) -> Json:
    unclear = [line for line in file.lines if _is_unclear(line)]
    return {
        "account": file.account,
        "account_differs": differs,
        "since": moment(file.since),
        "until": moment(file.until),
        "opening": _units(file.opening),
        "closing": _units(file.closing),
        "lines": len(file.lines),
        "new": len(file.lines) - known,
        "known": known,
        "not_completed": sum(not line.completed for line in file.lines),
        "kinds": [_sums(kind, file.lines) for kind in LineKind if any(line.kind is kind for line in file.lines)],
        "unclear": len(unclear),
        "unclear_lines": [
            {"row": line.row, "receipt_number": line.receipt_number, "amount": line.amount.units, "detail": line.detail}
            for line in unclear[:SHOWN]
        ],
    }


def _units(amount: Money | None) -> int | None:
    """A balance of nothing is a balance."""
    return None if amount is None else amount.units


def _is_unclear(line: StatementLine) -> bool:
    """A line that was done and that no rule of ours will act on."""
    if not line.completed or line.kind is LineKind.OWN:
        return False
    return not moves(line.kind, comes_in=line.comes_in)


def _sums(kind: LineKind, lines: Sequence[StatementLine]) -> Json:
    these = [line for line in lines if line.kind is kind]
    return {
        "kind": kind.value,
        "count": len(these),
        "came_in": sum(line.amount.units for line in these if line.comes_in and line.completed),
        "left": sum(line.amount.units for line in these if not line.comes_in and line.completed),
    }


def _statement(one: Statement) -> Json:
    return {
        "id": encode(Prefix.STATEMENT, one.id),
        "object": "statement",
        "livemode": one.livemode,
        "created": moment(one.created),
        "connection": encode(Prefix.CONNECTION, one.connection_id),
        "float": encode(Prefix.FLOAT, one.float_id),
        "name": one.name,
        "account": one.account,
        "since": moment(one.since),
        "until": moment(one.until),
        "opening": one.opening_units,
        "closing": one.closing_units,
        "currency": one.currency,
        "lines": one.lines,
        "known": one.known,
        "new": one.lines - one.known,
        "status": one.state.value,
    }
