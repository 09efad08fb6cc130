"""What a plugin offers: a code, capabilities, and how to build an adapter from one connection's credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from ports.context import Context
from ports.money import Asset

if TYPE_CHECKING:
    from ports.abilities import Validator

#: The version of this contract. A plugin states the one it was built for; another is refused at start-up.
CONTRACT_VERSION = 1


class CallbackScope(Enum):
    """Whose URL a provider answers to."""

    PER_CALL = "per_call"
    PER_CONNECTION = "per_connection"
    NONE = "none"


class LookUp(Enum):
    """How a question is answered."""

    ANSWERS = "answers"
    """On the same connection."""
    REPLIES = "replies"
    """Later, at the question's ReplyTo."""
    NONE = "none"


class LookUpBy(Enum):
    """What a question must name."""

    OUR_REFERENCE = "our_reference"
    PROVIDER_REFERENCE = "provider_reference"
    RECEIPT = "receipt"


class Repeat(Enum):
    """What the same reference sent twice does."""

    SAFE = "safe"
    REFUSED = "refused"
    DOUBLES = "doubles"
    """Prompts or pays again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceForm:
    """The form our reference must take: at most `max_length` of `alphabet`, or a UUID where `uuid` is set.

    `tagged`: begin with the shop's tag and a dash, since the payer reads it.
    """

    max_length: int
    alphabet: str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    uuid: bool = False
    tagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What every adapter declares. Amounts are units of the asset; the core refuses what isn't declared.

    `look_up_ladder_s` are waits between questions, the last one repeating, until `look_up_life_s` after the start;
    `woken_ladder_s` are the waits after a callback woke a question. `floor_s` is the least time between two questions
    about one try. `calls_per_s` and `concurrency` bound one connection. `call_timeout_s` is the longest that one call
    can take before the adapter itself gives up. `refund_repeat` and `partial_refunds` are about the ability `refund`.
    `acknowledgement` is what the provider is answered (as JSON, 200) once its callback is stored, before anybody has
    read it.
    """

    assets: tuple[Asset, ...]
    amount_min: int
    amount_max: int
    amount_granularity: int
    reference_form: ReferenceForm
    receipt_namespace: str
    callback: CallbackScope
    look_up: LookUp
    look_up_by: LookUpBy
    repeat: Repeat
    look_up_ladder_s: tuple[int, ...] = (30, 15, 30, 60, 120)
    look_up_life_s: int = 900
    woken_ladder_s: tuple[int, ...] = (0, 2, 5, 10)
    floor_s: int = 2
    concurrency: int = 4
    calls_per_s: int = 5
    call_timeout_s: int = 40
    abilities: tuple[str, ...] = ()
    refund_repeat: Repeat = Repeat.DOUBLES
    partial_refunds: bool = False
    acknowledgement: bytes = b"{}"


#: Capabilities come in a kind per port; adapters come as the port's protocol.
Port = TypeVar("Port", covariant=True)


def withheld(body: bytes) -> bytes:
    """What is shown of a body when an adapter doesn't say what may be: its length."""
    return f"<{len(body)} bytes>".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(Generic[Port]):
    """One offer. `code` is unique among all offers (`mpesa_push`); `method` is the word a caller uses to choose it
    (`mpesa`); `config_schema` is a JSON Schema whose secret fields carry `"secret": true`.

    `build` takes one connection's configuration (checked against the schema) and the Context; it does no I/O and
    raises Misconfigured when the configuration can't work. `redact` gives what of a provider's body may be stored in
    the clear and shown to an operator: no secrets, no telephone numbers, no names. `validator` words the answers to
    "may this be paid?", for rails with the ability `validate`.
    """

    code: str
    method: str
    title: str
    capabilities: Capabilities
    build: Callable[[Mapping[str, object], Context], Port]
    config_schema: Mapping[str, object] = field(default_factory=dict)
    contract: int = CONTRACT_VERSION
    redact: Callable[[bytes], bytes] = withheld
    validator: Validator | None = None
