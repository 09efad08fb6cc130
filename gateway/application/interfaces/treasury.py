"""What the treasury's use cases need of a unit: wallets, what chains show, conversions, transactions of ours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import Json
from gateway.domain.chain_transfers import ChainTransfer, Signed
from gateway.domain.chain_watch import Cursor
from gateway.domain.connections import Connection
from gateway.domain.conversions import Conversion
from gateway.domain.wallets import Sighting, Wallet
from ports.chain import Chain, ChainCapabilities, Head, Intent, Transfer, Unsigned
from ports.money import Asset


class Wallets(Protocol):
    """Pooled wallets of the unit's mode."""

    @abstractmethod
    def get(self, wallet_id: UUID, *, lock: bool = False) -> Wallet:
        """Raises NotFound."""

    @abstractmethod
    def on(self, network: str) -> Sequence[Wallet]:
        """Those of a network, oldest first."""

    @abstractmethod
    def connections(self) -> Sequence[UUID]:
        """The connections of all wallets, each once."""

    @abstractmethod
    def at(self, network: str, address: str) -> Wallet | None:
        """The one of that address."""

    @abstractmethod
    def take_nonce(self, wallet: Wallet) -> bool:
        """Use up `wallet.next_nonce`; False when somebody else did, or the wallet was paused meanwhile."""


class ChainLog(Protocol):
    """How far a chain was read, and the blocks that a fork would be found by."""

    @abstractmethod
    def cursor(self, connection_id: UUID, *, lock: bool = False) -> Cursor | None:
        """None before the first pass."""

    @abstractmethod
    def save_cursor(self, cursor: Cursor) -> None:
        """Insert or move it."""

    @abstractmethod
    def headers(self, network: str, most: int) -> Sequence[Head]:
        """Stored blocks from the cursor downwards, at most so many."""

    @abstractmethod
    def add_headers(self, network: str, heads: Sequence[Head]) -> None:
        """Store blocks that follow what is there."""

    @abstractmethod
    def drop_above(self, network: str, number: int) -> None:
        """Forget the blocks above a height: the chain has others there now."""

    @abstractmethod
    def forget_below(self, network: str, number: int) -> None:
        """Forget what is final."""


class Sightings(Protocol):
    """Tokens that chains show on our wallets, of the unit's mode."""

    @abstractmethod
    def see(self, network: str, wallet: Wallet, asset: Asset, transfer: Transfer, *, incoming: bool) -> bool:
        """Note one, or note where it stands now: one that was orphaned is seen again. False when nothing changed."""

    @abstractmethod
    def orphan_above(self, network: str, number: int) -> Sequence[Sighting]:
        """Those of blocks that went away, after they were marked; as they were before."""

    @abstractmethod
    def waiting(self, network: str, until: int, most: int) -> Sequence[Sighting]:
        """Those seen at or below a height and not booked, oldest block first."""

    @abstractmethod
    def get(self, sighting_id: UUID, *, lock: bool = False) -> Sighting:
        """Raises NotFound."""

    @abstractmethod
    def of_conversion(self, conversion_id: UUID) -> Sequence[Sighting]:
        """Those that were booked for it."""

    @abstractmethod
    def save(self, sighting: Sighting) -> Sighting:
        """Write it under its version. Raises Conflict."""

    @abstractmethod
    def of_tx(self, network: str, tx: str) -> Sequence[Sighting]:
        """Those of one transaction, by their place in it."""

    @abstractmethod
    def owner(self, network: str, tx: str) -> tuple[UUID, UUID] | None:
        """The conversion, of whichever business, that names that transaction, and that business."""

    @abstractmethod
    def is_awaited(self, network: str, address: str, asset: str, since: datetime) -> bool:
        """Whether a conversion begun after `since` waits for that asset there, and no transaction is named yet."""


class Conversions(Protocol):
    """Conversions of the unit's business."""

    @abstractmethod
    def add(self, conversion: Conversion) -> bool:
        """False when its source has one already."""

    @abstractmethod
    def get(self, conversion_id: UUID, *, lock: bool = False) -> Conversion:
        """Raises NotFound."""

    @abstractmethod
    def of_source(self, source_id: UUID) -> Conversion | None:
        """The one of a receipt or of a payout attempt."""

    @abstractmethod
    def last_price(self, asset: str, currency: str) -> tuple[int, int] | None:
        """(fiat units, token units) of the newest settled conversions of the mode, or None before the first."""

    @abstractmethod
    def positions(self, asset: str, currency: str) -> tuple[int, int]:
        """What the books hold in the middle of the exchange: tokens (credit), and the fiat that they cost (debit)."""

    @abstractmethod
    def names(self, conversion: Conversion, tx: str) -> bool:
        """Write down the transaction that it names; False when another conversion named it first."""

    @abstractmethod
    def save(self, conversion: Conversion) -> Conversion:
        """Write it under its version. Raises Conflict."""


class ChainTransfers(Protocol):
    """Transactions of ours, of the unit's mode."""

    @abstractmethod
    def add(self, transfer: ChainTransfer) -> bool:
        """False when that step of its conversion exists."""

    @abstractmethod
    def get(self, transfer_id: UUID, *, lock: bool = False) -> ChainTransfer:
        """Raises NotFound."""

    @abstractmethod
    def open_of(self, wallet_id: UUID) -> Sequence[ChainTransfer]:
        """Those of a wallet that aren't over, in the order in which they were wanted."""

    @abstractmethod
    def of_conversion(self, conversion_id: UUID) -> Sequence[ChainTransfer]:
        """Its steps, in order."""

    @abstractmethod
    def save(self, transfer: ChainTransfer) -> ChainTransfer:
        """Write it under its version. Raises Conflict."""

    @abstractmethod
    def is_ours(self, network: str, tx: str) -> bool:
        """Whether we signed that transaction."""

    @abstractmethod
    def keep(self, network: str, signed: Signed) -> None:
        """Keep signed bytes; keeping them twice is keeping them."""

    @abstractmethod
    def signed(self, transfer_id: UUID) -> Sequence[Signed]:
        """All signatures of a transfer, the newest first."""


class ChainLines(Protocol):
    """Live lines to chains."""

    @abstractmethod
    def chain(self, connection: Connection) -> Chain:
        """A connection's adapter. Raises NotFound, Misconfigured."""

    @abstractmethod
    def facts(self, connection: Connection) -> ChainCapabilities:
        """What holds on that line, without building anything that asks."""


class SignerRefused(Exception):
    """The signer's rules say no, or it can't read what it was given. `code` is a word, the message a sentence."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code


class AsksSigner(Protocol):
    """The way to the signer."""

    @abstractmethod
    def sign(
        self, sender: str, intent: Intent, unsigned: Unsigned, *, chain_id: int, token: str | None
    ) -> tuple[bytes, str]:
        """The signed bytes and their hash; the same bytes always give the same. Raises SignerRefused, NotSent."""


class WalletsDirectory(Protocol):
    """Wallets as an operator keeps them, of both modes; each call is a transaction of its own."""

    @abstractmethod
    def add(self, wallet: Wallet, assets: Sequence[Asset]) -> None:
        """Add it; the books learn the assets. Raises Conflict when the address is known."""

    @abstractmethod
    def set_state(self, wallet_id: UUID, *, paused_for: str | None, now: datetime) -> None:
        """Pause with a reason, or resume with None. Raises NotFound."""

    @abstractmethod
    def listed(self) -> Sequence[tuple[Wallet, Json]]:
        """Each with what the books hold under its name: asset → units as text."""
