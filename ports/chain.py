"""The chain port: one connection's line to one chain, which reads it, builds what is to be signed, and sends it.

The core owns nonces, the cursor, reorganisations, the depth that money waits for, and replacement; the adapter owns
encodings and fees. Signing is nobody's method here: the signer process takes the Intent and the bytes, decodes the
bytes itself, and signs. Hashes and addresses are lower-case hex with `0x`; units are whole numbers of an asset's
smallest part.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from ports.abilities import SelfFinding
from ports.context import Context
from ports.money import Asset
from ports.registration import CONTRACT_VERSION


class Tag(StrEnum):
    """How settled a block is, in the chain's own word."""

    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """When a transfer of at most `up_to_usd_cents` (None: any) is believed: at `tag`, and `behind` blocks below it."""

    tag: Tag
    behind: int = 0
    up_to_usd_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token contract. Identity is (chain, address), never the symbol; `asset` carries our code and the decimals.

    `domain` is the (name, version) of its EIP-712 signing domain where it has one that we pin. `dust_units` is the
    least sum that counts as money. `usd_milli`: about what one is worth, in thousandths of a US dollar, for the depth.
    """

    asset: Asset
    address: str
    domain: tuple[str, str] | None = None
    dust_units: int = 1
    usd_milli: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCapabilities:
    """What a chain declares. `network` is the word that rails use for it (`celo`); two networks never share a chain id.

    `block_time_s` is a hint: it is measured, never relied on. `depths` go by rising amount, the last one for any.
    `final_lag_s` is how far `finalized` ordinarily trails the clock: three times that is alarming, ten times holds all
    credits. `window_max` bounds one scan, in blocks. `call_timeout_s` is the longest that one call can take.
    """

    network: str
    chain_id: int
    native: Asset
    tokens: tuple[Token, ...]
    block_time_s: float
    depths: tuple[Depth, ...]
    final_lag_s: int
    window_max: int = 500
    concurrency: int = 4
    calls_per_s: int = 20
    call_timeout_s: int = 30

    def token(self, asset_code: str) -> Token | None:
        """The token of that asset's code, or None."""
        return next((one for one in self.tokens if one.asset.code == asset_code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A block that a tag points at."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Where the three tags point, as one endpoint sees them."""

    latest: Head
    safe: Head
    finalized: Head
    latest_at: datetime
    finalized_at: datetime

    def at(self, tag: Tag) -> Head:
        """The head of a tag."""
        return {Tag.LATEST: self.latest, Tag.SAFE: self.safe, Tag.FINALIZED: self.finalized}[tag]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One header."""

    number: int
    hash: str
    parent: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Tokens moved. `position` is the place of the log inside its own transaction's receipt: the place in the block
    changes when a reorganisation puts the transaction elsewhere. With `tx` and the chain it names the fact."""

    tx: str
    position: int
    block: int
    block_hash: str
    token: str
    sender: str
    recipient: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a range of blocks held. All of it was read at one endpoint, and every transfer's block hash is the one that
    the header of that height had there. `until` may lie below what was asked for: ask on from there."""

    since: int
    until: int
    blocks: tuple[Block, ...]
    transfers: tuple[Transfer, ...]


class Mined(StrEnum):
    """What became of a transaction."""

    NOT_SEEN = "not_seen"
    WAITING = "waiting"
    OK = "ok"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What an endpoint knows of a transaction; everything after `state` is there once it was mined.

    `fee_units` of `fee_asset` were spent, also where it was reverted.
    """

    hash: str
    state: Mined
    block: int | None = None
    block_hash: str | None = None
    sender: str | None = None
    nonce: int | None = None
    transfers: tuple[Transfer, ...] = ()
    fee_units: int = 0
    fee_asset: Asset | None = None


class IntentKind(StrEnum):
    """What a transaction is for."""

    TRANSFER = "transfer"
    APPROVE = "approve"
    CALL = "call"
    CANCEL = "cancel"
    """Nothing to ourselves, so that a nonce is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is wanted of a chain, in words that the signer can hold against the bytes.

    `asset` names a token of the chain, or the native coin. `to` is the recipient of a TRANSFER, the spender of an
    APPROVE, the contract of a CALL. `data` is a CALL's input: selector and arguments, ready. `fee_cap_units` of the
    native coin is the most that may be spent on fees.
    """

    kind: IntentKind
    asset: str
    to: str
    units: int
    fee_cap_units: int
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Bytes to sign, as the chain hashes them, and what they would cost at most. `tip` and `max_fee` are in the native
    coin's smallest part for each unit of gas: a replacement raises both."""

    content: bytes
    nonce: int
    gas: int
    tip: int
    max_fee: int
    fee_units_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What an address holds at one block: units by asset code, and how many transactions it has sent."""

    address: str
    units: tuple[tuple[str, int], ...]
    sent: int


class CannotSend(StrEnum):
    """Why a node wouldn't take a transaction that it could take later: the word of `NotSent.reason`."""

    UNDERPRICED = "underpriced"
    NO_GAS_COIN = "no_gas_coin"
    NONCE_TOO_HIGH = "nonce_too_high"
    NO_NODE = "no_node"


@runtime_checkable
class Chain(Protocol):
    """One connection's line to one chain. Called from the watcher and from workers, never from web.

    Every method raises NotSent when no endpoint could be asked, OutcomeUnknown when an answer got lost, Misconfigured
    when an endpoint is of another chain. Only `broadcast` does anything in the world.
    """

    @property
    @abstractmethod
    def facts(self) -> ChainCapabilities:
        """What holds on this line: the offer's capabilities, with the chain id and the addresses of its environment.

        The offer itself speaks of the live network. No I/O.
        """

    @abstractmethod
    def heads(self) -> Heads:
        """The three heads, of one endpoint."""

    @abstractmethod
    def blocks(self, since: int, until: int) -> tuple[Block, ...]:
        """Headers of a range, both ends included, rising; fewer where the chain is shorter."""

    @abstractmethod
    def transfers(self, since: int, until: int, tokens: Sequence[str], addresses: Sequence[str]) -> Scan:
        """Transfers of those tokens (addresses of `facts.tokens`) to or from those addresses in a range, both ends
        included. Raises ValueError for a token that isn't one of the line's.

        Zero sums and logs that are no transfer are left out. A range that a provider won't give is halved by the
        adapter, down to one block. An endpoint that hasn't the last block of the range isn't asked.
        """

    @abstractmethod
    def transaction(self, tx: str) -> Transaction:
        """What became of it. NOT_SEEN is no proof that it won't come."""

    @abstractmethod
    def build(self, intent: Intent, sender: str, nonce: int, above: Unsigned | None = None) -> Unsigned:
        """Bytes to sign, after a dry run at the newest block; `above` is what they are to replace.

        Raises Refused when the dry run reverts, or when the fee would pass the cap (`over_limit`).
        """

    @abstractmethod
    def broadcast(self, signed: bytes) -> str:
        """Send; gives the hash. The same bytes may always be sent again.

        Raises AlreadyTaken when the node knows it, or the nonce is used: look for our hash, never sign again before
        that. NotSent with a word of CannotSend; OutcomeUnknown for silence.
        """

    @abstractmethod
    def balances(
        self, addresses: Sequence[str], assets: Sequence[str], block: int | None = None
    ) -> tuple[Holding, ...]:
        """What addresses hold at that block, or at the newest, by asset code; all of it at one block of one endpoint.

        An endpoint that hasn't that block, or no longer its state, isn't asked.
        """

    @abstractmethod
    def self_check(self) -> tuple[SelfFinding, ...]:
        """Differences between pinned and found facts: chain id, code, decimals, signing domains, endpoints at odds.

        Anything WRONG stops money.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOffer:
    """What a chain's plugin offers. `code` is unique among all offers; the rest is as in `ports.registration`."""

    code: str
    title: str
    capabilities: ChainCapabilities
    build: Callable[[Mapping[str, object], Context], Chain]
    config_schema: Mapping[str, object] = field(default_factory=dict)
    contract: int = CONTRACT_VERSION
