"""Wallets as the operator's role keeps them; each call is a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.tables_of_treasury import wallet as table
from gateway.adapters.persistence.treasury import wallet_of
from gateway.application.interfaces import Json
from gateway.application.interfaces.treasury import WalletsDirectory
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.wallets import Wallet, WalletState
from ports.money import Asset

#: What the books hold under a wallet's name: tokens and gas, debits less credits.
_HELD = text(
    "SELECT livemode, path, asset, -balance AS units FROM ledger.trial_balance"
    " WHERE (path LIKE 'treasury:%' OR path LIKE 'gas:%') AND balance <> 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWalletsDirectory(WalletsDirectory):
    """On the operator's engine."""

    engine: Engine

    def add(self, wallet: Wallet, assets: Sequence[Asset]) -> None:
        values = {
            "id": wallet.id,
            "livemode": wallet.livemode,
            "created": wallet.created,
            "updated": wallet.updated,
            "version": wallet.version,
            "network": wallet.network,
            "connection_id": wallet.connection_id,
            "address": wallet.address,
            "title": wallet.title,
            "state": wallet.state.value,
            "next_nonce": wallet.next_nonce,
        }
        with in_our_words(), self.engine.begin() as conn:
            known = func.ledger.know_assets([one.code for one in assets], [one.scale for one in assets])
            conn.execute(select(known))
            stmt = insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
            if conn.execute(stmt).first() is None:
                raise Conflict("that address is a wallet already", code="wallet_known")

    def set_state(self, wallet_id: UUID, *, paused_for: str | None, now: datetime) -> None:
        state = WalletState.ACTIVE if paused_for is None else WalletState.PAUSED
        stmt = update(table).where(table.c.id == wallet_id)
        values = {"state": state.value, "paused_for": paused_for, "updated": now, "version": table.c.version + 1}
        with in_our_words(), self.engine.begin() as conn:
            if conn.execute(stmt.values(values)).rowcount != 1:
                raise NotFound("there is no such wallet")

    def listed(self) -> Sequence[tuple[Wallet, Json]]:
        with in_our_words(), self.engine.connect() as conn:
            wallets = [wallet_of(row) for row in conn.execute(select(table).order_by(table.c.created, table.c.id))]
            held = [(row.livemode, row.path, row.asset, row.units) for row in conn.execute(_HELD)]
        found = []
        for one in wallets:
            name = encode(Prefix.WALLET, one.id)
            mine = {
                asset: str(int(units))
                for live, path, asset, units in held
                if live == one.livemode and path.endswith(name)
            }
            found.append((one, mine))
        return found
