"""What is asked of us, checked before anything is sent: amounts, numbers, and the list of tokens.

Swypt's quote tells its present limits; they are kept for some minutes, and narrow the configured ones. What it answers
above them isn't documented, so nothing above them is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from plugins.kit.http import Budget
from plugins.swypt import wire
from plugins.swypt.config import Bounds, Token
from plugins.swypt.quotes import Quote
from plugins.swypt.service import SwyptApiService
from ports.context import Context
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.money import Money
from ports.registration import Capabilities
from ports.report import Failure, FailureKind, TryAgain

#: Seconds for which limits are believed, and for which a finding about the pinned token is.
LIMITS_LIFE_S = 600
PIN_LIFE_S = 172_800
_LIMITS_IN, _LIMITS_OUT = "limits_in", "limits_out"


def refused(detail: str, kind: FailureKind = FailureKind.OTHER, try_again: TryAgain = TryAgain.NEVER) -> Refused:
    """Our own refusal: nothing was sent."""
    return Refused(Failure(kind=kind, detail=detail, try_again=try_again))


def phone_number(e164: str | None) -> str:
    """A Kenyan mobile number as Swypt takes it. Raises Refused."""
    found = wire.phone_number(e164)
    if found is None:
        raise refused("not a Kenyan mobile number", FailureKind.DESTINATION_INVALID)
    return found


def whole_shillings(amount: Money, said: Capabilities, bounds: Bounds | None) -> int:
    """The amount in shillings. Raises Refused outside what is declared, or configured; nothing is ever rounded."""
    if amount.asset not in said.assets:
        raise refused("another asset than shillings")
    is_within = said.amount_min <= amount.units <= said.amount_max
    if not is_within or (bounds is not None and not bounds.least <= amount <= bounds.most):
        raise over_limit()
    if amount.units % said.amount_granularity:
        raise refused("not in whole shillings")
    return amount.units // said.amount_granularity


def over_limit() -> Refused:
    """The refusal of an amount that is too small or too large here: another way may take it."""
    return refused("outside the smallest and largest amount", FailureKind.OVER_LIMIT, TryAgain.ANOTHER_WAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What a connection remembers between calls, in shared memory: limits, and whether the pinned token is listed."""

    context: Context
    service: SwyptApiService
    token: Token
    bounds: Bounds

    def _key(self, name: str) -> str:
        return f"swypt:{self.context.connection}:{name}"

    def keep_pin(self, *, is_listed: bool) -> None:
        """Remember what the list of tokens said."""
        self.context.shared.put(self._key("pin"), "listed" if is_listed else "differs", life_s=PIN_LIFE_S)

    def stand_by_pin(self) -> None:
        """Raises Misconfigured while the last list of tokens named another contract than ours."""
        if self.context.shared.get(self._key("pin")) == "differs":
            raise Misconfigured("the provider lists another contract for this token than the one configured")

    def quote_in(self, amount: Decimal, budget: Budget) -> Quote:
        """An on-ramp quote for shillings; its limits are kept."""
        return self._quote(amount, budget, is_onramp=True)

    def quote_out(self, tokens: Decimal, budget: Budget) -> Quote:
        """An off-ramp quote for tokens; its limits are kept."""
        return self._quote(tokens, budget, is_onramp=False)

    def _quote(self, amount: Decimal, budget: Budget, *, is_onramp: bool) -> Quote:
        quote = self.service.quote(
            is_onramp=is_onramp,
            amount=amount,
            symbol=self.token.symbol,
            network=self.token.network,
            budget=budget,
        )
        least, most = self.limits(quote)
        key = self._key(_LIMITS_IN if is_onramp else _LIMITS_OUT)
        self.context.shared.put(key, f"{least.units} {most.units}", life_s=LIMITS_LIFE_S)
        return quote

    def limits(self, quote: Quote) -> tuple[Money, Money]:
        """The limits of a quote, within the configured ones."""
        least = max(quote.limit_min or self.bounds.least, self.bounds.least, key=lambda money: money.units)
        most = min(quote.limit_max or self.bounds.most, self.bounds.most, key=lambda money: money.units)
        return least, most

    def keep_to_limits(self, amount: Money, budget: Budget) -> None:
        """Refuse what Swypt's present limits exclude. A quote that can't be had leaves the configured ones."""
        kept = self.context.shared.get(self._key(_LIMITS_IN))
        if kept is None:
            try:
                self.quote_in(Decimal(amount.units // 100), budget)
            except (NotSent, OutcomeUnknown) as silent:
                self._unasked(silent)
                return
            kept = self.context.shared.get(self._key(_LIMITS_IN))
        least, _, most = (kept or "").partition(" ")
        if least.isdecimal() and most.isdecimal() and not int(least) <= amount.units <= int(most):
            raise over_limit()

    def _unasked(self, silent: PortError) -> None:
        self.context.log.warning("swypt_limits_unknown", why=type(silent).__name__)
