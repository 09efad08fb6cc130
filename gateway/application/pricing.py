"""The price of a payment, frozen at its first confirm: the schedule, who bears it, what the shopper is asked for."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gateway.application.amounts import check_bounds
from gateway.application.interfaces import UnitOfWork
from gateway.domain.fees import FeeSchedule, Settlement, Terms, forgiven, price_of
from gateway.domain.payments import Payment
from gateway.domain.quotes import QuoteType
from ports.money import Money
from ports.payment_rail import RailCapabilities


def priced(
    work: UnitOfWork,
    payment: Payment,
    settlement: Settlement,
    method: str,
    offer: RailCapabilities,
    quote_id: UUID | None = None,
    tolerance: int = 0,
) -> Payment:
    """The payment with its terms and `amount_due`; one that has terms keeps them. A quote locks its schedule.

    `tolerance`: how much a payment may be short, in minor units.

    Raises Conflict (`quote_expired`), Unprocessable (`quote_mismatch`), and Invalid when the rail can't ask for it.
    """
    if payment.terms is not None:
        return payment
    schedule = _schedule(work, payment, method, quote_id)
    price = price_of(schedule, payment.amount.units, offer.amount_granularity)
    borne = bool(schedule.customer_share_bps)
    due = Money(units=price.due_units, asset=payment.amount.asset)
    check_bounds(due, offer.amount_min, offer.amount_max, offer.amount_granularity)
    terms = Terms(
        fee=schedule,
        settlement=settlement,
        full=price.charge if borne else None,
        base_units=price.units if borne else None,
        under_units=forgiven(tolerance, due.units),
    )
    return replace(payment, terms=terms, amount_due=due)


def _schedule(work: UnitOfWork, payment: Payment, method: str, quote_id: UUID | None) -> FeeSchedule:
    if quote_id is None:
        return work.businesses.fee_schedule("collect", work.now, method)
    return work.quotes.get(quote_id).locked(QuoteType.PAYMENT, method, payment.amount, work.now)
