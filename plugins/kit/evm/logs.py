"""Transfer logs, read by hand: three words and a few checks, without the machinery that costs ten times as much."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from plugins.kit.evm.words import TRANSFER
from ports.chain import Transfer

#: `0x` and one word.
_WORD = 66
#: An address fills the last forty digits of a topic, after `0x` and zeros.
_ZEROS = "0x" + "0" * 24


class Log(NamedTuple):
    """A transfer as a node tells it. `log_index` is its place in the block, which a reorganisation may change.

    A tuple, since thousands are made in one pass.
    """

    tx: str
    log_index: int
    block: int
    block_hash: str
    token: str
    sender: str
    recipient: str
    units: int

    def at(self, position: int) -> Transfer:
        """The same with its place inside its transaction's receipt."""
        return Transfer(
            tx=self.tx,
            position=position,
            block=self.block,
            block_hash=self.block_hash,
            token=self.token,
            sender=self.sender,
            recipient=self.recipient,
            units=self.units,
        )


def transfer_in(raw: Mapping[str, Any], tokens: Collection[str]) -> Log | None:
    """The ERC-20 transfer in a log, or None: another event, another contract, an NFT, nothing moved, or taken back.

    Any contract can write a perfect Transfer, so only logs of the listed contracts count.
    """
    topics, data = raw["topics"], raw["data"]
    if len(topics) != 3 or len(data) != _WORD or topics[0] != TRANSFER or raw.get("removed"):
        return None
    token = raw["address"].lower()
    if token not in tokens or not (topics[1].startswith(_ZEROS) and topics[2].startswith(_ZEROS)):
        return None
    units = int(data, 16)
    if not units:
        return None
    return Log(
        tx=raw["transactionHash"].lower(),
        log_index=int(raw["logIndex"], 16),
        block=int(raw["blockNumber"], 16),
        block_hash=raw["blockHash"].lower(),
        token=token,
        sender="0x" + topics[1][26:].lower(),
        recipient="0x" + topics[2][26:].lower(),
        units=units,
    )


def transfers_of(receipt: Mapping[str, Any], tokens: Collection[str]) -> tuple[Transfer, ...]:
    """The transfers in a receipt, each with its place there."""
    found = [(place, transfer_in(raw, tokens)) for place, raw in enumerate(_in_block_order(receipt["logs"]))]
    return tuple(log.at(place) for place, log in found if log is not None)


def place_in(logs: Sequence[Mapping[str, Any]], index: int) -> int | None:
    """The place in its receipt of the log with that index in the block; None when it isn't there.

    A transaction's logs follow one another in the block, so that the first one tells the place of all.
    """
    place = index - int(logs[0]["logIndex"], 16) if logs else -1
    if 0 <= place < len(logs) and int(logs[place]["logIndex"], 16) == index:
        return place
    found = [place for place, raw in enumerate(_in_block_order(logs)) if int(raw["logIndex"], 16) == index]
    return found[0] if found else None


def _in_block_order(logs: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    # The order of the answer isn't trusted: the place is money's name.
    return sorted(logs, key=lambda raw: int(raw["logIndex"], 16))
