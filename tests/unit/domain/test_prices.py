"""Who bears a fee: whatever the schedule, what the customer pays is what the business gets and all our fees."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from uuid import UUID

import pytest

from gateway.domain.fees import (
    NO_CHARGE,
    Bearer,
    FeeSchedule,
    Settlement,
    TaxRule,
    Terms,
    charge_beside,
    largest_beside,
    price_of,
)
from gateway.domain.receipts import share_of

VAT, LEVY = TaxRule(code="VAT", rate_bps=1_600), TaxRule(code="LEVY", rate_bps=150, inclusive=False)


def schedules() -> list[FeeSchedule]:
    made = []
    for bearer, customer_bps in ((Bearer.MERCHANT, 0), (Bearer.CUSTOMER, 0), (Bearer.SPLIT, 3_333)):
        for flat, bps, least, cap in ((0, 150, 0, None), (1_000, 0, 0, None), (500, 275, 2_000, 100_000), (0, 0, 0, 0)):
            for taxes in ((), (VAT,), (VAT, LEVY)):
                made.append(
                    FeeSchedule(
                        id=UUID(int=9),
                        version=1,
                        flat_units=flat,
                        bps=bps,
                        min_units=least,
                        cap_units=cap,
                        taxes=taxes,
                        bearer=bearer,
                        customer_bps=customer_bps,
                    )
                )
    return made


def amounts(count: int) -> list[int]:
    """The same ones at every run: all small sums, and others up to the largest that M-Pesa takes."""
    chance = Random(19)  # nosec B311
    return [*range(1, 1_000), *(chance.randrange(1_000, 25_000_001) for _ in range(count - 999))]


@pytest.mark.parametrize("schedule", schedules())
def test_the_sums_of_ten_thousand_prices_add_up(schedule: FeeSchedule) -> None:
    for units in amounts(10_000):
        price = price_of(schedule, units, 100)
        taxes = sum(tax for _, tax in price.charge.taxes)
        customer_total, fees = price.due_units, price.charge.revenue_units + taxes
        assert customer_total == price.net_units + fees
        assert customer_total == units + price.customer_units + price.rounding_units
        assert price.net_units >= 0
        assert 0 <= price.rounding_units < 100
        assert min((price.charge.revenue_units, *(tax for _, tax in price.charge.taxes))) >= 0
        if schedule.bearer is Bearer.MERCHANT:
            assert customer_total == units
        else:
            assert customer_total % 100 == 0
        if schedule.bearer is Bearer.CUSTOMER:
            assert price.net_units == units


@pytest.mark.parametrize("schedule", [s for s in schedules() if s.bearer is not Bearer.MERCHANT])
def test_a_payment_in_parts_costs_what_it_would_have_cost_at_once(schedule: FeeSchedule) -> None:
    chance = Random(7)  # nosec B311
    for units in amounts(1_200)[-300:]:
        price = price_of(schedule, units, 100)
        terms = Terms(fee=schedule, settlement=Settlement(), full=price.charge, base_units=price.units)
        cuts = sorted({0, *(chance.randrange(0, price.due_units // 100) * 100 for _ in range(3)), price.due_units})
        charged = NO_CHARGE
        for before, after in pairwise(cuts):
            share = share_of(
                terms,
                due_units=price.due_units,
                received_before=before,
                charged_before=charged,
                arrived=after - before,
            )
            assert 0 <= share.charge.total <= share.due_units
            charged = charged + share.charge
        assert charged.total == price.charge.total


@pytest.mark.parametrize("schedule", schedules())
def test_the_largest_payout_is_covered_and_the_next_larger_one_is_not(schedule: FeeSchedule) -> None:
    for available in (0, 999, 1_000, 4_000, 4_099, 147_750, 25_000_000, 40_000_000):
        units = largest_beside(schedule, available, 100, 25_000_000)
        assert units % 100 == 0
        assert units == 0 or units + charge_beside(schedule, units).total <= available
        more = units + 100
        assert more > 25_000_000 or more + charge_beside(schedule, more).total > available
