"""Following a chain: one pass reads what is new, finds where history parted, and stores what was seen on our wallets.

The cursor and what was found up to it are one transaction, so that a killed watcher reads the same again and nothing
else. Reading is apart from believing: `chain_bookings` decides what is deep enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application.chain_reorganisations import must_go_back
from gateway.application.interfaces import ChainLines, OpenUnit, UnitOfWork
from gateway.application.money_in import house
from gateway.domain.chain_watch import Cursor, final_is_sane, hold_on, is_alarming, is_chained, parted_after
from gateway.domain.wallets import Wallet
from ports.chain import Chain, ChainCapabilities, Head, Heads, Scan, Token

#: Stored blocks that are looked at at once to find where a fork parted.
_STEP = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass did: blocks read, tokens seen, and whether there is more to read at once."""

    heads: Heads
    blocks: int = 0
    seen: int = 0
    dropped: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchChain:
    """Reads one chain on. Two watchers at once do no harm: the second finds the cursor moved."""

    unit: OpenUnit
    lines: ChainLines

    def __call__(self, connection_id: UUID, *, livemode: bool) -> Pass:
        """One pass. Raises what the chain port raises; nothing is stored then."""
        with self.unit(house(livemode), read_only=True) as work:
            connection = work.connections.get(connection_id)
            cursor = work.chain_log.cursor(connection_id)
            wallets = work.wallets.on(self.lines.facts(connection).network)
        chain = self.lines.chain(connection)
        heads = chain.heads()
        if cursor is None:
            cursor = begin_at(self.unit, connection_id, chain.facts, heads, livemode=livemode)
        said = self._final(cursor, chain, heads)
        if said is not None:
            self._tell(cursor, said, livemode=livemode)
            return Pass(heads=heads)
        if heads.latest.number < cursor.number:
            return self._shorter(cursor, chain, heads)
        until = min(heads.latest.number, cursor.number + chain.facts.window_max)
        scan = chain.transfers(
            cursor.number, until, [token.address for token in chain.facts.tokens], [one.address for one in wallets]
        )
        if not scan.blocks or scan.blocks[0].number != cursor.number or not is_chained(scan.blocks, None):
            # The chain changed between two calls: what was read belongs to no one history.
            return Pass(heads=heads, more=True)
        if scan.blocks[0].hash != cursor.hash:
            return self._parted(cursor, chain, heads)
        return self._store(cursor, chain.facts, heads, scan, wallets)

    def _final(self, cursor: Cursor, chain: Chain, heads: Heads) -> str | None:
        """Why this endpoint's word on what is final can't be believed, or None."""
        found = chain.blocks(cursor.final_number, cursor.final_number)
        at_height = found[0].hash if found else None
        if final_is_sane(cursor, heads, at_height):
            return None
        return "final_went_back" if heads.finalized.number < cursor.final_number else "final_differs"

    def _tell(self, cursor: Cursor, why: str, *, livemode: bool) -> None:
        with self.unit(house(livemode)) as work:
            work.alerts.raise_("chain_final_doubtful", cursor.connection_id, f"{cursor.network}: {why}")
            current = work.chain_log.cursor(cursor.connection_id, lock=True)
            if current is not None and why == "final_differs" and current.held is None:
                work.chain_log.save_cursor(replace(current, held=why, updated=work.now))

    def _shorter(self, cursor: Cursor, chain: Chain, heads: Heads) -> Pass:
        """A head below our cursor: an endpoint that lags, unless it has another block there than we stored."""
        with self.unit(house(cursor.livemode), read_only=True) as work:
            stored = {head.number: head.hash for head in work.chain_log.headers(cursor.network, _STEP * 4)}
        known = stored.get(heads.latest.number)
        if known is None or known == heads.latest.hash:
            return Pass(heads=heads)
        return self._parted(cursor, chain, heads)

    def _parted(self, cursor: Cursor, chain: Chain, heads: Heads) -> Pass:
        """Step back to the last block that the chain still has; what was seen above it is orphaned."""
        with self.unit(house(cursor.livemode), read_only=True) as work:
            stored = work.chain_log.headers(cursor.network, cursor.number - cursor.final_number + 1)
        keep = None
        for start in range(0, len(stored), _STEP):
            part = stored[start : start + _STEP]
            found = chain.blocks(part[-1].number, min(part[0].number, heads.latest.number))
            keep = parted_after(part, {block.number: block.hash for block in found}, cursor.final_number)
            if keep is not None:
                break
        if keep is None:
            self._tell(cursor, "final_differs", livemode=cursor.livemode)
            return Pass(heads=heads)
        dropped = self._rewind(cursor, next(head for head in stored if head.number == keep))
        return Pass(heads=heads, dropped=dropped, more=True)

    def _rewind(self, cursor: Cursor, to: Head) -> int:
        with self.unit(house(cursor.livemode)) as work:
            current = work.chain_log.cursor(cursor.connection_id, lock=True)
            if current is None or (current.number, current.hash) != (cursor.number, cursor.hash):
                return 0
            gone = work.sightings.orphan_above(cursor.network, to.number)
            work.chain_log.drop_above(cursor.network, to.number)
            work.chain_log.save_cursor(replace(current, number=to.number, hash=to.hash, updated=work.now))
            for seen in gone:
                must_go_back(work, seen)
        return len(gone)

    def _store(
        self, cursor: Cursor, facts: ChainCapabilities, heads: Heads, scan: Scan, wallets: Sequence[Wallet]
    ) -> Pass:
        fresh = [Head(number=block.number, hash=block.hash) for block in scan.blocks[1:]]
        last = fresh[-1] if fresh else Head(number=cursor.number, hash=cursor.hash)
        with self.unit(house(cursor.livemode)) as work:
            current = work.chain_log.cursor(cursor.connection_id, lock=True)
            if current is None or (current.number, current.hash) != (cursor.number, cursor.hash):
                return Pass(heads=heads)
            seen = _see(work, facts, scan, wallets, after=cursor.number)
            work.chain_log.add_headers(cursor.network, fresh)
            moved = _with_final(replace(current, number=last.number, hash=last.hash), heads, work)
            held = hold_on(moved, facts, work.now)
            work.chain_log.save_cursor(replace(moved, held=held, updated=work.now))
            work.chain_log.forget_below(cursor.network, min(moved.final_number, moved.number))
            if is_alarming(moved, facts, work.now):
                work.alerts.raise_(
                    "chain_final_late", cursor.connection_id, f"{cursor.network}: finalized stands still"
                )
        return Pass(heads=heads, blocks=len(fresh), seen=seen, more=last.number < heads.latest.number)


def begin_at(unit: OpenUnit, connection_id: UUID, facts: ChainCapabilities, heads: Heads, *, livemode: bool) -> Cursor:
    """Where reading begins, once: at the final block as the first wallet is taken up. What came before is nobody's
    question."""
    with unit(house(livemode)) as work:
        known = work.chain_log.cursor(connection_id, lock=True)
        if known is not None:
            return known
        cursor = Cursor(
            connection_id=connection_id,
            livemode=livemode,
            network=facts.network,
            number=heads.finalized.number,
            hash=heads.finalized.hash,
            final_number=heads.finalized.number,
            final_hash=heads.finalized.hash,
            final_at=work.now,
            updated=work.now,
        )
        work.chain_log.save_cursor(cursor)
        work.chain_log.add_headers(facts.network, [heads.finalized])
    return cursor


def _see(work: UnitOfWork, facts: ChainCapabilities, scan: Scan, wallets: Sequence[Wallet], *, after: int) -> int:
    ours = {one.address: one for one in wallets}
    tokens: dict[str, Token] = {token.address: token for token in facts.tokens}
    count = 0
    for moved in scan.transfers:
        token = tokens.get(moved.token)
        if token is None or moved.block <= after or moved.units < token.dust_units or moved.sender == moved.recipient:
            continue
        for address, incoming in ((moved.recipient, True), (moved.sender, False)):
            if address in ours:
                count += work.sightings.see(facts.network, ours[address], token.asset, moved, incoming=incoming)
    return count


def _with_final(cursor: Cursor, heads: Heads, work: UnitOfWork) -> Cursor:
    """The highest final block ever seen, and when it last rose by our clock."""
    final = heads.finalized
    if final.number <= cursor.final_number:
        return cursor
    return replace(cursor, final_number=final.number, final_hash=final.hash, final_at=work.now)
