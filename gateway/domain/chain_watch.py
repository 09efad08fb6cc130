"""How a chain is followed: where its history parted from what we stored, and when a block is deep enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ports.chain import Block, ChainCapabilities, Depth, Head, Heads

#: `finalized` that trails by so many times its ordinary lag is alarming; by so many, nothing is credited any more.
ALARM_TIMES, HOLD_TIMES = 3, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a chain was read, and the highest final block ever seen. `held`: why nothing is credited, if so."""

    connection_id: UUID
    livemode: bool
    network: str
    number: int
    hash: str
    final_number: int
    final_hash: str
    final_at: datetime
    held: str | None = None
    updated: datetime


def parted_after(stored: Sequence[Head], chain: Mapping[int, str], final: int) -> int | None:
    """The highest stored block that the chain still has, where `stored` goes down from the cursor; None when it is none
    above `final`: what was final is gone, and a person has to look."""
    for head in stored:
        if chain.get(head.number) == head.hash:
            return head.number
        if head.number <= final:
            return None
    return None


def final_is_sane(cursor: Cursor, heads: Heads, at_height: str | None) -> bool:
    """Whether an endpoint's final block agrees with the highest one ever seen: a lower number, or another hash at that
    height, is a sick node's word. `at_height` is the hash that it has at the stored height."""
    return heads.finalized.number >= cursor.final_number and at_height == cursor.final_hash


def hold_on(cursor: Cursor, said: ChainCapabilities, now: datetime) -> str | None:
    """Why credits wait: `finalized` hasn't moved for ten times its ordinary lag. Counting blocks instead would be
    unsafe exactly then."""
    if now - cursor.final_at > timedelta(seconds=said.final_lag_s * HOLD_TIMES):
        return "finalized_stalled"
    return None


def is_alarming(cursor: Cursor, said: ChainCapabilities, now: datetime) -> bool:
    """Whether `finalized` trails by three times its ordinary lag."""
    return now - cursor.final_at > timedelta(seconds=said.final_lag_s * ALARM_TIMES)


def depth_for(depths: Sequence[Depth], usd_cents: int) -> Depth:
    """The rule for a sum of that value; the last one holds for any."""
    return next((one for one in depths if one.up_to_usd_cents is None or usd_cents <= one.up_to_usd_cents), depths[-1])


def is_deep(block: int, depth: Depth, heads: Heads) -> bool:
    """Whether a block is at or below what the rule asks for."""
    return block <= heads.at(depth.tag).number - depth.behind


def is_chained(blocks: Sequence[Block], before: Head | None) -> bool:
    """Whether headers follow one another, the first on `before`."""
    last = before
    for block in blocks:
        if last is not None and (block.number != last.number + 1 or block.parent != last.hash):
            return False
        last = Head(number=block.number, hash=block.hash)
    return True
