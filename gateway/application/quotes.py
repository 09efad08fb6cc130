"""Quotes: what collecting an order costs, and how much a payout takes or can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import refund_views as shown
from gateway.application.amounts import asset_of, check_bounds, money_of
from gateway.application.answers import answered, refuse_other_request
from gateway.application.debts import refuse_debtors
from gateway.application.interfaces import AlreadyMade, Call, Json, OpenUnit, Providers, UnitOfWork
from gateway.domain.errors import InsufficientFunds, Invalid, Unprocessable
from gateway.domain.fees import Bearer, FeeSchedule, Price, charge_beside, largest_beside, price_of
from gateway.domain.quotes import QUOTE_LIFE, Quote, QuoteType
from ports.money import Money
from ports.payment_rail import RailCapabilities
from ports.payout_channel import ChannelCapabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """`amount` in minor units, None for the largest payable (payouts only). `bearer` overrides the schedule's."""

    type: QuoteType
    amount: int | None
    currency: str
    method: str
    bearer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeQuote:
    """Work a price out and hold it for a while."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, asked: QuoteRequest, call: Call) -> Json:
        """The quote. Raises Invalid, Unprocessable (`method_not_available`, `insufficient_funds`)."""
        asset_of(asked.currency)
        try:
            with self.unit(call.scope, call=call) as work:
                price, schedule = self._of_payment(work, asked) if _pays_in(asked) else self._of_payout(work, asked)
                quote = Quote(
                    id=call.idempotency.object_id if call.idempotency else work.new_id(),
                    business_id=call.business_id,
                    livemode=call.livemode,
                    created=work.now,
                    type=asked.type,
                    method=asked.method,
                    amount=money_of(price.units, asked.currency),
                    price=price,
                    schedule=schedule,
                    expires_at=work.now + QUOTE_LIFE,
                )
                work.quotes.add(quote, call.idempotency)
                return answered(work, 201, shown.quote(quote))
        except AlreadyMade as made:
            refuse_other_request(made)
            return self.get(made.object_id, call)

    def get(self, quote_id: UUID, call: Call) -> Json:
        """A quote as it was made."""
        with self.unit(call.scope, call=call) as work:
            return answered(work, 201, shown.quote(work.quotes.get(quote_id)))

    def _of_payment(self, work: UnitOfWork, asked: QuoteRequest) -> tuple[Price, FeeSchedule]:
        if asked.amount is None:
            raise Invalid("only a payout's amount can be `max`", code="amount_invalid", param="/amount")
        offer = self._rail(work, asked.method)
        schedule = _borne_by(work.businesses.fee_schedule("collect", work.now, asked.method), asked.bearer)
        price = price_of(schedule, money_of(asked.amount, asked.currency).units, offer.amount_granularity)
        due = money_of(price.due_units, asked.currency)
        check_bounds(due, offer.amount_min, offer.amount_max, offer.amount_granularity)
        return price, schedule

    def _of_payout(self, work: UnitOfWork, asked: QuoteRequest) -> tuple[Price, FeeSchedule]:
        if asked.bearer not in (None, Bearer.MERCHANT.value):
            raise Invalid("a payout's fee is the business's", code="bearer_invalid", param="/bearer")
        offer = self._channel(work, asked.method)
        schedule = work.businesses.fee_schedule("payout", work.now, asked.method)
        if asked.amount is None:
            units = _largest(work, schedule, offer, asked.currency)
        else:
            amount = money_of(asked.amount, asked.currency)
            check_bounds(amount, offer.amount_min, offer.amount_max, offer.amount_granularity)
            units = amount.units
        charge = charge_beside(schedule, units)
        return Price(units=units, due_units=units, customer_units=0, rounding_units=0, charge=charge), schedule

    def _rail(self, work: UnitOfWork, method: str) -> RailCapabilities:
        code = _line(work, self.providers.rail_codes(method))
        if code is None:
            raise Unprocessable(f"no rail for method {method!r} is connected", code="method_not_available")
        return self.providers.rail_capabilities(code)

    def _channel(self, work: UnitOfWork, kind: str) -> ChannelCapabilities:
        code = _line(work, self.providers.channel_codes(kind))
        if code is None:
            raise Unprocessable(f"no channel that pays to {kind} is connected", code="destination_not_available")
        return self.providers.channel_capabilities(code)


def _pays_in(asked: QuoteRequest) -> bool:
    return asked.type is QuoteType.PAYMENT


def _line(work: UnitOfWork, codes: Sequence[str]) -> str | None:
    connection = work.connections.for_method(codes) if codes else None
    return None if connection is None else connection.code


def _borne_by(schedule: FeeSchedule, bearer: str | None) -> FeeSchedule:
    """The schedule with another bearer; how a fee is split is the schedule's own."""
    if bearer is None:
        return schedule
    wanted = Bearer(bearer)
    if wanted is Bearer.SPLIT and schedule.bearer is not Bearer.SPLIT:
        raise Invalid("the fee schedule names no split", code="bearer_invalid", param="/bearer")
    return replace(schedule, bearer=wanted)


def _largest(work: UnitOfWork, schedule: FeeSchedule, offer: ChannelCapabilities, currency: str) -> int:
    """What can be paid out at most, with its fee, now. Raises InsufficientFunds, Conflict (`business_owes`)."""
    refuse_debtors(work)
    available = work.balances.now().get(currency, {}).get("available", 0)
    units = largest_beside(schedule, available, offer.amount_granularity, offer.amount_max)
    if units < offer.amount_min:
        least = Money(units=offer.amount_min, asset=asset_of(currency))
        raise InsufficientFunds(f"{available} minor units are available; the least payout is {least} and its fee")
    return units
