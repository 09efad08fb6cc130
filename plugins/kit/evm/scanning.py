"""One pass over a range of blocks at one endpoint: headers, then logs, then the receipts that hold them.

A range that a node won't give is halved down to one block, and grows again slowly: what nodes allow differs, and what
they say about it too. An empty answer proves nothing unless the node has the last block of the range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise, takewhile
from typing import Any

from plugins.kit.evm.answers import NodeRefused
from plugins.kit.evm.logs import Log, place_in, transfer_in
from plugins.kit.evm.node import Call, Node, block_call
from plugins.kit.evm.nodes import Behind
from plugins.kit.evm.words import TRANSFER, hash_of, number, quantity, topic
from plugins.kit.http import Budget
from ports.chain import Block, Scan, Transfer
from ports.errors import OutcomeUnknown

#: Nodes bound the width of a filter; above this, addresses are matched here.
FILTER_MAX = 100


class Changed(OutcomeUnknown):
    """The chain changed between two calls of one pass: what was read belongs to no one history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What is asked for: both ends included; tokens and addresses in lower case."""

    since: int
    until: int
    tokens: frozenset[str]
    addresses: frozenset[str]


def block_of(raw: dict[str, Any]) -> Block:
    """A header as the port tells it."""
    return Block(
        number=number(raw["number"]),
        hash=hash_of(raw["hash"]),
        parent=hash_of(raw["parentHash"]),
        at=datetime.fromtimestamp(number(raw["timestamp"]), UTC),
    )


def scan(node: Node, asked: Range, budget: Budget) -> Scan:
    """Read as much of the range as the node gives, from its beginning. Raises Behind, Changed and what nodes raise."""
    until = min(asked.until, asked.since + node.window - 1)
    blocks = _headers(node, asked, until, budget)
    logs, until = _logs(node, asked, until, budget) if asked.tokens and asked.addresses else ((), until)
    blocks = blocks[: until - asked.since + 1]
    _one_history(blocks, logs)
    return Scan(since=asked.since, until=until, blocks=blocks, transfers=_placed(node, logs, budget))


def headers(node: Node, since: int, until: int, budget: Budget) -> tuple[Block, ...]:
    """Headers of a range, as far as the chain goes."""
    return _as_far(node.read(_header_calls(since, until), budget))


def _header_calls(since: int, until: int) -> list[Call]:
    return [block_call(height) for height in range(since, until + 1)]


def _as_far(found: Sequence[dict[str, Any] | None]) -> tuple[Block, ...]:
    return tuple(block_of(raw) for raw in takewhile(lambda one: one is not None, found) if raw is not None)


def _headers(node: Node, asked: Range, until: int, budget: Budget) -> tuple[Block, ...]:
    """The headers up to `until`, of a node that also has the end of the whole range."""
    (last, *found) = node.read([block_call(asked.until), *_header_calls(asked.since, until)], budget)
    if last is None:
        raise Behind
    blocks = _as_far(found)
    if len(blocks) < until - asked.since + 1:
        raise Changed("the chain became shorter while it was read")
    return blocks


def _logs(node: Node, asked: Range, until: int, budget: Budget) -> tuple[tuple[Log, ...], int]:
    """The logs from the beginning of the range, and the block that they reach to."""
    while True:
        try:
            found = node.read(_queries(asked, until), budget)
        except (NodeRefused, OutcomeUnknown):
            if until == asked.since:
                raise
            until = asked.since + (until - asked.since) // 2
            node.narrow(until - asked.since + 1)
            continue
        node.widen()
        return _known(found, asked, until), until


def _queries(asked: Range, until: int) -> list[Call]:
    where: dict[str, object] = {
        "fromBlock": quantity(asked.since),
        "toBlock": quantity(until),
        "address": sorted(asked.tokens),
    }
    if len(asked.addresses) > FILTER_MAX:
        return [("eth_getLogs", [{**where, "topics": [TRANSFER]}])]
    ours = [topic(one) for one in sorted(asked.addresses)]
    return [
        ("eth_getLogs", [{**where, "topics": [TRANSFER, None, ours]}]),
        ("eth_getLogs", [{**where, "topics": [TRANSFER, ours]}]),
    ]


def _known(answers: Sequence[Sequence[dict[str, Any]]], asked: Range, until: int) -> tuple[Log, ...]:
    found: dict[tuple[int, int], Log] = {}
    ours = asked.addresses
    for raw in chain.from_iterable(answers):
        log = transfer_in(raw, asked.tokens)
        if log is None or (log.sender not in ours and log.recipient not in ours):
            continue
        if not asked.since <= log.block <= until:
            raise Changed("a log lies outside of the range that was asked for")
        # A transfer between two of ours is in both answers, and some nodes tell a log twice.
        if found.setdefault((log.block, log.log_index), log) != log:
            raise Changed("two logs claim one place in a block")
    return tuple(found[place] for place in sorted(found))


def _one_history(blocks: Sequence[Block], logs: Sequence[Log]) -> None:
    for lower, upper in pairwise(blocks):
        if upper.parent != lower.hash:
            raise Changed("the headers are of two histories")
    hashes = {block.number: block.hash for block in blocks}
    if any(hashes.get(log.block) != log.block_hash for log in logs):
        raise Changed("a log is of another history than the headers")


def _placed(node: Node, logs: Sequence[Log], budget: Budget) -> tuple[Transfer, ...]:
    """Each log with its place in its receipt."""
    names = list(dict.fromkeys(log.tx for log in logs))
    if not names:
        return ()
    receipts = node.read([("eth_getTransactionReceipt", [name]) for name in names], budget)
    known = dict(zip(names, receipts, strict=True))
    return tuple(log.at(_place(log, known[log.tx])) for log in logs)


def _place(log: Log, receipt: dict[str, Any] | None) -> int:
    same = receipt is not None and receipt["blockHash"].lower() == log.block_hash
    place = place_in(receipt["logs"], log.log_index) if receipt is not None and same else None
    if place is None:
        raise Changed("a receipt is of another history than its log")
    return place
