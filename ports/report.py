"""The values in which a provider's news comes back: status, money, failure, and how far the news can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ports.money import Money


class Status(Enum):
    """What the provider says of one try. A word missing from an adapter's table is PENDING with `unrecognised`."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETURNED = "returned"
    """Payouts only: the money left, and came back."""
    NO_NEWS = "no_news"
    """The provider answered and told us nothing: an unknown id, a throttled query."""


class Grade(Enum):
    """How the news reached us. The adapter states it; the core decides what it is worth."""

    ANSWER = "answer"
    """As the reply on a connection that we opened: strong."""
    SIGNED = "signed"
    """With a fresh signature over its whole body: strong."""
    FILE = "file"
    """In a statement that an operator imported or we fetched: strong."""
    SOLICITED = "solicited"
    """Unsigned, at a ReplyTo made for one call: weak."""
    ANNOUNCED = "announced"
    """Unsigned, at the connection's long-lived URL: weak."""

    @property
    def is_strong(self) -> bool:
        """Whether one such report can move money by itself."""
        return self in (Grade.ANSWER, Grade.SIGNED, Grade.FILE)


class FailureKind(Enum):
    """Our closed list of reasons; a provider's own code is kept beside it."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    CANCELED_BY_PAYER = "canceled_by_payer"
    WRONG_PIN = "wrong_pin"
    NO_ANSWER = "no_answer"
    DESTINATION_INVALID = "destination_invalid"
    OVER_LIMIT = "over_limit"
    SET_UP = "set_up"
    """Credentials, product or permission: the connection is paused."""
    RAIL_UNAVAILABLE = "rail_unavailable"
    """The core's own word, never an adapter's: the try was never sent, and its time is over."""
    OTHER = "other"


class TryAgain(Enum):
    """What the person may do after a failure."""

    NOW = "now"
    LATER = "later"
    """After `Failure.after_s` seconds."""
    ANOTHER_WAY = "another_way"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a try failed: our word, the provider's own code and text (nothing personal in it), and what next.

    `keeps_funds`: what was given for a payout beforehand (tokens) is still with the provider, which owes it.
    """

    kind: FailureKind
    provider_code: str = ""
    detail: str = ""
    try_again: TryAgain = TryAgain.NOW
    after_s: int | None = None
    keeps_funds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyIn:
    """One incoming sum as the provider tells it.

    `receipt_number` and `amount` may be absent (a push query names neither). `reference` is what the payer typed;
    `payer_hint` is masked by the adapter. `provider_reference` is the provider's order that brought it, where a row of
    its history names one: it is the same as of the report that `start` gave.
    """

    receipt_namespace: str
    receipt_number: str | None = None
    amount: Money | None = None
    happened_at: datetime | None = None
    reference: str | None = None
    payer_hint: str | None = None
    provider_reference: str | None = None


class ActionKind(Enum):
    """What the payer must do."""

    PROMPT = "prompt"
    PAY_TO = "pay_to"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the payer must do: answer a prompt that lives `life_s` seconds, pay to a place, or follow a URL."""

    kind: ActionKind
    life_s: int | None = None
    pay_to: tuple[tuple[str, str], ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The only way news comes back, from whichever door.

    `reference` is ours (None when the adapter can't tell whose news it is); `provider_reference` is theirs.
    `asked`: the question was accepted and its answer will come to the ReplyTo.
    `found_nothing`: with NO_NEWS, the provider looked and has no such transaction (not: it was too busy to look).
    `receipt_number` and `amount` of a payout's success; a collection's are in `money`.
    """

    status: Status
    grade: Grade
    reference: str | None = None
    provider_reference: str | None = None
    money: tuple[MoneyIn, ...] = ()
    failure: Failure | None = None
    next_action: NextAction | None = None
    asked: bool = False
    found_nothing: bool = False
    unrecognised: str | None = None
    receipt_number: str | None = None
    amount: Money | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pocket:
    """One account of ours at the provider and what it holds, or owes; `happened_at` is the provider's time."""

    name: str
    balance: Money
    is_owed: bool = False
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCharge:
    """What the provider took for one transaction of ours: `number` is that transaction's at the provider."""

    number: str
    amount: Money
    happened_at: datetime | None = None
