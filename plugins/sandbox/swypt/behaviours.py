"""What can be scripted: how a call is answered, how a prompt or payout ends, and what is really delivered.

The last four digits of 0700 00N NNN name a behaviour; the control API takes names and single fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


class BadBehaviour(ValueError):
    """No such behaviour, or a field that isn't one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`answer` and `effect` are about one call; `deposit_answer` is the same for the first `/deposit` of an order.

    `end` is what an order ends as (None: a person decides, or nobody), `message` and `code` why. `first_word` is told
    until `late_s` are over. `delivery` is what `/deposit` does, `permille` of the right sum.
    """

    answer: str = "normal"
    effect: bool = True
    delay_s: float = 0
    end: str | None = None
    message: str = ""
    code: str = ""
    first_word: str = ""
    is_late: bool = False
    has_receipt: bool = True
    delivery: str = "sent"
    deposit_answer: str = "normal"
    permille: int = 1000
    refund: bool = False


#: How a call can be answered. Those of the second line need no effect to make sense.
ANSWERS = (
    "normal", "cut", "html_502", "html_504", "error_500", "malformed", "empty", "slow",
    "too_many", "bad_keys", "not_recorded", "not_initiated", "went_wrong", "exchange_rate",
)  # fmt: skip
#: What `/deposit` does: sends; claims a hash of nobody's; names none; says yes and never sends; sends after `late_s`.
DELIVERIES = ("sent", "foreign_hash", "no_hash", "never", "late")

PAYS = "SUCCESS"
_LOST = {"end": PAYS}


def _b(**values: Any) -> Behaviour:
    return Behaviour(**values)


#: By name: the ending of the magic number, and what happens.
CATALOGUE: dict[str, tuple[str, Behaviour]] = {
    "success": ("0000", _b(end=PAYS)),
    "insufficient_funds": ("0001", _b(end="FAILED", message="Insufficient balance")),
    "cancel": ("1032", _b(end="CANCELLED", message="Transaction cancelled by user")),
    "no_answer": ("1037", _b(end="FAILED", message="DS timeout user cannot be reached")),
    "wrong_pin": ("2001", _b(end="FAILED", message="The initiator information is invalid")),
    "unheard_of": ("7777", _b(end="ON_HOLD", message="Held for review")),
    "late_success": ("3004", _b(end=PAYS, is_late=True)),
    "late_after_failure": ("3005", _b(end=PAYS, is_late=True, first_word="FAILED", message="Transaction timeout")),
    "no_receipt": ("3006", _b(end=PAYS, has_receipt=False)),
    "lost_ack": ("4001", _b(answer="cut", **_LOST)),
    "dropped": ("4002", _b(answer="cut", effect=False)),
    "slow": ("4003", _b(answer="slow", **_LOST)),
    "html_502": ("4004", _b(answer="html_502", effect=False)),
    "html_504_accepted": ("4005", _b(answer="html_504", **_LOST)),
    "error_500": ("4006", _b(answer="error_500", effect=False)),
    "error_500_accepted": ("4007", _b(answer="error_500", **_LOST)),
    "malformed_accepted": ("4008", _b(answer="malformed", **_LOST)),
    "empty_accepted": ("4009", _b(answer="empty", **_LOST)),
    "too_many": ("4019", _b(answer="too_many", effect=False)),
    "bad_keys": ("4020", _b(answer="bad_keys", effect=False)),
    "not_recorded": ("4021", _b(answer="not_recorded", effect=False)),
    "not_initiated": ("4022", _b(answer="not_initiated", effect=False)),
    "went_wrong": ("4023", _b(answer="went_wrong", **_LOST)),
    "delivered_never": ("5001", _b(end=PAYS, delivery="never")),
    "delivered_short": ("5002", _b(end=PAYS, permille=900)),
    "delivered_over": ("5003", _b(end=PAYS, permille=1100)),
    "foreign_hash": ("5004", _b(end=PAYS, delivery="foreign_hash")),
    "deposit_lost_ack": ("5005", _b(end=PAYS, deposit_answer="cut")),
    "deposit_rate_trouble": ("5006", _b(end=PAYS, deposit_answer="exchange_rate")),
    "delivered_late": ("5007", _b(end=PAYS, delivery="late")),
    "no_hash": ("5008", _b(end=PAYS, delivery="no_hash")),
    "payout_fails": ("6001", _b(end="FAILED", message="Transaction timeout", code="1234")),
    "payout_fails_refunded": ("6002", _b(end="FAILED", message="Transaction timeout", code="1234", refund=True)),
    "payout_short": ("6003", _b(end=PAYS, permille=900)),
}

PLAIN = Behaviour()
_BY_ENDING = {ending: name for name, (ending, _) in CATALOGUE.items()}


def named(name: str) -> Behaviour:
    """The behaviour of that name; `normal` is the plain one. Raises BadBehaviour."""
    if name == "normal":
        return PLAIN
    if name not in CATALOGUE:
        raise BadBehaviour(f"no behaviour is called {name!r}")
    return CATALOGUE[name][1]


def of_number(phone: str) -> tuple[str, Behaviour] | None:
    """The behaviour of a magic number, with its name."""
    name = _BY_ENDING.get(phone[-4:]) if phone.startswith("2547000") else None
    return (name, CATALOGUE[name][1]) if name else None


def with_fields(behaviour: Behaviour, given: dict[str, Any]) -> Behaviour:
    """The behaviour with single fields changed. Raises BadBehaviour."""
    known = {one.name: getattr(PLAIN, one.name) for one in fields(Behaviour)}
    for name, value in given.items():
        if name not in known:
            raise BadBehaviour(f"a behaviour has no {name!r}")
        kind = type(known[name]) if known[name] is not None else str
        if value is not None and (not isinstance(value, (kind, int)) or isinstance(value, bool) is not (kind is bool)):
            raise BadBehaviour(f"{name} has another type")
        if (name in ("answer", "deposit_answer") and value not in ANSWERS) or (
            name == "delivery" and value not in DELIVERIES
        ):
            raise BadBehaviour(f"{name} can't be {value!r}")
    return replace(behaviour, **given)


def as_document(behaviour: Behaviour) -> dict[str, Any]:
    """The behaviour as JSON can hold it: what differs from the plain one."""
    return {name: value for name, value in asdict(behaviour).items() if value != getattr(PLAIN, name)}
