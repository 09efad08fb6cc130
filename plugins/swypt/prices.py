"""Arithmetic of prices: tokens for shillings, and how many tokens bring a recipient an exact sum of shillings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from plugins.kit.http import Budget
from plugins.swypt.asked import Guard
from plugins.swypt.quotes import Quote, units
from ports.abilities import Rate
from ports.errors import OutcomeUnknown
from ports.money import KES, Asset, Money

#: A first question, which every limit allows: some ten dollars, or a thousand shillings in tokens of shillings.
_PROBE, _PROBE_KES = Decimal(10), Decimal(1000)
#: Fees go by bands: the band of the sum that is asked may be another than the probe's, and the next yet another.
_ROUNDS = 4
#: Outputs are printed with four digits, fees in tokens with six: so much of a shilling isn't a difference.
_SLACK = Decimal("0.02")


def tokens(amount: Decimal, asset: Asset, rounding: str) -> Money:
    """Tokens in whole units."""
    return units(amount, asset, rounding)


def fee_of(quote: Quote) -> Money:
    """The fee in shillings, up to a whole cent; nothing where the quote names none."""
    return units(quote.fee or Decimal(0), KES, ROUND_CEILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """What a payout takes: tokens in all, the fee's part of them in units, and the price."""

    rate: Rate
    fee_units: int
    shillings_per_token: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """Prices of one connection's token."""

    guard: Guard
    asset: Asset

    def out(self, amount: Money, budget: Budget) -> Out:
        """What brings `amount` of shillings to a recipient after the fee, by quotes for just that many tokens.

        Raises Refused, NotSent, Misconfigured, and OutcomeUnknown when the quotes name no fee or don't settle.
        """
        wanted = amount.to_decimal()
        quote = self.guard.quote_out(_PROBE_KES if "KES" in self.asset.code.upper() else _PROBE, budget)
        for _ in range(_ROUNDS):
            fee = _named(quote)
            given = tokens((wanted + fee) / quote.rate, self.asset, ROUND_CEILING)
            quote = self.guard.quote_out(given.to_decimal(), budget)
            if abs(_named(quote) - fee) <= _SLACK and quote.got - _named(quote) >= wanted - _SLACK:
                return self._settled(quote, given, amount)
        raise OutcomeUnknown("quote: rate or fee moves while it is asked for")

    def _settled(self, quote: Quote, given: Money, amount: Money) -> Out:
        least, most = self.guard.limits(quote)
        fee = _named(quote)
        return Out(
            rate=Rate(give=given, get=amount, fee=fee_of(quote), limit_min=least, limit_max=most),
            fee_units=tokens(fee / quote.rate, self.asset, ROUND_CEILING).units,
            shillings_per_token=quote.rate,
        )


def _named(quote: Quote) -> Decimal:
    if quote.fee is None:
        raise OutcomeUnknown("quote: no fee is named")
    return quote.fee
