"""Money that goes back, on one page: refunds, kept excess, reversals and debts; and quotes."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.application.debts import SweepDebt
from gateway.application.overpayments import AcceptOverpayment
from gateway.application.quotes import MakeQuote
from gateway.application.refund_attempts import LookUpRefund, SubmitRefund
from gateway.application.refund_reports import RecordRefundReport
from gateway.application.refunds import CancelRefund, CreateRefund, ReadRefunds
from gateway.application.reversals import RecordReversal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDesk:
    """From money that arrived back to who paid it, and what happens when the provider takes it back itself."""

    create: CreateRefund
    cancel: CancelRefund
    read: ReadRefunds
    submit: SubmitRefund
    look_up: LookUpRefund
    record: RecordRefundReport
    record_reversal: RecordReversal
    sweep_debt: SweepDebt
    accept_overpayment: AcceptOverpayment
    quote: MakeQuote
