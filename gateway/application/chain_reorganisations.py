"""A block went away: what was booked from it is taken back by its own journal, and its conversion is open again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gateway.application.chain_bookings import journal_of
from gateway.application.interfaces import Call, Due, OpenUnit, Scope, UnitOfWork
from gateway.application.money_in import house
from gateway.domain.conversions import Conversion, ConversionStep
from gateway.domain.postings_of_treasury import taken_back
from gateway.domain.wallets import Sighting, SightingState


def must_go_back(work: UnitOfWork, seen: Sighting) -> None:
    """`seen` is as it was before it was orphaned. What was booked is reversed in its owner's scope: that is due."""
    if seen.state is SightingState.BOOKED:
        work.due.put(Due(kind="sighting.take_back", subject_id=seen.id, due_at=work.now))
        work.alerts.raise_("chain_reorganised", seen.id, f"{seen.network}: tokens that were booked went away")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """Reverse the journal of a sighting whose block is gone. A sighting that came back meanwhile is taken back all the
    same, and booked anew from its new block."""

    unit: OpenUnit

    def __call__(self, sighting_id: UUID, call: Call) -> datetime | None:
        """None: it is done, or was."""
        with self.unit(house(call.livemode), read_only=True) as work:
            seen = work.sightings.get(sighting_id)
            owner = work.sightings.owner(seen.network, seen.tx) if seen.conversion_id is not None else None
        scope = house(call.livemode) if owner is None else Scope(business_id=owner[1], livemode=call.livemode)
        with self.unit(scope, call=Call(business_id=scope.business_id, livemode=call.livemode)) as work:
            conversion = None if owner is None else work.conversions.get(owner[0], lock=True)
            self._reverse(work, work.sightings.get(sighting_id, lock=True), conversion)
        return None

    def _reverse(self, work: UnitOfWork, seen: Sighting, conversion: Conversion | None) -> None:
        if seen.booked_hash is None or (seen.state is SightingState.BOOKED and seen.booked_hash == seen.block_hash):
            return
        hash_ = seen.booked_hash
        work.sightings.save(
            replace(
                seen,
                updated=work.now,
                booked_hash=None,
                kept_units=0,
                surplus_units=0,
                cost_units=0,
                fee_units=0,
                state=SightingState.SEEN if seen.state is SightingState.BOOKED else seen.state,
            )
        )
        if conversion is not None:
            work.conversions.save(
                conversion.take(
                    ConversionStep.REVERT,
                    work.now,
                    got_units=conversion.got_units - seen.kept_units,
                    converted_units=conversion.converted_units - seen.cost_units - seen.fee_units,
                )
            )
        if seen.incoming:
            work.journal.post(taken_back(journal_of(work, seen, conversion), hash_, work.now))
