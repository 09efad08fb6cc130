"""What is read of a chain besides its logs: the three heads, a transaction, and what addresses hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugins.kit.evm.facts import Network
from plugins.kit.evm.logs import transfers_of
from plugins.kit.evm.node import Call, Node, block_call
from plugins.kit.evm.nodes import Behind, Nodes
from plugins.kit.evm.words import address, call_data, hash_of, number, quantity, word_at
from plugins.kit.http import Budget
from ports.chain import ChainCapabilities, Head, Heads, Holding, Mined, Transaction
from ports.errors import Misconfigured
from ports.money import Asset

#: Fees that are paid in a token are told in units of this many decimals, whatever the token has (CIP-64).
_FEE_SCALE = 18


def head_of(raw: Mapping[str, Any]) -> Head:
    """The block of a header."""
    return Head(number=number(raw["number"]), hash=hash_of(raw["hash"]))


def time_of(raw: Mapping[str, Any]) -> datetime:
    """When the block was made."""
    return datetime.fromtimestamp(number(raw["timestamp"]), UTC)


def heads(node: Node, nodes: Nodes, budget: Budget) -> Heads:
    """The three heads, held against the highest final block that was seen. Raises Forked, Behind."""
    mark = nodes.final
    calls: list[Call] = [block_call(tag) for tag in ("latest", "safe", "finalized")]
    calls += [] if mark is None else [block_call(mark.number)]
    latest, safe, final, *at_mark = node.read(calls, budget)
    found = Heads(
        latest=head_of(latest),
        safe=head_of(safe),
        finalized=head_of(final),
        latest_at=time_of(latest),
        finalized_at=time_of(final),
    )
    if not found.finalized.number <= found.safe.number <= found.latest.number:
        # The three were read while the chain moved, or behind a balancer of unequal nodes.
        raise Behind
    there = hash_of(at_mark[0]["hash"]) if at_mark and at_mark[0] is not None else None
    if mark is not None and there is None and found.latest.number >= mark.number:
        raise Behind
    nodes.note_final(node, found.finalized, there)
    return found


def transaction(node: Node, tx: str, network: Network, budget: Budget) -> Transaction:
    """What the endpoint knows of it. A receipt counts once its block is there: some nodes show one before."""
    said, receipt = node.read([("eth_getTransactionByHash", [tx]), ("eth_getTransactionReceipt", [tx])], budget)
    if receipt is None:
        return Transaction(hash=tx, state=Mined.NOT_SEEN if said is None else Mined.WAITING)
    height, block_hash = number(receipt["blockNumber"]), hash_of(receipt["blockHash"])
    (block,) = node.read([block_call(height)], budget)
    if block is None or hash_of(block["hash"]) != block_hash:
        return Transaction(hash=tx, state=Mined.WAITING)
    said_nonce = None if said is None else number(said["nonce"])
    fee_units, fee_asset = _fee(receipt, said or {}, network)
    return Transaction(
        hash=tx,
        state=Mined.OK if number(receipt["status"]) == 1 else Mined.REVERTED,
        block=height,
        block_hash=block_hash,
        sender=address(receipt["from"]),
        nonce=said_nonce,
        transfers=transfers_of(receipt, {token.address for token in network.capabilities.tokens}),
        fee_units=fee_units,
        fee_asset=fee_asset,
    )


def _fee(receipt: Mapping[str, Any], said: Mapping[str, Any], network: Network) -> tuple[int, Asset]:
    """What was spent, and in what: gas at its price, and the layer below where the receipt names it."""
    spent = number(receipt["gasUsed"]) * number(receipt["effectiveGasPrice"])
    spent += number(receipt.get("l1Fee") or "0x0")
    currency = receipt.get("feeCurrency") or said.get("feeCurrency")
    if currency is None:
        return spent, network.capabilities.native
    codes = {place: code for code, place in network.fee_currencies.items()}
    token = network.capabilities.token(codes.get(address(currency), ""))
    if token is None:
        raise Misconfigured("a fee was paid in a currency that isn't listed")
    # A token's fraction of a unit is charged as a whole one.
    return -(-spent // 10 ** (_FEE_SCALE - token.asset.scale)), token.asset


def balances(
    node: Node,
    said: ChainCapabilities,
    addresses: Sequence[str],
    assets: Sequence[str],
    block: int | None,
    budget: Budget,
) -> tuple[Holding, ...]:
    """What the addresses hold, all at one block. Raises Behind when the endpoint hasn't that block."""
    (at,) = node.read([block_call("latest" if block is None else block)], budget)
    if at is None:
        raise Behind
    height = quantity(number(at["number"]))
    width = len(assets) + 1
    calls = [call for one in addresses for call in _holding_calls(said, one, assets, height)]
    found = node.read(calls, budget) if calls else []
    return tuple(
        Holding(
            address=one,
            units=tuple(
                (code, _units(said, code, answer)) for code, answer in zip(assets, found[place * width :], strict=False)
            ),
            sent=number(found[place * width + width - 1]),
        )
        for place, one in enumerate(addresses)
    )


def _holding_calls(said: ChainCapabilities, of: str, assets: Sequence[str], height: str) -> list[Call]:
    calls: list[Call] = []
    for code in assets:
        if code == said.native.code:
            calls.append(("eth_getBalance", [of, height]))
        else:
            calls.append(balance_call(address_of(said, code), of, height))
    return [*calls, ("eth_getTransactionCount", [of, height])]


def address_of(said: ChainCapabilities, code: str) -> str:
    """Where the token of that code lives. Raises ValueError for one that the chain doesn't list."""
    token = said.token(code)
    if token is None:
        raise ValueError(f"{said.network} lists no asset {code}")
    return token.address


def balance_call(token: str, of: str, height: str) -> Call:
    """Ask a token what an address holds."""
    return ("eth_call", [{"to": token, "data": "0x" + call_data("balanceOf(address)", of).hex()}, height])


def _units(said: ChainCapabilities, code: str, answer: str) -> int:
    if code == said.native.code:
        return number(answer)
    units = word_at(answer, 0)
    if units is None:
        raise Misconfigured(f"there is no token {code} at its address")
    return units
