"""Endpoints in trouble: failover, forks, a final block that stands still or goes back, and what a self-check says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plugins.kit.evm import node as node_module
from plugins.kit.evm.answers import WrongChain
from plugins.kit.http import Limits
from ports.abilities import FindingState
from ports.chain import CannotSend, Mined
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, Refused
from tests.contract.chain import OURS, PAYER, ChainLine
from tests.plugins.chains.bench import CODES, Bench

#: How a line breaks, and what is left when no other endpoint is there.
BREAKS = [
    ("hang_up", {}, OutcomeUnknown),
    ("lose_answer", {}, OutcomeUnknown),
    ("html", {}, OutcomeUnknown),
    ("cut_json", {}, OutcomeUnknown),
    ("status", {"code": 503}, OutcomeUnknown),
    ("status", {"code": 413}, OutcomeUnknown),
    ("status", {"code": 429, "retry_after": 9}, NotSent),
    ("status", {"code": 401}, Misconfigured),
    ("deep_json", {}, OutcomeUnknown),
    ("status", {"code": 429, "retry_after": "²"}, NotSent),
    ("error", {"code": -32603, "message": "internal"}, OutcomeUnknown),
]


@pytest.mark.parametrize(("fault", "fields", "raised"), BREAKS)
def test_one_endpoint_in_trouble(celo: Bench, fault: str, fields: dict[str, object], raised: type[Exception]) -> None:
    line = celo.line()
    celo.proxy.arm(fault, **fields)
    with pytest.raises(raised):
        line.heads()
    celo.proxy.disarm()
    assert line.heads().latest.number == celo.controls.height


@pytest.mark.parametrize(("fault", "fields", "raised"), BREAKS)
def test_another_endpoint_reads_in_its_place(
    twice: Bench, fault: str, fields: dict[str, object], raised: type[Exception]
) -> None:
    line = twice.line()
    twice.proxies[0].arm(fault, **fields)
    assert line.heads().latest.number == twice.controls.height
    asked = twice.proxies[0].exchanges
    assert line.heads().latest.number == twice.controls.height
    # Once in trouble it is asked last for a moment, and then first again.
    assert twice.proxies[0].exchanges == asked
    twice.proxies[0].disarm()
    twice.fake.clock.forward(10)
    line.heads()
    assert twice.proxies[0].exchanges == asked + 1


def test_a_dry_run_that_reverts_at_an_endpoint_that_lags_is_no_refusal(twice: Bench) -> None:
    line = ChainLine(chain=twice.line(), world=twice, code=CODES["celo"])
    line.fund()
    lag = twice.proxies[0].arm("error", method="eth_estimateGas", code=3, message="execution reverted: no allowance")
    assert line.chain.build(line.transfer(), OURS, 0).nonce == 0
    assert lag.struck
    twice.proxies[1].arm("error", method="eth_estimateGas", code=3, message="execution reverted: no allowance")
    with pytest.raises(Refused):
        line.chain.build(line.transfer(), OURS, 0)


def test_a_slow_endpoint_is_left_for_another(twice: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "_LIMITS", Limits(connect_s=1, read_s=0.2, total_s=0.3, least_s=0.1))
    twice.proxies[0].arm("delay", seconds=0.6)
    assert twice.line().heads().latest.number == twice.controls.height


def test_a_closed_endpoint_is_left_for_another(twice: Bench) -> None:
    line = twice.line()
    twice.proxies[0].stop()
    twice.closed.add(0)
    assert line.heads().latest.number == twice.controls.height


def test_a_node_that_takes_one_call_at_a_time_is_asked_one_at_a_time(celo: Bench) -> None:
    line, plain = celo.line(), celo.proxy.forward

    def forward(body: object) -> object:
        if isinstance(body, list):
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batches are not served"}}
        return plain(body)

    celo.proxy.forward = forward  # type: ignore[method-assign]
    assert line.heads().latest.number == celo.controls.height
    assert len(line.blocks(0, 3)) == 4


def test_one_endpoint_of_another_chain_stops_the_line(twice: Bench) -> None:
    twice.proxies[0].arm("chain_id", value=1)
    with pytest.raises(WrongChain):
        twice.line().heads()
    states = {one.name: one.state for one in twice.line().self_check()}
    assert states["celo endpoint 1"] is FindingState.WRONG


def test_a_final_block_that_stands_still_is_told_as_it_is(celo: Bench) -> None:
    line = celo.line()
    before = line.heads().finalized
    celo.proxy.arm("frozen_final")
    celo.controls.mine(5)
    assert line.heads().finalized == before


def test_a_stale_final_block_is_found_by_the_self_check(celo: Bench) -> None:
    line = celo.line()

    def state() -> FindingState:
        return next(one.state for one in line.self_check() if one.name == "celo endpoint 1 finalized")

    lag = line.facts.final_lag_s
    assert state() is FindingState.OK
    celo.fake.clock.time += timedelta(seconds=4 * lag)
    assert state() is FindingState.WARNING
    celo.fake.clock.time += timedelta(seconds=7 * lag)
    assert state() is FindingState.WRONG


def test_a_final_block_that_goes_back_sets_its_endpoint_aside(twice: Bench) -> None:
    line = twice.line()
    twice.controls.mine(5)
    final = line.heads().finalized
    twice.proxies[0].arm("frozen_final", number=final.number - 3)
    assert line.heads().finalized == final
    asked = twice.proxies[0].exchanges
    line.heads()
    assert twice.proxies[0].exchanges == asked
    assert ("warning", "chain_node_set_aside") in [one[:2] for one in twice.fake.log.lines]
    assert any("fork" in one.words for one in line.self_check() if one.state is FindingState.WRONG)
    twice.proxies[0].disarm()
    twice.fake.clock.forward(61)
    line.heads()
    assert twice.proxies[0].exchanges > asked


def test_an_endpoint_that_lags_in_finality_alone_is_passed_over_and_not_accused(twice: Bench) -> None:
    line = twice.line()
    twice.controls.mine(5)
    final = line.heads().finalized
    twice.proxies[1].arm("frozen_final", number=final.number - 3)
    twice.proxies[0].arm("html")
    with pytest.raises(OutcomeUnknown):
        line.heads()
    assert not [one for one in twice.fake.log.lines if one[1] == "chain_node_set_aside"]


def test_a_fork_below_the_final_block_stops_the_line(celo: Bench) -> None:
    celo.controls.mine(12)
    # Empty blocks made anew within a second are the same blocks.
    celo.mint(CODES["celo"], PAYER, 1)
    celo.controls.mine(9)
    line = celo.line()
    line.heads()
    celo.controls.reorganise(10)
    with pytest.raises(NotSent) as unsent:
        line.heads()
    assert unsent.value.reason == CannotSend.NO_NODE
    assert any("fork" in one.words for one in line.self_check() if one.state is FindingState.WRONG)
    celo.fake.clock.forward(61)
    with pytest.raises(NotSent):
        line.heads()


def test_a_fork_above_the_final_block_is_ordinary(celo: Bench) -> None:
    celo.controls.mine(5)
    celo.mint(CODES["celo"], PAYER, 1)
    celo.controls.mine(2)
    line = celo.line()
    before = line.heads()
    celo.controls.reorganise(3)
    after = line.heads()
    assert after.finalized == before.finalized
    assert after.latest.number == before.latest.number
    assert after.latest.hash != before.latest.hash


def test_endpoints_at_odds_are_found(twice: Bench) -> None:
    line, plain = twice.line(), twice.proxies[1].forward

    def forward(body: object) -> object:
        answers = plain(body)
        for one in answers if isinstance(answers, list) else [answers]:
            if isinstance(one.get("result"), dict) and "hash" in one["result"]:
                one["result"]["hash"] = "0x" + "99" * 32
        return answers

    twice.proxies[1].forward = forward  # type: ignore[method-assign]
    wrong = [one for one in line.self_check() if one.state is FindingState.WRONG]
    assert any("another final block" in one.words for one in wrong)


def test_outcomes_at_odds_are_unknown(twice: Bench) -> None:
    code = CODES["celo"]
    twice.mint(code, PAYER, 100)
    tx = twice.move(code, PAYER, OURS, 7)
    line, plain = twice.line(), twice.proxies[1].forward
    assert line.transaction(tx).state is Mined.OK

    def forward(body: object) -> object:
        answers = plain(body)
        for one in answers if isinstance(answers, list) else [answers]:
            if isinstance(one.get("result"), dict) and "status" in one["result"]:
                one["result"]["status"] = "0x0"
        return answers

    twice.proxies[1].forward = forward  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown):
        line.transaction(tx)


def test_a_second_endpoint_that_lags_spoils_no_outcome(twice: Bench) -> None:
    code = CODES["celo"]
    twice.mint(code, PAYER, 100)
    tx = twice.move(code, PAYER, OURS, 7)
    twice.proxies[1].arm("stale_head", behind=1)
    assert twice.line().transaction(tx).state is Mined.OK
    twice.proxies[1].disarm()
    twice.proxies[1].arm("html")
    assert twice.line().transaction(tx).state is Mined.OK


def test_a_receipt_without_its_block_is_not_believed(celo: Bench) -> None:
    """Some nodes show a receipt before there is a block."""
    code = CODES["celo"]
    celo.mint(code, PAYER, 100)
    tx = celo.move(code, PAYER, OURS, 7)
    celo.proxy.arm("stale_head", method="eth_getBlockByNumber", behind=1)
    assert celo.line().transaction(tx).state is Mined.WAITING


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"USDC.celo": "0x" + "77" * 20}, "no contract at its address"),
        ({"USDC.celo": "cKES.celo"}, "has 18 decimals, not 6"),
        ({"USDC.celo": "USDT.celo", "USDT.celo": "USDC.celo"}, "signing domain"),
    ],
)
def test_a_pinned_fact_that_differs_is_wrong(celo: Bench, spoil: dict[str, str], words: str) -> None:
    tokens = {code: token.address for code, token in celo.deployed.tokens.items()}
    places = {code: tokens.get(where, where) for code, where in spoil.items()}
    line = celo.line(tokens=" ".join(f"{code}={place}" for code, place in places.items()))
    assert any(words in one.words for one in line.self_check() if one.state is FindingState.WRONG)


@pytest.mark.parametrize(
    ("height", "hash_", "state"),
    [(0, None, FindingState.OK), (0, "0x" + "12" * 32, FindingState.WRONG), (10**6, None, FindingState.WARNING)],
)
def test_an_old_block_is_held_against_the_pinned_one(
    celo: Bench, height: int, hash_: str | None, state: FindingState
) -> None:
    line = celo.line()
    pinned = (height, hash_ or celo.controls.block(0)["hash"])
    line._network = replace(line._network, pinned=pinned)
    found = {one.name: one.state for one in line.self_check()}
    assert found[f"celo endpoint 1 block {height}"] is state


def test_a_missing_fee_oracle_is_wrong(base: Bench) -> None:
    base.controls.code("0x420000000000000000000000000000000000000f", "0x")
    assert any("fee oracle" in one.name for one in base.line().self_check() if one.state is FindingState.WRONG)


def test_an_endpoint_that_can_not_be_checked_is_a_warning_and_none_at_all_is_wrong(twice: Bench) -> None:
    line = twice.line()
    twice.proxies[1].arm("html")
    states = [one.state for one in line.self_check()]
    assert FindingState.WARNING in states
    assert FindingState.WRONG not in states
    twice.proxies[0].arm("html")
    assert FindingState.WRONG in [one.state for one in line.self_check()]


def test_balances_of_a_block_that_is_not_there_are_not_invented(celo: Bench) -> None:
    line = ChainLine(chain=celo.line(), world=celo, code=CODES["celo"])
    with pytest.raises(NotSent):
        line.chain.balances([OURS], [line.code], celo.controls.height + 5)
    with pytest.raises(ValueError, match="lists no asset"):
        line.chain.balances([OURS], ["USDC.base"])
