"""Statements: how one process's use cases of them are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.application.interfaces import Call, Directory, OpenUnit, Providers
from gateway.application.money_in import RecordMoneyIn
from gateway.application.operators import OperatorDesk
from gateway.application.own_transfers_reports import RecordOwnReport
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.refund_desk import RefundDesk
from gateway.application.statement_matching import MatchMoneyOut
from gateway.application.statements import ImportStatement, ReadStatements
from gateway.application.statements_settling import SettleStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementCommands:
    """The operator's acts about statements."""

    import_: ImportStatement
    read: ReadStatements


def statement_commands(
    unit: OpenUnit, providers: Providers, directory: Directory, desk: OperatorDesk
) -> StatementCommands:
    """All of them."""
    return StatementCommands(
        import_=ImportStatement(unit=unit, providers=providers, directory=directory, desk=desk),
        read=ReadStatements(unit=unit),
    )


def statement_handlers(
    unit: OpenUnit, providers: Providers, refunds: RefundDesk
) -> Mapping[str, Callable[[UUID, Call], datetime | None]]:
    """Its due work by kind."""
    match = MatchMoneyOut(
        unit=unit,
        payouts=RecordPayoutReport(unit=unit, providers=providers),
        refunds=refunds.record,
        reversals=refunds.record_reversal,
        own=RecordOwnReport(providers=providers),
    )
    settle = SettleStatement(unit=unit, providers=providers, money=RecordMoneyIn(unit=unit), match=match)
    return {"statement.settle": settle}
