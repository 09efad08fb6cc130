"""What the simulator remembers, as plain values. Instants are milliseconds since 1970; amounts of shillings are decimal
texts, of tokens whole units."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from plugins.sandbox.swypt.behaviours import Behaviour, as_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An on-ramp order. `state` is PENDING, SUCCESS, FAILED, CANCELLED or a scripted word; `told` what the status says
    for now, where it differs. `tx` and `units` are of the delivery as it was told, `sent_units` what really left, `raw`
    the signed bytes."""

    order_id: str
    phone: str
    amount: int
    wallet: str
    token: str
    network: str
    created_ms: int
    ends_ms: int
    checkout_id: str
    state: str = "PENDING"
    told: str = ""
    message: str = ""
    receipt: str = ""
    done_ms: int = 0
    is_answered: bool = False
    is_delivered: bool = False
    deposit_calls: int = 0
    tx: str = ""
    raw: str = ""
    units: int = 0
    sent_units: int = 0
    delivered_ms: int = 0
    rate: str = ""
    script: str = ""
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """An off-ramp order for what one transaction put into the escrow. `size` is what the phone gets."""

    order_id: str
    tx: str
    network: str
    wallet: str
    phone: str
    token: str
    units: int
    size: str
    fee: str
    fee_tokens: str
    rate: str
    created_ms: int
    state: str = "PENDING"
    told: str = ""
    receipt: str = ""
    reason: str = ""
    code: str = ""
    done_ms: int = 0
    refund_tx: str = ""
    script: str = ""
    behaviour: Behaviour = field(default_factory=Behaviour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escrowed:
    """What is in the escrow by a transaction that no node of ours knows: told by the control API."""

    tx: str
    network: str
    token: str
    wallet: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A request to Swypt's people."""

    id: str
    side: str
    fields: dict[str, Any]
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that happens at an instant to an order."""

    no: int
    at_ms: int
    what: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """A script waiting for its call. Empty conditions match everything; `times` 0 is without end."""

    no: int
    name: str
    behaviour: Behaviour
    endpoint: str = ""
    phone: str = ""
    amount: int = 0
    times: int = 1


def document(record: Any) -> dict[str, Any]:
    """A record as JSON can hold it."""
    values = asdict(record)
    if "behaviour" in values:
        values["behaviour"] = as_document(record.behaviour)
    return values


def scripted(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record whose behaviour is a document."""
    return {**values, "behaviour": Behaviour(**values["behaviour"])}
