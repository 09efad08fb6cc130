"""A conversion: fiat that a partner holds becomes tokens in a pooled wallet, or the reverse; never the business's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.states import Machine
from ports.money import Money

#: Basis points in one.
BPS = 10_000


class Direction(Enum):
    """`in`: fiat was collected, tokens are owed. `out`: tokens were sent, fiat is owed."""

    IN = "in"
    OUT = "out"


class ConversionState(Enum):
    """Where it stands. `short` has settled in part: the rest is owed by the partner, with an age."""

    QUOTED = "quoted"
    REQUESTED = "requested"
    EXECUTING = "executing"
    UNKNOWN = "unknown"
    SHORT = "short"
    SETTLED = "settled"
    FAILED = "failed"


class ConversionStep(Enum):
    """What can happen to it."""

    REQUEST = "request"
    PUT_BACK = "put_back"
    EXECUTE = "execute"
    LOSE = "lose"
    ARRIVE_SHORT = "arrive_short"
    ARRIVE = "arrive"
    FAIL = "fail"
    REVERT = "revert"


_S, _E = ConversionState, ConversionStep

CONVERSION: Machine[ConversionState, ConversionStep] = Machine(
    name="conversion",
    states=ConversionState,
    steps=ConversionStep,
    ends=frozenset({_S.SETTLED, _S.FAILED}),
    roads={
        (_S.QUOTED, _E.REQUEST): _S.REQUESTED,
        (_S.QUOTED, _E.PUT_BACK): _S.QUOTED,
        # A partner that delivers before it is asked: the chain is right, whoever began.
        (_S.QUOTED, _E.EXECUTE): _S.EXECUTING,
        (_S.QUOTED, _E.FAIL): _S.FAILED,
        (_S.REQUESTED, _E.PUT_BACK): _S.QUOTED,
        (_S.REQUESTED, _E.EXECUTE): _S.EXECUTING,
        (_S.REQUESTED, _E.LOSE): _S.UNKNOWN,
        (_S.REQUESTED, _E.FAIL): _S.FAILED,
        (_S.EXECUTING, _E.PUT_BACK): _S.EXECUTING,
        (_S.EXECUTING, _E.EXECUTE): _S.EXECUTING,
        (_S.EXECUTING, _E.LOSE): _S.EXECUTING,
        (_S.EXECUTING, _E.FAIL): _S.FAILED,
        (_S.UNKNOWN, _E.REQUEST): _S.REQUESTED,
        (_S.UNKNOWN, _E.PUT_BACK): _S.UNKNOWN,
        (_S.UNKNOWN, _E.EXECUTE): _S.EXECUTING,
        (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.FAIL): _S.FAILED,
        # Tokens on our own chain beat every word, also that of a failure.
        **{(state, _E.ARRIVE): _S.SETTLED for state in _S},
        **{(state, _E.ARRIVE_SHORT): _S.SHORT for state in _S if state is not _S.SETTLED},
        # The block that they came in went away: they are on their way again.
        (_S.SETTLED, _E.REVERT): _S.EXECUTING,
        (_S.SHORT, _E.REVERT): _S.EXECUTING,
        **{(state, step): state for state in (_S.SHORT, _S.SETTLED, _S.FAILED) for step in (_E.PUT_BACK, _E.LOSE)},
        **{(state, _E.EXECUTE): state for state in (_S.SHORT, _S.SETTLED)},
        (_S.FAILED, _E.EXECUTE): _S.EXECUTING,
        (_S.FAILED, _E.FAIL): _S.FAILED,
        (_S.SETTLED, _E.FAIL): _S.SETTLED,
        (_S.SHORT, _E.FAIL): _S.SHORT,
        (_S.SETTLED, _E.ARRIVE_SHORT): _S.SETTLED,
    },
)

#: The partner owes something.
OPEN = frozenset({_S.QUOTED, _S.REQUESTED, _S.EXECUTING, _S.UNKNOWN, _S.SHORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One exchange. `fiat` is what was collected (in) or is to be paid out (out); `tokens` what is expected, by the
    quote; `got_units` what our own node saw, at depth; `fee` what the partner keeps of the fiat.

    `source_id` is the Receipt (in) or the payout attempt (out); `address` on `network` is our wallet. `order` is the
    partner's name for it, `tx` the transaction that it names, or that we sent. `converted_units` of the fiat are booked
    as exchanged.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    direction: Direction
    state: ConversionState = ConversionState.QUOTED
    connection_id: UUID
    business_id: UUID
    source_id: UUID
    network: str
    address: str
    fiat: Money
    fee: Money
    tokens: Money
    got_units: int = 0
    converted_units: int = 0
    order: str | None = None
    reference: str | None = None
    tx: str | None = None
    held_for: str | None = None
    sends: int = 0
    look_ups: int = 0

    def take(self, step: ConversionStep, now: datetime, **changes: Any) -> Conversion:
        """The conversion after `step`. Raises StateRefused when the table has no road."""
        return replace(self, state=CONVERSION.take(self.state, step), updated=now, **changes)

    @property
    def is_open(self) -> bool:
        """Whether the partner owes something, or may."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """How tokens that came divide: `kept_units` are what was bought, for `cost_units` of fiat and `fee_units` of fee;
    `surplus_units` are nobody's."""

    kept_units: int
    surplus_units: int
    cost_units: int
    fee_units: int
    whole: bool


def exchange(conversion: Conversion, arrived: int, tolerance_bps: int) -> Exchanged:
    """Divide `arrived` units of tokens, after what came before.

    A sum within `tolerance_bps` of what was expected is the rate's own movement and settles the whole: the position
    carries it. Short of that, fiat goes in proportion, rounded down, and the rest stays owed. Above it, the surplus
    is nobody's.
    """
    expected, before = conversion.tokens.units, conversion.got_units
    slack = expected * tolerance_bps // BPS
    total = before + arrived
    open_fiat = conversion.fiat.units - conversion.converted_units
    if total >= expected - slack:
        surplus = max(0, total - (expected + slack))
        surplus = min(surplus, arrived)
        return _whole(conversion, arrived - surplus, surplus, open_fiat)
    share = conversion.fiat.units * total // expected if expected else 0
    booked = max(0, share - conversion.converted_units)
    fee = _fee_within(conversion, booked)
    return Exchanged(kept_units=arrived, surplus_units=0, cost_units=booked - fee, fee_units=fee, whole=False)


def _whole(conversion: Conversion, kept: int, surplus: int, fiat: int) -> Exchanged:
    fee = _fee_within(conversion, fiat)
    return Exchanged(kept_units=kept, surplus_units=surplus, cost_units=fiat - fee, fee_units=fee, whole=True)


def _fee_within(conversion: Conversion, fiat_units: int) -> int:
    """The fee's part of that much of the fiat, such that the parts of all deliveries add up to the fee."""
    before = conversion.converted_units
    after = before + fiat_units
    whole = conversion.fiat.units
    if not whole:
        return 0
    return conversion.fee.units * after // whole - conversion.fee.units * before // whole


def deviates(price: tuple[int, int], reference: tuple[int, int], most_bps: int) -> bool:
    """Whether a price (fiat units, token units) differs from the reference by more than `most_bps`, either way.

    Whole numbers throughout: a/b against c/d is a·d against c·b.
    """
    ours, theirs = price[0] * reference[1], reference[0] * price[1]
    return abs(ours - theirs) * BPS > theirs * most_bps
