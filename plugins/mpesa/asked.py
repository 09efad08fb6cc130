"""What is asked of us, checked before anything is sent: amounts, numbers, reply URLs."""

from __future__ import annotations

import re

from ports.callback import ReplyTo
from ports.context import Environment
from ports.errors import Misconfigured, Refused
from ports.money import Money
from ports.registration import Capabilities
from ports.report import Failure, FailureKind, TryAgain

#: Words that Safaricom refuses in a URL, in any case (Daraja portal, December 2025).
_REFUSED_WORDS = re.compile(r"m-?pesa|safaricom|exec?|cmd|sql|query", re.IGNORECASE)


def refused(detail: str, kind: FailureKind = FailureKind.OTHER, try_again: TryAgain = TryAgain.NEVER) -> Refused:
    """Our own refusal: nothing was sent."""
    return Refused(Failure(kind=kind, detail=detail, try_again=try_again))


def another_way(detail: str) -> Refused:
    """Our own refusal of a way that this connection hasn't: another one may do."""
    return refused(detail, try_again=TryAgain.ANOTHER_WAY)


def whole_shillings(amount: Money, capabilities: Capabilities) -> int:
    """The amount as M-Pesa takes it. Raises Refused outside the declared bounds; nothing is ever rounded."""
    if amount.asset not in capabilities.assets:
        raise refused("another asset than shillings")
    if not capabilities.amount_min <= amount.units <= capabilities.amount_max:
        raise refused("outside the smallest and largest amount", FailureKind.OVER_LIMIT)
    if amount.units % capabilities.amount_granularity:
        raise refused("not in whole shillings")
    return amount.units // capabilities.amount_granularity


def reply_url(reply_to: ReplyTo, environment: Environment) -> str:
    """The URL as it may be given to Safaricom. Raises Misconfigured for one that it would refuse or never call."""
    scheme = reply_to.url.partition("://")[0]
    if scheme != "https" and not (scheme == "http" and environment is Environment.SANDBOX):
        raise Misconfigured("reply URL: https only")
    if word := _REFUSED_WORDS.search(reply_to.url):
        raise Misconfigured(f"reply URL: Safaricom refuses a URL with `{word[0]}` in it")
    return reply_to.url
