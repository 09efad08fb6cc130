"""What one chain is made of, for the adapter: the port's capabilities, and how its fees are reckoned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ports.chain import ChainCapabilities

GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """How a transaction is priced, per unit of gas in the coin's smallest part.

    `tip_min` is what nodes insist on, `tip_max` the most that is offered, `max_fee_min` the least for tip and base
    together. With `tip_from_history` the tip follows what was paid lately, since nodes suggest less than they take.
    `gas_max` bounds one transaction. `l1_oracle` prices the layer below, which no estimate contains.
    """

    tip_min: int = 0
    tip_max: int = 500 * GWEI
    max_fee_min: int = 0
    tip_from_history: bool = False
    gas_max: int = 1_000_000
    l1_oracle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network of a chain: the live one, or its test network.

    `pinned` is an old block, (height, hash), that every node must show; `fee_currencies` leads from an asset's code to
    the contract that fees are named by when they are paid in that asset (CIP-64).
    """

    capabilities: ChainCapabilities
    fees: Fees
    pinned: tuple[int, str] | None = None
    fee_currencies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """A chain's plugin in two sets of facts."""

    title: str
    live: Network
    test: Network
