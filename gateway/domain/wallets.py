"""A pooled wallet: one address on one network, whose tokens are the company's against its promises in fiat."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from ports.money import Asset

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class WalletState(Enum):
    """`paused`: nothing is sent from it; what comes in is seen and booked."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """`next_nonce` is the number of the next transaction that will be signed for it: ours alone counts.

    `address` is lower-case hex. Raises ValueError for anything else.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    network: str
    connection_id: UUID
    address: str
    title: str
    state: WalletState = WalletState.ACTIVE
    paused_for: str | None = None
    next_nonce: int = 0

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise ValueError("a wallet's address is 0x and 40 small hex digits")


class SightingState(Enum):
    """`booked` and then `orphaned` is what a depth policy is there to prevent: the journal is reversed by another."""

    SEEN = "seen"
    BOOKED = "booked"
    ORPHANED = "orphaned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Tokens seen on a chain to or from a wallet of ours. (`network`, `tx`, `position`) is the fact's name for ever.

    `block` and `block_hash` are where it stands now; both change when a reorganisation moves it. `booked_hash` is the
    block that its journal was posted from, `bookings` how often it was: again only after one was taken back.
    The last four say how: tokens bought, tokens of nobody, and what was paid for them in fiat.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    network: str
    tx: str
    position: int
    block: int
    block_hash: str
    wallet_id: UUID
    asset: Asset
    incoming: bool
    counterparty: str
    units: int
    state: SightingState
    conversion_id: UUID | None = None
    booked_hash: str | None = None
    bookings: int = 0
    kept_units: int = 0
    surplus_units: int = 0
    cost_units: int = 0
    fee_units: int = 0
