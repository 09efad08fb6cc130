"""Believing what a chain shows: tokens deep enough are booked, for the conversion that names them or for nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from gateway.application.interfaces import Call, ChainLines, OpenUnit, Scope, UnitOfWork
from gateway.application.money_in import house
from gateway.domain.chain_watch import depth_for, is_deep
from gateway.domain.conversions import Conversion, ConversionStep, exchange
from gateway.domain.ledger import Journal
from gateway.domain.postings_of_treasury import tokens_assigned, tokens_between, tokens_booked
from gateway.domain.wallets import Sighting, SightingState
from ports.chain import ChainCapabilities, Heads

#: Tokens that match nothing wait so long for a conversion that hasn't named its transaction; then they are suspense.
GRACE = timedelta(hours=1)
#: A conversion older than this is waited for no longer.
AWAITED = timedelta(days=3)
#: Sightings weighed in one pass.
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSightings:
    """Books what is deep enough on one chain. Each sighting is a transaction of its own, and booked once."""

    unit: OpenUnit
    lines: ChainLines
    tolerance_bps: int = 100

    def __call__(self, connection_id: UUID, heads: Heads, *, livemode: bool) -> int:
        """How many were booked."""
        with self.unit(house(livemode), read_only=True) as work:
            connection = work.connections.get(connection_id)
            facts = self.lines.facts(connection)
            cursor = work.chain_log.cursor(connection_id)
            if cursor is None or cursor.held is not None:
                return 0
            waiting = work.sightings.waiting(facts.network, min(heads.latest.number, cursor.number), _MOST)
        deep = [seen for seen in waiting if is_deep(seen.block, depth_for(facts.depths, value_of(facts, seen)), heads)]
        return sum(self._book(seen) for seen in deep)

    def _book(self, seen: Sighting) -> bool:
        """Book one in its owner's scope. False while it has to wait."""
        mode = seen.livemode
        with self.unit(house(mode), read_only=True) as work:
            owner = work.sightings.owner(seen.network, seen.tx) if seen.incoming else None
            if owner is None and self._waits(work, seen):
                return False
        scope = house(mode) if owner is None else Scope(business_id=owner[1], livemode=mode)
        with self.unit(scope, call=Call(business_id=scope.business_id, livemode=mode)) as work:
            conversion = None if owner is None else work.conversions.get(owner[0], lock=True)
            current = work.sightings.get(seen.id, lock=True)
            if (
                current.state is not SightingState.SEEN
                or current.block_hash != seen.block_hash
                or current.booked_hash is not None
            ):
                return False
            self._post(work, current, conversion)
        return True

    def _waits(self, work: UnitOfWork, seen: Sighting) -> bool:
        if not seen.incoming or work.now > seen.created + GRACE:
            return False
        wallet = work.wallets.get(seen.wallet_id)
        return work.sightings.is_awaited(seen.network, wallet.address, seen.asset.code, work.now - AWAITED)

    def _post(self, work: UnitOfWork, seen: Sighting, conversion: Conversion | None) -> None:
        booked = replace(
            seen,
            updated=work.now,
            state=SightingState.BOOKED,
            booked_hash=seen.block_hash,
            bookings=seen.bookings + 1,
        )
        if not seen.incoming:
            # What we sent is booked by its transfer; what nobody here signed is alarming.
            work.sightings.save(booked)
            if not work.chain_transfers.is_ours(seen.network, seen.tx):
                work.alerts.raise_(
                    "foreign_spend", seen.wallet_id, f"{seen.network}: tokens left that nobody here sent"
                )
            return
        if conversion is not None:
            booked = take_tokens(work, booked, conversion, self.tolerance_bps)
        elif work.wallets.at(seen.network, seen.counterparty) is None:
            work.alerts.raise_("tokens_unmatched", seen.id, f"{seen.network}: tokens came that match nothing")
        work.sightings.save(booked)
        work.journal.post(journal_of(work, booked, conversion))


def journal_of(work: UnitOfWork, seen: Sighting, conversion: Conversion | None) -> Journal:
    """The journal of tokens that came, as the sighting is booked."""
    source = None if conversion is not None else work.wallets.at(seen.network, seen.counterparty)
    return tokens_booked(seen, conversion, work.now) if source is None else tokens_between(seen, source.id, work.now)


def take_tokens(work: UnitOfWork, seen: Sighting, conversion: Conversion, tolerance_bps: int) -> Sighting:
    """Count tokens for a conversion; gives the sighting as it divides."""
    parts = exchange(conversion, seen.units, tolerance_bps)
    step = ConversionStep.ARRIVE if parts.whole else ConversionStep.ARRIVE_SHORT
    work.conversions.save(
        conversion.take(
            step,
            work.now,
            got_units=conversion.got_units + parts.kept_units,
            converted_units=conversion.converted_units + parts.cost_units + parts.fee_units,
        )
    )
    if not parts.whole:
        work.alerts.raise_("delivery_short", conversion.id, "a partner delivered less than it owes")
    return replace(
        seen,
        conversion_id=conversion.id,
        kept_units=parts.kept_units,
        surplus_units=parts.surplus_units,
        cost_units=parts.cost_units,
        fee_units=parts.fee_units,
    )


def claim_from_suspense(work: UnitOfWork, conversion: Conversion, tolerance_bps: int) -> bool:
    """Tokens of the transaction that a conversion has just named may be booked as nobody's: take them out, once."""
    if conversion.tx is None:
        return False
    found = False
    for seen in work.sightings.of_tx(conversion.network, conversion.tx):
        current = work.sightings.get(seen.id, lock=True)
        wanted = current.incoming and current.state is SightingState.BOOKED and current.conversion_id is None
        if not wanted or current.asset != conversion.tokens.asset or not _came_to(work, current, conversion):
            continue
        taken = take_tokens(work, replace(current, updated=work.now), conversion, tolerance_bps)
        work.sightings.save(taken)
        work.journal.post(tokens_assigned(taken, conversion, work.now))
        conversion = work.conversions.get(conversion.id)
        found = True
    return found


def _came_to(work: UnitOfWork, seen: Sighting, conversion: Conversion) -> bool:
    return work.wallets.get(seen.wallet_id).address == conversion.address


def value_of(facts: ChainCapabilities, seen: Sighting) -> int:
    """What it is worth in US cents, rounded up: for depth alone, so that a rough price will do."""
    token = facts.token(seen.asset.code)
    milli = 1000 if token is None else token.usd_milli
    one_cent: int = 10 * 10**seen.asset.scale
    return -(-seen.units * milli // one_cent)
