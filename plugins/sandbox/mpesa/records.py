"""What the simulator remembers about pushes, payouts, phones and what is due, as plain values."""

from dataclasses import asdict, dataclass, field
from typing import Any

from plugins.sandbox.mpesa.behaviours import Behaviour, as_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One prompt. `state` is open, answered (PIN in, result to come), silent (prompt over, result to come) or done."""

    checkout_id: str
    merchant_id: str
    app: str
    shortcode: str
    party_b: str
    transaction_type: str
    amount: int
    payer: str
    phone: str
    account: str
    description: str
    callback_url: str
    created_ms: int
    ends_ms: int
    state: str = "open"
    prompted: bool = True
    ignored: bool = False
    code: str | None = None
    receipt: str | None = None
    answered_ms: int | None = None
    done_ms: int | None = None
    script: str | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One B2C payment. `state` is accepted or done; `code` is the truth, whatever was told."""

    originator_id: str
    conversation_id: str
    app: str
    shortcode: str
    command: str
    amount: int
    phone: str
    request: dict[str, Any]
    result_url: str
    timeout_url: str
    created_ms: int
    state: str = "accepted"
    code: str | None = None
    receipt: str | None = None
    fee: int = 0
    done_ms: int | None = None
    script: str | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A customer's money for an organisation. `state` is asked (validation under way), paid or rejected."""

    receipt: str
    organisation: str
    amount: int
    phone: str
    account: str
    created_ms: int
    state: str = "asked"
    origin: str = "c2b"  # or "push".
    originator_id: str = ""
    third_party_id: str = ""
    paid_ms: int | None = None
    balance: int = 0  # Of the organisation's account, in cents, after it.
    code: str | None = None  # The word with which it was rejected.
    reversed_by: str | None = None
    script: str | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Where an organisation wants to be told of customers' payments."""

    shortcode: str
    version: str
    response_type: str
    confirmation: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A B2B payment or a reversal. `state` is accepted or done; `subject` is the receiver or the original receipt."""

    originator_id: str
    conversation_id: str
    kind: str
    app: str
    shortcode: str
    subject: str
    amount: int
    request: dict[str, Any]
    result_url: str
    timeout_url: str
    created_ms: int
    state: str = "accepted"
    code: str | None = None
    receipt: str | None = None
    fee: int = 0
    balance_before: int = 0  # Of the account that pays, in cents.
    done_ms: int | None = None
    script: str | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of an organisation's statement, in cents. What failed has an amount too, and moved nothing."""

    organisation: str
    pocket: str
    receipt: str
    started_ms: int
    done_ms: int
    details: str
    status: str
    cents: int
    balance: int
    reason: str
    other: str
    linked: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The one live token of an app."""

    value: str
    ends_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pockets:
    """The accounts of a shortcode, in cents."""

    working: int
    utility: int
    charges: int
    merchant: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A customer. Until somebody gives the number a balance (`pinned`) it always has enough, and room for more."""

    phone: str
    name: str
    balance: int = 120_000_00
    pinned: bool = False
    registered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message on a phone."""

    phone: str
    at_ms: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that happens at an instant: `what` names it, `subject` is whose it is, `load` what it carries."""

    no: int
    at_ms: int
    what: str
    subject: str
    load: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A script waiting for its call. Empty conditions match everything; `times` 0 is without end."""

    no: int
    name: str
    behaviour: Behaviour
    endpoint: str = ""
    phone: str = ""
    amount: int = 0
    reference: str = ""
    times: int = 1


def document(record: Any) -> dict[str, Any]:
    """A record as JSON can hold it."""
    values = asdict(record)
    if "behaviour" in values:
        values["behaviour"] = as_document(record.behaviour)
    return values


def with_behaviour(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record whose behaviour is a document."""
    return {**values, "behaviour": Behaviour(**values["behaviour"])}
