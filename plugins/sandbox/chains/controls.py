"""A local node's levers: time, blocks, reorganisations, fees, and acting as anybody."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from plugins.sandbox.chains.rpc import Rpc

#: A raw transaction and the block, counted from the first that is made anew, where it comes to lie.
Again = tuple[str, int]


class Controls:
    """One node's. Raises RpcFailed where the node doesn't obey."""

    def __init__(self, url: str) -> None:
        self.rpc = Rpc(url)

    @property
    def height(self) -> int:
        """The newest block's number."""
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, at: int | str = "latest") -> dict[str, Any]:
        """A header, by height or tag."""
        found: dict[str, Any] = self.rpc("eth_getBlockByNumber", at if isinstance(at, str) else hex(at), False)
        return found

    def mine(self, blocks: int = 1) -> None:
        """Make blocks. Hundreds take seconds: start at a height instead of going there."""
        self.rpc("anvil_mine", hex(blocks), timeout_s=120)

    def reorganise(self, depth: int, again: Sequence[Again] = ()) -> None:
        """Make the last `depth` blocks anew, without their transactions but for those that come `again`.

        Empty blocks made anew within a second are the same blocks. A snapshot from within them is lost.
        """
        self.rpc("anvil_reorg", depth, [list(one) for one in again])

    def roll_back(self, depth: int) -> None:
        """Cut the last `depth` blocks off."""
        self.rpc("anvil_rollback", depth)

    def halt(self) -> None:
        """Make no block from now on: transactions wait."""
        self.rpc("evm_setAutomine", False)
        self.rpc("evm_setIntervalMining", 0)

    def go_on(self) -> None:
        """Make blocks for transactions again, and one now for those that waited."""
        self.rpc("evm_setAutomine", True)
        self.mine()

    @contextmanager
    def halted(self) -> Iterator[None]:
        """No blocks inside."""
        self.halt()
        try:
            yield
        finally:
            self.go_on()

    def every(self, seconds: int) -> None:
        """Make a block every so often; 0 stops that."""
        self.rpc("evm_setIntervalMining", seconds)

    def base_fee(self, wei: int) -> None:
        """The base fee of the next block; it moves on from there."""
        self.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def give_coins(self, address: str, wei: int) -> None:
        """Set what an address has of the native coin."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def drop(self, tx: str) -> None:
        """Forget a waiting transaction."""
        self.rpc("anvil_dropTransaction", tx)

    def later(self, seconds: int) -> None:
        """Move the chain's clock on, and make a block there."""
        self.rpc("evm_increaseTime", seconds)
        self.mine()

    def code(self, address: str, runtime: str) -> None:
        """Put a contract's code at an address."""
        self.rpc("anvil_setCode", address, runtime)

    def raw(self, tx: str) -> str:
        """A transaction's signed bytes, as they may be sent again."""
        found: str = self.rpc("eth_getRawTransactionByHash", tx)
        return found

    def snapshot(self) -> str:
        """Remember all; the word is good for one `revert`."""
        found: str = self.rpc("evm_snapshot")
        return found

    def revert(self, snapshot: str) -> None:
        """Be as then."""
        if not self.rpc("evm_revert", snapshot):
            raise LookupError("no such snapshot")

    def send(self, sender: str, to: str | None, data: str = "0x", *, value: int = 0, gas: int = 3_000_000) -> str:
        """Act as anybody: the transaction's hash."""
        self.rpc("anvil_impersonateAccount", sender)
        body = {"from": sender, "data": data, "value": hex(value), "gas": hex(gas)}
        found: str = self.rpc("eth_sendTransaction", body if to is None else {**body, "to": to})
        return found

    def receipt(self, tx: str) -> dict[str, Any] | None:
        """Its receipt, once it was mined."""
        found: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", tx)
        return found

    def mined(self, tx: str, *, within_s: float = 20) -> dict[str, Any]:
        """Its receipt, waited for: a node answers before it has made the block. Raises TimeoutError."""
        give_up = time.monotonic() + within_s
        while True:
            receipt = self.receipt(tx)
            if receipt is not None:
                return receipt
            if time.monotonic() > give_up:
                raise TimeoutError(f"{tx} was not mined within {within_s:g} s")
            time.sleep(0.005)

    def close(self) -> None:
        self.rpc.close()
