"""Pooled wallets, as an operator keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.application.chain_watching import begin_at
from gateway.application.interfaces import ChainLines, Json, OpenUnit
from gateway.application.interfaces.treasury import WalletsDirectory
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.representations import moment
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, encode
from gateway.domain.wallets import Wallet
from ports.errors import PortError


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletService:
    """The operator's acts about wallets; what they do is theirs by the watcher, the workers and the signer."""

    unit: OpenUnit
    chains: ChainLines
    directory: WalletsDirectory
    desk: OperatorDesk

    def add(self, connection_id: UUID, address: str, title: str, act: Act, *, nonce: int = 0) -> Wallet:
        """Take up a wallet on the network of a chain's connection; the books learn the chain's assets.

        `nonce` is how many transactions the address has sent already. The chain is read from its present final block
        on. Raises Invalid, also when the chain can't be asked, and Conflict for an address that is known.
        """
        livemode = self.desk.directory.mode_of_connection(connection_id)
        with self.unit(house(livemode), read_only=True) as work:
            connection = work.connections.get(connection_id)
        chain = self.chains.chain(connection)
        facts = chain.facts
        now = self.desk.now()
        try:
            wallet = Wallet(
                id=self.desk.new_id(),
                livemode=livemode,
                created=now,
                updated=now,
                network=facts.network,
                connection_id=connection_id,
                address=address.lower(),
                title=title,
                next_nonce=nonce,
            )
        except ValueError as wrong:
            raise Invalid(str(wrong), code="address_invalid", param="/address") from None
        try:
            heads = chain.heads()
        except PortError as trouble:
            raise Invalid(f"the chain can't be asked where it stands: {trouble}", code="chain_away") from None
        self.directory.add(wallet, [facts.native, *(token.asset for token in facts.tokens)])
        begin_at(self.unit, connection_id, facts, heads, livemode=livemode)
        self.desk.note(act, "wallet.add", wallet.id)
        return wallet

    def pause(self, wallet_id: UUID, act: Act) -> None:
        """Send nothing from it; what comes in is seen and booked. Raises NotFound."""
        self.directory.set_state(wallet_id, paused_for=act.reason, now=self.desk.now())
        self.desk.note(act, "wallet.pause", wallet_id)

    def resume(self, wallet_id: UUID, act: Act) -> None:
        """Send again. Raises NotFound."""
        self.directory.set_state(wallet_id, paused_for=None, now=self.desk.now())
        self.desk.note(act, "wallet.resume", wallet_id)

    def listed(self) -> Sequence[Json]:
        """All wallets, with what the books say that they hold."""
        return [shown_wallet(wallet, held) for wallet, held in self.directory.listed()]


def shown_wallet(wallet: Wallet, held: Json) -> Json:
    """A wallet as an operator reads it; units as text, since they may pass what JSON readers keep."""
    return {
        "id": encode(Prefix.WALLET, wallet.id),
        "object": "wallet",
        "livemode": wallet.livemode,
        "network": wallet.network,
        "connection": encode(Prefix.CONNECTION, wallet.connection_id),
        "address": wallet.address,
        "title": wallet.title,
        "status": wallet.state.value,
        "paused_for": wallet.paused_for,
        "next_nonce": wallet.next_nonce,
        "books": held,
        "created": moment(wallet.created),
    }
