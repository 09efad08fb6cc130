"""A quote as Swypt words it, in each of the shapes that it has had: what is given, what is got, the fee, the limits.

`exchangeRate` is shillings for one token both ways, `outputAmount` leaves the fee out, and `estimatedOutputKES`
means opposite things for the two: it isn't read. Feb 2025 quoted the other way up. A quote locks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from plugins.swypt import wire
from ports.errors import OutcomeUnknown
from ports.money import KES, Asset, Money

#: By how much input, output and rate may disagree before the quote is no quote: rates are printed with few digits.
_SLACK = Decimal("0.01")
#: What was asked comes back through their floating point.
_ECHO = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`rate` is shillings for a token; `fee` in shillings, None when the quote names none. Limits are in shillings."""

    rate: Decimal
    given: Decimal
    got: Decimal
    fee: Decimal | None
    limit_min: Money | None
    limit_max: Money | None


def read_quote(data: Mapping[str, object], *, is_onramp: bool, asked: Decimal) -> Quote:
    """Read a quote for `asked`. Raises OutcomeUnknown when it contradicts itself or what was asked."""
    given, got = wire.decimal(data.get("inputAmount")), wire.decimal(data.get("outputAmount"))
    given = asked if given is None else given
    if got is None or got <= 0 or given <= 0 or abs(given - asked) > asked * _ECHO:
        raise OutcomeUnknown("quote: no amounts, or for another amount")
    implied = given / got if is_onramp else got / given
    told = wire.decimal(data.get("exchangeRate"))
    rate = _upright(told, implied) if told is not None and told > 0 else implied
    if rate is None:
        raise OutcomeUnknown("quote: rate and amounts disagree")
    limits = wire.objects(data.get("limits"))
    return Quote(
        rate=rate,
        given=given,
        got=got,
        fee=_fee(wire.objects(data.get("fee")), rate),
        limit_min=_limit(limits, "min", ROUND_CEILING),
        limit_max=_limit(limits, "max", ROUND_FLOOR),
    )


def _upright(told: Decimal, implied: Decimal) -> Decimal | None:
    """The rate as shillings for a token, whichever way up it was told; None when it fits neither way."""
    for rate in (told, 1 / told):
        if abs(rate - implied) <= _SLACK * implied:
            return rate
    return None


def _fee(fee: Mapping[str, object], rate: Decimal) -> Decimal | None:
    """The fee in shillings, from whichever field has it."""
    for place in (fee, wire.objects(fee.get("details"))):
        for name in ("feeInKES", "feeInOutputCurrency"):
            if (found := wire.decimal(place.get(name))) is not None and found >= 0:
                return found
    is_kes = wire.text(fee.get("currency")).upper() == KES.code
    for name in ("feeInInputCurrency", "amount"):
        if (found := wire.decimal(fee.get(name))) is not None and found >= 0:
            return found if is_kes else found * rate
    return None


def _limit(limits: Mapping[str, object], name: str, rounding: str) -> Money | None:
    if wire.text(limits.get("currency")).upper() not in ("", KES.code):
        return None
    found = wire.decimal(limits.get(name))
    return None if found is None or found < 0 else units(found, KES, rounding)


def units(amount: Decimal, asset: Asset, rounding: str) -> Money:
    """The amount in whole units of the asset, rounded as told; more digits come than a token has."""
    return Money(units=int(amount.scaleb(asset.scale).to_integral_value(rounding=rounding)), asset=asset)
