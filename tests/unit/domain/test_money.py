"""Money: whole units, exact sums, and a plain refusal of everything else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ports.money import KES, UNITS_MAX, Asset, Money, split, whole_units, zero

assets = st.builds(Asset, code=st.sampled_from(["KES", "USDC.celo", "CELO", "X"]), scale=st.sampled_from([0, 2, 6, 18]))
units = st.integers(0, UNITS_MAX)


@given(units, assets)
def test_decimals_there_and_back(amount: int, asset: Asset) -> None:
    money = Money(units=amount, asset=asset)
    assert Money.from_decimal(money.to_decimal(), asset) == money


@given(units, units)
def test_sums_are_exact(one: int, other: int) -> None:
    assume(one + other <= UNITS_MAX)
    total = Money(units=one, asset=KES) + Money(units=other, asset=KES)
    assert total.units == one + other
    assert total - Money(units=other, asset=KES) == Money(units=one, asset=KES)


@pytest.mark.parametrize("amount", [-1, UNITS_MAX + 1])
def test_bounds(amount: int) -> None:
    with pytest.raises(ValueError, match="units"):
        Money(units=amount, asset=KES)


@pytest.mark.parametrize("amount", [True, False, 1.0, float("nan"), Decimal(1), "1", None])
def test_plain_ints_alone(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(units=amount, asset=KES)
    with pytest.raises(TypeError):
        whole_units(amount)


def test_never_negative() -> None:
    with pytest.raises(ValueError, match="units"):
        zero(KES) - Money(units=1, asset=KES)


@pytest.mark.parametrize("operate", ["__add__", "__sub__", "__lt__", "__le__"])
def test_assets_do_not_mix(operate: str) -> None:
    dollars = Money(units=1, asset=Asset(code="USD", scale=2))
    with pytest.raises(ValueError, match="do not mix"):
        getattr(Money(units=1, asset=KES), operate)(dollars)


@pytest.mark.parametrize("text", ["0.001", "1.005", "1e-30", "1e-999999", "1e999999", "1e37", "NaN", "Infinity", "-1"])
def test_what_is_not_a_whole_number_of_units_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Money.from_decimal(Decimal(text), KES)


@pytest.mark.parametrize("amount", [1.5, 1, "1.5"])
def test_amounts_are_read_from_decimals_alone(amount: Any) -> None:
    with pytest.raises(ValueError, match="Decimal"):
        Money.from_decimal(amount, KES)


@given(st.integers(0, 10**30), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_a_split_gives_back_the_exact_sum(amount: int, weights: list[int]) -> None:
    assume(sum(weights) > 0)
    parts = split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert amount * weight // sum(weights) <= part <= amount * weight // sum(weights) + 1
        assert part == 0 or weight > 0


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_a_split_needs_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weights|empty"):
        split(10, weights)


def test_shown_with_its_scale() -> None:
    assert str(Money(units=10**37 + 1, asset=KES)) == "KES 100,000,000,000,000,000,000,000,000,000,000,000.01"
    assert str(Money(units=150_050, asset=KES)) == "KES 1,500.50"
    assert str(Money(units=7, asset=Asset(code="JPY", scale=0))) == "JPY 7"
