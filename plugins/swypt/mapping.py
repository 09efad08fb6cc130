"""What Swypt's words mean at the port: the status tables, and pure functions from an order to a Report.

An on-ramp's SUCCESS says that shillings were collected; that tokens came is told by our own node alone. Messages decide
why something failed, never whether.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from plugins.swypt.orders import HistoryRow, Order
from plugins.swypt.quotes import units
from ports.money import KES, Money
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status, TryAgain

#: Swypt collects and pays over M-Pesa in Kenya: its receipts are M-Pesa's.
RECEIPTS = "mpesa_ke"
#: Seconds a prompt lives; about 60 by most sources, 90 by the longest.
PROMPT_LIFE_S = 90

#: Documentation, February to July 2025; CANCELLED in February, and in clients' code still.
ONRAMP_WORDS: Mapping[str, Status] = {
    "PENDING": Status.PENDING,
    "SUCCESS": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
    "CANCELLED": Status.FAILED,
    "CANCELED": Status.FAILED,
}
OFFRAMP_WORDS: Mapping[str, Status] = {
    "PENDING": Status.PENDING,
    "SUCCESS": Status.SUCCEEDED,
    "FAILED": Status.FAILED,
}
_CANCELED = ("CANCELLED", "CANCELED")

#: Why an on-ramp failed, by its message. Only the kind hangs on it.
_REASONS = (
    (re.compile(r"insufficient|balance", re.IGNORECASE), FailureKind.INSUFFICIENT_FUNDS),
    (re.compile(r"cancel", re.IGNORECASE), FailureKind.CANCELED_BY_PAYER),
    (re.compile(r"\bpin\b|initiator information", re.IGNORECASE), FailureKind.WRONG_PIN),
    (re.compile(r"time-?d? ?out|no response|cannot be reached|unreachable", re.IGNORECASE), FailureKind.NO_ANSWER),
    (re.compile(r"limit|exceed", re.IGNORECASE), FailureKind.OVER_LIMIT),
)


def collected(order: Order, reference: str, order_id: str) -> Report:
    """What an on-ramp order's status says of our try. It never names the amount: the one asked was paid."""
    if order.order_id not in (None, order_id):
        return no_news(reference)
    status = ONRAMP_WORDS.get(order.word)
    return Report(
        status=status or Status.PENDING,
        grade=Grade.ANSWER,
        reference=reference,
        provider_reference=order_id,
        money=(_paid(order, order_id),) if status is Status.SUCCEEDED else (),
        failure=_unpaid(order) if status is Status.FAILED else None,
        unrecognised=None if status else order.word or "no status",
    )


def _paid(order: Order, order_id: str) -> MoneyIn:
    return MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=order.receipt,
        payer_hint=order.payer_hint,
        provider_reference=order_id,
    )


def _unpaid(order: Order) -> Failure:
    kind = next((kind for pattern, kind in _REASONS if pattern.search(order.message)), FailureKind.OTHER)
    if order.word in _CANCELED:
        kind = FailureKind.CANCELED_BY_PAYER
    return Failure(kind=kind, provider_code=order.word, detail="the prompt was not paid", try_again=TryAgain.NOW)


def paid_out(order: Order, reference: str, order_id: str) -> Report:
    """What an off-ramp order's status says of our payout; `amount` is what it says that the recipient got."""
    if order.order_id not in (None, order_id):
        return no_news(reference)
    status = OFFRAMP_WORDS.get(order.word)
    is_paid = status is Status.SUCCEEDED
    return Report(
        status=status or Status.PENDING,
        grade=Grade.ANSWER,
        reference=reference,
        provider_reference=order_id,
        failure=_not_paid_out(order) if status is Status.FAILED else None,
        unrecognised=None if status else order.word or "no status",
        receipt_number=order.receipt if is_paid else None,
        amount=shillings(order.amount) if is_paid else None,
    )


def _not_paid_out(order: Order) -> Failure:
    """The tokens are in the escrow: Swypt owes them until it gives them back."""
    why = " ".join(part for part in (order.reason, f"({order.code})" if order.code else "") if part)
    return Failure(
        kind=FailureKind.OTHER,
        provider_code=order.word,
        detail=why or "the payout was not made",
        try_again=TryAgain.NEVER,
        keeps_funds=True,
    )


def money_in(row: HistoryRow, *, fee_on_top: bool) -> MoneyIn | None:
    """A paid row as an incoming sum; None for one without receipt or amount. Its times aren't used: they lie."""
    if row.receipt is None or row.amount is None:
        return None
    fee = row.fee if fee_on_top and row.fee is not None else 0
    amount = shillings(row.amount - fee)
    if amount is None or not amount.units:
        return None
    return MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=row.receipt,
        amount=amount,
        payer_hint=f"+{row.phone[:4]}•••••{row.phone[-3:]}" if row.phone else None,
        provider_reference=row.order_id,
    )


def shillings(amount: Decimal | None) -> Money | None:
    """An amount in shillings, cut to whole cents; None where there is none."""
    return units(amount, KES, ROUND_FLOOR) if amount is not None and amount >= 0 else None


def no_news(reference: str, *, found_nothing: bool = False) -> Report:
    """An answer that tells nothing."""
    return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=reference, found_nothing=found_nothing)
