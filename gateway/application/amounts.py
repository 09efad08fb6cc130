"""Amounts and lives as callers ask for them, held against what is possible."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.errors import Invalid
from ports.money import ASSETS, UNITS_MAX, Asset, Money

PAYMENT_LIFE_S = 24 * 3600
LIFE_BOUNDS_S = (60, 30 * 24 * 3600)


def asset_of(currency: str) -> Asset:
    """The asset of an ISO 4217 code. Raises Invalid (`currency_not_supported`)."""
    asset = ASSETS.get(currency)
    if asset is None:
        raise Invalid(
            f"currency must be one of: {', '.join(sorted(ASSETS))}", code="currency_not_supported", param="/currency"
        )
    return asset


def money_of(amount: int, currency: str) -> Money:
    """An amount that can be asked for. Raises Invalid naming the field."""
    if not 0 < amount <= UNITS_MAX:
        raise Invalid("amount must be a positive whole number of minor units", code="amount_invalid", param="/amount")
    return Money(units=amount, asset=asset_of(currency))


def check_bounds(money: Money, minimum: int, maximum: int, granularity: int) -> None:
    """Hold an amount against declared limits. Raises Invalid (`amount_too_small`, `…_too_large`, `…_not_aligned`)."""
    if money.units % granularity:
        raise Invalid(
            f"amount must be a multiple of {granularity} minor units: whole {money.asset} only",
            code="amount_not_aligned",
            param="/amount",
        )
    if money.units < minimum:
        raise Invalid(f"amount must be at least {minimum} minor units", code="amount_too_small", param="/amount")
    if money.units > maximum:
        raise Invalid(f"amount must be at most {maximum} minor units", code="amount_too_large", param="/amount")


def life_of(asked_s: int | None, ordinary_s: int) -> timedelta:
    """How long the object lives. Raises Invalid outside one minute to 30 days."""
    life = ordinary_s if asked_s is None else asked_s
    if not LIFE_BOUNDS_S[0] <= life <= LIFE_BOUNDS_S[1]:
        raise Invalid(
            f"expires_in must lie between {LIFE_BOUNDS_S[0]} and {LIFE_BOUNDS_S[1]} seconds",
            code="expires_in_invalid",
            param="/expires_in",
        )
    return timedelta(seconds=life)
