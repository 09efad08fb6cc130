"""What the lines of a statement do: each once, in batches, by the same doors that every other news comes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Call, OpenUnit, Providers, UnitOfWork
from gateway.application.late_lines import next_late_look
from gateway.application.money_in import RecordMoneyIn
from gateway.application.statement_matching import MatchMoneyOut
from gateway.application.statements import balance_of
from gateway.domain import postings
from gateway.domain.connections import Connection
from gateway.domain.ids import Prefix, encode
from gateway.domain.statements import LOOK_AGAIN_S, KeptLine, Match, Outcome, Statement, StatementState
from ports.report import Grade, MoneyIn
from ports.statement import LineKind

#: Sums of one transaction, and transactions of one run: a run is over long before its lease.
BATCH = 100
BATCHES = 20
#: Lines of one run that are each a transaction of their own.
SINGLE = 500
#: Lines that name a receipt, which may yet come in; so many are looked at in one run.
WAITS = (LineKind.REVERSAL, LineKind.RETURN)
LATE = 5_000
#: Sums that the statement told are on their way into the books: look again then.
SOON_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleStatement:
    """Every step may be repeated, and a crash between two changes nothing: outcomes are written with the effects or
    after them, and the effects are of doors that don't mind hearing a thing twice."""

    unit: OpenUnit
    providers: Providers
    money: RecordMoneyIn
    match: MatchMoneyOut

    def __call__(self, statement_id: UUID, call: Call) -> datetime | None:
        """When to come again; None once every line has its outcome and none waits for its original."""
        with self.unit(call.scope, call=call) as work:
            statement = work.statements.get(statement_id)
            if statement.state is StatementState.SETTLING:
                work.statements.settle_known(statement_id)
        if statement.state is StatementState.SETTLED:
            return self._look_late(statement, call)
        for take in (self._take_money, self._take_charges):
            for _ in range(BATCHES):
                if take(statement, call) < BATCH:
                    break
            else:
                return self._later(call, 0)
        if self._one_by_one(statement, (LineKind.PAYOUT, LineKind.OWN), SINGLE, call) == SINGLE:
            return self._later(call, 0)
        with self.unit(call.scope, call=call, read_only=True) as work:
            if work.statements.is_settling_money(statement_id):
                return work.now + timedelta(seconds=SOON_S)
        self._one_by_one(statement, WAITS, LATE, call)
        with self.unit(call.scope, call=call) as work:
            return _after_a_look(work, statement_id)

    def _take_money(self, statement: Statement, call: Call) -> int:
        """A batch of sums that came in, kept together with the outcome of their lines; gives how many."""
        with self.unit(call.scope, call=call) as work:
            lines = work.statements.open_lines(statement.id, (LineKind.COLLECTION,), BATCH)
            rail = self._rail(work, statement) if lines else None
            for line in lines:
                told = None if rail is None else self.money.within(work, rail, _sum(statement, line), Grade.FILE)
                if told is None:
                    _unmatched(work, statement, line)
                else:
                    work.statements.settle(line.id, Outcome.RECORDED, Match(kind="external_record", id=told))
        return len(lines)

    def _take_charges(self, statement: Statement, call: Call) -> int:
        """A batch of charges; gives how many. One a receipt: what one file lists under one number is summed, and booked
        under that number once, whether this file tells it first or a callback did."""
        with self.unit(call.scope, call=call) as work:
            lines = work.statements.open_lines(statement.id, (LineKind.CHARGE,), BATCH)
            for line in lines:
                outcome = _charge(work, statement, line)
                if outcome is Outcome.CONFLICT:
                    _tell_conflict(work, statement)
                work.statements.settle(line.id, outcome)
        return len(lines)

    def _rail(self, work: UnitOfWork, statement: Statement) -> Connection | None:
        """The rail that money on this float came over: the connection itself, or another one on its float."""
        codes = self.providers.rail_codes()
        own = work.connections.get(statement.connection_id)
        if own.code in codes:
            return own
        # A channel's, then; or nobody's whom this process knows, and that must not pass for money that fits nothing.
        self.providers.channel_capabilities(own.code)
        other = work.statements.rail_on(statement.float_id, codes)
        return None if other is None else work.connections.get(other)

    def _one_by_one(self, statement: Statement, kinds: Sequence[LineKind], limit: int, call: Call) -> int:
        """Lines whose effects are in scopes of their own; gives how many were looked at."""
        with self.unit(call.scope, call=call) as work:
            lines = work.statements.open_lines(statement.id, kinds, limit)
            looks = work.statements.get(statement.id).looks
        for line in lines:
            found = self._outcome(statement, line, call)
            if found is None and line.kind in WAITS and line.original_receipt and looks < len(LOOK_AGAIN_S):
                continue
            outcome, match = found or (Outcome.UNMATCHED, None)
            with self.unit(call.scope, call=call) as work:
                if outcome is Outcome.UNMATCHED:
                    _unmatched(work, statement, line)
                    continue
                if outcome is Outcome.CONFLICT:
                    _tell_conflict(work, statement)
                work.statements.settle(line.id, outcome, match)
        return len(lines)

    def _look_late(self, statement: Statement, call: Call) -> datetime | None:
        """A settled statement's reversals and returns whose original came in since, by whatever door."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            lines = work.statements.late_lines(statement.id)
        for line in lines:
            found = self._outcome(statement, line, call)
            if found is None:
                continue
            with self.unit(call.scope, call=call) as work:
                if found[0] is Outcome.CONFLICT:
                    _tell_conflict(work, statement)
                work.statements.settle_late(line.id, *found)
        with self.unit(call.scope, call=call, read_only=True) as work:
            return next_late_look(work, statement)

    def _outcome(self, statement: Statement, line: KeptLine, call: Call) -> tuple[Outcome, Match | None] | None:
        """What became of it; None when nothing of ours fits it yet."""
        match line.kind:
            case LineKind.PAYOUT:
                return self.match.payout(statement, line, call) or self.match.own_transfer(statement, line, call)
            case LineKind.OWN:
                return self.match.own_transfer(statement, line, call) or (Outcome.NOTED, None)
            case LineKind.RETURN:
                return self.match.returned(statement, line, call)
            case _:
                return self.match.reversal(statement, line)

    def _later(self, call: Call, wait_s: int) -> datetime:
        with self.unit(call.scope, call=call, read_only=True) as work:
            return work.now + timedelta(seconds=wait_s)


def _after_a_look(work: UnitOfWork, statement_id: UUID) -> datetime | None:
    """Wait for what is still open, or close the statement."""
    statement = work.statements.get(statement_id, lock=True)
    if statement.state is StatementState.SETTLED:
        return next_late_look(work, statement)
    if work.statements.open_lines(statement_id, tuple(LineKind), 1):
        last = statement.looks >= len(LOOK_AGAIN_S)
        work.statements.save(replace(statement, looks=0 if last else statement.looks + 1))
        return work.now + timedelta(seconds=0 if last else LOOK_AGAIN_S[statement.looks])
    if work.statements.differing(statement_id):
        _tell_conflict(work, statement)
    if missing := work.statements.missing(statement_id):
        detail = f"{len(missing)} payouts that the books call paid aren't on {_name(statement)}"
        work.alerts.raise_("payouts_missing", statement_id, detail)
    balance = balance_of(work, statement)
    if balance is not None and balance["difference"]:
        detail = f"{_name(statement)} closes at {balance['statement']}, the books say {balance['books']} (minor units)"
        work.alerts.raise_("float_differs", statement.float_id, detail)
    work.statements.save(replace(statement, state=StatementState.SETTLED))
    return next_late_look(work, statement)


def _charge(work: UnitOfWork, statement: Statement, line: KeptLine) -> Outcome:
    units, number = work.statements.charged(statement.id, line.receipt_number), line.receipt_number
    amount = replace(line.amount, units=units)
    if work.floats.charge_once(statement.float_id, number, amount, line.happened_at):
        work.journal.post(
            postings.provider_charge(
                statement.float_id, number, units, livemode=statement.livemode, at=line.happened_at
            )
        )
        return Outcome.BOOKED
    booked = work.statements.charge_booked(statement.float_id, number)
    return Outcome.BOOKED if booked == units else Outcome.CONFLICT


def _sum(statement: Statement, line: KeptLine) -> MoneyIn:
    return MoneyIn(
        receipt_namespace=statement.receipt_namespace,
        receipt_number=line.receipt_number,
        amount=line.amount,
        happened_at=line.happened_at,
        reference=line.reference,
        payer_hint=line.payer_hint,
    )


def _unmatched(work: UnitOfWork, statement: Statement, line: KeptLine) -> None:
    work.statements.settle(line.id, Outcome.UNMATCHED)
    if line.kind is LineKind.PAYOUT:
        detail = f"money left without an order of ours: row {line.row} of {_name(statement)}, and perhaps others"
        work.alerts.raise_("payout_unordered", statement.id, detail)
    else:
        detail = f"row {line.row} of {_name(statement)} fits nothing of ours, and perhaps others"
        work.alerts.raise_("statement_unmatched", statement.id, detail)


def _tell_conflict(work: UnitOfWork, statement: Statement) -> None:
    work.alerts.raise_("statement_conflict", statement.id, f"lines of {_name(statement)} contradict the books")


def _name(statement: Statement) -> str:
    return encode(Prefix.STATEMENT, statement.id)
