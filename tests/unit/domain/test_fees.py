"""Fees: exact to the last unit, the same however the money was split, and never above what came in."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.fees import (
    NO_CHARGE,
    Charge,
    FeeSchedule,
    Settlement,
    SettlementKind,
    TaxRule,
    Terms,
    charge_on,
    half_up,
)
from gateway.domain.receipts import share_of

ID = UUID(int=1)
KES_1 = 100

tax_rules = st.builds(
    TaxRule, code=st.sampled_from(["vat", "excise", "levy"]), rate_bps=st.integers(0, 3_000), inclusive=st.booleans()
)
schedules = st.builds(
    FeeSchedule,
    id=st.just(ID),
    version=st.just(1),
    flat_units=st.integers(0, 20_000),
    bps=st.integers(0, 2_000),
    cap_units=st.none() | st.integers(0, 50_000),
    min_units=st.integers(0, 5_000),
    taxes=st.lists(tax_rules, max_size=3, unique_by=lambda rule: rule.code).map(tuple),
)


def schedule(**values: Any) -> FeeSchedule:
    return FeeSchedule(id=ID, version=1, **values)


@pytest.mark.parametrize(
    ("values", "units", "revenue", "taxes"),
    [
        ({}, 100_000, 0, ()),
        ({"bps": 150}, 100_000, 1_500, ()),
        ({"bps": 150, "flat_units": 500}, 100_000, 2_000, ()),
        ({"bps": 150, "cap_units": 1_000}, 100_000, 1_000, ()),
        ({"bps": 150, "min_units": 2_000}, 100_000, 2_000, ()),
        ({"bps": 150, "min_units": 2_000, "cap_units": 1_000}, 100_000, 1_000, ()),
        ({"bps": 150}, 33, 0, ()),  # 0.495 rounds down
        ({"bps": 150}, 34, 1, ()),  # 0.51 rounds up
        ({"bps": 5_000}, 1, 1, ()),  # a half rounds up
        ({"flat_units": 500}, 300, 300, ()),
        ({"flat_units": 500}, 0, 0, ()),
        ({"flat_units": 500}, -5, 0, ()),
        # 16 % inside a fee of 1,500: 1,500 × 16 / 116 = 206.9
        ({"bps": 150, "taxes": (TaxRule(code="vat", rate_bps=1_600),)}, 100_000, 1_293, (("vat", 207),)),
        (
            {"bps": 150, "taxes": (TaxRule(code="vat", rate_bps=1_600, inclusive=False),)},
            100_000,
            1_500,
            (("vat", 240),),
        ),
        # On a tiny sum the revenue gives way before the tax.
        (
            {"flat_units": 500, "taxes": (TaxRule(code="vat", rate_bps=1_600, inclusive=False),)},
            500,
            420,
            (("vat", 80),),
        ),
    ],
)
def test_charges_by_example(values: Any, units: int, revenue: int, taxes: Any) -> None:
    charge = charge_on(schedule(**values), units)
    assert (charge.revenue_units, charge.taxes) == (revenue, taxes)


def test_ten_thousand_amounts_add_up_exactly() -> None:
    """Features, A19: what the customer pays = what the business keeps + fees, with no unit lost."""
    numbers = random.Random(19)
    vat, excise = TaxRule(code="vat", rate_bps=1_600), TaxRule(code="excise", rate_bps=2_000, inclusive=False)
    terms = [
        schedule(
            flat_units=numbers.randrange(3_000),
            bps=numbers.randrange(800),
            cap_units=numbers.choice([None, 4_000]),
            taxes=(vat, excise),
        )
        for _ in range(50)
    ]
    for n in range(10_000):
        paid = numbers.randrange(1, 25_000_000)
        charge = charge_on(terms[n % 50], paid)
        kept = paid - charge.total
        lines = (charge.revenue_units, *(units for _, units in charge.taxes))
        assert kept + sum(lines) == paid
        assert min(lines) >= 0
        assert kept >= 0


@given(fee=schedules, units=st.integers(0, 10**12))
def test_a_charge_is_never_above_the_sum_and_no_line_is_negative(fee: FeeSchedule, units: int) -> None:
    charge = charge_on(fee, units)
    assert 0 <= charge.total <= units
    assert charge.revenue_units >= 0
    assert all(tax >= 0 for _, tax in charge.taxes)


@given(fee=schedules, units=st.integers(0, 10**7), more=st.integers(0, 1_000))
def test_a_charge_grows_with_the_sum(fee: FeeSchedule, units: int, more: int) -> None:
    assert charge_on(fee, units).total <= charge_on(fee, units + more).total


@given(fee=schedules, parts=st.lists(st.integers(1, 3_000), min_size=1, max_size=8), short=st.integers(0, 2_000))
@settings(max_examples=300)
def test_the_total_doesn_t_depend_on_how_the_money_was_split(fee: FeeSchedule, parts: list[int], short: int) -> None:
    """Whole shillings, as M-Pesa moves them; what arrives may be less or more than what is due."""
    arrived = [part * KES_1 for part in parts]
    due = max(1, sum(arrived) - short * KES_1 // 2)
    terms = Terms(fee=fee, settlement=Settlement())
    charged, received, over = NO_CHARGE, 0, 0
    for units in arrived:
        share = share_of(terms, due_units=due, received_before=received, charged_before=charged, arrived=units)
        assert share.due_units + share.over_units == units
        assert share.charge.revenue_units >= 0
        assert all(tax >= 0 for _, tax in share.charge.taxes)
        assert share.charge.total <= units, "a receipt can always pay its own charge"
        charged, received, over = charged + share.charge, received + units, over + share.over_units
        assert charged.total == charge_on(fee, min(received, due)).total
    at_once = share_of(terms, due_units=due, received_before=0, charged_before=NO_CHARGE, arrived=sum(arrived))
    assert charged.total == at_once.charge.total
    assert over == at_once.over_units


def test_money_above_what_was_due_is_free_of_charge() -> None:
    terms = Terms(fee=schedule(bps=1_000), settlement=Settlement())
    share = share_of(
        terms, due_units=1_000, received_before=1_000, charged_before=charge_on(terms.fee, 1_000), arrived=500
    )
    assert (share.due_units, share.over_units, share.charge) == (0, 500, NO_CHARGE)


def test_a_line_that_would_fall_waits_and_the_total_is_exact() -> None:
    before = Charge(revenue_units=10, taxes=(("a", 2), ("b", 2)))
    now = Charge(revenue_units=9, taxes=(("a", 3), ("b", 3)))
    rest = now.less(before)
    assert rest.total == 1
    assert min(rest.revenue_units, *(units for _, units in rest.taxes)) >= 0
    assert (before + rest).total == now.total


def test_charges_add_line_by_line() -> None:
    one = Charge(revenue_units=1, taxes=(("a", 2),))
    two = Charge(revenue_units=10, taxes=(("b", 5), ("a", 3)))
    assert one + two == Charge(revenue_units=11, taxes=(("a", 5), ("b", 5)))
    assert one.total == 3


@pytest.mark.parametrize(("n", "d", "rounded"), [(0, 7, 0), (1, 2, 1), (3, 2, 2), (49, 100, 0), (5, 10, 1), (-1, 2, 0)])
def test_halves_go_up(n: int, d: int, rounded: int) -> None:
    assert half_up(n, d) == rounded


def test_settlement_is_read_and_written() -> None:
    assert Settlement.parse("instant") == Settlement()
    assert str(Settlement()) == "instant"
    for days in (1, 2, 30):
        read = Settlement.parse(f"T+{days}")
        assert read == Settlement(kind=SettlementKind.T_PLUS, days=days)
        assert str(read) == f"T+{days}"


@pytest.mark.parametrize("text", ["", "T+0", "T+31", "T+", "T+-1", "t+1", "T+1.5", "INSTANT", "T+²"])
def test_another_settlement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="settlement"):
        Settlement.parse(text)
