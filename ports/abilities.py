"""Abilities: small protocols beside the four ports. The core asks "can you?" (`Capabilities.abilities`) before "do"."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from ports.callback import Incoming, ReplyTo
from ports.money import Asset, Money
from ports.payment_rail import Question
from ports.payout_channel import Destination
from ports.report import MoneyIn, Pocket, Report
from ports.statement import StatementFile


class Ability(StrEnum):
    """The words of `Capabilities.abilities`, each with its protocol below."""

    REFUND = "refund"
    HISTORY = "history"
    VALIDATE = "validate"
    REGISTER = "register"
    BALANCE = "balance"
    HOLDER_NAME = "holder_name"
    MOVE_OWN = "move_own"
    READ_FILE = "read_file"
    SELF_CHECK = "self_check"
    DELIVER = "deliver"
    QUOTE = "quote"
    PLAN_FUNDING = "plan_funding"
    FIND_LOST = "find_lost"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Give money back: `receipt_number` is the payment's at the provider, `received` what it brought.

    `amount` is at most `received`; a rail that can only give all of it back refuses a part (see `partial_refunds`).
    `payer` is E.164 where the core knows it.
    """

    reference: str
    amount: Money
    receipt_number: str
    received: Money
    payer: str | None
    text: str
    reply_to: ReplyTo

    def __repr__(self) -> str:
        return f"RefundOrder(reference={self.reference!r}, amount={self.amount})"


@runtime_checkable
class Refunds(Protocol):
    """A rail that gives money back over itself (`refund`)."""

    @abstractmethod
    def refund(self, order: RefundOrder) -> Report:
        """Order it. PENDING (or `asked`) is the ordinary answer; the outcome comes to the ReplyTo.

        The same reference twice does what `repeat` declares for refunds: `Capabilities.refund_repeat`.
        Raises Refused, NotSent, OutcomeUnknown, AlreadyTaken or Misconfigured.
        """

    @abstractmethod
    def look_up_refund(self, question: Question) -> Report:
        """What became of it: `provider_reference` is the order's at the provider, `receipt_number` the payment's.

        After a lost acknowledgement there is no `provider_reference`: a rail whose provider keeps ours asks by
        `reference`. Reads only. Raises NotSent, OutcomeUnknown or Misconfigured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Incoming sums that the provider remembers, oldest or newest first; `next_cursor` None when there is no more."""

    money: tuple[MoneyIn, ...]
    next_cursor: str | None = None


@runtime_checkable
class History(Protocol):
    """A rail that can be asked for all that came in (`history`)."""

    @abstractmethod
    def history(self, since: datetime, until: datetime, cursor: str | None) -> HistoryPage:
        """A page of what arrived in the window, each sum with receipt number and amount. Reads only.

        The same cursor gives the same rows again. A row that can't be read is left out, told in the log by how many
        they were, and counted by the cursor. An answer that can't be read is no empty page: nothing came in is a word
        of the provider's. Raises NotSent, OutcomeUnknown (also for a question that was refused) or Misconfigured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MayBePaid:
    """A provider's question "may this be paid?": the reference as typed, and the sum."""

    reference: str
    amount: Money


class Validation(StrEnum):
    """The core's answer to it."""

    ACCEPT = "accept"
    UNKNOWN_REFERENCE = "unknown_reference"
    WRONG_AMOUNT = "wrong_amount"


@runtime_checkable
class Validator(Protocol):
    """Reads "may this be paid?" and words the answer (`validate`). It stands in the Registration, since web asks it
    within the provider's few seconds: pure, and it needs no configuration."""

    @abstractmethod
    def read(self, incoming: Incoming) -> MayBePaid:
        """What is asked. Raises Unreadable."""

    @abstractmethod
    def word(self, answer: Validation) -> bytes:
        """The body of the reply, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddresses:
    """The connection's long-lived URLs: where money is announced, and where "may this be paid?" is asked."""

    announced: ReplyTo
    validation: ReplyTo | None


@runtime_checkable
class Registers(Protocol):
    """A rail whose provider must be told our connection's URLs, once (`register`)."""

    @abstractmethod
    def register(self, addresses: OwnAddresses) -> str:
        """Tell it; gives the provider's words, without the addresses in them.

        Raises Refused (as when they are registered already), NotSent, OutcomeUnknown or Misconfigured.
        """


@runtime_checkable
class ReadsBalance(Protocol):
    """A connection that tells what its pockets hold (`balance`)."""

    @abstractmethod
    def balance(self, reply_to: ReplyTo) -> tuple[Pocket, ...] | None:
        """The pockets, all of them, or None when the answer comes to the ReplyTo as `Reading.pockets`.

        Raises NotSent, OutcomeUnknown (also for a question that was refused) or Misconfigured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose an account is, as the provider says; None when it knows no such account."""

    name: str | None


@runtime_checkable
class KnowsHolders(Protocol):
    """A channel that tells whose a destination is (`holder_name`)."""

    @abstractmethod
    def holder_name(self, destination: Destination) -> Holder:
        """Ask. No name is what the provider says of an account, never what silence or another answer may mean.

        Raises Refused, with nothing sent, for a destination that isn't one of the channel's; NotSent, OutcomeUnknown
        or Misconfigured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTransfer:
    """Move our own money between pockets: `source` and `target` are names that the adapter documents."""

    reference: str
    amount: Money
    source: str
    target: str
    reply_to: ReplyTo


@runtime_checkable
class MovesOwn(Protocol):
    """A channel that moves our own money (`move_own`)."""

    @abstractmethod
    def move_own(self, transfer: OwnTransfer) -> Report:
        """Order it; PENDING is ordinary. Raises Refused, NotSent, OutcomeUnknown, AlreadyTaken or Misconfigured."""


@runtime_checkable
class ReadsFiles(Protocol):
    """A connection whose statements an operator imports (`read_file`)."""

    @abstractmethod
    def read_file(self, name: str, content: bytes) -> StatementFile:
        """All of it or nothing: Unreadable names the first row that can't be understood. Pure."""


class FindingState(StrEnum):
    """What a self-check thinks of one thing."""

    OK = "ok"
    WARNING = "warning"
    """It will be wrong: `due` says when."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfFinding:
    """One thing that a connection knows of itself: a name, how it stands, a sentence, and when it becomes wrong."""

    name: str
    state: FindingState
    words: str
    due: datetime | None = None


@runtime_checkable
class ChecksItself(Protocol):
    """A connection that knows the ages of its credentials, or holds what is pinned against what it finds
    (`self_check`)."""

    @abstractmethod
    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """What it knows, and what it can read of its provider, changing nothing. It raises nothing: a provider that
        can't be asked is a WARNING. Called where no transaction is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOrder:
    """Have what a collection brought delivered: `reference` is the collection's, `provider_reference` the provider's
    order. `address` on `network` gets `asset`; all three were given to `start` through the configuration."""

    reference: str
    provider_reference: str
    network: str
    address: str
    asset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """A wallet of ours on a network, and the token that comes to it."""

    network: str
    address: str
    asset: Asset


class DeliveryState(StrEnum):
    """What a provider says of a delivery."""

    PENDING = "pending"
    SENT = "sent"
    """It names a transaction: our own node says whether that is true."""
    REFUSED = "refused"
    """It won't do it as asked: a person has to look."""
    NO_NEWS = "no_news"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """News of a delivery. `tx` is the transaction that the provider names, `units` what it says it sent."""

    state: DeliveryState
    tx: str | None = None
    units: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One row of what a provider says it delivered, by its own order."""

    provider_reference: str
    delivery: Delivery


@runtime_checkable
class Delivers(Protocol):
    """A rail whose money arrives in a second step, after it was collected (`deliver`)."""

    @abstractmethod
    def landing(self) -> Landing:
        """Where what this line collects is delivered. Asks nobody."""

    @abstractmethod
    def deliver(self, order: DeliveryOrder) -> Delivery:
        """Release it. Safe to repeat with the same order.

        AlreadyTaken says that it is delivered or on its way: look, never treat it as a failure. Raises NotSent,
        OutcomeUnknown, Refused, AlreadyTaken or Misconfigured.
        """

    @abstractmethod
    def look_up_delivery(self, order: DeliveryOrder) -> Delivery:
        """What became of it. Reads only. Raises NotSent, OutcomeUnknown or Misconfigured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a provider would give now: `give` of one asset for `get` of another, after `fee` (of either) is taken.

    `limit_min` and `limit_max` bound the fiat side, in its units. It binds nobody.
    """

    give: Money
    get: Money
    fee: Money
    limit_min: Money
    limit_max: Money


@runtime_checkable
class Quotes(Protocol):
    """A line that tells its price (`quote`)."""

    @abstractmethod
    def quote_in(self, amount: Money) -> Rate:
        """Fiat in, tokens out. Raises Refused, NotSent, OutcomeUnknown or Misconfigured."""

    @abstractmethod
    def quote_out(self, amount: Money) -> Rate:
        """Tokens in, at least `amount` of fiat out. Raises Refused, NotSent, OutcomeUnknown or Misconfigured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """One transaction that has to be final before a payout is submitted; `spends` of `asset` leave the wallet by it.

    `kind` is a word of `ports.chain.IntentKind`; the rest is as in `ports.chain.Intent`.
    """

    kind: str
    to: str
    asset: str
    units: int
    data: bytes = b""
    spends: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPlan:
    """What funds a payout from a chain: steps in order, on `network`, of `asset`. The last one's hash funds it."""

    network: str
    asset: str
    steps: tuple[ChainStep, ...]
    rate: Rate


@runtime_checkable
class PlansFunding(Protocol):
    """A channel that pays from a chain (`plan_funding`)."""

    @abstractmethod
    def landing(self) -> Landing:
        """The wallet of ours that this channel draws on, and the token. Asks nobody."""

    @abstractmethod
    def plan_funding(self, amount: Money, wallet: str) -> FundingPlan:
        """What has to happen on the chain so that `amount` of fiat is paid out. Moves nothing.

        Raises Refused (limits), NotSent, OutcomeUnknown or Misconfigured.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LostStart:
    """A start whose answer got lost: what was asked, of whom (E.164), and when it must have reached the provider."""

    amount: Money
    payer: str
    since: datetime
    until: datetime

    def __repr__(self) -> str:
        return f"LostStart(amount={self.amount})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An order of the provider's that a lost start may have made; `money` where it was paid."""

    provider_reference: str
    money: MoneyIn | None = None


@runtime_checkable
class FindsLost(Protocol):
    """A rail that can't be asked by our reference, and whose history may show the order (`find_lost`)."""

    @abstractmethod
    def find_lost(self, lost: LostStart) -> tuple[Suggestion, ...]:
        """Every order of that payer and amount in that time, newest first. Reads only.

        They are suggestions. Take away those that are a try's already: when exactly one is left, and only one lost
        start fits it, its `provider_reference` may become the try's, and `look_up` tells the rest. Else a person
        decides. Raises NotSent, OutcomeUnknown or Misconfigured.
        """


class TicketAbout(StrEnum):
    """Why the provider's people are asked."""

    UNDELIVERED = "undelivered"
    """Collected, and nothing was delivered."""
    UNPAID = "unpaid"
    """It was given the means, and didn't pay out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOrder:
    """What a ticket is about. `key` names the case: one case is one ticket. `party` is the payer or recipient, E.164;
    `amount` is what was collected, or the tokens that were given."""

    key: str
    about: TicketAbout
    provider_reference: str | None
    amount: Money
    party: str
    text: str

    def __repr__(self) -> str:
        return f"TicketOrder(key={self.key!r}, about={self.about.value}, amount={self.amount})"


@runtime_checkable
class Tickets(Protocol):
    """A line whose provider takes written requests to its people (`ticket`)."""

    @abstractmethod
    def ticket(self, order: TicketOrder) -> str:
        """Ask; gives the ticket's name. Nothing tells what becomes of it.

        A key that was used gives the same name again, or AlreadyTaken where the answer got lost; the adapter's memory
        of keys may be lost, so the caller keeps its own. Raises Refused, NotSent, OutcomeUnknown, AlreadyTaken or
        Misconfigured.
        """
