"""Logs that are missing, doubled, shuffled, forged or of another history; ranges that a node won't give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plugins.kit.evm import scanning
from plugins.kit.evm.logs import transfer_in
from plugins.kit.evm.words import TRANSFER, topic
from plugins.sandbox.chains.contracts import Contract, deploy
from plugins.sandbox.chains.proxy import FaultProxy
from ports.chain import CannotSend, Scan
from ports.errors import NotSent, OutcomeUnknown
from tests.contract.chain import OURS, PAYER, STRANGER
from tests.plugins.chains.bench import Bench

CODE = "USDC.celo"


def paid(bench: Bench, *sums: int) -> int:
    """Pay those sums to our wallet; gives the block before the first."""
    bench.mint(CODE, PAYER, 10**9)
    start = bench.controls.height
    for units in sums:
        bench.move(CODE, PAYER, OURS, units)
    return start + 1


def scanned(bench: Bench, since: int, line: Any = None, addresses: list[str] | None = None) -> Scan:
    line = line or bench.line()
    tokens = [token.address for token in line.facts.tokens]
    return line.transfers(since, bench.controls.height, tokens, addresses or [OURS])  # type: ignore[no-any-return]


def units(scan: Scan) -> list[int]:
    return [one.units for one in scan.transfers]


@pytest.mark.parametrize("fault", ["duplicate_logs", "shuffle_logs"])
def test_doubled_and_shuffled_logs_are_put_right(celo: Bench, fault: str) -> None:
    start = paid(celo, 1, 2, 3)
    celo.proxy.arm(fault)
    assert units(scanned(celo, start)) == [1, 2, 3]


def test_logs_that_one_endpoint_leaves_out_are_found_when_read_again(twice: Bench) -> None:
    start = paid(twice, 1, 2, 3)
    line = twice.line()
    twice.proxies[0].arm("missing_logs", every=2)
    assert units(scanned(twice, start, line)) == [1, 3]
    assert units(scanned(twice, start, line)) == [1, 2, 3]


def test_a_stale_head_is_not_an_empty_range(celo: Bench) -> None:
    start = paid(celo, 1, 2, 3)
    celo.proxy.arm("stale_head", behind=1)
    with pytest.raises(NotSent) as unsent:
        scanned(celo, start)
    assert unsent.value.reason == CannotSend.NO_NODE


def test_another_endpoint_is_asked_when_one_is_behind(twice: Bench) -> None:
    start = paid(twice, 1, 2, 3)
    twice.proxies[0].arm("stale_head", behind=2)
    assert units(scanned(twice, start)) == [1, 2, 3]


def test_a_range_is_halved_until_the_node_gives_it_and_grows_again(celo: Bench) -> None:
    start = paid(celo, 1, 2, 3, 4, 5, 6, 7)
    line = celo.line()
    celo.proxy.arm("range_limit", blocks=2)
    found, at = [], start
    while at <= celo.controls.height:
        scan = scanned(celo, at, line)
        assert scan.blocks[-1].number == scan.until <= at + 1
        found += units(scan)
        at = scan.until + 1
    assert found == [1, 2, 3, 4, 5, 6, 7]
    celo.proxy.disarm()
    windows = [scanned(celo, start, line).until - start for _ in range(6)]
    assert windows == sorted(windows)
    assert windows[-1] > windows[0]


def test_one_block_that_is_refused_is_unknown_and_not_empty(celo: Bench) -> None:
    start = paid(celo, 1)
    celo.proxy.arm("range_limit", blocks=0)
    with pytest.raises(OutcomeUnknown):
        scanned(celo, start)


def test_a_node_that_is_asked_too_much_says_when_to_come_again(celo: Bench) -> None:
    start = paid(celo, 1)
    celo.proxy.arm("status", code=429, retry_after=17)
    with pytest.raises(NotSent) as unsent:
        scanned(celo, start)
    assert unsent.value.retry_after_s == 17


def test_only_logs_of_listed_contracts_count(celo: Bench) -> None:
    start = celo.controls.height + 1
    celo.deployed.forger.do("forge", PAYER, OURS, 10**9)
    celo.deployed.forger.do("forgeMisshapen", PAYER, OURS, 10**9)
    celo.deployed.silent.do("mint", OURS, 5)
    assert units(scanned(celo, start)) == []


def test_misshapen_logs_of_a_listed_contract_are_no_transfers(celo: Bench) -> None:
    forger = celo.deployed.forger
    line = celo.line(tokens=f"USDC.celo={forger.address}")
    start = celo.controls.height + 1
    forger.do("forgeMisshapen", PAYER, OURS, 7)
    forger.do("forge", PAYER, OURS, 8)
    assert units(scanned(celo, start, line)) == [8]


def test_a_token_that_answers_nothing_is_read_by_its_logs(celo: Bench) -> None:
    silent = celo.deployed.silent
    line = celo.line(tokens=f"USDC.celo={silent.address}")
    start = celo.controls.height + 1
    silent.do("mint", PAYER, 100)
    silent.do("transfer", OURS, 40, sender=PAYER)
    assert units(scanned(celo, start, line)) == [40]


def test_what_arrives_counts_where_the_token_keeps_a_part(celo: Bench) -> None:
    celo.deployed.tokens[CODE].do("setFee", 100)
    start = paid(celo, 1000)
    assert units(scanned(celo, start)) == [990]


def test_coins_make_no_log(celo: Bench) -> None:
    start = celo.controls.height + 1
    celo.controls.mined(celo.controls.send(PAYER, OURS, value=5))
    assert units(scanned(celo, start)) == []
    ((_, coins),) = celo.line().balances([OURS], ["CELO"])[0].units
    assert coins == 5


def test_more_addresses_than_a_filter_takes_are_matched_here(celo: Bench) -> None:
    start = paid(celo, 1, 2)
    celo.move(CODE, PAYER, STRANGER, 9)
    many = [f"0x{place:040x}" for place in range(1, scanning.FILTER_MAX + 5)]
    assert units(scanned(celo, start, addresses=[*many, OURS])) == [1, 2]


def between(bench: Bench, act: Callable[[], None]) -> None:
    """Do something between the reading of headers and the reading of logs, once."""
    proxy, plain = bench.proxy, bench.proxy.forward
    done: list[bool] = []

    def forward(body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        if not done and any(call.get("method") == "eth_getLogs" for call in calls):
            done.append(True)
            act()
        return plain(body)

    proxy.forward = forward  # type: ignore[method-assign]


def test_a_fork_between_headers_and_logs_spoils_the_pass(celo: Bench) -> None:
    start = paid(celo, 1, 2)
    tx = celo.move(CODE, PAYER, OURS, 3)
    between(celo, lambda: celo.reorganise(2, [tx]))
    celo.controls.mine()
    line = celo.line()
    with pytest.raises(OutcomeUnknown):
        scanned(celo, start, line)


def test_a_chain_that_grows_shorter_is_not_read(celo: Bench) -> None:
    start = paid(celo, 1, 2)
    line, height = celo.line(), celo.controls.height
    celo.controls.roll_back(1)
    with pytest.raises(NotSent):
        line.transfers(start, height, [line.facts.tokens[1].address], [OURS])


def raw_log(**changed: object) -> dict[str, Any]:
    plain = {
        "address": "0x" + "AB" * 20,
        "topics": [TRANSFER, topic(PAYER), topic(OURS)],
        "data": "0x" + f"{5:064x}",
        "transactionHash": "0x" + "CD" * 32,
        "logIndex": "0x2",
        "blockNumber": "0x10",
        "blockHash": "0x" + "EF" * 32,
    }
    return plain | changed


LISTED = {"0x" + "ab" * 20}


def test_a_log_is_read_to_the_last_digit() -> None:
    log = transfer_in(raw_log(data="0x" + "ff" * 32), LISTED)
    assert log is not None
    assert (log.units, log.sender, log.recipient) == (2**256 - 1, PAYER, OURS)
    assert (log.tx, log.log_index, log.block, log.block_hash) == ("0x" + "cd" * 32, 2, 16, "0x" + "ef" * 32)


@pytest.mark.parametrize(
    "changed",
    [
        {"topics": [TRANSFER, topic(PAYER)]},
        {"topics": [TRANSFER, topic(PAYER), topic(OURS), topic(OURS)]},
        {"topics": ["0x" + "00" * 32, topic(PAYER), topic(OURS)]},
        {"topics": [TRANSFER, "0x" + "11" * 32, topic(OURS)]},
        {"data": "0x"},
        {"data": "0x" + "00" * 32},
        {"data": "0x" + "01" * 64},
        {"removed": True},
        {"address": "0x" + "ac" * 20},
    ],
)
def test_what_is_no_transfer_of_ours(changed: dict[str, object]) -> None:
    assert transfer_in(raw_log(**changed), LISTED) is None


def test_a_log_that_lies_outside_of_the_range_spoils_the_pass(celo: Bench) -> None:
    start = paid(celo, 1, 2)
    plain = celo.proxy.forward

    def forward(body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        for call in calls:
            if call.get("method") == "eth_getLogs":
                call["params"][0]["fromBlock"] = "0x0"
        return plain(body)

    celo.proxy.forward = forward  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        scanned(celo, start + 1)


def test_a_whole_lot_of_transfers_in_one_transaction(celo: Bench) -> None:
    celo.mint(CODE, PAYER, 10**6)
    start = celo.controls.height + 1
    celo.move_many(CODE, PAYER, [OURS, STRANGER] * 5, 3)
    scan = scanned(celo, start)
    assert [one.position for one in scan.transfers] == [0, 2, 4, 6, 8]


def test_a_proxy_counts_and_a_contract_can_be_put_anywhere(celo: Bench) -> None:
    token = deploy(celo.controls, "TestToken", "X", "1", "X", 9)
    assert isinstance(token, Contract)
    assert token.ask("decimals") == 9
    assert isinstance(celo.proxy, FaultProxy)
    before = celo.proxy.exchanges
    celo.line().heads()
    assert (celo.proxy.exchanges - before, celo.proxy.calls["eth_chainId"]) == (1, 1)
