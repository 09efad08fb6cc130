"""The payout channel port: one connection's live line to a provider that pays money out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from ports.callback import Incoming, Reading, ReplyTo
from ports.money import Money
from ports.payment_rail import Question
from ports.registration import Capabilities
from ports.report import Report


class DestinationKind(Enum):
    """The kinds of place money can be paid to."""

    MPESA_PHONE = "mpesa_phone"
    TILL = "till"
    PAYBILL = "paybill"
    BANK_ACCOUNT = "bank_account"


class PaidMeans(Enum):
    """What the channel's success says."""

    FINAL = "final"
    INSTRUCTED = "instructed"
    """The money still has to show on a statement."""


class PaysFrom(Enum):
    """What a payout draws on."""

    FLOAT = "float"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCapabilities(Capabilities):
    """What a channel declares beside what every adapter declares.

    `absence_s`: seconds after which "no such transaction", asked twice that far apart, may support a reported
    failure; None = never. `cut_off_hours` are (from, to) hours of a Nairobi day in which the channel works.
    """

    destinations: tuple[DestinationKind, ...]
    max_items: int = 1
    cut_off_hours: tuple[int, int] | None = None
    paid_means: PaidMeans = PaidMeans.FINAL
    absence_s: int | None = None
    pays_from: PaysFrom = PaysFrom.FLOAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the money goes: `account` is an E.164 number for a phone, else the till, paybill or account number;
    `reference` is the account at a paybill, which its owner reads."""

    kind: DestinationKind
    account: str
    reference: str | None = None
    bank_code: str | None = None
    name: str | None = None

    def __repr__(self) -> str:
        return f"Destination(kind={self.kind}, account='…{self.account[-3:]}')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One payout try inside a bundle."""

    reference: str
    amount: Money
    destination: Destination
    text: str
    reply_to: ReplyTo


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One to `max_items` instructions that travel together; a phone payout is a bundle of one.

    `funding` is the hash of the final transaction that paid for it, where the channel pays from a chain.
    """

    id: str
    instructions: tuple[Instruction, ...]
    funding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A file that a person or an upload must carry: nothing has moved yet. `digest` is its SHA-256 in hex."""

    name: str
    content: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a submit gave: one Report an item, in order, and a Handover from file channels."""

    reports: tuple[Report, ...]
    handover: Handover | None = None


@runtime_checkable
class PayoutChannel(Protocol):
    """One connection's live line to a provider that pays money out. Called from workers only."""

    @abstractmethod
    def submit(self, bundle: Bundle) -> Submission:
        """Send the bundle. The same bundle gives the same bytes; the same reference twice does what `repeat` declares.

        An error raised is about the whole bundle; a failed item is a Report.
        Raises Refused, NotSent, OutcomeUnknown, AlreadyTaken or Misconfigured.
        """

    @abstractmethod
    def look_up(self, question: Question) -> Report:
        """Ask what became of one instruction. Reads only; a Report with `asked` means the answer comes to the ReplyTo.

        Raises NotSent, OutcomeUnknown or Misconfigured.
        """

    @abstractmethod
    def read_callback(self, incoming: Incoming) -> Reading:
        """Read a callback: results, time-outs, answers to questions. Pure. Raises Unreadable or BadSignature."""
