"""What a receipt says that was spent, and in what."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.base.facts import CHAINS as BASE
from plugins.celo.facts import CHAINS as CELO
from plugins.kit.evm import reading
from plugins.kit.evm.facts import Network
from plugins.kit.http import Budget
from ports.chain import Mined, Transaction
from ports.errors import Misconfigured
from tests.contract.chain import OURS

TX, BLOCK = "0x" + "ab" * 32, "0x" + "cd" * 32
RECEIPT = {
    "blockNumber": "0x10",
    "blockHash": BLOCK,
    "from": OURS,
    "status": "0x1",
    "gasUsed": hex(100_000),
    "effectiveGasPrice": hex(3 * 10**9),
    "logs": [],
}


class OneNode:
    """Knows one transaction, in one block."""

    def __init__(self, receipt: dict[str, Any], said: dict[str, Any] | None) -> None:
        self.receipt, self.said = receipt, said

    def read(self, calls: list[tuple[str, list[object]]], budget: Budget) -> list[Any]:
        answers = {
            "eth_getTransactionByHash": self.said,
            "eth_getTransactionReceipt": self.receipt,
            "eth_getBlockByNumber": {"hash": BLOCK},
        }
        return [answers[method] for method, _ in calls]


def read(network: Network, said: dict[str, Any] | None = None, **more: Any) -> Transaction:
    node = OneNode({**RECEIPT, **more}, {"nonce": "0x4"} if said is None else said)
    return reading.transaction(node, TX, network, Budget(5))  # type: ignore[arg-type]


def test_gas_at_its_price() -> None:
    found = read(CELO.live)
    assert (found.fee_units, found.fee_asset, found.nonce) == (3 * 10**14, CELO.live.capabilities.native, 4)


def test_the_layer_below_is_part_of_the_fee() -> None:
    assert read(BASE.live, l1Fee=hex(777)).fee_units == 3 * 10**14 + 777
    assert read(BASE.live, l1Fee=None).fee_units == 3 * 10**14


@pytest.mark.parametrize(("price", "units"), [(10**9, 100), (10**9 + 1, 101), (1, 1)])
def test_a_fee_in_a_token_is_in_its_units_a_fraction_as_a_whole(price: int, units: int) -> None:
    token = CELO.live.capabilities.token("USDC.celo")
    assert token is not None
    said = {"nonce": "0x0", "feeCurrency": CELO.live.fee_currencies["USDC.celo"]}
    found = read(CELO.live, said, effectiveGasPrice=hex(price))
    assert (found.fee_units, found.fee_asset) == (units, token.asset)


def test_a_fee_in_a_token_of_eighteen_decimals_is_told_as_it_is() -> None:
    found = read(CELO.live, feeCurrency=CELO.live.fee_currencies["cKES.celo"])
    assert found.fee_units == 3 * 10**14


def test_a_fee_in_a_currency_that_nobody_listed_is_not_guessed() -> None:
    with pytest.raises(Misconfigured):
        read(CELO.live, feeCurrency="0x" + "99" * 20)


def test_what_was_reverted_is_reverted() -> None:
    assert read(CELO.live, status="0x0").state is Mined.REVERTED
