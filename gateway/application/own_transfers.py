"""Our own money between floats: an operator orders it, and settles by a statement what stayed unknown."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application.float_balances import abilities_of
from gateway.application.interfaces import (
    Due,
    FloatsDirectory,
    OpenUnit,
    Providers,
    UnitOfWork,
)
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.own_transfers_reports import arrive, come_back
from gateway.domain.connections import Connection
from gateway.domain.errors import Conflict, Invalid, Unprocessable
from gateway.domain.own_transfers import OwnTransfer
from ports.abilities import Ability
from ports.money import KES, Money
from ports.report import Failure, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOwn:
    """An operator orders a transfer; a worker sends it."""

    unit: OpenUnit
    providers: Providers
    floats: FloatsDirectory
    desk: OperatorDesk

    def __call__(
        self, connection_id: UUID, source: UUID, target: UUID, units: int, pockets: tuple[str, str], act: Act
    ) -> OwnTransfer:
        """The transfer, to be sent. `pockets` are the adapter's names. Raises Invalid, Conflict or Unprocessable."""
        if units <= 0:
            raise Invalid("an amount is a positive whole number of minor units", code="amount_invalid", param="/amount")
        if source == target:
            raise Conflict("source and target are the same float", code="same_float")
        livemode = self.desk.directory.mode_of_connection(connection_id)
        for float_id in (source, target):
            if self.floats.mode_of_float(float_id) != livemode:
                raise Conflict("the floats and the connection are of different modes")
        with self.unit(house(livemode)) as work:
            connection = work.connections.get(connection_id)
            if Ability.MOVE_OWN not in abilities_of(self.providers, connection.code):
                raise Unprocessable("this connection can't move our own money", code="method_not_available")
            transfer = self._new(work, connection, source, target, units, pockets)
            work.own_transfers.add(transfer)
            work.due.put(Due(kind="own.submit", subject_id=transfer.id, due_at=work.now))
        self.desk.note(act, f"float.move {units}", transfer.id)
        return transfer

    def _new(
        self,
        work: UnitOfWork,
        connection: Connection,
        source: UUID,
        target: UUID,
        units: int,
        pockets: tuple[str, str],
    ) -> OwnTransfer:
        standing = work.floats.standing(source)
        if standing.held - standing.promised < units:
            raise Conflict(f"the float has {standing.held - standing.promised} minor units to give", code="float_short")
        return OwnTransfer(
            id=work.new_id(),
            livemode=connection.livemode,
            created=work.now,
            updated=work.now,
            connection_id=connection.id,
            source_id=source,
            target_id=target,
            source_pocket=pockets[0],
            target_pocket=pockets[1],
            amount=Money(units=units, asset=KES),
            reference=str(work.new_id()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOwn:
    """A person's word on a transfer, by the provider's statement."""

    unit: OpenUnit
    floats: FloatsDirectory
    desk: OperatorDesk

    def __call__(self, transfer_id: UUID, act: Act, *, receipt_number: str | None) -> OwnTransfer:
        """With a receipt number it arrived; without one it never left. Raises Conflict when it is settled already."""
        livemode = self.floats.mode_of_transfer(transfer_id)
        with self.unit(house(livemode)) as work:
            transfer = work.own_transfers.get(transfer_id, lock=True)
            if not transfer.is_open:
                raise Conflict(f"this transfer is {transfer.state.value} already")
            if receipt_number is not None and not transfer.sends:
                raise Conflict("this transfer was never sent")
            if receipt_number is not None:
                arrive(work, transfer, receipt_number, work.now)
            else:
                come_back(work, transfer, Failure(kind=FailureKind.OTHER, detail="resolved by a person"))
        self.desk.note(act, "float.move.resolve", transfer_id)
        with self.unit(house(livemode), read_only=True) as work:
            return work.own_transfers.get(transfer_id)
