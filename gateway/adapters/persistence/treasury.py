"""Wallets, chains and conversions as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables_of_treasury import (
    chain_cursor,
    chain_header,
    conversion,
    sighting,
    wallet,
)
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces.treasury import ChainLog, Conversions, Sightings, Wallets
from gateway.domain.chain_watch import Cursor
from gateway.domain.conversions import Conversion, ConversionState, Direction
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.wallets import Sighting, SightingState, Wallet, WalletState
from ports.chain import Head, Transfer
from ports.money import Asset, Money


def pooled_row(tx: Transaction, table: Table, id_: UUID, what: str, *, lock: bool) -> Row[Any]:
    """One row of the mode, whoever's. Raises NotFound."""
    stmt = select(table).where(table.c.livemode == tx.scope.livemode, table.c.id == id_)
    row = tx.conn.execute(stmt.with_for_update(key_share=True) if lock else stmt).first()
    if row is None:
        raise NotFound(f"there is no such {what}")
    return row


def written_once(tx: Transaction, table: Table, id_: UUID, version: int, values: dict[str, Any]) -> None:
    """Write a row of the mode under the version that was read. Raises Conflict."""
    stmt = update(table).where(table.c.livemode == tx.scope.livemode, table.c.id == id_, table.c.version == version)
    if tx.conn.execute(stmt.values(**values, version=version + 1)).rowcount != 1:
        raise Conflict("somebody changed it in the meantime; read it again", code="stale_version")


class SqlWallets(Wallets):
    """Pooled wallets of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, wallet_id: UUID, *, lock: bool = False) -> Wallet:
        return wallet_of(pooled_row(self._tx, wallet, wallet_id, "wallet", lock=lock))

    def on(self, network: str) -> Sequence[Wallet]:
        stmt = select(wallet).where(wallet.c.livemode == self._tx.scope.livemode, wallet.c.network == network)
        return [wallet_of(row) for row in self._tx.conn.execute(stmt.order_by(wallet.c.created, wallet.c.id))]

    def connections(self) -> Sequence[UUID]:
        stmt = select(wallet.c.connection_id).where(wallet.c.livemode == self._tx.scope.livemode).distinct()
        return list(self._tx.conn.execute(stmt).scalars())

    def at(self, network: str, address: str) -> Wallet | None:
        return next((one for one in self.on(network) if one.address == address), None)

    def take_nonce(self, wallet_: Wallet) -> bool:
        stmt = (
            update(wallet)
            .where(
                wallet.c.livemode == self._tx.scope.livemode,
                wallet.c.id == wallet_.id,
                wallet.c.next_nonce == wallet_.next_nonce,
                wallet.c.state == WalletState.ACTIVE.value,
            )
            .values(next_nonce=wallet_.next_nonce + 1, updated=self._tx.now, version=wallet.c.version + 1)
        )
        return self._tx.conn.execute(stmt).rowcount == 1


def wallet_of(row: Row[Any]) -> Wallet:
    """A wallet from its row."""
    return Wallet(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        network=row.network,
        connection_id=row.connection_id,
        address=row.address,
        title=row.title,
        state=WalletState(row.state),
        paused_for=row.paused_for,
        next_nonce=row.next_nonce,
    )


class SqlChainLog(ChainLog):
    """Cursors and headers of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def cursor(self, connection_id: UUID, *, lock: bool = False) -> Cursor | None:
        table = chain_cursor
        stmt = select(table).where(table.c.livemode == self._tx.scope.livemode, table.c.connection_id == connection_id)
        row = self._tx.conn.execute(stmt.with_for_update() if lock else stmt).first()
        if row is None:
            return None
        return Cursor(
            connection_id=row.connection_id,
            livemode=row.livemode,
            network=row.network,
            number=row.number,
            hash=row.hash,
            final_number=row.final_number,
            final_hash=row.final_hash,
            final_at=row.final_at,
            held=row.held,
            updated=row.updated,
        )

    def save_cursor(self, cursor: Cursor) -> None:
        changing = {
            "number": cursor.number,
            "hash": cursor.hash,
            "final_number": cursor.final_number,
            "final_hash": cursor.final_hash,
            "final_at": cursor.final_at,
            "held": cursor.held,
            "updated": cursor.updated,
        }
        whose = {"connection_id": cursor.connection_id, "livemode": cursor.livemode, "network": cursor.network}
        stmt = insert(chain_cursor).values(**whose, **changing)
        self._tx.conn.execute(stmt.on_conflict_do_update(index_elements=["connection_id"], set_=changing))

    def headers(self, network: str, most: int) -> Sequence[Head]:
        table = chain_header
        stmt = select(table.c.number, table.c.hash).where(*self._of(network)).order_by(table.c.number.desc())
        return [Head(number=row.number, hash=row.hash) for row in self._tx.conn.execute(stmt.limit(most))]

    def add_headers(self, network: str, heads: Sequence[Head]) -> None:
        if heads:
            whose = {"livemode": self._tx.scope.livemode, "network": network}
            rows = [{**whose, "number": head.number, "hash": head.hash} for head in heads]
            self._tx.conn.execute(insert(chain_header).values(rows))

    def drop_above(self, network: str, number: int) -> None:
        self._tx.conn.execute(delete(chain_header).where(*self._of(network), chain_header.c.number > number))

    def forget_below(self, network: str, number: int) -> None:
        self._tx.conn.execute(delete(chain_header).where(*self._of(network), chain_header.c.number < number))

    def _of(self, network: str) -> tuple[Any, ...]:
        return (chain_header.c.livemode == self._tx.scope.livemode, chain_header.c.network == network)


class SqlSightings(Sightings):
    """Sightings of the unit's mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def see(self, network: str, wallet: Wallet, asset: Asset, transfer: Transfer, *, incoming: bool) -> bool:
        now = self._tx.now
        stmt = insert(sighting).values(
            id=self._tx.new_id(),
            livemode=self._tx.scope.livemode,
            created=now,
            updated=now,
            version=1,
            network=network,
            tx=transfer.tx,
            position=transfer.position,
            block=transfer.block,
            block_hash=transfer.block_hash,
            wallet_id=wallet.id,
            asset=asset.code,
            scale=asset.scale,
            incoming=incoming,
            counterparty=transfer.sender if incoming else transfer.recipient,
            units=transfer.units,
            state=SightingState.SEEN.value,
            bookings=0,
            kept_units=0,
            surplus_units=0,
            cost_units=0,
            fee_units=0,
        )
        moved = stmt.on_conflict_do_update(
            constraint="sighting_fact",
            set_={
                "block": stmt.excluded.block,
                "block_hash": stmt.excluded.block_hash,
                "state": SightingState.SEEN.value,
                "updated": now,
                "version": sighting.c.version + 1,
            },
            where=sighting.c.state == SightingState.ORPHANED.value,
        )
        return self._tx.conn.execute(moved.returning(sighting.c.id)).first() is not None

    def orphan_above(self, network: str, number: int) -> Sequence[Sighting]:
        gone = (
            *self._of(network),
            sighting.c.block > number,
            sighting.c.state != SightingState.ORPHANED.value,
        )
        rows = self._tx.conn.execute(select(sighting).where(*gone).order_by(sighting.c.id).with_for_update()).all()
        values = {"state": SightingState.ORPHANED.value, "updated": self._tx.now, "version": sighting.c.version + 1}
        self._tx.conn.execute(update(sighting).where(sighting.c.id.in_([row.id for row in rows])).values(values))
        return [_sighting(row) for row in rows]

    def waiting(self, network: str, until: int, most: int) -> Sequence[Sighting]:
        table = sighting
        wanted = (*self._of(network), table.c.state == SightingState.SEEN.value, table.c.block <= until)
        stmt = select(table).where(*wanted).order_by(table.c.block, table.c.id).limit(most)
        return [_sighting(row) for row in self._tx.conn.execute(stmt)]

    def get(self, sighting_id: UUID, *, lock: bool = False) -> Sighting:
        return _sighting(pooled_row(self._tx, sighting, sighting_id, "sighting", lock=lock))

    def of_conversion(self, conversion_id: UUID) -> Sequence[Sighting]:
        stmt = select(sighting).where(
            sighting.c.livemode == self._tx.scope.livemode, sighting.c.conversion_id == conversion_id
        )
        return [_sighting(row) for row in self._tx.conn.execute(stmt.order_by(sighting.c.id))]

    def save(self, seen: Sighting) -> Sighting:
        values = {
            "updated": seen.updated,
            "block": seen.block,
            "block_hash": seen.block_hash,
            "state": seen.state.value,
            "conversion_id": seen.conversion_id,
            "booked_hash": seen.booked_hash,
            "bookings": seen.bookings,
            "kept_units": seen.kept_units,
            "surplus_units": seen.surplus_units,
            "cost_units": seen.cost_units,
            "fee_units": seen.fee_units,
        }
        written_once(self._tx, sighting, seen.id, seen.version, values)
        return replace(seen, version=seen.version + 1)

    def of_tx(self, network: str, tx: str) -> Sequence[Sighting]:
        stmt = select(sighting).where(*self._of(network), sighting.c.tx == tx).order_by(sighting.c.position)
        return [_sighting(row) for row in self._tx.conn.execute(stmt)]

    def owner(self, network: str, tx: str) -> tuple[UUID, UUID] | None:
        sql = text("SELECT conversion_id, business_id FROM gateway.conversion_of_tx(:livemode, :network, :tx)")
        asked = {"livemode": self._tx.scope.livemode, "network": network, "tx": tx}
        row = self._tx.conn.execute(sql, asked).first()
        return None if row is None else (row.conversion_id, row.business_id)

    def is_awaited(self, network: str, address: str, asset: str, since: datetime) -> bool:
        asked = func.gateway.awaited_in(self._tx.scope.livemode, network, address, asset, since)
        return bool(self._tx.conn.execute(select(asked)).scalar_one())

    def _of(self, network: str) -> tuple[Any, ...]:
        return (sighting.c.livemode == self._tx.scope.livemode, sighting.c.network == network)


def _sighting(row: Row[Any]) -> Sighting:
    return Sighting(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        network=row.network,
        tx=row.tx,
        position=row.position,
        block=row.block,
        block_hash=row.block_hash,
        wallet_id=row.wallet_id,
        asset=Asset(code=row.asset, scale=row.scale),
        incoming=row.incoming,
        counterparty=row.counterparty,
        units=row.units,
        state=SightingState(row.state),
        conversion_id=row.conversion_id,
        booked_hash=row.booked_hash,
        bookings=row.bookings,
        kept_units=row.kept_units,
        surplus_units=row.surplus_units,
        cost_units=row.cost_units,
        fee_units=row.fee_units,
    )


class SqlConversions(Conversions):
    """Conversions of the unit's business."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, one: Conversion) -> bool:
        values = {
            **_changing(one),
            **self._tx.whose(),
            "id": one.id,
            "created": one.created,
            "version": one.version,
            "direction": one.direction.value,
            "connection_id": one.connection_id,
            "source_id": one.source_id,
            "network": one.network,
            "address": one.address,
            "currency": one.fiat.asset.code,
            "fiat_units": one.fiat.units,
            "asset": one.tokens.asset.code,
            "scale": one.tokens.asset.scale,
        }
        stmt = insert(conversion).values(values).on_conflict_do_nothing().returning(conversion.c.id)
        return self._tx.conn.execute(stmt).first() is not None

    def get(self, conversion_id: UUID, *, lock: bool = False) -> Conversion:
        return _conversion(self._tx.get(conversion, conversion_id, "conversion", lock=lock))

    def of_source(self, source_id: UUID) -> Conversion | None:
        stmt = select(conversion).where(self._tx.own(conversion), conversion.c.source_id == source_id)
        row = self._tx.conn.execute(stmt).first()
        return None if row is None else _conversion(row)

    def last_price(self, asset: str, currency: str) -> tuple[int, int] | None:
        sql = text("SELECT fiat, tokens FROM gateway.last_price(:livemode, :asset, :currency)")
        asked = {"livemode": self._tx.scope.livemode, "asset": asset, "currency": currency}
        row = self._tx.conn.execute(sql, asked).one()
        return None if not row.tokens else (int(row.fiat), int(row.tokens))

    def positions(self, asset: str, currency: str) -> tuple[int, int]:
        sql = text(
            "SELECT ledger.position_of(:livemode, :asset) AS tokens, ledger.position_of(:livemode, :currency) AS fiat"
        )
        asked = {"livemode": self._tx.scope.livemode, "asset": asset, "currency": currency}
        row = self._tx.conn.execute(sql, asked).one()
        return int(row.tokens), -int(row.fiat)

    def names(self, one: Conversion, tx: str) -> bool:
        stmt = update(conversion).where(self._tx.own(conversion), conversion.c.id == one.id).values(tx=tx)
        return self._tx.one_or_taken(stmt)

    def save(self, one: Conversion) -> Conversion:
        written_once(self._tx, conversion, one.id, one.version, _changing(one))
        return replace(one, version=one.version + 1)


def _changing(one: Conversion) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "state": one.state.value,
        "fee_units": one.fee.units,
        "token_units": one.tokens.units,
        "got_units": one.got_units,
        "converted_units": one.converted_units,
        "reference": one.reference,
        "provider_order": one.order,
        "tx": one.tx,
        "held_for": one.held_for,
        "sends": one.sends,
        "look_ups": one.look_ups,
    }


def _conversion(row: Row[Any]) -> Conversion:
    return Conversion(
        id=row.id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        direction=Direction(row.direction),
        state=ConversionState(row.state),
        connection_id=row.connection_id,
        business_id=row.business_id,
        source_id=row.source_id,
        network=row.network,
        address=row.address,
        fiat=kept.money(row.fiat_units, row.currency),
        fee=kept.money(row.fee_units, row.currency),
        tokens=Money(units=row.token_units, asset=Asset(code=row.asset, scale=row.scale)),
        got_units=row.got_units,
        converted_units=row.converted_units,
        order=row.provider_order,
        reference=row.reference,
        tx=row.tx,
        held_for=row.held_for,
        sends=row.sends,
        look_ups=row.look_ups,
    )
