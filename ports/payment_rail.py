"""The payment rail port: one connection's live line to a provider that collects money."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, runtime_checkable

from ports.callback import Incoming, Reading, ReplyTo
from ports.money import Money
from ports.registration import Capabilities
from ports.report import Report


class StartsBy(Enum):
    """How a collection begins."""

    PROMPT = "prompt"
    """We ask the payer's phone; the provider is called."""
    PAY_TO = "pay_to"
    """The payer sends by himself; nobody is called."""


class LandsIn(Enum):
    """Where collected money is until we move it."""

    FLOAT = "float"
    CLEARING = "clearing"


class RefundDestination(Enum):
    """Where a refund over this rail can go."""

    ORIGIN = "origin"
    REQUIRED = "required"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RailCapabilities(Capabilities):
    """What a rail declares beside what every adapter declares.

    `fixed_amount`: the payer can pay only the amount asked. `one_payment`: a try can be paid at most once.
    A prompt lives `prompt_life_s`; with `grace_s` on top it blocks another prompt for the same payment.
    `reference_travels`: our reference stands on the receipt.
    """

    starts_by: StartsBy
    fixed_amount: bool
    one_payment: bool
    prompt_life_s: int = 0
    grace_s: int = 0
    reference_travels: bool = True
    lands_in: LandsIn = LandsIn.FLOAT
    refund_destination: RefundDestination = RefundDestination.NONE
    delivers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One try to collect: `payer` is E.164 digits with a plus, or None; `text` is shown to the payer."""

    reference: str
    amount: Money
    payer: str | None
    text: str
    reply_to: ReplyTo
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Collection(reference={self.reference!r}, amount={self.amount})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What became of a try? `reference` is ours, `provider_reference` theirs where we know it; `reply_to` is this
    question's own, for answers that come later. `funding` is the hash that paid for a payout from a chain: where
    their reference got lost, it may find it."""

    reference: str
    provider_reference: str | None
    receipt_number: str | None
    started_at: datetime
    reply_to: ReplyTo
    funding: str | None = None

    def __repr__(self) -> str:
        return f"Question(reference={self.reference!r})"


@runtime_checkable
class PaymentRail(Protocol):
    """One connection's live line to a provider that collects money. Called from workers only."""

    @abstractmethod
    def start(self, collection: Collection) -> Report:
        """Start a collection; PENDING is the ordinary answer.

        The same reference twice does what `repeat` declares; only NotSent invites a second call.
        `pay_to` rails call nobody, return a next_action and never raise OutcomeUnknown.
        Raises Refused, NotSent, OutcomeUnknown, AlreadyTaken or Misconfigured; see `ports.errors`.
        """

    @abstractmethod
    def look_up(self, question: Question) -> Report:
        """Ask what became of a try. Reads only; may be asked for ever.

        Raises NotSent, OutcomeUnknown (the question got no answer) or Misconfigured.
        """

    @abstractmethod
    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a callback. Pure: no I/O, no clock. Raises Unreadable or BadSignature."""
