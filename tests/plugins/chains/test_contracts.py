"""The test contracts do what the papers say of the real ones: selectors, logs, permits, refunds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import Web3

from plugins.kit.evm.words import domain_separator
from plugins.sandbox.chains import contracts as module
from plugins.sandbox.chains.contracts import CallFailed, artefacts, deploy
from tests.contract.chain import OURS, PAYER, WALLET
from tests.plugins.chains.bench import Bench

CODE = "USDC.celo"
#: As the papers of the escrow's three forms have them.
SELECTORS = {
    "EscrowA": {"withdrawToEscrow": "5727612d", "withdrawWithPermit": "8bf6fadd", "depositToWallet": "4e6b31cc"},
    "EscrowB": {"withdrawToEscrow": "e198e9f8", "withdrawWithPermit": "0d80292a", "depositToWallet": "c29b62fa"},
    "EscrowC": {"withdrawToEscrow": "68dbfe8e", "depositToWallet": "c29b62fa"},
}
SHARED = {
    "viewDepositWithNonce": "248a74f6",
    "depositNonce": "de35f5cb",
    "isWhitelistedAsset": "ab1dc427",
    "paused": "5c975abb",
    "refundUser": "bbe6f90b",
}
DEPOSITED = {
    "EscrowA": "0xf3b2a76575670b4eff5a4ad3639d40d32f7ca987adac169e6f9b89a3ab857d27",
    "EscrowB": "0xf5681f9d0db1b911ac18ee83d515a1cf1051853a9eae418316a2fdf7dea427c5",
    "EscrowC": "0xf5681f9d0db1b911ac18ee83d515a1cf1051853a9eae418316a2fdf7dea427c5",
}
REFUNDED = "0xec1e5ed733e00f1a00915d56caef57b4f52312dde4f9b3165f213319a0da156b"
SENT = "0x51f68a3a7a6771afec2fbb6d0ebbebb31db774171af6e829005ae85b7b373017"
MORE: dict[str, tuple[int, ...]] = {"EscrowA": (129_480_000, 3), "EscrowB": (), "EscrowC": (3,)}


@pytest.mark.parametrize("name", SELECTORS)
def test_functions_have_the_selectors_of_the_papers(name: str) -> None:
    found = {signature.partition("(")[0]: word for signature, word in artefacts()[name]["selectors"].items()}
    assert {function: found[function] for function in SELECTORS[name] | SHARED} == SELECTORS[name] | SHARED


@pytest.mark.parametrize("name", SELECTORS)
def test_an_escrow_takes_sends_and_refunds_with_the_logs_of_the_papers(celo: Bench, name: str) -> None:
    token, escrow = celo.deployed.tokens[CODE], deploy(celo.controls, name)
    celo.mint(CODE, PAYER, 1000)
    token.do("approve", escrow.address, 1000, sender=PAYER)
    with pytest.raises(CallFailed):
        escrow.do("withdrawToEscrow", token.address, 600, *MORE[name], sender=PAYER)
    escrow.do("setWhitelistedAsset", token.address, True)
    *_, log = escrow.do("withdrawToEscrow", token.address, 600, *MORE[name], sender=PAYER)["logs"]
    assert log["topics"][0] == DEPOSITED[name]
    assert [int(topic, 16) for topic in log["topics"][1:3]] == [600, 1]
    assert (log["data"][26:66], log["data"][90:130]) == (PAYER[2:], token.address[2:])
    *_, log = escrow.do("refundUser", PAYER, token.address, 100)["logs"]
    assert log["topics"][0] == REFUNDED
    *_, log = escrow.do("depositToWallet", OURS, token.address, 50, *((0, 0) if name == "EscrowA" else ()))["logs"]
    assert (log["topics"][0], int(log["topics"][1], 16)) == (SENT, 50)
    assert [token.ask("balanceOf", one) for one in (PAYER, OURS, escrow.address)] == [500, 50, 450]
    with pytest.raises(CallFailed):
        escrow.do("refundUser", PAYER, token.address, 1, sender=PAYER)
    escrow.do("pause")
    with pytest.raises(CallFailed):
        escrow.do("withdrawToEscrow", token.address, 1, *MORE[name], sender=PAYER)


def permit(bench: Bench, token: Any, spender: str, units: int, deadline: int) -> tuple[int, bytes, bytes]:
    """The wallet's signature over an allowance, by the library that wallets use."""
    fields = [("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256")]
    signable = encode_typed_data(
        domain_data={
            "name": "USDC",
            "version": "2",
            "chainId": bench.node.kind.chain_id,
            "verifyingContract": Web3.to_checksum_address(token.address),
        },
        message_types={"Permit": [{"name": name, "type": kind} for name, kind in [*fields, ("deadline", "uint256")]]},
        message_data={"owner": OURS, "spender": spender, "value": units, "nonce": 0, "deadline": deadline},
    )
    made = Account.sign_message(signable, WALLET.key)
    return made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big")


def test_a_permit_is_taken_once_and_by_an_escrow(celo: Bench) -> None:
    token, escrow = celo.deployed.tokens[CODE], deploy(celo.controls, "EscrowB")
    assert domain_separator("USDC", "2", celo.node.kind.chain_id, token.address) == hex(token.ask("DOMAIN_SEPARATOR"))
    escrow.do("setWhitelistedAsset", token.address, True)
    celo.mint(CODE, OURS, 1000)
    celo.give_coins(OURS, 10**20)
    made = permit(celo, token, escrow.address, 600, 2**40)
    escrow.do("withdrawWithPermit", token.address, 600, 2**40, *made, sender=OURS)
    assert token.ask("balanceOf", escrow.address) == 600
    with pytest.raises(CallFailed):
        escrow.do("withdrawWithPermit", token.address, 600, 2**40, *made, sender=OURS)


def test_an_independent_library_reads_the_same_transfers(celo: Bench) -> None:
    token = celo.deployed.tokens[CODE]
    celo.mint(CODE, PAYER, 1000)
    start = celo.controls.height + 1
    celo.move_many(CODE, PAYER, [OURS, PAYER, OURS], 7)
    web3 = Web3(Web3.HTTPProvider(celo.proxy.url))
    contract = web3.eth.contract(Web3.to_checksum_address(token.address), abi=artefacts()["TestToken"]["abi"])
    theirs = contract.events.Transfer().get_logs(from_block=start)
    line = celo.line()
    ours = line.transfers(start, celo.controls.height, [token.address], [OURS]).transfers
    assert [(one.tx, one.position, one.units, one.recipient) for one in ours] == [
        (log["transactionHash"].to_0x_hex(), log["logIndex"], log["args"]["value"], log["args"]["to"].lower())
        for log in theirs
        if log["args"]["to"].lower() == OURS
    ]


def test_the_artefacts_are_made_of_the_sources_beside_them() -> None:
    folder = Path(module.__file__).parent / "contracts"
    made = json.loads((folder / "artefacts.json").read_text())
    sources = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.sol"))}
    assert made["sources"] == sources
