"""Paying by oneself from the hosted page: which places are offered there, and which one was chosen."""

from __future__ import annotations

from gateway.application.amounts import check_bounds
from gateway.application.interfaces import Providers, UnitOfWork
from gateway.domain.errors import Invalid
from gateway.domain.maintenance import Halt
from gateway.domain.payments import PAYMENT, Payment, PaymentState, PayToAction
from ports.money import Money
from ports.payment_rail import RailCapabilities, StartsBy

#: Methods of the page beside the prompt, in the order in which they are offered.
PLACES = ("mpesa_paybill", "mpesa_till")

#: Where to pay, as names and values: `paybill`, `till`, `account`.
Place = tuple[tuple[str, str], ...]


def place_of(payment: Payment) -> Place:
    """Where the shopper was told to pay by himself; empty when he wasn't, or it is too late."""
    action = payment.next_action
    return action.pay_to if isinstance(action, PayToAction) and payment.state not in PAYMENT.ends else ()


def offered_places(work: UnitOfWork, providers: Providers, payment: Payment) -> tuple[str, ...]:
    """Methods by which the rest can be paid to a place at this moment.

    Where no reference travels with the money nobody could tell whose it is, so that the page would wait in vain.
    """
    if payment.state not in (PaymentState.REQUIRES_PAYMENT_METHOD, PaymentState.REQUIRES_ACTION):
        return ()
    left = Money(units=payment.amount_due.units - payment.received_units, asset=payment.amount.asset)
    return tuple(method for method in PLACES if _is_open(work, providers, method, left))


def _is_open(work: UnitOfWork, providers: Providers, method: str, left: Money) -> bool:
    codes = [code for code in providers.rail_codes(method) if _is_place(providers.rail_capabilities(code))]
    connection = work.connections.for_method(codes) if codes else None
    if connection is None or connection.hold(Halt.PAYMENTS, work.now) is not None:
        return False
    offer = providers.rail_capabilities(connection.code)
    try:
        check_bounds(left, offer.amount_min, offer.amount_max, offer.amount_granularity)
    except Invalid:
        return False
    return not work.breakers.get(connection.id).refuses_for_s(work.now)


def _is_place(offer: RailCapabilities) -> bool:
    return offer.starts_by is StartsBy.PAY_TO and offer.reference_travels
