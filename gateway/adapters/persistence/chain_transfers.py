"""Transactions of ours as rows: what was wanted, every signature, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence.tables_of_treasury import chain_signed, chain_transfer
from gateway.adapters.persistence.transaction import Transaction
from gateway.adapters.persistence.treasury import pooled_row, written_once
from gateway.application.interfaces.treasury import ChainTransfers
from gateway.domain.chain_transfers import CHAIN_TRANSFER, ChainTransfer, Signed, TransferState
from ports.chain import Intent, IntentKind

_OVER = [state.value for state in CHAIN_TRANSFER.ends]


class SqlChainTransfers(ChainTransfers):
    """Transactions of the unit's mode, of whichever business they are for."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, one: ChainTransfer) -> bool:
        values = {
            **_changing(one),
            "id": one.id,
            "scope_id": one.business_id,
            "livemode": self._tx.scope.livemode,
            "created": one.created,
            "version": one.version,
            "network": one.network,
            "wallet_id": one.wallet_id,
            "purpose": one.purpose,
            "conversion_id": one.conversion_id,
            "step": one.step,
            "intent": _intent_out(one.intent),
            "asset": one.intent.asset,
            "spends_units": one.spends,
        }
        stmt = insert(chain_transfer).values(values).on_conflict_do_nothing().returning(chain_transfer.c.id)
        return self._tx.conn.execute(stmt).first() is not None

    def get(self, transfer_id: UUID, *, lock: bool = False) -> ChainTransfer:
        return _transfer(pooled_row(self._tx, chain_transfer, transfer_id, "chain transfer", lock=lock))

    def open_of(self, wallet_id: UUID) -> Sequence[ChainTransfer]:
        table = chain_transfer
        mine = (table.c.livemode == self._tx.scope.livemode, table.c.wallet_id == wallet_id)
        stmt = (
            select(table)
            .where(*mine, table.c.state.notin_(_OVER))
            .order_by(table.c.nonce.asc().nulls_last(), table.c.id)
        )
        return [_transfer(row) for row in self._tx.conn.execute(stmt)]

    def of_conversion(self, conversion_id: UUID) -> Sequence[ChainTransfer]:
        table = chain_transfer
        mine = (table.c.livemode == self._tx.scope.livemode, table.c.conversion_id == conversion_id)
        return [_transfer(row) for row in self._tx.conn.execute(select(table).where(*mine).order_by(table.c.step))]

    def save(self, one: ChainTransfer) -> ChainTransfer:
        written_once(self._tx, chain_transfer, one.id, one.version, _changing(one))
        return replace(one, version=one.version + 1)

    def is_ours(self, network: str, tx: str) -> bool:
        table = chain_signed
        mine = (table.c.livemode == self._tx.scope.livemode, table.c.network == network, table.c.tx == tx)
        return self._tx.conn.execute(select(table.c.tx).where(*mine)).first() is not None

    def keep(self, network: str, signed: Signed) -> None:
        values = {
            "livemode": self._tx.scope.livemode,
            "network": network,
            "tx": signed.tx,
            "transfer_id": signed.transfer_id,
            "signed_bytes": signed.raw,
            "nonce": signed.nonce,
            "tip": signed.tip,
            "max_fee": signed.max_fee,
            "created": signed.created,
        }
        self._tx.conn.execute(insert(chain_signed).values(values).on_conflict_do_nothing())

    def signed(self, transfer_id: UUID) -> Sequence[Signed]:
        table = chain_signed
        mine = (table.c.livemode == self._tx.scope.livemode, table.c.transfer_id == transfer_id)
        rows = self._tx.conn.execute(select(table).where(*mine).order_by(table.c.max_fee.desc()))
        return [
            Signed(
                tx=row.tx,
                transfer_id=row.transfer_id,
                raw=row.signed_bytes,
                nonce=row.nonce,
                tip=row.tip,
                max_fee=row.max_fee,
                created=row.created,
            )
            for row in rows
        ]


def _changing(one: ChainTransfer) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "state": one.state.value,
        "nonce": one.nonce,
        "tip": one.tip,
        "max_fee": one.max_fee,
        "tx": one.tx,
        "block": one.block,
        "block_hash": one.block_hash,
        "fee_units": one.fee_units,
        "sent_at": one.sent_at,
        "failure": one.failure,
    }


def _intent_out(intent: Intent) -> dict[str, str]:
    """Units are written as text: JSON readers elsewhere may round large numbers."""
    return {
        "kind": intent.kind.value,
        "asset": intent.asset,
        "to": intent.to,
        "units": str(intent.units),
        "fee_cap_units": str(intent.fee_cap_units),
        "data": intent.data.hex(),
    }


def _transfer(row: Row[Any]) -> ChainTransfer:
    kept = row.intent
    intent = Intent(
        kind=IntentKind(kept["kind"]),
        asset=kept["asset"],
        to=kept["to"],
        units=int(kept["units"]),
        fee_cap_units=int(kept["fee_cap_units"]),
        data=bytes.fromhex(kept["data"]),
    )
    return ChainTransfer(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        network=row.network,
        wallet_id=row.wallet_id,
        purpose=row.purpose,
        business_id=row.scope_id,
        conversion_id=row.conversion_id,
        step=row.step,
        intent=intent,
        spends=row.spends_units,
        state=TransferState(row.state),
        nonce=row.nonce,
        tip=row.tip,
        max_fee=row.max_fee,
        tx=row.tx,
        block=row.block,
        block_hash=row.block_hash,
        fee_units=row.fee_units,
        sent_at=row.sent_at,
        failure=row.failure,
    )
