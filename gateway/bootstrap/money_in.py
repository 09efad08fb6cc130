"""Money in without a prompt: how one process's use cases of it are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from gateway.application.addresses_of_connections import RegisterConnection, SetPolicy
from gateway.application.assignments import AssignReceipt, OperateReceipts, ReadReceipts
from gateway.application.conflicts import DecideConflicts
from gateway.application.history import PullHistory
from gateway.application.interfaces import Call, Directory, Doors, OpenUnit, Providers
from gateway.application.jobs import Chore
from gateway.application.money_in import RecordMoneyIn
from gateway.application.money_in_questions import AskByReceipt
from gateway.application.money_in_settling import OfferReceipt, SettleMoneyIn
from gateway.application.operators import OperatorDesk
from gateway.application.receipts_desk import ReceiptsDesk
from gateway.application.replies import Replying
from gateway.application.reports import RecordReport
from ports.abilities import Ability


def receipts_desk(unit: OpenUnit, tolerance: int = 0) -> ReceiptsDesk:
    """What a business does about receipts; `tolerance` is what a payment may be short."""
    return ReceiptsDesk(read=ReadReceipts(unit=unit), assign=AssignReceipt(unit=unit, tolerance=tolerance))


def money_handlers(
    unit: OpenUnit, providers: Providers, replying: Replying, record: RecordReport
) -> Mapping[str, Callable[[UUID, Call], datetime | None]]:
    """Its due work by kind."""
    money = RecordMoneyIn(unit=unit)
    return {
        "money.settle": SettleMoneyIn(unit=unit, providers=providers, record=record),
        "money.look_up": AskByReceipt(unit=unit, providers=providers, replying=replying, record=money),
        "receipt.offer": OfferReceipt(unit=unit),
        "connection.pull": PullHistory(unit=unit, providers=providers, record=money),
    }


def pull_chore(doors: Doors, providers: Providers) -> Chore:
    """Histories are read without anybody's order, from the minute after a connection was added."""
    codes = [code for code in providers.rail_codes() if Ability.HISTORY in providers.rail_capabilities(code).abilities]
    return Chore(name="pull", every_s=60.0, do=partial(doors.promise_pulls, codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyInCommands:
    """The operator's acts about money in."""

    register: RegisterConnection
    set_policy: SetPolicy
    receipts: OperateReceipts
    conflicts: DecideConflicts


def money_in_commands(
    unit: OpenUnit,
    providers: Providers,
    replying: Replying,
    directory: Directory,
    desk: OperatorDesk,
    tolerance: int = 0,
) -> MoneyInCommands:
    """All of them; `tolerance` is what a payment may be short."""
    assign = AssignReceipt(unit=unit, tolerance=tolerance)
    return MoneyInCommands(
        register=RegisterConnection(unit=unit, providers=providers, replying=replying, directory=directory, desk=desk),
        set_policy=SetPolicy(directory=directory, desk=desk),
        receipts=OperateReceipts(unit=unit, directory=directory, desk=desk, assign=assign),
        conflicts=DecideConflicts(unit=unit, desk=desk),
    )
