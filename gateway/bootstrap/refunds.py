"""Money that goes back, and quotes: how one process's use cases of them are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from gateway.application.attempts import Spaced
from gateway.application.debts import SweepDebt
from gateway.application.interfaces import Call, Chance, Insist, OpenUnit, Providers
from gateway.application.overpayments import AcceptOverpayment
from gateway.application.quotes import MakeQuote
from gateway.application.refund_attempts import LookUpRefund, SubmitRefund
from gateway.application.refund_desk import RefundDesk
from gateway.application.refund_reports import RecordRefundReport
from gateway.application.refunds import CancelRefund, CreateRefund, ReadRefunds
from gateway.application.replies import Replying
from gateway.application.reversals import RecordReversal


def refund_desk(
    unit: OpenUnit, providers: Providers, replying: Replying, chance: Chance, insist: Insist, spaced: Spaced
) -> RefundDesk:
    """All of it."""
    record = RecordRefundReport(unit=unit, providers=providers)
    return RefundDesk(
        create=CreateRefund(unit=unit, providers=providers),
        cancel=CancelRefund(unit=unit),
        read=ReadRefunds(unit=unit),
        submit=SubmitRefund(
            unit=unit,
            providers=providers,
            replying=replying,
            chance=chance,
            record=record,
            insist=insist,
            spaced=spaced,
        ),
        look_up=LookUpRefund(unit=unit, providers=providers, replying=replying, record=record),
        record=record,
        record_reversal=RecordReversal(unit=unit, record=record),
        sweep_debt=SweepDebt(unit=unit),
        accept_overpayment=AcceptOverpayment(unit=unit),
        quote=MakeQuote(unit=unit, providers=providers),
    )


def handlers_of(desk: RefundDesk) -> Mapping[str, Callable[[UUID, Call], datetime | None]]:
    """Its due work by kind."""
    return {"refund.submit": desk.submit, "refund.look_up": desk.look_up, "owed.sweep": desk.sweep_debt}
