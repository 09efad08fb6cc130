"""A node behind a network, by plain JSON-RPC: tokens are sent from a funded wallet, and the escrow's logs are read.

`eth_account` is imported where it first signs, so that a simulator without chains doesn't need it. Selectors and topics
are the first bytes of keccak-256 of the signatures that stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from plugins.sandbox.swypt.config import Network

#: transfer(address,uint256); refundUser(address,address,uint256)
TRANSFER, REFUND = "a9059cbb", "bbe6f90b"
#: Transfer(address,address,uint256)
TRANSFERRED = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#: Deposited of the escrow: (B, C) address,address,uint256,uint256; (A) with a rate and a fee.
DEPOSITED = (
    "0xf5681f9d0db1b911ac18ee83d515a1cf1051853a9eae418316a2fdf7dea427c5",
    "0xf3b2a76575670b4eff5a4ad3639d40d32f7ca987adac169e6f9b89a3ab857d27",
)
TIMEOUT_S = 20


class ChainTrouble(Exception):
    """The node didn't do it; the message is the node's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a transaction put into the escrow."""

    wallet: str
    token: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A transaction's hash and its bytes. The same bytes sent twice are one transaction."""

    tx: str
    raw: str


class Chain:
    """One node, and the wallet that sends. The simulator's turns take care that one thing is signed at a time."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._session = requests.Session()
        self._session.trust_env = False
        self._no = 0
        self._chain_id: int | None = None

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call. Raises ChainTrouble."""
        self._no += 1
        body = {"jsonrpc": "2.0", "id": self._no, "method": method, "params": list(params)}
        try:
            found = self._session.post(self.network.rpc, json=body, timeout=TIMEOUT_S).json()
        except (requests.RequestException, ValueError) as trouble:
            raise ChainTrouble(f"{method}: {type(trouble).__name__}") from None
        if not isinstance(found, dict) or "error" in found:
            raise ChainTrouble(f"{method}: {found.get('error') if isinstance(found, dict) else 'no answer'}")
        return found.get("result")

    def transfer(self, token: str, recipient: str, units: int, order_id: str) -> Signed:
        """Tokens from the wallet, signed and not yet sent. Raises ChainTrouble, also where it would revert.

        The order's name stands behind the arguments, where no contract looks: two orders alike are two transactions.
        """
        return self._signed(token, TRANSFER + _address(recipient) + _number(units) + order_id.encode().hex())

    def refund(self, wallet: str, token: str, units: int) -> str:
        """Have the escrow give tokens back; gives the hash. Raises ChainTrouble."""
        signed = self._signed(self.network.escrow, REFUND + _address(wallet) + _address(token) + _number(units))
        self.send(signed)
        return signed.tx

    def send(self, signed: Signed) -> None:
        """Send signed bytes, once or again. Raises ChainTrouble when the node doesn't have them after that."""
        try:
            self.call("eth_sendRawTransaction", signed.raw)
        except ChainTrouble:
            if not self._has(signed.tx):
                raise

    def _has(self, tx: str) -> bool:
        try:
            return self.call("eth_getTransactionByHash", tx) is not None
        except ChainTrouble:
            return False

    def _signed(self, to: str, data: str) -> Signed:
        from eth_account import Account

        account = Account.from_key(self.network.key)
        if self._chain_id is None:
            self._chain_id = int(self.call("eth_chainId"), 16)
        asked = {"from": account.address, "to": _checksummed(to), "data": f"0x{data}"}
        gas = int(self.call("eth_estimateGas", asked), 16)
        price = int(self.call("eth_gasPrice"), 16)
        signed = account.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": int(self.call("eth_getTransactionCount", account.address, "pending"), 16),
                "to": _checksummed(to),
                "value": 0,
                "data": f"0x{data}",
                "gas": gas * 6 // 5,
                "maxFeePerGas": price * 2,
                "maxPriorityFeePerGas": min(price, 10**9),
            }
        )
        return Signed(tx=f"0x{bytes(signed.hash).hex()}", raw=f"0x{bytes(signed.raw_transaction).hex()}")

    def escrowed(self, tx: str) -> Found | None:
        """What a mined transaction put into the escrow; None when it did nothing of the kind. Raises ChainTrouble."""
        receipt = self.call("eth_getTransactionReceipt", tx)
        if not isinstance(receipt, dict) or receipt.get("status") != "0x1":
            return None
        escrow = self.network.escrow.lower()
        for log in receipt.get("logs", []):
            topics = [str(topic).lower() for topic in log.get("topics", [])]
            if str(log.get("address")).lower() == escrow and topics and topics[0] in DEPOSITED:
                data = str(log["data"])[2:]
                return Found(wallet="0x" + data[24:64], token="0x" + data[64 + 24 : 128], units=int(topics[1], 16))
        return None


def _address(address: str) -> str:
    return address.removeprefix("0x").lower().rjust(64, "0")


def _number(value: int) -> str:
    return f"{value:064x}"


def _checksummed(address: str) -> str:
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))
