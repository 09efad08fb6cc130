"""The treasury, joined: what the watcher does with a chain, and the due work of conversions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from gateway.adapters.persistence.wallets_directory import SqlWalletsDirectory
from gateway.application.chain_bookings import BookSightings
from gateway.application.chain_reorganisations import TakeBack
from gateway.application.chain_sending import SendFromWallet
from gateway.application.chain_settling import SettleTransfer
from gateway.application.chain_watching import WatchChain
from gateway.application.conversions import DeliverConversion, OpenConversion
from gateway.application.interfaces import AsksSigner, Call, ChainLines, Insist, OpenUnit, Providers
from gateway.application.money_in import house
from gateway.application.operators import OperatorDesk
from gateway.application.payout_funding import FollowFunding, FundPayout
from gateway.application.wallets import WalletService

Handler = Callable[[UUID, Call], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowChain:
    """One look at a chain: read on, then book what is deep enough."""

    watch: WatchChain
    book: BookSightings

    def __call__(self, connection_id: UUID, *, livemode: bool) -> bool:
        """Whether there is more to read at once."""
        found = self.watch(connection_id, livemode=livemode)
        self.book(connection_id, found.heads, livemode=livemode)
        return found.more


def follow_chain(unit: OpenUnit, lines: ChainLines) -> FollowChain:
    """What the watcher runs."""
    return FollowChain(watch=WatchChain(unit=unit, lines=lines), book=BookSightings(unit=unit, lines=lines))


def watched_chains(unit: OpenUnit) -> Sequence[tuple[UUID, bool]]:
    """The connections of all wallets, with their mode."""
    found: list[tuple[UUID, bool]] = []
    for livemode in (False, True):
        with unit(house(livemode), read_only=True) as work:
            found += [(one, livemode) for one in work.wallets.connections()]
    return found


def treasury_handlers(
    unit: OpenUnit, providers: Providers, chains: ChainLines, signer: AsksSigner, insist: Insist
) -> Mapping[str, Handler]:
    """Due work of conversions, wallets and reorganisations."""
    return {
        "payout.fund": FundPayout(unit=unit, providers=providers),
        "conversion.fund": FollowFunding(unit=unit),
        "wallet.send": SendFromWallet(unit=unit, lines=chains, signer=signer, settle=SettleTransfer(unit=unit)),
        "conversion.open": OpenConversion(unit=unit, providers=providers),
        "conversion.deliver": DeliverConversion(unit=unit, providers=providers, insist=insist),
        "sighting.take_back": TakeBack(unit=unit),
    }


def wallet_service(unit: OpenUnit, chains: ChainLines, engine: Engine, desk: OperatorDesk) -> WalletService:
    """The operator's acts about wallets."""
    return WalletService(unit=unit, chains=chains, directory=SqlWalletsDirectory(engine=engine), desk=desk)
