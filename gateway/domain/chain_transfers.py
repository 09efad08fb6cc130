"""A transaction of ours on a chain: signed once for each price, sent as often as need be, and mined at most once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from gateway.domain.states import Machine
from ports.chain import Intent


class TransferState(Enum):
    """Where it stands. `dropped`: no node knows it any more, and its number is still free: it is sent again."""

    BUILT = "built"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    DROPPED = "dropped"
    REORGED = "reorged"
    FAILED = "failed"
    REFUSED = "refused"


class TransferStep(Enum):
    """What can happen to it."""

    SIGN = "sign"
    SEND = "send"
    MINE = "mine"
    SETTLE = "settle"
    LOSE_SIGHT = "lose_sight"
    LOSE_BLOCK = "lose_block"
    REVERT = "revert"
    REFUSE = "refuse"


_S, _E = TransferState, TransferStep

CHAIN_TRANSFER: Machine[TransferState, TransferStep] = Machine(
    name="chain_transfer",
    states=TransferState,
    steps=TransferStep,
    ends=frozenset({_S.CONFIRMED, _S.FAILED, _S.REFUSED}),
    roads={
        (_S.BUILT, _E.SIGN): _S.SIGNED,
        (_S.BUILT, _E.REFUSE): _S.REFUSED,
        (_S.SIGNED, _E.SIGN): _S.SIGNED,
        (_S.SIGNED, _E.SEND): _S.BROADCAST,
        **{
            (state, _E.MINE): _S.CONFIRMING
            for state in (_S.SIGNED, _S.BROADCAST, _S.CONFIRMING, _S.DROPPED, _S.REORGED)
        },
        # A stuck one is signed again at a higher price, under the same number: one of the two can be mined.
        (_S.BROADCAST, _E.SIGN): _S.SIGNED,
        (_S.DROPPED, _E.SIGN): _S.SIGNED,
        (_S.REORGED, _E.SIGN): _S.SIGNED,
        (_S.BROADCAST, _E.SEND): _S.BROADCAST,
        (_S.DROPPED, _E.SEND): _S.BROADCAST,
        (_S.REORGED, _E.SEND): _S.BROADCAST,
        (_S.BROADCAST, _E.LOSE_SIGHT): _S.DROPPED,
        (_S.DROPPED, _E.LOSE_SIGHT): _S.DROPPED,
        (_S.CONFIRMING, _E.SEND): _S.CONFIRMING,
        (_S.CONFIRMING, _E.LOSE_BLOCK): _S.REORGED,
        (_S.REORGED, _E.LOSE_BLOCK): _S.REORGED,
        (_S.CONFIRMING, _E.SETTLE): _S.CONFIRMED,
        (_S.CONFIRMING, _E.REVERT): _S.FAILED,
        **{
            (end, step): end
            for end in (_S.CONFIRMED, _S.FAILED)
            for step in (_E.SEND, _E.MINE, _E.SETTLE, _E.REVERT, _E.LOSE_SIGHT)
        },
        (_S.REFUSED, _E.REFUSE): _S.REFUSED,
    },
)

#: States in which one of its hashes may still be mined, or is and isn't settled.
OUT = frozenset({_S.SIGNED, _S.BROADCAST, _S.CONFIRMING, _S.DROPPED, _S.REORGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTransfer:
    """One effect wanted of a chain. `conversion_id` and `step` say what for: each step of a conversion exists once.

    `nonce` is given with the first signed bytes and never changes. `spends` units of the intent's asset leave the
    wallet by it. `tx` is the hash last signed, or the one that was mined.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    network: str
    wallet_id: UUID
    purpose: str
    business_id: UUID
    conversion_id: UUID | None
    step: int
    intent: Intent
    spends: int
    state: TransferState = TransferState.BUILT
    nonce: int | None = None
    tip: int | None = None
    max_fee: int | None = None
    tx: str | None = None
    block: int | None = None
    block_hash: str | None = None
    fee_units: int = 0
    sent_at: datetime | None = None
    failure: str | None = None

    def take(self, step: TransferStep, now: datetime, **changes: Any) -> ChainTransfer:
        """The transfer after `step`. Raises StateRefused when the table has no road."""
        return replace(self, state=CHAIN_TRANSFER.take(self.state, step), updated=now, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Bytes that the signer gave for a transfer, kept before a node sees them: they may always be sent again."""

    tx: str
    transfer_id: UUID
    raw: bytes
    nonce: int
    tip: int
    max_fee: int
    created: datetime
